"""Business hours: calendars with their versions, and who has which."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal.shared.triggers import append_only

# some weekday has a span, from one time to another; NULL, from what is no such document, counts as none
A_SPAN = (
    'strict $.keyvalue() ? (@.key like_regex "^(mon|tue|wed|thu|fri|sat|sun)$").value[*]'
    " ? (@.size() == 2 && @[0] != @[1])"
)


def has_a_span(week):
    """The SQL condition that some weekday of a week's document has working time; immutable, as a check must be."""
    texts = (Value(A_SPAN, models.TextField()), Value("{}", models.TextField()))
    found = Func(F(week), *texts, Value(True), function="jsonb_path_exists", output_field=models.BooleanField())
    return Coalesce(found, Value(False))


class CalendarQuerySet(models.QuerySet):
    def newest(self):
        """The last version of each calendar."""
        return self.filter(successor=None)


class Calendar(models.Model):
    """Working hours in one zone. A change is a new row: running handoffs keep the calendar they were made under."""

    name = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1, db_default=1)
    predecessor = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    zone = models.CharField(max_length=60)
    week = models.JSONField(help_text='{"mon": [["09:00", "17:00"]], …}')
    exceptions = models.JSONField(default=dict, blank=True, help_text='{"2026-12-25": []}')
    day_names = models.JSONField(default=dict, db_default={}, blank=True, help_text='{"2026-12-25": "Christmas Day"}')
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = CalendarQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=has_a_span("week"), name="sla_calendar_has_working_time"),
            models.CheckConstraint(
                condition=Q(predecessor=None, version=1) | Q(predecessor__isnull=False, version__gt=1),
                name="sla_calendar_first_has_no_predecessor",
            ),
        ]
        triggers = append_only("calendars")

    def __str__(self):
        return self.name

    def as_document(self):
        """What `sla.clock.WorkingHours.from_json` reads."""
        return {"zone": self.zone, "week": self.week, "exceptions": self.exceptions}


class CalendarAssignmentQuerySet(models.QuerySet):
    def on(self, day):
        """Those that have begun by the day (a date, or an instant: its day in the organisation), newest first."""
        if isinstance(day, dt.datetime):
            day = timezone.localdate(day, timezone.get_default_timezone())
        return self.filter(from_day__lte=day).order_by("-from_day", "-id")


class CalendarAssignment(models.Model):
    """From a day on, a person or a team has this calendar; none: what stands above counts again. The newest wins.

    Above a person stands the team, above the team the organisation, whose calendar is the agreement's.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="calendar_assignments",
        db_index=False,
    )  # fmt: skip
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.PROTECT, null=True, related_name="calendar_assignments", db_index=False
    )
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, related_name="assignments")
    from_day = models.DateField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = CalendarAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["from_day", "id"]
        indexes = [
            models.Index(F("person"), F("from_day").desc(), F("id").desc(), name="sla_calendar_of_person"),
            models.Index(F("team"), F("from_day").desc(), F("id").desc(), name="sla_calendar_of_team"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, team__isnull=False) | Q(person__isnull=False, team=None),
                name="sla_calendar_of_person_or_team",
            ),
        ]
        triggers = append_only("calendar assignments")

    def __str__(self):
        return f"{self.person or self.team}: {self.calendar or 'as above'} from {self.from_day}"
