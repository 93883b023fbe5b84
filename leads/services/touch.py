"""Contact attempts: log one; the earliest stops the contact clock."""

import datetime as dt

from django.db import transaction

from leads.models import Touch
from leads.services._steps import check_clocks_run, check_works, lock
from leads.services.refusals import AlreadyDecided, NotInTheFuture
from portal.outbox.services import tell

CLOCK_SKEW = dt.timedelta(minutes=5)


@transaction.atomic(durable=True)
def log_touch(
    *, handoff_id, kind, outcome, by, at, occurred_at=None, note="", via=Touch.Via.PAGE, batch=None
):  # fmt: skip
    """Record a contact attempt; an earlier one that is logged later moves first_touch_at back. Returns the Touch.

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
    if not handoff.is_open:
        raise AlreadyDecided
    touch = Touch.objects.create(
        handoff=handoff, kind=kind, outcome=outcome, occurred_at=occurred_at, recorded_at=at, touched_by=by,
        note=note.strip(), via=via, batch=batch,
    )  # fmt: skip
    if handoff.first_touch_at is None or occurred_at < handoff.first_touch_at:
        handoff.first_touch_at = max(occurred_at, handoff.qualified_at)
        handoff.save(update_fields=["first_touch_at"])
    tell(
        "handoff.touched",
        key=touch.pk,
        at=at,
        payload={"handoff": handoff.pk, "lead": handoff.lead_id, "kind": kind, "outcome": outcome},
    )
    return touch
