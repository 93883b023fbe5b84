"""Nurture kept up with the definition in force: what every lead there lacks, whole columns at a time.

A new definition, and every new day (points fade, windows move on), evaluates nurture anew, in batches; leads that no
evaluation has seen, such as those an import left in nurture, are evaluated as soon as they are found. Nobody is handed
over here: an event or a recycle date does that, or marketing (leads.services.nurture). Work stopped half-way goes on
where it was, and whoever evaluates or hands over a lead meanwhile has the last word.
"""

import numpy as np
from django.db import connection, transaction
from django.utils.timezone import get_default_timezone, localdate

from leads import places
from leads.backtest.columns import score
from leads.backtest.load import load_now
from leads.models import PlaceRefresh
from leads.services.places import fold_counts
from sla import lift
from sla.models import SLAVersion

BATCH = 2000
BATCHES = 25  # in one go: then the worker does other things

PENDING = """
SELECT lead_id, place, since, evaluated_at FROM leads_place
WHERE lead_id > %(after)s AND (
    place = 'nurture' OR disqualified_by <> '' OR place = 'ended' AND since <= %(at)s - %(cool_off)s)
ORDER BY lead_id LIMIT %(batch)s
"""
UNSEEN = """
SELECT l.id FROM leads_lead l WHERE l.evaluate_from IS NULL
AND NOT EXISTS (SELECT FROM leads_place p WHERE p.lead_id = l.id) ORDER BY l.id LIMIT %(batch)s
"""
JUDGED = """
unnest(%(ids)s::bigint[], %(places)s::text[], %(fits)s::int[], %(behaviours)s::int[], %(missing)s::int[],
    %(rules)s::text[]) AS n(id, place, fit, behaviour, missing, rule)
"""
# Locked in one order first, so that two writers of many rows never wait for each other.
KEEP = f"""
WITH seen AS (
    SELECT * FROM unnest(%(seen)s::bigint[], %(were)s::text[], %(since)s::timestamptz[], %(judged)s::timestamptz[])
        AS s(id, place, since, evaluated_at)
), held AS MATERIALIZED (
    SELECT p.lead_id FROM leads_place p JOIN seen s ON s.id = p.lead_id AND s.place = p.place
        AND s.since = p.since AND s.evaluated_at IS NOT DISTINCT FROM p.evaluated_at
    ORDER BY p.lead_id FOR UPDATE OF p
)
UPDATE leads_place p SET place = n.place, definition_id = %(definition)s, fit = n.fit, behaviour = n.behaviour,
    total = n.fit + n.behaviour, missing = n.missing, disqualified_by = n.rule, evaluated_at = %(at)s,
    since = CASE WHEN p.place = n.place THEN p.since ELSE %(at)s END
FROM {JUDGED} WHERE n.id = p.lead_id AND p.lead_id IN (SELECT lead_id FROM held)
AND (p.place, p.definition_id, p.fit, p.behaviour, p.missing, p.disqualified_by)
    IS DISTINCT FROM (n.place, %(definition)s, n.fit, n.behaviour, n.missing, n.rule)
"""
MAKE = f"""
INSERT INTO leads_place (lead_id, place, since, definition_id, fit, behaviour, total, missing, disqualified_by,
    evaluated_at)
SELECT n.id, n.place, %(at)s, %(definition)s, n.fit, n.behaviour, n.fit + n.behaviour, n.missing, n.rule, %(at)s
FROM {JUDGED} ORDER BY n.id ON CONFLICT DO NOTHING
"""


def keep_places(*, at, batches=BATCHES):
    """What the worker does again and again: fold the counts, and evaluate anew what is due. Returns how many leads."""
    fold_counts()
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        return 0
    definition, done = version.definition.as_definition(), 0
    for _ in range(batches):
        found = _unseen(version, definition, at) or _again(version, definition, at)
        if not found:
            break
        done += found
    return done


@transaction.atomic(durable=True)
def _unseen(version, definition, at):
    """A batch of leads that have no place yet."""
    if not places.unevaluated():
        return 0
    ids = [pk for (pk,) in _ask(UNSEEN, batch=BATCH)]
    if ids:
        _write(MAKE, version, at, _judged(definition, ids, at))
    return len(ids)


@transaction.atomic(durable=True)
def _again(version, definition, at):
    """The next batch of the pass that a new definition or a new day began."""
    today = localdate(at, get_default_timezone())
    state = PlaceRefresh.objects.select_for_update().first() or PlaceRefresh()
    if (state.definition_id, state.day) != (version.definition_id, today):
        state.definition, state.day, state.after = version.definition, today, 0
    if state.after is None:
        return 0
    rows = _ask(PENDING, after=state.after, at=at, cool_off=version.cool_off, batch=BATCH)
    state.after = rows[-1][0] if len(rows) == BATCH else None
    state.save()
    if rows:
        seen = dict(zip(("seen", "were", "since", "judged"), map(list, zip(*rows, strict=True)), strict=True))
        _write(KEEP, version, at, _judged(definition, seen["seen"], at) | seen)
    return len(rows)


def _judged(definition, ids, at):
    """Columns of what `sla.scoring.evaluate` says of each lead."""
    found, panel = load_now(definition, ids, at=at)
    scores = score(definition, panel)
    rules = np.full(len(found), "", dtype=object)
    for rule in sorted((r.key for r in definition.rules if r.axis == "disqualifier"), reverse=True):
        rules[scores.fired[rule]] = rule
    missing = lift.missing(definition.tiers, scores.fit, scores.behaviour).tolist()
    return {
        "ids": found.tolist(),
        "places": ["disqualified" if rule else "nurture" for rule in rules],
        "fits": scores.fit.tolist(),
        "behaviours": scores.behaviour.tolist(),
        "missing": [None if rule else points for rule, points in zip(rules, missing, strict=True)],
        "rules": rules.tolist(),
    }


def _write(statement, version, at, columns):
    with connection.cursor() as cursor:
        cursor.execute(statement, {"definition": version.definition_id, "at": at, **columns})


def _ask(sql, **params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
