"""The SLA version: numbered, chained, signed by both sides; never changed once proposed."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest

from portal.shared.triggers import frozen_once_proposed
from sla import words
from sla.models.chain import moves_the_head
from sla.models.commitment import seconds
from sla.models.party import Party
from sla.models.signature import Signature

# By default reaching someone counts as a touch, and so does a message sent by a person; a voicemail and a call that
# nobody answers are attempts.
TOUCHES = {touch: f"{said[0].upper()}{said[1:]}" for touch, said in words.TOUCHES.items()}
COUNTED = ("call:reached", "meeting:reached", "email:reached", "email:sent", "message:reached", "message:sent")

MOST_EXPLORED = 200  # per mille: exploration is a few leads, not another threshold


def counted_touches():
    return list(COUNTED)


class VersionQuerySet(models.QuerySet):
    def signed(self):
        """Versions that both parties signed, each with `begins_at`: its effective_from, or the last signature."""
        by = Signature.objects.filter(version=OuterRef("pk"))
        both = self.filter(Exists(by.filter(party=Party.MARKETING)), Exists(by.filter(party=Party.SALES)))
        last = by.order_by().values("version").annotate(last=Max("signed_at")).values("last")
        return both.annotate(begins_at=Greatest("effective_from", Subquery(last)))

    def waiting(self):
        """Proposed versions that can still be signed."""
        signed = self.model.objects.signed().values("pk")
        overtaken = self.model.objects.signed().order_by("-number").values("number")[:1]
        proposed = self.filter(proposed_at__isnull=False, withdrawal=None).exclude(pk__in=signed)
        return proposed.exclude(number__lt=Subquery(overtaken))

    def in_force(self, *, at):
        """The version signed by both that began last, not after `at` (aware datetime), or None.

        A version begins at its effective_from, or with the second signature where that came later.
        """
        return self.begun(at=at).first()

    def begun(self, *, at):
        """Those signed by both that had begun at `at`, the last one first."""
        return self.signed().filter(begins_at__lte=at).order_by("-begins_at", "-number")


class SLAVersion(models.Model):
    """One version of the agreement. It ends when a later one begins; no row is ever updated for that."""

    class ClockBasis(models.TextChoices):
        ELAPSED = "elapsed", "Around the clock"
        CALENDAR = "calendar", "The agreement's business hours"
        OWNER = "owner", "The owner's business hours"

    class Cadence(models.TextChoices):
        WEEKLY = "weekly", "Every week"
        FORTNIGHTLY = "fortnightly", "Every two weeks"
        MONTHLY = "monthly", "Every month"

    number = models.PositiveIntegerField(unique=True)
    definition = models.ForeignKey("sla.MQLDefinition", on_delete=models.PROTECT, related_name="versions")
    calendar = models.ForeignKey("sla.Calendar", on_delete=models.PROTECT, related_name="versions")
    clock_basis = models.CharField(max_length=8, choices=ClockBasis, default=ClockBasis.ELAPSED)
    summary = models.CharField(max_length=200, blank=True, default="")
    undo_within = models.DurationField(default=dt.timedelta(minutes=15))
    cool_off = models.DurationField(default=dt.timedelta(days=30))
    bulk_limit = models.PositiveSmallIntegerField(default=50)
    attempts_before_unreachable = models.PositiveSmallIntegerField(default=3)
    touch_kinds = ArrayField(
        models.CharField(max_length=20), default=counted_touches, help_text='what counts as a touch: "call:reached"'
    )
    dispute_within = models.DurationField(default=dt.timedelta(days=10))
    recycle_within = models.DurationField(
        default=dt.timedelta(days=5 * 365), help_text="a day to come back lies at most this far ahead"
    )
    review_cadence = models.CharField(max_length=11, choices=Cadence, default=Cadence.MONTHLY)
    sources = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="empty: all of them")
    campaigns = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="empty: all of them")
    target_rate = models.PositiveSmallIntegerField(null=True, blank=True, help_text="joint target, per mille")
    target_accepted = models.PositiveIntegerField(null=True, blank=True, help_text="joint target, accepted a month")
    exploration_share = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="per mille of the leads just below the lowest tier that go to sales all the same",
    )
    exploration_reach = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="how many points below the lowest tier"
    )
    benchmarks = models.JSONField(default=list, blank=True, help_text='[{"name": "good", "from_per_mille": 250}, …]')
    benchmark_source = models.CharField(max_length=200, default="", blank=True)
    marketing_signatory = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sales_signatory = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="drafts")
    changed_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    effective_from = models.DateTimeField(null=True, blank=True)
    predecessor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="successors")
    # The text whose SHA-256 is the fingerprint (sla.chain). The migration has a CHECK that it is.
    canonical = models.TextField(null=True, editable=False)  # noqa: DJ001
    fingerprint = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            # one beginning and no forks: NULL counts as a value here
            models.UniqueConstraint(
                fields=["predecessor"],
                nulls_distinct=False,
                condition=Q(proposed_at__isnull=False),
                name="sla_version_no_fork",
            ),
            models.UniqueConstraint(fields=["id", "fingerprint"], name="sla_version_fingerprint_pair"),
            models.UniqueConstraint(fields=["id", "definition"], name="sla_version_definition_pair"),
            models.CheckConstraint(
                condition=Q(clock_basis__in=["elapsed", "calendar", "owner"]), name="sla_version_clock_basis_known"
            ),
            models.CheckConstraint(
                condition=Q(proposed_at=None, fingerprint=None, canonical=None)
                | Q(
                    proposed_at__isnull=False,
                    fingerprint__isnull=False,
                    canonical__isnull=False,
                    effective_from__isnull=False,
                ),
                name="sla_version_proposed_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(fingerprint=None) | Q(fingerprint__regex=r"^[0-9a-f]{64}$"),
                name="sla_version_fingerprint_is_sha256",
            ),
            models.CheckConstraint(
                condition=Q(review_cadence__in=["weekly", "fortnightly", "monthly"]), name="sla_version_cadence_known"
            ),
            models.CheckConstraint(
                condition=Q(touch_kinds__contained_by=list(TOUCHES), touch_kinds__len__gte=1),
                name="sla_version_touches_known",
            ),
            models.CheckConstraint(
                condition=Q(target_rate=None) | Q(target_rate__lte=1000), name="sla_version_rate_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(exploration_share=None, exploration_reach=None)
                | Q(
                    exploration_share__isnull=False,
                    exploration_share__range=(1, MOST_EXPLORED),
                    exploration_reach__isnull=False,
                    exploration_reach__range=(1, 1000),
                ),
                name="sla_version_exploration_is_a_few",
            ),
            models.CheckConstraint(
                condition=Q(benchmarks=[]) | ~Q(benchmark_source=""), name="sla_version_benchmarks_name_their_source"
            ),
            models.CheckConstraint(
                condition=Q(marketing_signatory=None)
                | Q(sales_signatory=None)
                | ~Q(marketing_signatory=F("sales_signatory")),
                name="sla_version_signatories_are_two",
            ),
        ]
        triggers = [*frozen_once_proposed("agreement"), moves_the_head()]

    def __str__(self):
        return f"Agreement v{self.number}"

    def content(self):
        """Everything the signatures cover, as plain JSON values (integers, strings, lists, objects).

        Exploration stands in it only where it is agreed, so that what was signed without it stays as it was.
        """
        definition, explores = self.definition, self.exploration_share is not None
        explored = {"share": self.exploration_share, "reach": self.exploration_reach}
        return ({"exploration": explored} if explores else {}) | {
            "number": self.number,
            "summary": self.summary,
            "effective_from": self.effective_from,
            "clock_basis": self.clock_basis,
            "undo_within_seconds": seconds(self.undo_within),
            "cool_off_seconds": seconds(self.cool_off),
            "bulk_limit": self.bulk_limit,
            "attempts_before_unreachable": self.attempts_before_unreachable,
            "touches": sorted(self.touch_kinds),
            "dispute_within_seconds": seconds(self.dispute_within),
            "recycle_within_seconds": seconds(self.recycle_within),
            "review_cadence": self.review_cadence,
            "covers": {"sources": self.sources, "campaigns": self.campaigns},
            "target": {"rate": self.target_rate, "accepted": self.target_accepted},
            "benchmarks": {"source": self.benchmark_source, "bands": self.benchmarks},
            "signatories": {"marketing": self.marketing_signatory_id, "sales": self.sales_signatory_id},
            "escalation_steps": [step.content() for step in self.escalation_steps.all()],
            "calendar": {
                "zone": self.calendar.zone,
                "week": self.calendar.week,
                "exceptions": self.calendar.exceptions,
            },
            "definition": definition.as_definition().as_json(),
            "commitments": [commitment.content() for commitment in self.commitments.all()],
            "reasons": [
                {
                    "code": reason.code,
                    "category": reason.category,
                    "label": reason.label,
                    "meaning": reason.meaning,
                    "is_general": reason.is_general,
                    "detail": reason.detail,
                    "detail_default": reason.detail_default,
                    "detail_required": reason.detail_required,
                    "note_required": reason.note_required,
                    "unreachable": reason.unreachable,
                    "next_step": reason.next_step,
                    "recycle_days": reason.recycle_days,
                    "retired": reason.retired,
                    "merged_into": reason.merged_into,
                }
                for reason in self.reasons.all()
            ],
        }

    def signatory_id(self, party):
        """The person who signs for `party`, or None where any of its leaders does."""
        return self.marketing_signatory_id if party == Party.MARKETING else self.sales_signatory_id
