"""A closed audit: the month's figures as they were signed, chained, never changed; and how it is opened again."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.audit.excuse_models import PROPOSERS, Excuse, ExcuseAnswer  # noqa: F401 (records of this app)
from portal.shared.triggers import append_only, refuse
from sla.models import Party

REOPENED = "(SELECT count(*) FROM audit_reopening r WHERE r.closing_id = {0}) = 2"


class ClosingQuerySet(models.QuerySet):
    def of(self, month):
        """The closing that stands for a figures.Month, with its signatures; or None where the month is open."""
        last = self.filter(month=month.first).order_by("number").prefetch_related("signatures", "reopenings").last()
        return None if last is None or last.is_reopened else last


class Closing(models.Model):
    """One month's audit, computed once and frozen: `canonical` is the text whose SHA-256 is the fingerprint."""

    month = models.DateField(help_text="its first day")
    number = models.PositiveSmallIntegerField(help_text="1, and one more each time the month was opened again")
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    canonical = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True)
    predecessor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="successors")

    objects = ClosingQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["month", "number"], name="audit_closing_number_once"),
            models.UniqueConstraint(fields=["predecessor"], nulls_distinct=False, name="audit_closing_no_fork"),
            models.CheckConstraint(condition=Q(month__day=1), name="audit_closing_month_is_its_first_day"),
            models.CheckConstraint(
                condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"), name="audit_closing_fingerprint_is_sha256"
            ),
        ]
        triggers = [
            *append_only("closed audits"),
            pgtrigger.Trigger(
                name="follows_the_last",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NEW.predecessor_id IS DISTINCT FROM (SELECT max(c.id) FROM audit_closing c) THEN
                        {refuse("a closed audit follows the one closed last")}
                    END IF;
                    IF EXISTS (
                        SELECT 1 FROM audit_closing c WHERE c.month = NEW.month AND NOT {REOPENED.format("c.id")}
                    ) THEN
                        {refuse("a closed month is opened again by both sides before it is closed anew")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"Audit of {self.month:%Y-%m}"

    @property
    def is_reopened(self):
        return len(self.reopenings.all()) == len(Party)

    @property
    def is_signed(self):
        return len(self.signatures.all()) == len(Party)


class ClosingSignature(models.Model):
    """One side's signature under a closed audit's fingerprint."""

    closing = models.ForeignKey(Closing, on_delete=models.PROTECT, related_name="signatures")
    fingerprint = models.CharField(max_length=64)
    party = models.CharField(max_length=9, choices=Party)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, help_text="the role as it was")
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over all of the above, see sla.chain")

    class Meta:
        ordering = ["signed_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["closing", "party"], name="audit_signature_one_a_party"),
            models.UniqueConstraint(fields=["closing", "signed_by"], name="audit_signature_never_for_both"),
            models.CheckConstraint(condition=Q(party__in=list(Party.values)), name="audit_signature_party_known"),
        ]
        triggers = [
            *append_only("audit signatures"),
            pgtrigger.Trigger(
                name="of_this_fingerprint",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM audit_closing c WHERE c.id = NEW.closing_id AND c.fingerprint = NEW.fingerprint
                    ) THEN
                        {refuse("an audit signature is of the fingerprint that was closed")}
                    END IF;
                    IF {REOPENED.format("NEW.closing_id")} THEN
                        {refuse("an audit that was opened again is no longer signed")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.name} for {self.get_party_display()}"


class Reopening(models.Model):
    """One side's wish to open a closed month again, with its reason; with both, it is open."""

    closing = models.ForeignKey(Closing, on_delete=models.PROTECT, related_name="reopenings")
    party = models.CharField(max_length=9, choices=Party)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    why = models.TextField()

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["closing", "party"], name="audit_reopening_one_a_party"),
            models.UniqueConstraint(fields=["closing", "asked_by"], name="audit_reopening_never_for_both"),
            models.CheckConstraint(condition=Q(party__in=list(Party.values)), name="audit_reopening_party_known"),
            models.CheckConstraint(condition=~Q(why=""), name="audit_reopening_says_why"),
        ]
        triggers = append_only("reopenings")

    def __str__(self):
        return self.why


class Action(models.Model):
    """An item that an audit decided; what is agreed of it stands in its last revision."""

    month = models.DateField(help_text="the first day of the month whose audit decided it")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["month"], name="audit_action_month")]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="audit_action_month_is_its_first_day"),
        ]
        triggers = append_only("actions")

    def __str__(self):
        return f"Action {self.pk} of {self.month:%Y-%m}"


class ActionRevision(models.Model):
    """What was agreed of an action, as of one change; the last one stands, the earlier ones are its history."""

    RATE = "rate"

    action = models.ForeignKey(Action, on_delete=models.PROTECT, related_name="revisions", db_index=False)
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    due_on = models.DateField()
    measure = models.CharField(max_length=4, help_text='"rate", or the code of the reason whose share it lowers')
    expected = models.DecimalField(max_digits=4, decimal_places=1, help_text="percentage points for the better")
    # a draft may be deleted; that it was linked then stays as an id that leads nowhere
    definition = models.ForeignKey(
        "sla.MQLDefinition", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    is_closed = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True, default="")
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["action", "number"]
        constraints = [
            models.UniqueConstraint(fields=["action", "number"], name="audit_action_revision_once"),
            models.CheckConstraint(condition=~Q(text=""), name="audit_action_says_what"),
            models.CheckConstraint(condition=Q(expected__gt=0, expected__lte=100), name="audit_action_expects_better"),
            models.CheckConstraint(
                condition=Q(measure="rate") | Q(measure__regex=r"^[0-9]{2,4}$"), name="audit_action_measure_known"
            ),
            models.CheckConstraint(
                condition=Q(is_closed=False) | ~Q(note=""), name="audit_action_closed_says_what_was_done"
            ),
        ]
        triggers = [
            *append_only("what was agreed of actions"),
            pgtrigger.Trigger(
                name="follows_the_last",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF EXISTS (
                        SELECT 1 FROM audit_actionrevision r WHERE r.action_id = NEW.action_id AND r.is_closed
                    ) THEN
                        {refuse("a closed action does not change")}
                    END IF;
                    IF NEW.number <> 1 + (
                        SELECT count(*) FROM audit_actionrevision r WHERE r.action_id = NEW.action_id
                    ) THEN
                        {refuse("a revision follows the one before it")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return self.text


class Sample(models.Model):
    """Rejections of one month that were drawn by chance, for a second person to code without seeing the first code."""

    month = models.DateField(help_text="its first day")
    number = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=32, help_text="with it anybody draws the same again: see audit.sampling")
    size = models.PositiveSmallIntegerField()
    population = models.PositiveIntegerField(help_text="the rejections it was drawn from")
    drawn_at = models.DateTimeField()
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["month", "number"]
        constraints = [
            models.UniqueConstraint(fields=["month", "number"], name="audit_sample_number_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="audit_sample_month_is_its_first_day"),
            models.CheckConstraint(condition=Q(size__gte=1) & Q(population__gte=models.F("size")),
                                   name="audit_sample_of_something"),
            models.CheckConstraint(condition=~Q(seed=""), name="audit_sample_shows_its_seed"),
        ]  # fmt: skip
        triggers = append_only("samples")

    def __str__(self):
        return f"Sample {self.number} of {self.month:%Y-%m}"


class SampleItem(models.Model):
    """One rejection of a sample; it is drawn once, whatever the sample."""

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    decision = models.OneToOneField("leads.Decision", on_delete=models.PROTECT, related_name="sampled")

    class Meta:
        ordering = ["sample", "position"]
        constraints = [models.UniqueConstraint(fields=["sample", "position"], name="audit_sampleitem_place_once")]
        triggers = [
            *append_only("sampled rejections"),
            pgtrigger.Trigger(
                name="is_a_rejection",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM leads_decision d, audit_sample s WHERE d.id = NEW.decision_id
                        AND d.outcome = 'rejected' AND s.id = NEW.sample_id AND NEW.position BETWEEN 1 AND s.size
                    ) THEN
                        {refuse("a sample holds as many rejections as it says")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.sample_id}.{self.position}"


class Coding(models.Model):
    """The reason that a second person gave a sampled rejection, once, without seeing the first one."""

    item = models.OneToOneField(SampleItem, on_delete=models.PROTECT, related_name="coding")
    reason = models.ForeignKey("sla.ReasonCode", on_delete=models.PROTECT, related_name="+")
    coded_at = models.DateTimeField()
    coded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["coded_at", "id"]
        triggers = [
            *append_only("codings"),
            pgtrigger.Trigger(
                name="by_a_second_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM audit_sampleitem i JOIN leads_decision d ON d.id = i.decision_id
                        JOIN leads_handoff h ON h.id = d.handoff_id JOIN sla_reasoncode r ON r.id = NEW.reason_id
                        WHERE i.id = NEW.item_id AND r.version_id = h.sla_version_id
                        AND COALESCE(d.decided_by_id, h.owner_id) IS DISTINCT FROM NEW.coded_by_id
                    ) THEN
                        {refuse("a second person codes with the reasons of the lead's own agreement")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return str(self.reason)
