"""Actions that an audit decided, each with its revisions; rows that are only added."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.shared.triggers import append_only, refuse


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
