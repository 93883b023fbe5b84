"""Doors of the admins' page of messages: what waits, what was given up, and trying that again."""

from django.contrib import messages as flash
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.permissions import May, require
from portal.outbox.models import Message
from portal.outbox.services import retry_messages
from portal.shared.htmx import answer, nothing, wants_part

SHOWN, COUNTED = 100, 1000


@require_GET
def messages(request):
    """How many wait and since when; the dead letters, the newest first."""
    require(request.user, May.MANAGE_MESSAGES)
    return answer(request, "outbox/messages.html", _context())


def _context():
    now = timezone.now()
    waiting = Message.objects.waiting()
    dead = list(Message.objects.dead().select_related("recipient", "room")[: SHOWN + 1])
    return {
        "now": now,
        "waiting": waiting[: COUNTED + 1].count(),
        "counted": COUNTED,
        "tried": list(
            waiting.filter(attempts__gt=0).select_related("recipient", "room").order_by("next_attempt_at")[:20]
        ),
        "oldest": Message.objects.due(at=now).values_list("next_attempt_at", flat=True).first(),
        "dead": dead[:SHOWN],
        "more": len(dead) > SHOWN,
    }


@require_POST
def retry(request, pk):
    """One dead letter again; the page loses its row."""
    tried = retry_messages(message_ids=[pk], by=request.user, at=timezone.now())
    return _back(request, tried)


@require_POST
def retry_all(request):
    tried = retry_messages(message_ids=None, by=request.user, at=timezone.now())
    return _back(request, tried)


def _back(request, tried):
    said = {0: "Nothing to try again: someone was faster.", 1: "1 message is tried again within ten seconds."}
    flash.success(request, said.get(tried, f"{tried} messages are tried again within ten seconds."))
    return nothing(request) if wants_part(request) else redirect("messages")
