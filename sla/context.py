"""What the page's frame shows of the agreement: the numbers in force."""

import datetime as dt
import json
from functools import cache

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from sla import words
from sla.models import SLAVersion

SHOWN = ("number", "definition__number", "clock_basis", "calendar__week", "calendar__zone")
SOME_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)


def in_force(request):
    """Template context `in_force`, one query where it is shown; None, or sla_number, definition_number, url, hours."""
    return {"in_force": SimpleLazyObject(_in_force)}


def _in_force():
    sql, params = _question()
    with connection.cursor() as cursor:
        cursor.execute(sql, [timezone.now() if value == SOME_TIME else value for value in params])
        found = cursor.fetchone()
    if found is None:
        return None
    number, definition, *hours = found
    return {
        "sla_number": number, "definition_number": definition, "url": reverse("agreement"), "hours": _hours(*hours)
    }  # fmt: skip


def _hours(basis, week, zone):
    """When clocks run, in words that follow "Clocks run"."""
    if basis == SLAVersion.ClockBasis.ELAPSED:
        return "around the clock"
    if basis == SLAVersion.ClockBasis.OWNER:
        return "in the owner’s business hours"
    return words.week(json.loads(week) if isinstance(week, str) else week, zone)


@cache
def _question():
    """The statement of `in_force` with SOME_TIME for now; every page asks it, and making it outlasts asking."""
    rows = SLAVersion.objects.begun(at=SOME_TIME).values_list(*SHOWN)[:1]
    return rows.query.sql_with_params()
