"""Steps that keep a lead's place beside its evaluation: what it lacks in nurture, and what nobody believes."""

from django.db import connection

from portal.shared import recordset
from sla import lift

NOTE = """
INSERT INTO leads_place AS p (lead_id, place, since, definition_id, fit, behaviour, total, missing, disqualified_by,
    evaluated_at)
SELECT lead, CASE WHEN rule = '' THEN 'nurture' ELSE 'disqualified' END, at, definition, fit, behaviour,
    fit + behaviour, missing, rule, at
FROM json_to_recordset(%s) AS r(lead bigint, at timestamptz, definition bigint, fit integer, behaviour integer,
    missing integer, rule text) ORDER BY lead
ON CONFLICT (lead_id) DO UPDATE SET place = EXCLUDED.place, definition_id = EXCLUDED.definition_id,
    since = CASE WHEN p.place = EXCLUDED.place THEN p.since ELSE EXCLUDED.since END, fit = EXCLUDED.fit,
    behaviour = EXCLUDED.behaviour, total = EXCLUDED.total, missing = EXCLUDED.missing,
    disqualified_by = EXCLUDED.disqualified_by, evaluated_at = EXCLUDED.evaluated_at
WHERE p.place IN ('nurture', 'ended', 'suspected') OR p.disqualified_by <> ''
"""
SUSPECT = """
INSERT INTO leads_place (lead_id, place, since) SELECT lead, 'suspected', at
FROM unnest(%s::bigint[]) AS lead, (SELECT %s::timestamptz AS at) one ON CONFLICT DO NOTHING
"""


def note_nurture(cases, law):
    """Leads that reached no tier, as pairs (Lead, Evaluation): what each came to, and what is missing to a tier.

    A lead that sales holds, has accepted, or never wants again stays where it is.
    """
    rows = [
        {"lead": lead.pk, "at": found.at, "definition": law.version.definition_id, "fit": found.fit,
         "behaviour": found.behaviour, "rule": found.disqualified_by or "",
         "missing": None if found.disqualified_by else lift.missing(law.tiers.values(), found.fit, found.behaviour)}
        for lead, found in cases
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [recordset.as_json(rows)])


def note_suspected(leads, at):
    """Leads of which only suspected events are known: kept, and never scored."""
    if leads:
        with connection.cursor() as cursor:
            cursor.execute(SUSPECT, [sorted(lead.pk for lead in leads), at])
