"""Business hours that a version of the agreement names."""

from django.db import models

from portal.shared.triggers import append_only


class Calendar(models.Model):
    """Working hours in one zone. A change is a new row: running handoffs keep the calendar they were made under."""

    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=60)
    week = models.JSONField(help_text='{"mon": [["09:00", "17:00"]], …}')
    exceptions = models.JSONField(default=dict, blank=True, help_text='{"2026-12-25": []}')
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(week={}), name="sla_calendar_has_working_time"),
        ]
        triggers = append_only("calendars")

    def __str__(self):
        return self.name
