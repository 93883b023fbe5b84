"""The leads of the last 90 days in columns, straight from the database.

A lead belongs to them when it was handed over, did something, or (where it never did either) was captured in the
window. It is judged once: at its latest handoff of the window, else at its latest event, else when it was captured.
Facts are those known at that moment; a lead's outcome is that of its latest handoff of the window.
"""

import datetime as dt
import json
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction

from leads.backtest.columns import Column, Happened, Panel, column, needed
from leads.backtest.tally import ACCEPTED, REJECTED, UNDECIDED, UNSEEN, WITHDRAWN
from sla.conditions import ATTRIBUTE

WINDOW = dt.timedelta(days=90)
STATUSES = {None: UNSEEN, "open": UNDECIDED, "accepted": ACCEPTED, "rejected": REJECTED, "withdrawn": WITHDRAWN}
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # PostgreSQL's: its binary timestamps count from here
MICROSECOND = dt.timedelta(microseconds=1)
LAST_ID = 2**62

LEADS = """
WITH shown AS (
    SELECT DISTINCT ON (lead_id) lead_id, id, qualified_at, status FROM leads_handoff
    WHERE qualified_at > %(since)s AND qualified_at <= %(at)s AND lead_id > %(after)s AND lead_id <= %(until)s
    ORDER BY lead_id, qualified_at DESC
), active AS (
    SELECT lead_id, max(occurred_at) AS last FROM leads_event
    WHERE occurred_at > %(since)s AND occurred_at <= %(at)s AND lead_id > %(after)s AND lead_id <= %(until)s
    GROUP BY lead_id
)
SELECT l.id, (extract(epoch FROM coalesce(shown.qualified_at, active.last, l.created_at)) * 1000000)::bigint,
    shown.status, coalesce(shown.id, 0){columns}
FROM leads_lead l LEFT JOIN shown ON shown.lead_id = l.id LEFT JOIN active ON active.lead_id = l.id
WHERE l.id > %(after)s AND l.id <= %(until)s AND (
    shown.lead_id IS NOT NULL OR active.lead_id IS NOT NULL
    OR (l.created_at > %(since)s AND l.created_at <= %(at)s
        AND NOT EXISTS (SELECT 1 FROM leads_handoff h WHERE h.lead_id = l.id)))
ORDER BY l.id LIMIT %(most)s
"""
EVENTS = """
SELECT kind, string_agg(int8send(lead_id) || timestamptz_send(occurred_at), '') FROM leads_event
WHERE kind = ANY(%(kinds)s) AND suspected_by = '' AND occurred_at > %(since)s AND occurred_at <= %(at)s
AND lead_id > %(after)s AND lead_id <= %(until)s GROUP BY kind
"""
EVENTS_WITH = """
SELECT string_agg(int8send(lead_id) || timestamptz_send(occurred_at), ''){columns} FROM leads_event
WHERE kind = %(kind)s AND suspected_by = '' AND occurred_at > %(since)s AND occurred_at <= %(at)s
AND lead_id > %(after)s AND lead_id <= %(until)s GROUP BY {places}
"""
# facts that changed later: the newest change first, so that the one next to the moment is the last to be undone
CHANGES = """
SELECT lead_id, (extract(epoch FROM changed_at) * 1000000)::bigint,
    (SELECT jsonb_object_agg(key, value) FROM jsonb_each(was) WHERE key = ANY(%(facts)s)), was IS NULL
FROM leads_factchange
WHERE lead_id > %(after)s AND lead_id <= %(until)s AND (was IS NULL OR was ?| %(facts)s)
ORDER BY changed_at DESC, id DESC
"""
ROW = np.dtype([("lead", ">i8"), ("at", ">i8")])
FROM_UNIX = (EPOCH - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // MICROSECOND


class TooMany(Exception):
    """More leads than were asked for at once."""


@dataclass(frozen=True)
class Loaded:
    """The panel, and beside each lead its outcome (as tally has them) and its handoff (0: none)."""

    panel: Panel
    outcomes: np.ndarray
    handoffs: np.ndarray


def load(definitions, *, at, most=LAST_ID, after=0, until=LAST_ID) -> Loaded:
    """The leads of the 90 days before `at` with what the definitions read, of the ids after < id <= until.

    Raises TooMany where there are more than `most`.
    """
    definitions = list(definitions)
    facts, kinds = needed(definitions)
    span = {"at": at, "since": at - WINDOW, "after": after, "until": until}
    rows = _leads(sorted(facts), span, most)
    if len(rows) > most:
        raise TooMany
    ids, moments, statuses, handoffs, *values = zip(*rows, strict=True) if rows else [()] * (4 + len(facts))
    columns, _ = facts_then(sorted(facts), values, ids, moments, span)
    ids = np.array(ids, dtype=np.int64)
    panel = Panel(
        moments=np.array(moments, dtype=np.int64) - FROM_UNIX,
        facts=columns,
        events=_events(kinds, _reach(definitions, span), ids),
    )
    outcomes = np.array([STATUSES[status] for status in statuses], dtype=np.int64)
    return Loaded(panel, outcomes, np.array(handoffs, dtype=np.int64))


def load_now(definition, ids, *, at) -> tuple[np.ndarray, Panel]:
    """The leads of these ids, each judged at `at`: (their ids, the panel) in the order of the ids."""
    facts, kinds = needed([definition])
    names = sorted(facts)
    columns, params = _columns(names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT l.id{columns} FROM leads_lead l WHERE l.id = ANY(%(ids)s) ORDER BY l.id",
                       params | {"ids": list(ids)})  # fmt: skip
        rows = cursor.fetchall()
    found, *values = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
    found = np.array(found, dtype=np.int64)
    span = {"at": at, "since": at, "after": min(ids, default=1) - 1, "until": max(ids, default=0)}
    return found, Panel(
        moments=np.full(len(found), (at - EPOCH) // MICROSECOND, dtype=np.int64),
        facts={name: column(each, _reader(name)) for name, each in zip(names, values, strict=True)},
        events=_events(kinds, _reach([definition], span), found),
    )


def _columns(facts):
    """The facts as columns of a SELECT from leads_lead l, and the parameters in them."""
    columns, params = "", {}
    for place, name in enumerate(facts):
        if name.startswith(ATTRIBUTE):
            params[f"a{place}"] = name.removeprefix(ATTRIBUTE)
            columns += f", (l.attributes -> %(a{place})s::text)::text"
        else:
            columns += f", l.{connection.ops.quote_name(name)}"
    return columns, params


def _leads(facts, span, most):
    columns, params = _columns(facts)
    params |= dict(span, most=min(most, LAST_ID - 1) + 1)
    with transaction.atomic(), connection.cursor() as cursor:
        # one big join: where the tables were never analysed, the planner would loop over it lead by lead
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(LEADS.format(columns=columns), params)
        return cursor.fetchall()


def facts_then(names, values, ids, moments, span):
    """({fact: Column} as it was known at each lead's moment, {place of a lead whose facts then nobody knows}).

    values: for each of `names` what is known now. A lead recorded after its moment has the facts it came with.
    """
    now = [list(found) for found in values]
    places, unknown = {lead: place for place, lead in enumerate(ids)}, set()
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, span | {"facts": list(names)})
        for lead, changed, was, is_unknown in cursor.fetchall():
            place = places.get(lead)
            if place is None or changed <= moments[place]:
                continue
            if is_unknown:
                unknown.add(place)
            for name, value in json.loads(was or "{}").items():
                now[names.index(name)][place] = json.dumps(value) if name.startswith(ATTRIBUTE) else value
    return {name: column(found, _reader(name)) for name, found in zip(names, now, strict=True)}, unknown


def _reader(name):
    return _json if name.startswith(ATTRIBUTE) else None


def _json(text):
    return None if text is None else json.loads(text)


def _reach(definitions, span):
    """The span of the events that can count: as far back before the window as the widest window of a rule."""
    windows = [rule.window_days for each in definitions for rule in each.rules if rule.counts_events]
    if None in windows:
        return span | {"since": dt.datetime(1, 1, 2, tzinfo=dt.UTC)}
    return span | {"since": span["since"] - dt.timedelta(days=max(windows, default=0))}


def _events(kinds, span, ids):
    plain = sorted(kind for kind, properties in kinds.items() if not properties)
    found = _plain(plain, span, ids) if plain else {}
    return found | {kind: _with(kind, sorted(names), span, ids) for kind, names in kinds.items() if names}


def _plain(kinds, span, ids):
    """Events of which only lead, time and kind count: one string of bytes a kind, read without a loop."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, span | {"kinds": kinds})
        found = {kind: np.frombuffer(data, ROW) for kind, data in cursor.fetchall()}
    return {
        kind: _happened(rows["lead"].astype(np.int64), rows["at"].astype(np.int64), {}, ids)
        for kind, rows in found.items()
    }


def _with(kind, names, span, ids):
    """Events whose properties count as well: a string of bytes for each combination of values that occurs."""
    params = span | {"kind": kind} | {f"p{place}": name for place, name in enumerate(names)}
    columns = "".join(f", (properties -> %(p{place})s::text)::text" for place in range(len(names)))
    places = ", ".join(str(place + 2) for place in range(len(names)))
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_WITH.format(columns=columns, places=places), params)
        found = cursor.fetchall()
    data, *values = zip(*found, strict=True) if found else [()] * (1 + len(names))
    rows, counts = np.frombuffer(b"".join(data), ROW), [len(each) // ROW.itemsize for each in data]
    known = {name: column(found, _json) for name, found in zip(names, values, strict=True)}
    properties = {name: Column(np.repeat(each.codes, counts), each.values) for name, each in known.items()}
    return _happened(rows["lead"].astype(np.int64), rows["at"].astype(np.int64), properties, ids)


def _happened(leads, instants, properties, ids):
    """Events of the panel's leads alone, each with its lead's place in the panel."""
    if not len(ids):
        return Happened(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    places = np.minimum(np.searchsorted(ids, leads), len(ids) - 1)
    own = ids[places] == leads
    kept = {name: Column(each.codes[own], each.values) for name, each in properties.items()}
    return Happened(places[own], instants[own], kept)
