"""The events of leads in columns, straight from the database: as bytes, so that millions are read without a loop."""

import datetime as dt
import json

import numpy as np
from django.db import connection

from leads.backtest.columns import Column, Happened, column

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # PostgreSQL's: its binary timestamps count from here
MICROSECOND = dt.timedelta(microseconds=1)
FROM_UNIX = (EPOCH - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // MICROSECOND
AS_BYTES = "int8send(lead_id) || timestamptz_send(occurred_at) || timestamptz_send(recorded_at)"
EVENTS = f"""
SELECT kind, string_agg({AS_BYTES}, '') FROM leads_event
WHERE kind = ANY(%(kinds)s) AND suspected_by = '' AND occurred_at > %(since)s AND occurred_at <= %(at)s
AND lead_id > %(after)s AND lead_id <= %(until)s GROUP BY kind
"""
EVENTS_WITH = f"""
SELECT string_agg({AS_BYTES}, ''){{columns}} FROM leads_event
WHERE kind = %(kind)s AND suspected_by = '' AND occurred_at > %(since)s AND occurred_at <= %(at)s
AND lead_id > %(after)s AND lead_id <= %(until)s GROUP BY {{places}}
"""
ROW = np.dtype([("lead", ">i8"), ("at", ">i8"), ("recorded", ">i8")])


def reach(definitions, span):
    """The span of the events that can count: as far back before the window as the widest window of a rule."""
    windows = [rule.window_days for each in definitions for rule in each.rules if rule.counts_events]
    if None in windows:
        return span | {"since": dt.datetime(1, 1, 2, tzinfo=dt.UTC)}
    return span | {"since": span["since"] - dt.timedelta(days=max(windows, default=0))}


def read(kinds, span, ids, recorded_until=None):
    """{kind: Happened} of the leads `ids` (sorted), which did it in the span and were not suspected.

    kinds: {kind: properties to read}. recorded_until: {kind: for each lead the instant after which what was recorded
    does not count, in microseconds from EPOCH}; none: all counts.
    """
    plain = sorted(kind for kind, properties in kinds.items() if not properties)
    found = _plain(plain, span, ids, recorded_until) if plain else {}
    return found | {
        kind: _with(kind, sorted(names), span, ids, recorded_until) for kind, names in kinds.items() if names
    }


def _plain(kinds, span, ids, recorded_until):
    """Events of which only lead, time and kind count: one string of bytes a kind, read without a loop."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, span | {"kinds": kinds})
        found = {kind: np.frombuffer(data, ROW) for kind, data in cursor.fetchall()}
    return {kind: _happened(rows, {}, ids, (recorded_until or {}).get(kind)) for kind, rows in found.items()}


def _with(kind, names, span, ids, recorded_until):
    """Events whose properties count as well: a string of bytes for each combination of values that occurs."""
    params = span | {"kind": kind} | {f"p{place}": name for place, name in enumerate(names)}
    columns = "".join(f", (properties -> %(p{place})s::text)::text" for place in range(len(names)))
    places = ", ".join(str(place + 2) for place in range(len(names)))
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_WITH.format(columns=columns, places=places), params)
        found = cursor.fetchall()
    data, *values = zip(*found, strict=True) if found else [()] * (1 + len(names))
    rows, counts = np.frombuffer(b"".join(data), ROW), [len(each) // ROW.itemsize for each in data]
    known = {name: column(found, read_json) for name, found in zip(names, values, strict=True)}
    properties = {name: Column(np.repeat(each.codes, counts), each.values) for name, each in known.items()}
    return _happened(rows, properties, ids, (recorded_until or {}).get(kind))


def _happened(rows, properties, ids, recorded_until):
    """Events of the panel's leads alone, each with its lead's place in the panel."""
    if not len(ids):
        return Happened(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    leads = rows["lead"].astype(np.int64)
    places = np.minimum(np.searchsorted(ids, leads), len(ids) - 1)
    own = ids[places] == leads
    if recorded_until is not None:
        own &= rows["recorded"].astype(np.int64) <= recorded_until[places]
    kept = {name: Column(each.codes[own], each.values) for name, each in properties.items()}
    return Happened(places[own], rows["at"].astype(np.int64)[own], kept)


def read_json(text):
    """The value of a JSON text, None where there is none."""
    return None if text is None else json.loads(text)
