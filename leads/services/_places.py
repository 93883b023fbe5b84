"""Steps that keep a lead's place beside its evaluation: what it lacks in nurture, and what nobody believes."""

from django.db import connection

from sla import lift

NOTE = """
INSERT INTO leads_place AS p (lead_id, place, since, definition_id, fit, behaviour, total, missing, disqualified_by,
    evaluated_at)
VALUES (%(lead)s, %(place)s, %(at)s, %(definition)s, %(fit)s, %(behaviour)s, %(total)s, %(missing)s, %(rule)s, %(at)s)
ON CONFLICT (lead_id) DO UPDATE SET place = EXCLUDED.place, definition_id = EXCLUDED.definition_id,
    since = CASE WHEN p.place = EXCLUDED.place THEN p.since ELSE EXCLUDED.since END, fit = EXCLUDED.fit,
    behaviour = EXCLUDED.behaviour, total = EXCLUDED.total, missing = EXCLUDED.missing,
    disqualified_by = EXCLUDED.disqualified_by, evaluated_at = EXCLUDED.evaluated_at
WHERE p.place IN ('nurture', 'ended', 'suspected') OR p.disqualified_by <> ''
"""
SUSPECT = """
INSERT INTO leads_place (lead_id, place, since) VALUES (%s, 'suspected', %s) ON CONFLICT DO NOTHING
"""


def note_nurture(lead, version, evaluation):
    """A lead that reached no tier: keep what its evaluation came to, and what is missing to the nearest tier.

    A lead that sales holds, has accepted, or never wants again stays where it is.
    """
    rule = evaluation.disqualified_by or ""
    tiers = version.definition.tiers.all()
    with connection.cursor() as cursor:
        cursor.execute(NOTE, {
            "lead": lead.pk, "at": evaluation.at, "definition": version.definition_id, "fit": evaluation.fit,
            "behaviour": evaluation.behaviour, "total": evaluation.total, "rule": rule,
            "place": "disqualified" if rule else "nurture",
            "missing": None if rule else lift.missing(tiers, evaluation.fit, evaluation.behaviour),
        })  # fmt: skip


def note_suspected(lead, at):
    """A lead of which only suspected events are known: kept, and never scored."""
    with connection.cursor() as cursor:
        cursor.execute(SUSPECT, [lead.pk, at])
