"""Whose business hours count: the person's own, else the team's, else the organisation's: those of the agreement."""

import datetime as dt
from collections import defaultdict

from django.db.models import Q
from django.utils import timezone

from sla.clock import WorkingHours
from sla.models import Calendar, CalendarAssignment

_made = {}  # calendars never change, so that each is read once by a process


def working_hours(calendar_ids):
    """{calendar id: WorkingHours} of the ids that are not None; one query at most, none for those known already."""
    wanted = {pk for pk in calendar_ids if pk is not None}
    if missing := wanted - _made.keys():
        for calendar in Calendar.objects.filter(pk__in=missing):
            _made[calendar.pk] = WorkingHours.from_json(calendar.as_document())
    return {pk: _made[pk] for pk in wanted}


class WhoseHours:
    """Who has which calendar, over all days: read once for some people, then asked for many days.

    Knows what was assigned to the people themselves and to the teams that they are in now (one query).
    """

    def __init__(self, people):
        teams = {person.team_id for person in people if person.team_id}
        rows = CalendarAssignment.objects.filter(Q(person__in=people) | Q(team__in=teams))
        self._of_person, self._of_team = defaultdict(list), defaultdict(list)
        for person, team, calendar, day in rows.order_by("-from_day", "-id").values_list(
            "person", "team", "calendar", "from_day"
        ):
            (self._of_person[person] if person else self._of_team[team]).append((day, calendar))

    def calendar_id(self, person, *, at):
        """Id of the calendar that `person` has at `at` (aware), or None: the agreement's."""
        day = timezone.localdate(at, timezone.get_default_timezone()) if isinstance(at, dt.datetime) else at
        return _newest(self._of_person[person.pk], day) or _newest(self._of_team[person.team_id], day)


def _newest(assigned, day):
    """The calendar of the newest assignment begun by the day; None where there is none or it hands back."""
    return next((calendar for begins, calendar in assigned if begins <= day), None)
