"""Clocks that ran out, and what was done about clocks that run out: facts, each once for ever."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from leads.models.clock import ClockCorrection
from portal.shared.triggers import append_only
from sla.models import EscalationStep


class BreachQuerySet(models.QuerySet):
    def standing(self):
        """Those that no earlier contact, logged later, has corrected."""
        kept = ClockCorrection.objects.filter(handoff=OuterRef("handoff"), stopped_at__lte=OuterRef("due_at"))
        return self.exclude(Exists(kept), clock=EscalationStep.Clock.CONTACT)


class Breach(models.Model):
    """A clock that passed its due time: with the owner at that time, and the version it was promised under.

    What comes late leaves it true. A contact that was made in time and logged later stands beside it, as a
    ClockCorrection; the row itself stays.
    """

    handoff = models.ForeignKey("leads.Handoff", on_delete=models.PROTECT, related_name="breaches", db_index=False)
    clock = models.CharField(max_length=8, choices=EscalationStep.Clock)
    due_at = models.DateTimeField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    sla_version = models.ForeignKey("sla.SLAVersion", on_delete=models.PROTECT, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()

    objects = BreachQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["due_at"], name="leads_breach_due")]
        constraints = [
            models.UniqueConstraint(fields=["handoff", "clock"], name="leads_breach_once_a_clock"),
            models.CheckConstraint(condition=Q(clock__in=["contact", "decision"]), name="leads_breach_clock_known"),
            models.CheckConstraint(condition=Q(recorded_at__gt=F("due_at")), name="leads_breach_after_its_due_time"),
        ]
        triggers = append_only("breaches")

    def __str__(self):
        return f"{self.get_clock_display()} of handoff {self.handoff_id}"


class Escalation(models.Model):
    """One step of the agreement that was taken for one clock of one handoff: never twice, however often one sweeps."""

    handoff = models.ForeignKey("leads.Handoff", on_delete=models.PROTECT, related_name="escalations", db_index=False)
    clock = models.CharField(max_length=8, choices=EscalationStep.Clock)
    step = models.ForeignKey("sla.EscalationStep", on_delete=models.PROTECT, related_name="+", db_index=False)
    due_at = models.DateTimeField(help_text="when the agreement wanted it")
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["taken_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["handoff", "clock", "step"], name="leads_escalation_once"),
            models.CheckConstraint(condition=Q(taken_at__gte=F("due_at")), name="leads_escalation_not_early"),
        ]
        triggers = append_only("escalations")

    def __str__(self):
        return f"{self.step} for handoff {self.handoff_id}"


class Watch(models.Model):
    """When the sweep has to look at a handoff next; no time: nothing more can run out.

    A trigger on the handoffs makes the row, whatever writes them. It is narrow, so that watching never rewrites a
    handoff, and its index holds only what is still watched: an idle sweep costs the same at any size.
    """

    handoff = models.OneToOneField("leads.Handoff", on_delete=models.PROTECT, primary_key=True, related_name="watch")
    next_at = models.DateTimeField(null=True)
    plan = models.JSONField(null=True, help_text="what is still to come: see leads.escalation; null: to be planned")

    class Meta:
        indexes = [
            models.Index(fields=["next_at", "handoff"], condition=Q(next_at__isnull=False), name="leads_watch_next")
        ]

    def __str__(self):
        return f"Handoff {self.handoff_id}: {self.next_at or 'no more'}"
