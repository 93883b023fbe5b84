"""The default queue: what waits in it and by when, and the door to claim a lead."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads import board
from leads.models import Handoff, RoutingPlan
from leads.routing import CLAIM_WITHIN
from leads.services.queue import claim_handoff
from leads.services.refusals import AlreadyClaimed, AlreadyDecided
from portal.accounts.permissions import May, may, require
from portal.shared import text
from portal.shared.htmx import answer, go, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "leads/queue.html"


@require_GET
def queue(request):
    """Everything that waits, the first to be claimed first; htmx asks for the list again every half minute."""
    require(request.user, May.CLAIM_LEADS)
    return answer(request, PAGE, _context(request, timezone.now()), part="list")


@require_POST
def claim(request, pk):
    """Take one lead; it is in one's inbox then."""
    require(request.user, May.CLAIM_LEADS)
    handoff, now = get_object_or_404(Handoff.objects.visible_to(request.user), pk=pk), timezone.now()
    try:
        claim_handoff(handoff_id=pk, by=request.user, at=now)
    except NotPermitted:
        raise
    except Refusal as refusal:
        say = overtaken if isinstance(refusal, (AlreadyClaimed, AlreadyDecided)) else invalid
        return say(request, PAGE, _context(request, now) | {"refusal": refusal}, part="list")
    said = f"{handoff.lead.name} is yours; the clocks go on."
    if wants_part(request) and request.htmx.target == "queue-list":
        toast = {"title": "Claimed.", "text": said}
        return answer(request, PAGE, _context(request, now) | {"toast": toast, "claimed": pk}, part="list")
    messages.success(request, f"Claimed. {said}")
    return go(request, "inbox_lead", pk) if wants_part(request) else redirect("inbox_lead", pk)


def _context(request, now):
    rows, plan = list(board.waiting()[: board.ROWS]), RoutingPlan.objects.in_force(at=now)
    count = Handoff.objects.in_queue().count() if len(rows) == board.ROWS else len(rows)
    return {
        "rows": rows,
        "count": count,
        "headline": _headline(count, sum(row.queue_due_at < now for row in rows)),
        "answers": rows[0].owner.name if rows else plan and plan.queue_owner.name,
        "within": plan.claim_within if plan else CLAIM_WITHIN,
        "manages": may(request.user, May.REASSIGN_LEADS),
        "now": now,
    }


def _headline(count, late):
    if not count:
        return "Nobody waits in the queue"
    waits = f"{text.in_words(count).capitalize()} lead{' waits' if count == 1 else 's wait'} to be claimed"
    if not late:
        return waits
    return f"{waits}; {'it has' if count == late == 1 else f'{text.in_words(late)} of them'} waited too long"
