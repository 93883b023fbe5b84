"""What happens to a handoff's clocks beside the handoff itself: corrections."""

from django.db import models
from django.db.models import F, Q

from portal.shared.triggers import append_only


class ClockCorrection(models.Model):
    """A touch that was logged late moved the contact clock's end back: what was believed before, and what is true.

    The breach that was recorded meanwhile stays; the correction stands beside it.
    """

    handoff = models.ForeignKey("leads.Handoff", on_delete=models.PROTECT, related_name="corrections")
    touch = models.OneToOneField("leads.Touch", on_delete=models.PROTECT, related_name="correction")
    due_at = models.DateTimeField()
    believed_at = models.DateTimeField(null=True, help_text="the first touch known before; none: nobody had tried")
    stopped_at = models.DateTimeField(help_text="the first touch known since")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["recorded_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(believed_at=None) | Q(believed_at__gt=F("stopped_at")),
                name="leads_correction_moves_back",
            ),
        ]
        triggers = append_only("clock corrections")

    def __str__(self):
        return f"Contact clock stopped at {self.stopped_at}, not {self.believed_at or 'yet'}"

    @property
    def undoes_breach(self):
        """True where the clock was taken for missed and was in fact kept."""
        return self.stopped_at <= self.due_at and (self.believed_at is None or self.believed_at > self.due_at)
