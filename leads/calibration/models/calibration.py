"""Calibration's rows: what was asked of the past and answered, and what was proposed because of it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.backtest.models import WorkerJob
from leads.calibration.labels import ACCEPTED, WON
from portal.shared.triggers import no_truncate, refuse
from sla.scoring import Rule


class Calibration(WorkerJob):
    """Rules weighed by what became of the leads of a span: what was asked, and in `result` what came out."""

    class Question(models.TextChoices):
        WON = WON, "Won or lost deals"
        ACCEPTED = ACCEPTED, "Accepted or rejected leads"

    question = models.CharField(max_length=8, choices=Question)
    since = models.DateTimeField()
    until = models.DateTimeField()
    against = models.ForeignKey(
        "sla.MQLDefinition", on_delete=models.PROTECT, related_name="+", help_text="the definition in force then"
    )
    number = models.PositiveIntegerField(help_text="of the definition whose rules were weighed")
    rules = models.JSONField(help_text="those rules as they were, as sla.scoring.Rule has them")
    signs = models.JSONField(default=dict, help_text="{rule key: 1 never negative, -1 never positive, 0 either}")
    declared = models.JSONField(default=list, help_text="facts that were known before the contact, says created_by")
    with_files = models.BooleanField(default=False, help_text="also leads that came after their handoff, with a file")
    most_points = models.PositiveSmallIntegerField(help_text="of the strongest rule")
    seed = models.CharField(max_length=40)
    stage = models.CharField(max_length=80, blank=True, default="", help_text="what is being done now, in words")

    class Meta(WorkerJob.Meta):
        constraints = [
            *WorkerJob.Meta.constraints,
            models.CheckConstraint(condition=Q(question__in=[WON, ACCEPTED]), name="calibration_question_known"),
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="calibration_span_is_one"),
            models.CheckConstraint(condition=Q(most_points__gte=1), name="calibration_most_points_is_some"),
        ]

    def __str__(self):
        return f"Calibration {self.pk}"

    def candidate_rules(self):
        """The scoring.Rule of each rule that was tried."""
        return [Rule(**rule) for rule in self.rules]


class Proposal(models.Model):
    """A draft definition made from a calibration, with what it promised. What was promised is never written anew."""

    calibration = models.ForeignKey(Calibration, on_delete=models.PROTECT, related_name="proposals")
    definition = models.OneToOneField("sla.MQLDefinition", on_delete=models.CASCADE, related_name="proposal")
    hours_per_lead = models.DecimalField(max_digits=5, decimal_places=2, help_text="an assumption: to work one lead")
    promise = models.JSONField(help_text="acceptance and volume that were forecast, and from what; see promises.py")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(hours_per_lead__gt=0), name="calibration_hours_are_some")]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_its_promise",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=refuse("what a proposal promised is never written anew"),
            ),
            no_truncate("proposals"),
        ]

    def __str__(self):
        return f"Proposal of definition {self.definition_id}"
