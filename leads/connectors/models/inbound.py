"""What tells us of leads: inbound connections, each item that came in and what became of it, and who said what."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

USER = settings.AUTH_USER_MODEL


class ConnectionQuerySet(models.QuerySet):
    def kept(self):
        return self.filter(retired_at=None)


class Connection(models.Model):
    """A system that tells us of leads: its secret address, how its items are read, and what it may overwrite."""

    class Kind(models.TextChoices):
        HUBSPOT = "hubspot", "HubSpot"
        SALESFORCE = "salesforce", "Salesforce"
        JSON = "json", "JSON"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind)
    address_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the address's secret part")
    address_end = models.CharField(max_length=4, help_text="its last characters, to tell addresses apart")
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    previous_until = models.DateTimeField(null=True, help_text="the address before this one works until then")
    secret = models.TextField(blank=True, default="", help_text="sealed: checks signatures; empty: none are asked for")
    organisation = models.CharField(max_length=18, blank=True, default="", help_text="Salesforce: who may tell")
    mapping = models.JSONField(default=dict, help_text="the importer's mapping document; columns are paths or names")
    paths = models.JSONField(default=dict, help_text="JSON: where the items, their id, time, person and actor stand")
    properties = models.JSONField(default=dict, help_text="JSON: {property of the event: where it stands}")
    event_kind = models.CharField(max_length=60, help_text="of the event that each item becomes")
    overwrites = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, help_text="its facts; it only fills the others"
    )
    shares_ids = models.BooleanField(default=True, help_text="its ids of people are the outside ids of leads")
    ours = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, help_text="who there writes what we told"
    )

    received_at = models.DateTimeField(null=True, help_text="the last message")
    turned_away_at = models.DateTimeField(null=True, help_text="the last message that was not believed")
    turned_away_why = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)
    disabled_at = models.DateTimeField(null=True)
    disabled_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at=None), name="connectors_connection_name_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["hubspot", "salesforce", "json"]) & ~Q(event_kind=""),
                name="connectors_connection_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=False) | ~Q(kind="hubspot") | ~Q(secret=""),
                name="connectors_connection_hubspot_signs",
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=False) | ~Q(kind="salesforce") | ~Q(organisation=""),
                name="connectors_connection_salesforce_is_named",
            ),
            models.CheckConstraint(
                condition=Q(previous_digest="", previous_until=None)
                | ~Q(previous_digest="") & Q(previous_until__isnull=False),
                name="connectors_connection_previous_address_ends",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_by=None)
                | Q(disabled_at__isnull=False, disabled_by__isnull=False),
                name="connectors_connection_disabled_pair",
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None)
                | Q(retired_at__isnull=False, retired_by__isnull=False, secret="", previous_digest=""),
                name="connectors_connection_retired_forgets",
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name

    @property
    def origin(self):
        """What its events name as the system that told us."""
        return f"{self.kind}:{self.pk}"

    @property
    def is_crm(self):
        """A CRM tells how things are; another system tells that something happened."""
        return self.kind != self.Kind.JSON


class ItemQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(outcome=Item.Outcome.WAITING)

    def held(self):
        return self.filter(outcome=Item.Outcome.HELD)


class Item(models.Model):
    """One item of a message, known once by its connection and origin id, and what became of it."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TAKEN = "taken", "Taken"
        UNCHANGED = "unchanged", "Nothing new"
        OURS = "ours", "Our own change"
        HELD = "held", "Held: whose e-mail?"
        IGNORED = "ignored", "Not ours to take"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="items", db_index=False)
    origin_id = models.CharField(max_length=120)
    person = models.CharField(max_length=120, blank=True, default="", help_text="the sender's id of whom it is about")
    content = models.JSONField(null=True, help_text="as it came; null: forgotten, or not kept")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1, help_text="how often it came")
    tries = models.PositiveSmallIntegerField(default=0, help_text="in vain, by the portal's own fault")
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.WAITING)
    why = models.CharField(max_length=300, blank=True, default="")
    done_at = models.DateTimeField(null=True)
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, null=True, related_name="inbound_items")
    handoff = models.ForeignKey(
        "leads.Handoff", on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="its open one, after it was taken",
    )  # fmt: skip

    objects = ItemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(outcome="waiting"), name="connectors_item_waiting"),
            models.Index(fields=["connection", "-id"], name="connectors_item_log"),
            models.Index(fields=["connection", "person"], condition=Q(outcome="held"), name="connectors_item_held"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["connection", "origin_id"], name="connectors_item_once"),
            models.CheckConstraint(condition=~Q(origin_id=""), name="connectors_item_has_origin"),
            models.CheckConstraint(
                condition=Q(outcome="waiting", done_at=None) | ~Q(outcome="waiting") & Q(done_at__isnull=False),
                name="connectors_item_done_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="taken") | Q(lead__isnull=False), name="connectors_item_taken_has_lead"
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.connection} {self.origin_id}"


class Link(models.Model):
    """Which lead a connection's person is: it stays when the outside id of the lead is another system's."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.CharField(max_length=120)
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "person"], name="connectors_link_once"),
            models.CheckConstraint(condition=~Q(person=""), name="connectors_link_has_person"),
        ]

    def __str__(self):
        return f"{self.person} of {self.connection}"


class Said(models.Model):
    """When a connection last told a fact of a lead: what it said earlier and comes later overwrites nothing."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", db_index=False)
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    fact = models.CharField(max_length=80)
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "lead", "fact"], name="connectors_said_once"),
        ]

    def __str__(self):
        return self.fact


class Conflict(models.Model):
    """A fact that a connection told otherwise than we know it, and that was not taken."""

    class Why(models.TextChoices):
        NOT_THEIRS = "not_theirs", "It is not the source of this fact"
        OLDER = "older", "It said something newer before"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="conflicts")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    fact = models.CharField(max_length=80)
    known = models.TextField(help_text="what we know")
    told = models.TextField(help_text="what was said")
    why = models.CharField(max_length=10, choices=Why)
    found_at = models.DateTimeField()

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["item", "fact"], name="connectors_conflict_once")]

    def __str__(self):
        return f"{self.fact}: {self.get_why_display()}"
