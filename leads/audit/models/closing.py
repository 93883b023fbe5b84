"""A closed audit: the month's figures as they were signed, chained, never changed; and how it is opened again."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q, prefetch_related_objects

from portal.shared.prepared import A_DAY, Prepared
from portal.shared.triggers import append_only, refuse
from sla.models import Party

REOPENED = "(SELECT count(*) FROM audit_reopening r WHERE r.closing_id = {0}) = 2"


class ClosingManager(models.Manager):
    def of(self, month):
        """The closing that stands for a figures.Month, with its signatures; or None where the month is open."""
        last = _last.one(month.first)
        if last is None:
            return None
        prefetch_related_objects([last], "signatures", "reopenings")
        return None if last.is_reopened else last


@Prepared.of(A_DAY)
def _last(first):
    return Closing.objects.filter(month=first).order_by("-number")[:1]


class Closing(models.Model):
    """One month's audit, computed once and frozen: `canonical` is the text whose SHA-256 is the fingerprint."""

    month = models.DateField(help_text="its first day")
    number = models.PositiveSmallIntegerField(help_text="1, and one more each time the month was opened again")
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    canonical = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True)
    predecessor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="successors")

    objects = ClosingManager()

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
