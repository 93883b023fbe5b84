"""The default queue: claim a lead from it, hand one back to it, remind of what nobody claims."""

import datetime as dt

from django.db import transaction

from leads.models import Handoff, RoutingPlan
from leads.routing import CLAIM_WITHIN, queue_owner
from leads.services._steps import check_clocks_run, check_works, give, lock
from leads.services.assign import check_can_own
from leads.services.refusals import AlreadyClaimed, AlreadyDecided, InQueueAlready, WhyHandedBack
from portal.accounts.permissions import May, require
from portal.outbox.services import tell


@transaction.atomic(durable=True)
def claim_handoff(*, handoff_id, by, at):
    """Take a lead out of the default queue; the agreement's clocks go on. Returns the Assignment.

    Refuses: NotPermitted, AlreadyDecided, AlreadyClaimed (someone was faster), CannotOwn.
    """
    require(by, May.CLAIM_LEADS)
    handoff = lock(handoff_id)
    if not handoff.is_open:
        raise AlreadyDecided
    if not handoff.waits_in_queue:
        raise AlreadyClaimed
    check_can_own(by)
    return give(handoff, by, by=by, at=at, why=f"Claimed from the queue by {by.name}")


@transaction.atomic(durable=True)
def hand_back_handoff(*, handoff_id, by, at, why):
    """Put one's lead (or one of the team's) into the default queue; its clocks go on. Returns the Assignment.

    Refuses: NotPermitted, WhyHandedBack, ClocksNotRunning, AlreadyDecided, InQueueAlready.
    """
    require(by, May.HAND_BACK_LEADS)
    if not why.strip():
        raise WhyHandedBack
    handoff = lock(handoff_id)
    check_works(handoff, by)
    check_clocks_run(handoff)
    if not handoff.is_open:
        raise AlreadyDecided
    if handoff.waits_in_queue:
        raise InQueueAlready
    return to_queue(handoff, by=by, at=at, why=f"Handed back by {by.name}: {why.strip()}")


@transaction.atomic(durable=True)
def remind_unclaimed(*, at):
    """Tell who answers for the queue of each lead whose time to be claimed ran out in the last day.

    Once for each stay in the queue, however often it runs. Returns how many waited too long.
    """
    late = Handoff.objects.in_queue().filter(queue_due_at__lte=at, queue_due_at__gt=at - dt.timedelta(days=1))
    for handoff in (rows := list(late.select_related("owner").defer("breakdown"))):
        key = f"{handoff.pk}:{handoff.queued_at.isoformat()}"
        told = {"handoff": handoff.pk, "owner": handoff.owner_id}
        tell("handoff.unclaimed", key=key, at=at, to=handoff.owner, payload=told)
    return len(rows)


def to_queue(handoff, *, at, why, by=None):
    """A step: a locked open handoff goes to the default queue of the plan in force. Returns the Assignment."""
    plan = RoutingPlan.objects.in_force(at=at)
    owner = queue_owner(plan and plan.queue_owner_id)
    return give(handoff, owner, by=by, at=at, why=why, claim_within=plan.claim_within if plan else CLAIM_WITHIN)
