"""The dispute: marketing's objection to a rejection, and the ruling of a sales manager; rows that are only added."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.models.decision import Decision
from leads.models.erasure import ERASED, erasable
from leads.models.handoff import Handoff
from portal.accounts.models import Role
from portal.accounts.permissions import May, may
from portal.shared.triggers import append_only, refuse

OF_DECISION = (
    "(SELECT h.lead_id FROM leads_decision d JOIN leads_handoff h ON h.id = d.handoff_id WHERE d.id = OLD.decision_id)"
)
OF_DISPUTE = (
    "(SELECT h.lead_id FROM leads_dispute p JOIN leads_decision d ON d.id = p.decision_id"
    " JOIN leads_handoff h ON h.id = d.handoff_id WHERE p.id = OLD.dispute_id)"
)


class DisputeQuerySet(models.QuerySet):
    def waiting(self):
        """Without a ruling, and the rejection still stands."""
        return self.filter(ruling=None, decision__superseded_by=None)

    def visible_to(self, user):
        """Those on handoffs that `user` sees."""
        if may(user, May.SEE_ALL_HANDOFFS):
            return self
        return self.filter(decision__handoff__in=Handoff.objects.visible_to(user))

    def rulable_by(self, user):
        """Those that `user` may rule on: the team's for a manager, all for the sales leader, never one's own."""
        if not may(user, May.RULE_ON_DISPUTES):
            return self.none()
        mine = self.exclude(decision__decided_by=user)
        if user.holds(Role.SALES_LEADER):
            return mine
        return mine.filter(decision__handoff__owner__team=user.team_id) if user.team_id else self.none()


class Dispute(models.Model):
    """Marketing objects to one rejection, once. `due_at`: when the ruling is due, by the handoff's agreement."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="dispute")
    disputed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    disputed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    note = models.TextField()

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ["disputed_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(note=""), name="leads_dispute_says_why")]
        triggers = [
            *append_only("disputes", erasable({"note": ERASED}, OF_DECISION)),
            pgtrigger.Trigger(
                name="of_a_rejection",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM leads_decision d WHERE d.id = NEW.decision_id AND d.outcome = 'rejected'
                    ) THEN
                        {refuse("only a rejection is disputed")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"Dispute {self.pk}"


class Ruling(models.Model):
    """A sales manager's answer. Overturned names the decision that reopened the handoff; upheld names none."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "Upheld"
        OVERTURNED = "overturned", "Overturned"

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="ruling")
    outcome = models.CharField(max_length=10, choices=Outcome, help_text="upheld: the rejection stands")
    ruled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ruled_at = models.DateTimeField()
    note = models.TextField(blank=True, default="")
    reopened_by = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="upheld", reopened_by=None) | Q(outcome="overturned", reopened_by__isnull=False),
                name="leads_ruling_shape",
            ),
        ]
        triggers = [
            *append_only("rulings", erasable({"note": ""}, OF_DISPUTE)),
            pgtrigger.Trigger(
                name="by_somebody_else",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF EXISTS (
                        SELECT 1 FROM leads_dispute p JOIN leads_decision d ON d.id = p.decision_id
                        WHERE p.id = NEW.dispute_id AND (
                            d.decided_by_id = NEW.ruled_by_id OR p.disputed_by_id = NEW.ruled_by_id)
                    ) THEN
                        {refuse("nobody rules on their own rejection or dispute")}
                    END IF;
                    IF NEW.reopened_by_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM leads_dispute p JOIN leads_decision d ON d.supersedes_id = p.decision_id
                        WHERE p.id = NEW.dispute_id AND d.id = NEW.reopened_by_id AND d.outcome = 'open'
                    ) THEN
                        {refuse("an overturned rejection is reopened by the decision that supersedes it")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return self.get_outcome_display()
