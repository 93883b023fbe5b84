"""The MQL definition: a numbered set of scoring rules, disqualifiers and tier thresholds."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.shared.triggers import frozen_once_proposed, frozen_with_parent
from sla import scoring


class DefinitionQuerySet(models.QuerySet):
    def drafts(self):
        """Definitions that still change: nobody has proposed them."""
        return self.filter(proposed_at=None)


class MQLDefinition(models.Model):
    """One numbered definition; immutable once proposed."""

    number = models.PositiveIntegerField(unique=True)
    summary = models.CharField(max_length=200, blank=True, default="")
    required_facts = models.JSONField(default=list, blank=True, help_text="the fields that a complete lead has")
    started_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="drafts")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True, help_text="when the draft was last changed")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(proposed_by=None) | Q(proposed_at__isnull=False), name="sla_definition_proposed_pair"
            ),
            models.CheckConstraint(
                condition=Q(changed_by=None) | Q(changed_at__isnull=False), name="sla_definition_changed_pair"
            ),
        ]
        triggers = frozen_once_proposed("definition")

    def __str__(self):
        return f"Definition v{self.number}"

    def as_definition(self):
        """The pure scoring.Definition of this row, its rules and its tiers (two queries)."""
        return scoring.Definition(
            number=self.number,
            rules=tuple(rule.as_rule() for rule in self.rules.all()),
            tiers=tuple(tier.as_tier() for tier in self.tiers.all()),
            required_facts=tuple(self.required_facts),
        )


class ScoringRule(models.Model):
    """A condition over a lead's fit or behaviour that gives points, or disqualifies."""

    class Axis(models.TextChoices):
        FIT = "fit", "Fit"
        BEHAVIOUR = "behaviour", "Behaviour"
        DISQUALIFIER = "disqualifier", "Disqualifier"

    definition = models.ForeignKey(MQLDefinition, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=60)
    label = models.CharField(max_length=120)
    axis = models.CharField(max_length=12, choices=Axis)
    condition = models.JSONField()
    points = models.SmallIntegerField(default=0)
    window_days = models.PositiveSmallIntegerField(null=True, blank=True)
    minimum_count = models.PositiveSmallIntegerField(default=1)
    per_event = models.BooleanField(default=False)
    cap = models.PositiveSmallIntegerField(null=True, blank=True)
    decay_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["definition", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["definition", "key"], name="sla_rule_key_once"),
            models.CheckConstraint(
                condition=Q(axis__in=["fit", "behaviour", "disqualifier"]), name="sla_rule_axis_known"
            ),
            models.CheckConstraint(condition=Q(minimum_count__gte=1), name="sla_rule_counts_from_one"),
        ]
        triggers = frozen_with_parent("rules", table="sla_mqldefinition", column="definition_id")

    def __str__(self):
        return self.label

    def as_rule(self):
        return scoring.Rule(
            key=self.key,
            label=self.label,
            axis=self.axis,
            condition=self.condition,
            points=self.points,
            window_days=self.window_days,
            minimum_count=self.minimum_count,
            per_event=self.per_event,
            cap=self.cap,
            decay_days=self.decay_days,
        )


class Tier(models.Model):
    """A priority band with its thresholds; position 1 is the highest band."""

    definition = models.ForeignKey(MQLDefinition, on_delete=models.CASCADE, related_name="tiers")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    total = models.SmallIntegerField()
    fit = models.SmallIntegerField(null=True, blank=True)
    behaviour = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["definition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["definition", "key"], name="sla_tier_key_once"),
            models.UniqueConstraint(fields=["definition", "position"], name="sla_tier_position_once"),
        ]
        triggers = frozen_with_parent("tiers", table="sla_mqldefinition", column="definition_id")

    def __str__(self):
        return self.name

    def as_tier(self):
        return scoring.Tier(
            key=self.key,
            name=self.name,
            position=self.position,
            total=self.total,
            fit=self.fit,
            behaviour=self.behaviour,
        )
