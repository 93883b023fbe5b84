"""Doors to work a handoff: contacts and decisions, by the same verbs as the inbox."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Path

from leads.api.lists import visible_handoffs
from leads.api.router import router
from leads.api.shapes import DecisionIn, DecisionSaid, TouchIn, TouchSaid, happened_at
from leads.models.via import Via
from leads.services import refusals
from leads.services.decide import Detail, accept_handoff, reject_handoff
from leads.services.touch import log_touch
from portal.accounts.permissions import May, require
from portal.keys.auth import Bearer
from portal.keys.once import once
from portal.keys.problem import answered_with
from portal.keys.scopes import HANDOFFS_WRITE
from portal.keys.shapes import IdInAddress

SHARED = {"tags": ["Work"], "auth": Bearer(HANDOFFS_WRITE)}
answered_with(409, refusals.AlreadyDecided, refusals.ClocksNotRunning)
answered_with(
    422, refusals.ReasonRequired, refusals.ReasonUnknown, refusals.DetailRequired, refusals.NoteRequired,
    refusals.AttemptsMissing,
)  # fmt: skip
DETAIL = ("attribute", "recycle_on", "field", "signal", "duplicate_of")


@router.post(
    "/handoffs/{handoff_id}/touches", response={201: TouchSaid}, url_name="api_touches", summary="Log a contact",
    **SHARED,
)  # fmt: skip
def post_touch(request, handoff_id: Path[IdInAddress], touch: TouchIn):
    """A contact attempt by the person whom the key acts as; the earliest that counts stops the contact clock."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()

    def work(do):
        get_object_or_404(visible_handoffs(request.user), pk=handoff_id)
        given = touch.model_dump() | {"occurred_at": happened_at(touch.occurred_at, now)}
        made = do(log_touch, handoff_id=handoff_id, by=request.user, at=now, via=Via.API, **given)
        version, first = made.handoff.sla_version, made.handoff.first_touch_at
        return 201, TouchSaid(
            id=made.pk, handoff=handoff_id, kind=made.kind, outcome=made.outcome, occurred_at=made.occurred_at,
            counts=made.counts_under(version), first_touch_at=first,
        ).model_dump(mode="json")  # fmt: skip

    return once(request, work)


@router.post(
    "/handoffs/{handoff_id}/decision", response={201: DecisionSaid}, url_name="api_decision",
    summary="Accept or reject", **SHARED,
)  # fmt: skip
def post_decision(request, handoff_id: Path[IdInAddress], decision: DecisionIn):
    """Who holds the handoff decides, or the manager of the owner's team: the same rules and codes as in the inbox."""
    require(request.user, May.WORK_INBOX)
    given = {"handoff_id": handoff_id, "by": request.user, "at": timezone.now(), "note": decision.note, "via": Via.API}

    def work(do):
        get_object_or_404(visible_handoffs(request.user), pk=handoff_id)
        if decision.outcome == "accepted":
            made = do(accept_handoff, **given)
        else:
            detail = Detail(**{name: getattr(decision, name) for name in DETAIL})
            made = do(reject_handoff, **given, reason=decision.reason, detail=detail)
        return 201, DecisionSaid(
            id=made.pk, handoff=handoff_id, outcome=made.outcome, reason=made.reason and made.reason.code,
            decided_at=made.decided_at, recycle_on=made.recycle_on,
        ).model_dump(mode="json")  # fmt: skip

    return once(request, work)
