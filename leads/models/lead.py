"""The lead: a person at a company; and its events, append-only."""

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower, Trim

from leads.models.erasure import erasable, erased_for_good
from leads.models.fact_change import keeps_what_was
from leads.models.place import COUNTED_AS_LEADS
from portal.shared.settled import tells_its_ids
from portal.shared.triggers import append_only

FACTS = (
    "external_id", "email", "phone", "first_name", "last_name", "title", "company", "domain", "employees",
    "industry", "country", "region", "product", "source", "campaign", "channel",
)  # fmt: skip

NULLED = ("external_id", "email", "employees")  # facts that are null where they are unknown; the others are empty


class EmailKey(models.Func):
    """The e-mail address without its +tag."""

    template = r"regexp_replace(%(expressions)s, '\+[^@]*@', '@')"
    output_field = models.TextField()


# without case, spaces and +tag: two spellings of one mailbox are one person; few have a tag, and cutting it off costs
MAILBOX = Case(
    When(email__contains="+", then=EmailKey(Lower(Trim("email")))),
    default=Lower(Trim("email")),
    output_field=models.TextField(),
)


class Lead(models.Model):
    """One row per person. Facts are what is known now; a handoff keeps the facts that it was judged on."""

    external_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(max_length=254, null=True, blank=True)  # noqa: DJ001
    email_key = models.GeneratedField(expression=MAILBOX, output_field=models.TextField(null=True), db_persist=True)
    phone = models.CharField(max_length=60, blank=True, default="")
    first_name = models.CharField(max_length=120, blank=True, default="")
    last_name = models.CharField(max_length=120, blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    company = models.CharField(max_length=200, blank=True, default="")
    domain = models.CharField(max_length=200, blank=True, default="")
    employees = models.PositiveIntegerField(null=True, blank=True)
    industry = models.CharField(max_length=120, blank=True, default="")
    country = models.CharField(max_length=120, blank=True, default="")
    region = models.CharField(max_length=120, blank=True, default="")
    product = models.CharField(max_length=120, blank=True, default="")
    source = models.CharField(max_length=120, blank=True, default="")
    campaign = models.CharField(max_length=200, blank=True, default="")
    channel = models.CharField(max_length=120, blank=True, default="")
    attributes = models.JSONField(default=dict, blank=True)
    recycle_on = models.DateField(null=True, blank=True, help_text="In nurture until this day")
    evaluate_from = models.DateTimeField(null=True, blank=True, help_text="To be evaluated again, not before then")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True, help_text="The person was forgotten: see Erasure")

    class Meta:
        indexes = [
            # the sweep's two questions, small at any table size
            models.Index(
                fields=["recycle_on", "id"], condition=Q(recycle_on__isnull=False), name="leads_lead_recycle"
            ),
            models.Index(
                fields=["evaluate_from", "id"], condition=Q(evaluate_from__isnull=False), name="leads_lead_evaluate"
            ),
        ]
        constraints = [
            # `unique=True` would add a second index, for LIKE, which nothing asks for
            models.UniqueConstraint(fields=["external_id"], name="leads_lead_one_an_outside_id"),
            models.UniqueConstraint(fields=["email_key"], name="leads_lead_one_a_mailbox"),
            models.CheckConstraint(condition=~Q(email=""), name="leads_lead_email_null_not_empty"),
            models.CheckConstraint(condition=~Q(external_id=""), name="leads_lead_external_id_null_not_empty"),
            models.CheckConstraint(
                condition=Q(erased_at=None)
                | Q(attributes={}, recycle_on=None, evaluate_from=None, **dict.fromkeys(NULLED))
                & Q(**{name: "" for name in FACTS if name not in NULLED}),
                name="leads_lead_erased_knows_nothing",
            ),
        ]
        triggers = [keeps_what_was(FACTS), *COUNTED_AS_LEADS, *erased_for_good(), tells_its_ids("leads_lead")]

    def __str__(self):
        return self.name

    @property
    def name(self):
        """What to call the person: the name, else the address, else the company or the outside id."""
        full = f"{self.first_name} {self.last_name}".strip()
        return full or self.email or self.company or self.external_id or f"Lead {self.pk}"

    def facts(self):
        """The facts that scoring reads: {field: value, …, "attributes": {…}}."""
        return {field: getattr(self, field) for field in FACTS} | {"attributes": self.attributes}


class Event(models.Model):
    """Something the lead did, or that was learnt of it. Scores count events; suspected ones give no points."""

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    origin = models.CharField(max_length=60, default="", blank=True, help_text="which system told us")
    origin_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001
    properties = models.JSONField(default=dict, blank=True)
    suspected_by = models.CharField(max_length=60, default="", blank=True, help_text="the bot rule that marked it")

    class Meta:
        indexes = [models.Index(fields=["lead", "occurred_at"], name="leads_event_by_lead")]
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "origin_id"], condition=Q(origin_id__isnull=False), name="leads_event_once"
            ),
            models.CheckConstraint(condition=~Q(kind=Value("")), name="leads_event_has_kind"),
        ]
        triggers = append_only("events", erasable({"properties": {}, "origin_id": None}))

    def __str__(self):
        return self.kind
