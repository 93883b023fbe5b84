"""Contact attempts: log one; the earliest that counts stops the contact clock."""

import datetime as dt

from django.db import transaction

from leads.models import ClockCorrection, Touch
from leads.services._steps import check_clocks_run, check_works, lock
from leads.services.refusals import AlreadyDecided, NotInTheFuture, PersonForgotten
from portal.outbox.services import tell

CLOCK_SKEW = dt.timedelta(minutes=5)


@transaction.atomic(durable=True)
def log_touch(
    *, handoff_id, kind, outcome, by, at, occurred_at=None, note="", via=Touch.Via.PAGE, batch=None
):  # fmt: skip
    """Record a contact attempt; the earliest that counts under the version stops the contact clock. Returns the Touch.

    One that happened earlier and is logged later corrects the clock: the first touch moves back, and a ClockCorrection
    keeps what was believed before. After the decision only what happened before it is taken.

    occurred_at: aware datetime, `at` when None; more than five minutes ahead is refused. via, batch: how it came in,
    and the mark that the touches of one bulk act share.
    Refuses: NotPermitted, ClocksNotRunning, AlreadyDecided, NotInTheFuture.
    """
    occurred_at = occurred_at or at
    if occurred_at > at + CLOCK_SKEW:
        raise NotInTheFuture
    handoff = lock(handoff_id)
    check_works(handoff, by)
    check_clocks_run(handoff)
    if handoff.lead.erased_at:
        raise PersonForgotten
    if not handoff.is_open and not (handoff.decided_at and occurred_at < handoff.decided_at):
        raise AlreadyDecided
    touch = Touch.objects.create(
        handoff=handoff, kind=kind, outcome=outcome, occurred_at=occurred_at, recorded_at=at, touched_by=by,
        note=note.strip(), via=via, batch=batch,
    )  # fmt: skip
    if touch.counts_under(handoff.sla_version):
        _stop_contact_clock(handoff, touch)
    tell(
        "handoff.touched",
        key=touch.pk,
        at=at,
        payload={"handoff": handoff.pk, "lead": handoff.lead_id, "touch": touch.pk, "kind": kind, "outcome": outcome},
    )
    return touch


def _stop_contact_clock(handoff, touch):
    believed, stopped = handoff.first_touch_at, max(touch.occurred_at, handoff.qualified_at)
    if believed is not None and believed <= stopped:
        return
    due = handoff.contact_due_at
    if due and (believed or stopped <= due < (handoff.decided_at or touch.recorded_at)):
        ClockCorrection.objects.create(
            handoff=handoff, touch=touch, due_at=due, believed_at=believed, stopped_at=stopped,
            recorded_at=touch.recorded_at,
        )  # fmt: skip
    handoff.first_touch_at = stopped
    handoff.save(update_fields=["first_touch_at"])
