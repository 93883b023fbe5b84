"""Withdrawal: an open handoff that ends without a decision, counted apart and never silently."""

from django.db import transaction

from leads import lifecycle
from leads.services._steps import lock
from leads.services.refusals import AlreadyDecided
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import Refusal


class WhyRequired(Refusal):
    code = "why_required"
    sentence = "Say why the lead is withdrawn. Nothing was changed."
    field = "why"


@transaction.atomic(durable=True)
def withdraw_handoff(*, handoff_id, by, at, why):
    """End an open handoff without a decision, e.g. a merged duplicate. Returns the Handoff.

    Refuses: NotPermitted, WhyRequired, AlreadyDecided.
    """
    require(by, May.WITHDRAW_HANDOFFS)
    if not why.strip():
        raise WhyRequired
    handoff = lock(handoff_id)
    if not handoff.is_open:
        raise AlreadyDecided
    return end_without_decision(handoff, by=by, at=at, why=why.strip())


def end_without_decision(handoff, *, by, at, why):
    """A step: withdraw a locked, open handoff. Returns it."""
    handoff.status = lifecycle.WITHDRAWN
    handoff.standing_decision = None
    handoff.withdrawn_at, handoff.withdrawn_by, handoff.withdrawn_why = at, by, why
    handoff.save(update_fields=["status", "standing_decision", "withdrawn_at", "withdrawn_by", "withdrawn_why"])
    tell("handoff.withdrawn", key=handoff.pk, at=at, payload={"handoff": handoff.pk, "why": handoff.withdrawn_why})
    return handoff
