"""Aging and speed: how long a month's MQLs waited for the first contact, and what became of them; it only reads.

Elapsed time, as in docs/figures.md. A lead without a contact was watched until it was decided, withdrawn or the
cut-off; it counts as still waiting until then (Kaplan-Meier), instead of being left out.
"""

import datetime as dt
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.db.models import F, Q

from leads import figures
from leads.figures import QUALIFIED, STATUS
from portal.shared import survival

MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
BANDS = {  # key: (over, up to); none: without contact
    "5min": (None, 5 * MINUTE),
    "1h": (5 * MINUTE, HOUR),
    "24h": (HOUR, DAY),
    "later": (DAY, None),
    "none": (None, None),
}
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Band:
    """MQLs first contacted within one stretch of time, and what became of them by the cut-off."""

    key: str
    counts: figures.Counts

    @property
    def rate(self):
        return figures.rate(self.counts)


@dataclass(frozen=True)
class Wait:
    """A wait of some leads: the curve counts those still waiting, `known` is the median of those who are done."""

    curve: survival.Curve
    known: dt.timedelta | None

    @property
    def median(self):
        """With those still waiting counted; None where half are not done yet."""
        at = self.curve.quantile(0.5)
        return None if at is None else at * MICROSECOND

    @property
    def n(self):
        return self.curve.n

    @property
    def waiting(self):
        return self.curve.censored

    def done_within(self, length):
        """The share done within a length of time, with its interval (1, low, high)."""
        step = self.curve.waiting_after(length // MICROSECOND)
        return (0.0, 0.0, 0.0) if step is None else (1 - step.waiting, 1 - step.high, 1 - step.low)


@dataclass(frozen=True)
class Speed:
    """One month's MQLs by speed band, and their waits: until contact; until an owner had them, and from then on.

    `imported`: MQLs of imported history, whose routing is not known: they are in no split. `shared` sums the waits
    of the leads that were contacted, split between routing and owner.
    """

    bands: tuple[Band, ...]
    contact: Wait
    routing: Wait
    owner: Wait
    imported: int
    shared: tuple[dt.timedelta, dt.timedelta]


MICROSECONDS = "(extract(epoch FROM GREATEST(interval '0', {0} - h.qualified_at)) * 1000000)::bigint"
# the first assignment to a person: one to the default queue is none
SPEED = f"""
SELECT {STATUS} AS status, h.is_historical,
    CASE WHEN h.first_touch_at <= %(as_of)s THEN {MICROSECONDS.format("h.first_touch_at")} END AS touched,
    {MICROSECONDS.format("LEAST(COALESCE(h.decided_at, h.withdrawn_at, %(as_of)s), %(as_of)s)")} AS watched,
    CASE WHEN a.at IS NOT NULL THEN {MICROSECONDS.format("a.at")} END AS routed
FROM leads_handoff h LEFT JOIN LATERAL (
    SELECT min(a.assigned_at) AS at FROM leads_assignment a
    WHERE a.handoff_id = h.id AND NOT a.to_queue AND a.assigned_at <= %(as_of)s AND NOT h.is_historical
) a ON true
WHERE {QUALIFIED}
"""


def speed(month, *, as_of, zone):
    """The month's Speed as of the cut-off. One query, over the month's MQLs alone."""
    with connection.cursor() as cursor:
        cursor.execute(SPEED, {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of})
        rows = cursor.fetchall()
    live = [(touched, watched, routed) for _, historical, touched, watched, routed in rows if not historical]
    split = [_split(*row) for row in live]
    done = [each for each, (touched, _, _) in zip(split, live, strict=True) if touched is not None]
    return Speed(
        bands=_bands(rows),
        contact=waited([(t if t is not None else w, t is not None) for _, _, t, w, _ in rows]),
        routing=waited([routing for routing, _ in split]),
        owner=waited([owner for _, owner in split if owner]),
        imported=len(rows) - len(live),
        shared=tuple(sum(part[0] for part in parts) * MICROSECOND for parts in zip(*done, strict=True))
        or (dt.timedelta(0), dt.timedelta(0)),
    )


def _split(touched, watched, routed):
    """((until it was routed, whether), (from then until contact, whether) or None): they add up to the wait.

    A contact before any assignment ends the routing too.
    """
    end = watched if touched is None else touched
    if routed is None or routed > end:
        return (end, touched is not None), ((0, True) if touched is not None else None)
    return (routed, True), (end - routed, touched is not None)


def waited(cases):
    """The Wait of (microseconds, whether it ended then) cases."""
    known = [at for at, done in cases if done]
    return Wait(survival.kaplan_meier(cases), median(known) * MICROSECOND if known else None)


def _bands(rows):
    counts = {key: dict.fromkeys(("mqls", "sqls", "rejected", "undecided", "withdrawn"), 0) for key in BANDS}
    names = {"accepted": "sqls", "rejected": "rejected", "open": "undecided", "withdrawn": "withdrawn"}
    for status, _, touched, *_ in rows:
        here = counts[band_of(touched)]
        here["mqls"] += 1
        here[names[status]] += 1
    return tuple(Band(key, figures.Counts(**counts[key])) for key in BANDS)


def band_of(touched):
    """The key of BANDS for a first contact after so many microseconds; None: no contact."""
    if touched is None:
        return "none"
    wait = touched * MICROSECOND
    return next(key for key, (_, up_to) in BANDS.items() if up_to is None or wait <= up_to)


def among(query, band, *, as_of):
    """Of a queryset of handoffs those of one band: the very leads behind a Band's counts."""
    touched = Q(first_touch_at__lte=as_of)
    if band == "none":
        return query.exclude(touched & Q(first_touch_at__isnull=False))
    over, up_to = BANDS[band]
    query = query.filter(touched)
    if over is not None:
        query = query.filter(first_touch_at__gt=F("qualified_at") + over)
    return query if up_to is None else query.filter(first_touch_at__lte=F("qualified_at") + up_to)
