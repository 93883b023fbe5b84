"""The step that opens handoffs: routed in one turn at the desk, clocks running, told of; all in one statement."""

from dataclasses import dataclass

from django.db import connection

from leads.exploring import lowest
from leads.models import Handoff, Lead
from leads.plan import domain_of, facts_of
from leads.routing import Route
from leads.services._law import Law
from leads.services.due import Case
from leads.services.route import close_desk, open_desk
from portal.shared import recordset
from sla import scoring

WRITTEN = (
    "lead", "previous", "definition", "sla_version", "tier", "fit", "behaviour", "total", "breakdown", "source",
    "campaign", "channel", "industry", "employees", "qualified_at", "recorded_at", "owner", "queued_at",
    "queue_due_at", "calendar", "contact_due_at", "contact_warn_at", "decision_due_at", "decision_warn_at",
    "exploration",
)  # fmt: skip
_OWN = recordset.columns(Handoff, WRITTEN)
OPEN = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%s) AS r(n integer, why varchar(200), rule_id bigint, assigned_by_id bigint,
        {recordset.typed(connection, Handoff, WRITTEN)})
), made AS (
    INSERT INTO leads_handoff ({_OWN}, is_historical, status, withdrawn_why)
    SELECT {_OWN}, false, 'open', '' FROM given ORDER BY n RETURNING id, lead_id, next_due_at, segment
), assigned AS (
    INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, assigned_by_id, why, to_queue,
        rule_id)
    SELECT m.id, g.owner_id, g.recorded_at, g.recorded_at, g.assigned_by_id, g.why, g.queued_at IS NOT NULL, g.rule_id
    FROM made m JOIN given g USING (lead_id) ORDER BY m.id
), told AS (
    INSERT INTO outbox_message (topic, key, payload, recipient_id, created_at, next_attempt_at, attempts, last_error)
    SELECT 'handoff.opened', 'handoff.opened:' || m.id, jsonb_build_object('handoff', m.id, 'lead', m.lead_id),
        g.owner_id, g.recorded_at, g.recorded_at, 0, ''
    FROM made m JOIN given g USING (lead_id) ORDER BY m.id ON CONFLICT (key) DO NOTHING
)
SELECT lead_id, id, next_due_at, segment FROM made
"""


@dataclass(frozen=True)
class Qualified:
    """A locked lead that reached a tier, with its latest handoff before (or None)."""

    lead: Lead
    evaluation: scoring.Evaluation
    previous: Handoff | None = None


def hand_over(cases, law: Law, *, by, at, owner=None):
    """Open a handoff for each Qualified. Returns {lead's id: Handoff}. owner: whom all are given to, past the routing.

    Refuses NobodyToRoute.
    """
    named = owner and Route(owner, f"Named by {by.name}" if by else "Named in the import")
    routes = [named] * len(cases) if named else _routed(cases, law, at)
    tiers = [_tier(case, law) for case in cases]
    dues = law.terms.due_many([Case(t.pk, route.owner, at) for t, route in zip(tiers, routes, strict=True)])
    rows = [_handoff(case, law, *given, at=at) for *given, case in zip(tiers, routes, dues, cases, strict=True)]
    told = [
        _row(row) | {"n": n, "why": route.why, "rule_id": route.rule_id, "assigned_by_id": by and by.pk}
        for n, (row, route) in enumerate(zip(rows, routes, strict=True))
    ]
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [recordset.as_json(told)])
        made = {lead: found for lead, *found in cursor.fetchall()}
    for row in rows:
        row.pk, row.next_due_at, row.segment = made[row.lead_id]
        row._state.adding, row._state.db = False, connection.alias
    return {row.lead_id: row for row in rows}


def _routed(cases, law, at):
    """The Routes of all, one decision after the other, in one turn at the desk."""
    facts = [facts_of(case.lead, _tier(case, law)) for case in cases]
    desk = open_desk(at=at, domain=domain_of(facts[0]))
    found = desk.route_all(facts)
    close_desk(desk, at=at)
    return found


def _tier(case, law):
    """The tier that the lead reached; the lowest one where it reached none and exploration drew it."""
    return law.tiers[case.evaluation.tier or lowest(law.scorer.definition).key]


def _handoff(case, law, tier, route, due, *, at):
    lead, found, version = case.lead, case.evaluation, law.version
    return Handoff(
        lead=lead, previous=case.previous, definition=version.definition, sla_version=version, tier=tier,
        fit=found.fit, behaviour=found.behaviour, total=found.total, breakdown=found.as_json(), source=lead.source,
        campaign=lead.campaign, channel=lead.channel, industry=lead.industry, employees=lead.employees,
        qualified_at=at, recorded_at=at, exploration=found.tier is None, **route.on_handoff(at), **due.as_fields(),
    )  # fmt: skip


def _row(handoff):
    return {field.column: getattr(handoff, field.attname) for field in map(Handoff._meta.get_field, WRITTEN)}
