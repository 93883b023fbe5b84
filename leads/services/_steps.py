"""Steps that several verbs share: find and lock a handoff, check who acts, write one decision."""

from django.shortcuts import get_object_or_404

from leads.models import Decision, Handoff
from leads.services.refusals import ClocksNotRunning
from portal.accounts.models import Role
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted


def lock(handoff_id):
    """The handoff's row, locked until the transaction ends, with its version and owner."""
    rows = Handoff.objects.select_for_update(of=("self",)).select_related("owner", "sla_version")
    return get_object_or_404(rows, pk=handoff_id)


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


def write_decision(handoff, **fields):
    """Insert the decision, let the handoff tell it, and write the message; returns the decision."""
    decision = Decision.objects.create(handoff=handoff, supersedes_id=handoff.standing_decision_id, **fields)
    handoff.standing_decision = decision
    handoff.status = decision.outcome
    handoff.decided_at = decision.decided_at if decision.outcome != Decision.Outcome.REOPENED else None
    handoff.reason = decision.reason
    handoff.save(update_fields=["standing_decision", "status", "decided_at", "reason"])
    topic = "handoff.reopened" if decision.outcome == Decision.Outcome.REOPENED else f"handoff.{decision.outcome}"
    tell(
        topic,
        key=decision.pk,
        at=decision.recorded_at,
        payload={
            "handoff": handoff.pk,
            "lead": handoff.lead_id,
            "decision": decision.pk,
            "reason": decision.reason.code if decision.reason else None,
            "by": decision.decided_by_id,
        },
    )
    return decision
