"""Steps of capture: who of those that are told of is known, what is learnt of them, and who is new."""

import json
import zlib
from collections.abc import Sequence

from django.db import connection

from leads.models import Lead
from leads.models.lead import FACTS
from portal.shared import recordset
from portal.shared.together import ask_together

SLOTS = 512  # people are locked by slots: few enough for the table of locks, too many for two to meet by chance
LOCK = "SELECT count(pg_advisory_xact_lock(20, slot)) FROM unnest(%s::integer[]) AS slot"
READ = [field.attname for field in Lead._meta.concrete_fields]
FIND = f"""
SELECT {", ".join(READ)} FROM leads_lead WHERE external_id = ANY(%s::text[]) OR email_key = ANY(%s)
ORDER BY id FOR UPDATE
"""
WRITTEN = (*FACTS, "attributes")
_OWN = recordset.columns(Lead, WRITTEN)
_TYPED = recordset.typed(connection, Lead, WRITTEN)
INSERT = f"""
WITH made AS (
    INSERT INTO leads_lead ({_OWN}, created_at, updated_at) SELECT {_OWN}, at, at
    FROM json_to_recordset(%s) AS r(n integer, at timestamptz, {_TYPED}) ORDER BY n RETURNING id
), told AS (
    INSERT INTO outbox_message (topic, key, payload, created_at, next_attempt_at, attempts, last_error)
    SELECT 'lead.captured', 'lead.captured:' || id, jsonb_build_object('lead', id), %s, %s, 0, '' FROM made
    ON CONFLICT (key) DO NOTHING
)
SELECT id FROM made ORDER BY id
"""
UPDATE = f"""
UPDATE leads_lead l SET ({_OWN}, updated_at) = ({", ".join(f"r.{name}" for name in WRITTEN)}, r.at)
FROM json_to_recordset(%s) AS r(id bigint, at timestamptz, {_TYPED}) WHERE l.id = r.id
"""


def mailbox(email):
    """The address without case, blanks and +tag: two spellings of one mailbox are one person."""
    local, _, domain = email.strip().lower().partition("@")
    return f"{local.split('+')[0]}@{domain}"


def names_of(facts):
    """(outside id, mailbox) of what is told of a person, each None where it is not told."""
    email = facts.get("email")
    return facts.get("external_id") or None, mailbox(email) if email else None


def known_people(names: Sequence[tuple], besides=None):
    """({outside id: Lead}, {mailbox: Lead}) of those known, locked, and the rows of a question that is sent along.

    names: pairs of names_of. Captures of one person wait for each other; locks are taken in one order whoever asks,
    so that nobody waits in a ring.
    """
    ids, boxes = ({name for name in column if name} for column in zip(*names, strict=True))
    slots = sorted({zlib.crc32(name.encode()) % SLOTS for name in ids | boxes})
    asked = [(LOCK, [slots]), (FIND, [list(ids), list(boxes)]), *([besides] if besides else [])]
    _, rows, *answer = ask_together(*asked)
    found = [_lead(row) for row in rows]
    by_id = {one.external_id: one for one in found if one.external_id}
    return by_id, {one.email_key: one for one in found if one.email_key}, answer[0] if answer else None


def _lead(row):
    lead = Lead.from_db(connection.alias, READ, row)
    lead.attributes = json.loads(lead.attributes)
    return lead


def learn(lead, facts, at):
    """Put what is told into the lead: empty facts overwrite nothing, attributes are added to."""
    told = {name: value for name, value in facts.items() if value not in (None, "")}
    attributes = told.pop("attributes", {})
    for name, value in told.items():
        setattr(lead, name, value)
    lead.attributes = {**lead.attributes, **attributes}
    lead.updated_at = at


def write_people(leads, at):
    """Insert those without an id, which is then set, and update the others; new ones are told of."""
    new, known = [one for one in leads if one.pk is None], [one for one in leads if one.pk is not None]
    with connection.cursor() as cursor:
        if new:
            cursor.execute(INSERT, [recordset.as_json([_row(one, n=n) for n, one in enumerate(new)]), at, at])
            for one, (pk,) in zip(new, cursor.fetchall(), strict=True):
                one.pk, one._state.adding, one._state.db = pk, False, connection.alias
        if known:
            cursor.execute(UPDATE, [recordset.as_json([_row(one, id=one.pk) for one in known])])


def _row(lead, **more):
    return {name: getattr(lead, name) for name in WRITTEN} | {"at": lead.updated_at} | more
