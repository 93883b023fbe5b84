"""What the page's frame shows of the agreement: the numbers in force."""

import datetime as dt
from functools import cache

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from sla.models import SLAVersion

SOME_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)


def in_force(request):
    """Template context `in_force`, one query where a page shows it: sla_number, definition_number, url; or None."""
    return {"in_force": SimpleLazyObject(_in_force)}


def _in_force():
    sql, params = _question()
    with connection.cursor() as cursor:
        cursor.execute(sql, [timezone.now() if value == SOME_TIME else value for value in params])
        found = cursor.fetchone()
    if found is None:
        return None
    return {"sla_number": found[0], "definition_number": found[1], "url": reverse("agreement")}


@cache
def _question():
    """The statement of `in_force` with SOME_TIME for now; every page asks it, and making it outlasts asking."""
    rows = SLAVersion.objects.begun(at=SOME_TIME).values_list("number", "definition__number")[:1]
    return rows.query.sql_with_params()
