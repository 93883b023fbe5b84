"""Steps that several verbs share: find and lock a handoff, check who acts, give it, write one decision."""

import json

from django.db import connection
from django.http import Http404

from leads.models import AccountOwner, Assignment, Decision, Handoff
from leads.plan import domain_of
from leads.routing import queue_fields
from leads.services.refusals import ClocksNotRunning, PersonForgotten
from portal.accounts.models import Role
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.prepared import AN_ID, Prepared
from portal.shared.refusal import NotPermitted

DECIDED = [field for field in Decision._meta.concrete_fields if not field.primary_key]
# one statement, one round trip: the decision, the handoff that tells it, and the outbox's message
DECIDE = f"""
WITH decision AS (
    INSERT INTO leads_decision ({", ".join(field.column for field in DECIDED)})
    VALUES ({", ".join("%s" for _ in DECIDED)}) RETURNING id, handoff_id, outcome, reason_id, decided_at, recorded_at
), message AS (
    INSERT INTO outbox_message (topic, key, payload, created_at, next_attempt_at, attempts, last_error)
    SELECT topic, topic || ':' || id, payload || jsonb_build_object('decision', id), recorded_at, recorded_at, 0, ''
    FROM decision, (SELECT %s AS topic, %s::jsonb AS payload) AS told
)
UPDATE leads_handoff SET standing_decision_id = decision.id, status = decision.outcome,
    reason_id = decision.reason_id, decided_at = CASE WHEN decision.outcome <> 'open' THEN decision.decided_at END
FROM decision WHERE leads_handoff.id = decision.handoff_id
RETURNING decision.id, leads_handoff.decided_at
"""


def lock(handoff_id):
    """The handoff's row, locked until the transaction ends, with its lead; the score's breakdown stays behind."""
    handoff = _locked.one(handoff_id)
    if handoff is None:
        raise Http404
    return handoff


@Prepared.of(AN_ID)
def _locked(handoff_id):
    rows = Handoff.objects.select_for_update(of=("self",)).select_related("lead").defer("breakdown")
    return rows.filter(pk=handoff_id)


def check_works(handoff, by):
    """Refuse unless `by` holds the handoff or manages the team of its owner."""
    require(by, May.WORK_INBOX)
    if handoff.owner_id == by.pk:
        return
    if by.holds(Role.SALES_MANAGER) and by.team_id and handoff.owner and handoff.owner.team_id == by.team_id:
        return
    raise NotPermitted("This lead belongs to someone else.")


def check_clocks_run(handoff):
    if not handoff.clocks_run:
        raise ClocksNotRunning


def give(handoff, owner, *, by, at, why, claim_within=None, rule_id=None):
    """Move a locked handoff to `owner`, or into the default queue that `owner` answers for; returns the Assignment.

    claim_within: how long it may wait in the queue, None where it goes to a person. The agreement's clocks go on.
    """
    to_queue = claim_within is not None
    assignment = Assignment.objects.create(
        handoff=handoff, owner=owner, assigned_at=at, recorded_at=at, assigned_by=by, why=why[:200],
        to_queue=to_queue, rule_id=rule_id,
    )  # fmt: skip
    moved = {"owner": owner, **queue_fields(at, claim_within)}
    for name, value in moved.items():
        setattr(handoff, name, value)
    handoff.save(update_fields=list(moved))
    if not to_queue:
        AccountOwner.objects.filter(domain=domain_of(handoff.lead.facts())).update(owner=owner, since=at)
    topic = "handoff.queued" if to_queue else "handoff.assigned"
    tell(topic, key=assignment.pk, at=at, to=owner, payload={"handoff": handoff.pk, "owner": owner.pk})
    return assignment


def write_decision(handoff, **fields):
    """Insert the decision, let the handoff tell it, and write the message; returns the decision.

    Refuses: PersonForgotten (a handoff of somebody who was forgotten opens no more).
    """
    if handoff.lead.erased_at:
        raise PersonForgotten
    decision = Decision(handoff=handoff, supersedes_id=handoff.standing_decision_id, **fields)
    topic = "handoff.reopened" if decision.outcome == Decision.Outcome.REOPENED else f"handoff.{decision.outcome}"
    told = {
        "handoff": handoff.pk,
        "lead": handoff.lead_id,
        "reason": decision.reason.code if decision.reason else None,
        "by": decision.decided_by_id,
    }
    values = [f.get_db_prep_save(getattr(decision, f.attname), connection) for f in DECIDED]
    with connection.cursor() as cursor:
        cursor.execute(DECIDE, [*values, topic, json.dumps(told)])
        decision.pk, handoff.decided_at = cursor.fetchone()
    decision._state.adding, decision._state.db = False, connection.alias
    handoff.standing_decision, handoff.status, handoff.reason = decision, decision.outcome, decision.reason
    return decision
