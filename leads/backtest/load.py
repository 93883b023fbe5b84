"""The leads of the last 90 days (or of another window) in columns, straight from the database.

A lead belongs to them when it was handed over, did something, or (where it never did either) was captured in the
window. It is judged once: at its latest handoff of the window, else at its latest event, else when it was captured.
Facts are those known at that moment; a lead's outcome is that of its latest handoff of the window. Leads that were
erased are left out: nobody knows any more what a definition would have seen.
"""

import datetime as dt
import json
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction

from leads.backtest import events
from leads.backtest.columns import Panel, column, needed
from leads.backtest.events import FROM_UNIX
from leads.backtest.tally import ACCEPTED, REJECTED, UNDECIDED, UNSEEN, WITHDRAWN
from sla.conditions import ATTRIBUTE

WINDOW = dt.timedelta(days=90)
STATUSES = {None: UNSEEN, "open": UNDECIDED, "accepted": ACCEPTED, "rejected": REJECTED, "withdrawn": WITHDRAWN}
LAST_ID = 2**62

LEADS = """
WITH shown AS (
    SELECT DISTINCT ON (lead_id) lead_id, id, qualified_at, status,
        CASE WHEN exploration THEN definition_id ELSE 0 END AS explored FROM leads_handoff
    WHERE qualified_at > %(since)s AND qualified_at <= %(at)s AND lead_id > %(after)s AND lead_id <= %(until)s
    ORDER BY lead_id, qualified_at DESC
), active AS (
    SELECT lead_id, max(occurred_at) AS last FROM leads_event
    WHERE occurred_at > %(since)s AND occurred_at <= %(at)s AND lead_id > %(after)s AND lead_id <= %(until)s
    GROUP BY lead_id
)
SELECT l.id, (extract(epoch FROM coalesce(shown.qualified_at, active.last, l.created_at)) * 1000000)::bigint,
    shown.status, coalesce(shown.id, 0), coalesce(shown.explored, 0){columns}
FROM leads_lead l LEFT JOIN shown ON shown.lead_id = l.id LEFT JOIN active ON active.lead_id = l.id
WHERE l.id > %(after)s AND l.id <= %(until)s AND l.erased_at IS NULL AND (
    shown.lead_id IS NOT NULL OR active.lead_id IS NOT NULL
    OR (l.created_at > %(since)s AND l.created_at <= %(at)s
        AND NOT EXISTS (SELECT 1 FROM leads_handoff h WHERE h.lead_id = l.id)))
ORDER BY l.id LIMIT %(most)s
"""
# facts that changed later: the newest change first, so that the one next to the moment is the last to be undone
CHANGES = """
SELECT lead_id, (extract(epoch FROM changed_at) * 1000000)::bigint,
    (SELECT jsonb_object_agg(key, value) FROM jsonb_each(was) WHERE key = ANY(%(facts)s)), was IS NULL
FROM leads_factchange
WHERE lead_id > %(after)s AND lead_id <= %(until)s AND (was IS NULL OR was ?| %(facts)s)
ORDER BY changed_at DESC, id DESC
"""


class TooMany(Exception):
    """More leads than were asked for at once."""


@dataclass(frozen=True)
class Loaded:
    """The panel, and beside each lead its outcome (as tally has them) and its handoff (0: none).

    explored: the id of the definition under which exploration handed it over (0: it did not).
    """

    panel: Panel
    outcomes: np.ndarray
    handoffs: np.ndarray
    explored: np.ndarray


def load(definitions, *, at, most=LAST_ID, after=0, until=LAST_ID, window=WINDOW) -> Loaded:
    """The leads of the `window` before `at` with what the definitions read, of the ids after < id <= until.

    Raises TooMany where there are more than `most`.
    """
    definitions = list(definitions)
    facts, kinds = needed(definitions)
    span = {"at": at, "since": at - window, "after": after, "until": until}
    rows = _leads(sorted(facts), span, most)
    if len(rows) > most:
        raise TooMany
    ids, moments, statuses, handoffs, explored, *values = zip(*rows, strict=True) if rows else [()] * (5 + len(facts))
    columns, _ = facts_then(sorted(facts), values, ids, moments, span)
    ids = np.array(ids, dtype=np.int64)
    panel = Panel(
        moments=np.array(moments, dtype=np.int64) - FROM_UNIX,
        facts=columns,
        events=events.read(kinds, events.reach(definitions, span), ids),
    )
    outcomes = np.array([STATUSES[status] for status in statuses], dtype=np.int64)
    return Loaded(panel, outcomes, *(np.array(each, dtype=np.int64) for each in (handoffs, explored)))


def load_now(definition, ids, *, at) -> tuple[np.ndarray, Panel]:
    """The leads of these ids, each judged at `at`: (their ids, the panel) in the order of the ids."""
    facts, kinds = needed([definition])
    names = sorted(facts)
    columns, params = columns_of(names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT l.id{columns} FROM leads_lead l WHERE l.id = ANY(%(ids)s) ORDER BY l.id",
                       params | {"ids": list(ids)})  # fmt: skip
        rows = cursor.fetchall()
    found, *values = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
    found = np.array(found, dtype=np.int64)
    span = {"at": at, "since": at, "after": min(ids, default=1) - 1, "until": max(ids, default=0)}
    return found, Panel(
        moments=np.full(len(found), (at - events.EPOCH) // events.MICROSECOND, dtype=np.int64),
        facts={name: column(each, _reader(name)) for name, each in zip(names, values, strict=True)},
        events=events.read(kinds, events.reach([definition], span), found),
    )


def _leads(facts, span, most):
    columns, names = columns_of(facts)
    params = {**span, **names, "most": min(most, LAST_ID - 1) + 1}
    with transaction.atomic(), connection.cursor() as cursor:
        # one big join: where the tables were never analysed, the planner would loop over it lead by lead
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(LEADS.format(columns=columns), params)
        return cursor.fetchall()


def columns_of(facts):
    """(the SQL of the facts of a lead `l`, each after a comma; its parameters). Attributes come as JSON text."""
    columns, params = "", {}
    for place, name in enumerate(facts):
        if name.startswith(ATTRIBUTE):
            params[f"a{place}"] = name.removeprefix(ATTRIBUTE)
            columns += f", (l.attributes -> %(a{place})s::text)::text"
        else:
            columns += f", l.{connection.ops.quote_name(name)}"
    return columns, params


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
    return events.read_json if name.startswith(ATTRIBUTE) else None
