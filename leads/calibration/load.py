"""The handoffs with labels in columns: how far each rule fired on them, by what was known at the handoff."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from django.db import connection, transaction
from django.utils.timezone import get_default_timezone_name

from leads.backtest import events
from leads.backtest.columns import Panel, needed, score
from leads.backtest.load import columns_of, facts_then
from leads.calibration.activations import activations
from leads.calibration.labels import NO, YES, labelled
from leads.calibration.provenance import EVENT

LABELS = (YES, NO)
ALWAYS = np.iinfo(np.int64).max
LABELLED = """
SELECT x.lead_id, (extract(epoch FROM x.qualified_at) * 1000000)::bigint, x.id, x.verdict = 'yes',
    (extract(year FROM local.at) * 100 + extract(month FROM local.at))::int, l.created_at > x.qualified_at{columns}
FROM (SELECT DISTINCT ON (lead_id) * FROM ({labelled} AND h.lead_id > %(after)s AND h.lead_id <= %(until)s) all_of_them
    WHERE verdict IN ('yes', 'no') ORDER BY lead_id, qualified_at DESC, id DESC) x
JOIN leads_lead l ON l.id = x.lead_id
CROSS JOIN LATERAL (SELECT x.qualified_at AT TIME ZONE %(zone)s AS at) local
ORDER BY x.lead_id
"""
COUNTED = """
SELECT verdict, count(*), count(*) FILTER (WHERE newest) FROM (
    SELECT verdict, row_number() OVER (PARTITION BY lead_id, verdict IN ('yes', 'no')
        ORDER BY qualified_at DESC, id DESC) = 1 AS newest FROM ({labelled}) x
) y GROUP BY verdict
"""

ROUGHLY = """
SELECT count(*) FILTER (WHERE verdict = 'yes'), count(*) FILTER (WHERE verdict = 'no'),
    count(*) FILTER (WHERE verdict IN ('yes', 'no') AND l.created_at > x.qualified_at)
FROM ({labelled}) x JOIN leads_lead l ON l.id = x.lead_id
"""


@dataclass(frozen=True)
class Labelled:
    """Handoffs with labels, a place each: activations (uint16 thousandths), label, month (202610), handoff.

    before: total points under the definition that is in force; shut_out: it disqualifies them. left_out: how many came
    with a file and were not asked for, and how many have facts that nobody knows as they were then.
    """

    rows: np.ndarray
    labels: np.ndarray
    months: np.ndarray
    handoffs: np.ndarray
    before: np.ndarray
    shut_out: np.ndarray
    from_files: int = 0
    unknown: int = 0

    def __len__(self):
        return len(self.labels)

    @classmethod
    def joined(cls, parts):
        """Several of them as one."""
        arrays = ("rows", "labels", "months", "handoffs", "before", "shut_out")
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
        return cls(**joined, from_files=sum(p.from_files for p in parts), unknown=sum(p.unknown for p in parts))


def load(rules, against, *, question, since, at, declared=(), with_files=False, after=0, until=2**62) -> Labelled:
    """The labelled handoffs of [since, at) of leads with after < id <= until.

    rules: those to fit. against: the scoring.Definition in force. question: of calibration.labels. declared: sources
    known before the contact. with_files: take leads that came after their handoff, with a file of the past.
    """
    read = [against, SimpleNamespace(rules=rules)]
    facts, kinds = needed(read)
    span = {"since": since, "at": at, "after": after, "until": until}
    ids, moments, handoffs, labels, months, later, *values = _handoffs(sorted(facts), question, span)
    columns, unknown = facts_then(sorted(facts), values, ids, moments, span)
    moments, later = np.array(moments, dtype=np.int64) - events.FROM_UNIX, np.array(later, dtype=bool)
    known = {kind: _known(moments, later if f"{EVENT}{kind}" in declared else None) for kind in kinds}
    seen = events.read(kinds, events.reach(read, span), np.array(ids, dtype=np.int64), known)
    panel = Panel(moments, columns, seen)
    scored, kept = score(against, panel), _kept(later & (not with_files), unknown)
    return Labelled(
        rows=activations(rules, panel)[kept],
        labels=np.array(labels, dtype=bool)[kept],
        months=np.array(months, dtype=np.int32)[kept],
        handoffs=np.array(handoffs, dtype=np.int64)[kept],
        before=scored.total.astype(np.int32)[kept],
        shut_out=shut_out(against, scored)[kept],
        from_files=0 if with_files else int(later.sum()),
        unknown=len(unknown),
    )


def counted(question, *, since, at):
    """{verdict: handoffs} of [since, at): the labels YES and NO count leads; see labels.LEFT_OUT for the others."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED.format(labelled=labelled(question)), {"since": since, "at": at})
        found = {verdict: (n, newest) for verdict, n, newest in cursor.fetchall()}
    earlier = sum(n - newest for verdict, (n, newest) in found.items() if verdict in LABELS)
    others = {verdict: n for verdict, (n, _) in found.items() if verdict not in LABELS}
    return {verdict: found.get(verdict, (0, 0))[1] for verdict in LABELS} | others | {"earlier": earlier}


def roughly(question, *, since, at):
    """(handoffs of [since, at) that say yes, that say no, how many of both came later, with a file)."""
    params = {"since": since, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(ROUGHLY.format(labelled=labelled(question)), params)
        return cursor.fetchone()


def shut_out(definition, scored):
    """Which leads a disqualifier of the definition keeps out."""
    found = np.zeros(len(scored.fit), dtype=bool)
    for rule in definition.rules:
        if rule.axis == "disqualifier":
            found |= scored.fired[rule.key]
    return found


def _handoffs(facts, question, span):
    columns, names = columns_of(facts)
    params = {**span, **names, "zone": get_default_timezone_name()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")  # as in leads.backtest.load
        cursor.execute(LABELLED.format(labelled=labelled(question), columns=columns), params)
        rows = cursor.fetchall()
    return list(zip(*rows, strict=True)) if rows else [()] * (6 + len(facts))


def _known(moments, later):
    """Until when an event has to be recorded: until the handoff; where it was declared, a file may tell it later."""
    return moments if later is None else np.where(later, ALWAYS, moments)


def _kept(refused, unknown):
    kept = ~refused
    kept[list(unknown)] = False
    return kept
