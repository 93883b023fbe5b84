"""What a version promises: commitments of both sides, and what happens while a promise is about to be missed."""

import datetime as dt

from django.db import models
from django.db.models import Q

from portal.shared.triggers import frozen_with_parent
from sla.models.party import Party


def seconds(duration):
    """A duration in whole seconds, as the signed text has it; None stays None."""
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

    version = models.ForeignKey("sla.SLAVersion", on_delete=models.CASCADE, related_name="commitments")
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
            "within_seconds": seconds(self.within),
            "at_least": self.at_least,
            "at_most": self.at_most,
        }


class EscalationStep(models.Model):
    """What the portal does while a clock runs out: warn the owner, tell the manager, give the lead to the queue.

    `share`: percent of the clock's time that has passed; `after`: time past the due time (0: at once), counted as the
    clock is. Steps of a clock happen in the order of their positions.
    """

    class Clock(models.TextChoices):
        CONTACT = "contact", "First contact"
        DECISION = "decision", "Decision"

    class Kind(models.TextChoices):
        WARN_OWNER = "warn_owner", "Warn the owner"
        TELL_MANAGER = "tell_manager", "Tell the manager"
        TO_QUEUE = "to_queue", "Give the lead to the queue"

    version = models.ForeignKey("sla.SLAVersion", on_delete=models.CASCADE, related_name="escalation_steps")
    clock = models.CharField(max_length=8, choices=Clock)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    share = models.PositiveSmallIntegerField(null=True, blank=True)
    after = models.DurationField(null=True, blank=True)

    class Meta:
        ordering = ["version", "clock", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "clock", "position"], name="sla_step_position_once"),
            models.UniqueConstraint(
                fields=["version", "clock", "kind", "share", "after"], nulls_distinct=False, name="sla_step_once"
            ),
            models.CheckConstraint(condition=Q(clock__in=["contact", "decision"]), name="sla_step_clock_known"),
            models.CheckConstraint(
                condition=Q(kind="warn_owner", share__isnull=False, share__gte=1, share__lte=99, after=None)
                | Q(
                    kind__in=["tell_manager", "to_queue"], share=None, after__isnull=False, after__gte=dt.timedelta(0)
                ),
                name="sla_step_shape",
            ),
        ]
        triggers = frozen_with_parent("escalation steps", table="sla_slaversion", column="version_id")

    def __str__(self):
        return self.get_kind_display()

    def content(self):
        return {
            "clock": self.clock,
            "position": self.position,
            "kind": self.kind,
            "share": self.share,
            "after_seconds": seconds(self.after),
        }
