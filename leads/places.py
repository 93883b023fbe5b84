"""Where the leads are: how many in each place, at once and exact, and the leads of one place; reads only."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from leads.models import Place

# as a page names them, in the order of a lead's way
OPEN, ACCEPTED, NURTURE, COOLING = "open", "accepted", "nurture", "cooling"
DISQUALIFIED, SUSPECTED, ERASED = "disqualified", "suspected", "erased"
NO_TIME = dt.timedelta(0)
PLACES = (NURTURE, COOLING, OPEN, ACCEPTED, DISQUALIFIED, SUSPECTED, ERASED)

COUNTS = """
SELECT place, sum(n)::bigint, CASE WHEN place = 'ended' THEN
    (SELECT count(*) FROM leads_place WHERE place = 'ended' AND since > %(cools_since)s) END
FROM leads_placecount GROUP BY place
"""
COUNTED = "SELECT place, sum(n)::bigint FROM leads_placecount GROUP BY place"
UNSEEN = "SELECT coalesce(sum(CASE place WHEN 'all' THEN n ELSE -n END), 0)::bigint FROM leads_placecount"
RECOUNT = """
SELECT coalesce(p.place, ''), count(*) FROM leads_lead l LEFT JOIN leads_place p ON p.lead_id = l.id GROUP BY 1
"""
MISPLACED = """
SELECT l.id, p.place, f.place FROM leads_lead l
LEFT JOIN leads_place p ON p.lead_id = l.id
LEFT JOIN LATERAL (
    SELECT CASE WHEN h.status IN ('open', 'accepted') THEN h.status
        WHEN r.next_step = 'disqualify' THEN 'disqualified' ELSE 'ended' END AS place
    FROM leads_handoff h LEFT JOIN sla_reasoncode r ON r.id = h.reason_id WHERE h.lead_id = l.id
    ORDER BY (h.status = 'open') DESC, h.qualified_at DESC LIMIT 1
) f ON true
WHERE f.place IS NOT NULL AND p.place IS DISTINCT FROM f.place AND p.place IS DISTINCT FROM 'erased'
AND NOT (f.place = 'ended' AND p.place IS NOT NULL AND p.evaluated_at IS NOT NULL)
ORDER BY l.id LIMIT 20
"""


@dataclass(frozen=True)
class Counts:
    """Leads by place; `unevaluated` of those in nurture have no points yet. The places' sum is `all`."""

    all: int
    by_place: dict
    unevaluated: int

    def __getitem__(self, place):
        return self.by_place[place]


def counts(*, at, cool_off):
    """The Counts at `at` (aware). cool_off: of the agreement in force, a timedelta. One statement, flat in size."""
    told, cooling = {}, 0
    for place, n, cools in _ask(COUNTS, cools_since=at - cool_off):
        told[place] = n
        cooling = cools if cools is not None else cooling
    total = told.pop("all", 0)
    told.pop("ended", 0)  # cooling, or in nurture by now
    elsewhere = sum(told.values())
    known = told.get(NURTURE, 0)
    by_place = {place: told.get(place, 0) for place in PLACES} | {COOLING: cooling}
    by_place[NURTURE] = total - elsewhere + known - cooling
    return Counts(total, by_place, by_place[NURTURE] - known)


def unevaluated():
    """How many leads have no row: neither handed over nor evaluated."""
    return _ask(UNSEEN)[0][0]


def differences():
    """What the counts say otherwise than the leads, and leads that are not where their handoffs say; [] when right."""
    counted = dict(_ask(COUNTED))
    real = dict(_ask(RECOUNT))
    real["all"] = sum(real.values())
    names = {*counted, *real} - {""}
    wrong = [
        f"{place}: {real.get(place, 0):,} leads, {counted.get(place, 0):,} counted"
        for place in sorted(names)
        if real.get(place, 0) != counted.get(place, 0)
    ]
    return wrong + [f"lead {pk} is in {was}, its handoffs say {should}" for pk, was, should in _ask(MISPLACED)]


def of(place, *, at, cool_off):
    """The rows of leads.models.Place that a page shows as `place`; nurture: those that have points."""
    rows = Place.objects.all()
    if place == COOLING:
        return rows.filter(place="ended", since__gt=at - cool_off)
    return rows.filter(place=place)


def _ask(sql, **params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
