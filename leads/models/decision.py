"""The decision: accepted, or rejected with a reason; append-only, corrected by a decision that supersedes."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads import lifecycle
from leads.models.erasure import OF_HANDOFF, erasable
from leads.models.via import Via
from portal.shared.triggers import append_only

TIP_IS_STANDING = """
    IF NEW.supersedes_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM leads_decision d WHERE d.id = NEW.supersedes_id AND d.handoff_id = NEW.handoff_id
    ) THEN
        RAISE EXCEPTION 'a decision supersedes one of its own handoff'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM leads_decision d WHERE d.supersedes_id = NEW.id) THEN RETURN NULL; END IF;
    IF NOT EXISTS (
        SELECT 1 FROM leads_handoff h WHERE h.id = NEW.handoff_id
        AND (h.standing_decision_id = NEW.id OR h.status = 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'the last decision of handoff % must be its standing one', NEW.handoff_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


class Decision(models.Model):
    """One decision on one handoff. Its outcome is the status the handoff has while the decision stands."""

    class Outcome(models.TextChoices):
        ACCEPTED = lifecycle.ACCEPTED, "Accepted"
        REJECTED = lifecycle.REJECTED, "Rejected"
        REOPENED = lifecycle.OPEN, "Reopened"

    Via = Via

    handoff = models.ForeignKey("leads.Handoff", on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=8, choices=Outcome)
    reason = models.ForeignKey("sla.ReasonCode", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    attribute = models.CharField(max_length=60, blank=True, default="", help_text="fit: which attribute")
    recycle_on = models.DateField(null=True, help_text="timing: when to come back")
    field = models.CharField(max_length=60, blank=True, default="", help_text="data: which field")
    signal = models.CharField(max_length=60, blank=True, default="", help_text="scoring: which signal")
    duplicate_of = models.ForeignKey(
        "leads.Lead", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    note = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    via = models.CharField(max_length=6, choices=Via, default=Via.PAGE)
    batch = models.UUIDField(null=True, help_text="decisions of one bulk act share it")
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")

    class Meta:
        ordering = ["decided_at", "id"]
        indexes = [
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="leads_decision_batch"),
            models.Index(fields=["decided_at"], condition=Q(via="bulk"), name="leads_decision_in_bulk"),
            models.Index(fields=["decided_at"], condition=Q(supersedes__isnull=False), name="leads_decision_amending"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="rejected", reason__isnull=False)
                | Q(outcome__in=["accepted", "open"], reason=None),
                name="leads_decision_rejection_has_reason",
            ),
            models.UniqueConstraint(
                fields=["handoff"], condition=Q(supersedes=None), name="leads_decision_one_standing"
            ),
            models.CheckConstraint(
                condition=~Q(outcome="open") | Q(supersedes__isnull=False), name="leads_decision_reopens_something"
            ),
            models.CheckConstraint(
                condition=Q(via__in=["page", "bulk", "import", "api"]), name="leads_decision_via_known"
            ),
        ]
        triggers = [
            *append_only("decisions", erasable({"note": ""}, OF_HANDOFF)),
            pgtrigger.Trigger(
                name="tip_is_standing",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func=TIP_IS_STANDING,
            ),
        ]

    def __str__(self):
        return self.get_outcome_display()
