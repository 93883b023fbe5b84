"""The SLA version: numbered, chained, signed by both sides; never changed once proposed."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from portal.shared.triggers import append_only, frozen_once_proposed, frozen_with_parent
from sla.models.chain import counts_the_signature, moves_the_head


class Party(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"


class VersionQuerySet(models.QuerySet):
    def signed(self):
        """Versions that both parties signed."""
        by = Signature.objects.filter(version=OuterRef("pk"))
        return self.filter(Exists(by.filter(party=Party.MARKETING)), Exists(by.filter(party=Party.SALES)))

    def in_force(self, *, at):
        """The signed version with the latest effective_from not after `at` (aware datetime), or None."""
        return self.signed().filter(effective_from__lte=at).order_by("-effective_from").first()


class SLAVersion(models.Model):
    """One version of the agreement. It ends when a later one begins; no row is ever updated for that."""

    class ClockBasis(models.TextChoices):
        ELAPSED = "elapsed", "Around the clock"
        CALENDAR = "calendar", "The agreement's business hours"
        OWNER = "owner", "The owner's business hours"

    number = models.PositiveIntegerField(unique=True)
    definition = models.ForeignKey("sla.MQLDefinition", on_delete=models.PROTECT, related_name="versions")
    calendar = models.ForeignKey("sla.Calendar", on_delete=models.PROTECT, related_name="versions")
    clock_basis = models.CharField(max_length=8, choices=ClockBasis, default=ClockBasis.ELAPSED)
    summary = models.CharField(max_length=200, blank=True, default="")
    undo_within = models.DurationField(default=dt.timedelta(minutes=15))
    cool_off = models.DurationField(default=dt.timedelta(days=30))
    bulk_limit = models.PositiveSmallIntegerField(default=50)
    attempts_before_unreachable = models.PositiveSmallIntegerField(default=3)
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
            # Versions have a beginning and no end, so "two in force at one instant" is the same as
            # "two that begin at one instant" (docs/adr/0003).
            models.UniqueConstraint(fields=["effective_from"], name="sla_version_one_in_force"),
            # one beginning and no forks: NULL counts as a value here
            models.UniqueConstraint(
                fields=["predecessor"],
                nulls_distinct=False,
                condition=Q(proposed_at__isnull=False),
                name="sla_version_no_fork",
            ),
            models.UniqueConstraint(fields=["id", "fingerprint"], name="sla_version_fingerprint_pair"),
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
        ]
        triggers = [*frozen_once_proposed("agreement"), moves_the_head()]

    def __str__(self):
        return f"Agreement v{self.number}"

    def content(self):
        """Everything the signatures cover, as plain JSON values (integers, strings, lists, objects)."""
        definition = self.definition
        return {
            "number": self.number,
            "summary": self.summary,
            "effective_from": self.effective_from,
            "clock_basis": self.clock_basis,
            "undo_within_seconds": _seconds(self.undo_within),
            "cool_off_seconds": _seconds(self.cool_off),
            "bulk_limit": self.bulk_limit,
            "attempts_before_unreachable": self.attempts_before_unreachable,
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
                }
                for reason in self.reasons.all()
            ],
        }


def _seconds(duration):
    return None if duration is None else int(duration.total_seconds())


class Commitment(models.Model):
    """One promise of one side: a time within which, or a share or count that is kept."""

    class Kind(models.TextChoices):
        FIRST_CONTACT = "first_contact", "First contact within"
        DECISION = "decision", "Decision within"
        SHARE_KEPT = "share_kept", "Share of clocks kept"
        MQLS = "mqls", "MQLs a month"
        ACCEPTANCE = "acceptance", "Acceptance at least"
        COMPLETE_FACTS = "complete_facts", "Share with complete facts"

    version = models.ForeignKey(SLAVersion, on_delete=models.CASCADE, related_name="commitments")
    party = models.CharField(max_length=9, choices=Party)
    kind = models.CharField(max_length=14, choices=Kind)
    tier = models.ForeignKey("sla.Tier", on_delete=models.PROTECT, null=True, blank=True, related_name="commitments")
    within = models.DurationField(null=True, blank=True)
    at_least = models.PositiveIntegerField(null=True, blank=True, help_text="per mille for shares, else a count")
    at_most = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["version", "party", "kind", "tier__position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind", "tier"], nulls_distinct=False, name="sla_commitment_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["first_contact", "decision"], within__isnull=False, tier__isnull=False, party="sales"
                )
                | Q(kind__in=["share_kept"], at_least__isnull=False, within=None, party="sales")
                | Q(
                    kind__in=["mqls", "acceptance", "complete_facts"],
                    at_least__isnull=False,
                    within=None,
                    party="marketing",
                ),
                name="sla_commitment_shape",
            ),
        ]
        triggers = frozen_with_parent("commitments", table="sla_slaversion", column="version_id")

    def __str__(self):
        return self.get_kind_display()

    def content(self):
        return {
            "party": self.party,
            "kind": self.kind,
            "tier": self.tier.key if self.tier else None,
            "within_seconds": _seconds(self.within),
            "at_least": self.at_least,
            "at_most": self.at_most,
        }


class Signature(models.Model):
    """One party's signing of a version's fingerprint: (version, fingerprint) is a foreign key, see the migration."""

    version = models.ForeignKey(SLAVersion, on_delete=models.PROTECT, related_name="signatures")
    fingerprint = models.CharField(max_length=64)
    party = models.CharField(max_length=9, choices=Party)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, help_text="the role as it was")
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over all of the above, see sla.chain")

    class Meta:
        ordering = ["version", "signed_at"]
        constraints = [
            models.UniqueConstraint(fields=["version", "party"], name="sla_signature_one_a_party"),
            models.UniqueConstraint(fields=["version", "signed_by"], name="sla_signature_never_for_both"),
            models.CheckConstraint(condition=Q(party__in=list(Party.values)), name="sla_signature_party_known"),
        ]
        triggers = [*append_only("signatures"), counts_the_signature()]

    def __str__(self):
        return f"{self.name} for {self.get_party_display()}"
