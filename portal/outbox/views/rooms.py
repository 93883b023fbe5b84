"""Doors of the chat rooms, for admins: add one, choose what it hears, try it, retire it."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.models import Team
from portal.accounts.permissions import May, require
from portal.outbox.models import Room
from portal.outbox.preferences import chat_kinds
from portal.outbox.rooms import add_room, change_room, retire_room, try_room
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "outbox/rooms.html"


@require_http_methods(["GET", "POST"])
def rooms(request):
    """The rooms, and the form for another one."""
    require(request.user, May.MANAGE_MESSAGES)
    if request.method == "GET":
        return answer(request, PAGE, _context())
    post = request.POST
    values = {name: post.get(name, "") for name in ("name", "style", "address")} | _choice(post)
    try:
        room = add_room(by=request.user, at=timezone.now(), **values)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"refusal": refusal, "new": values})
    messages.success(request, f"{room.name} listens now. Try the connection once.")
    return redirect("rooms")


@require_POST
def room(request, pk):
    """What it listens to."""
    require(request.user, May.MANAGE_MESSAGES)
    get_object_or_404(Room.objects.active(), pk=pk)
    changed = change_room(room_id=pk, by=request.user, **_choice(request.POST))
    messages.success(request, f"{changed.name} was changed.")
    return redirect("rooms")


@require_POST
def try_out(request, pk):
    require(request.user, May.MANAGE_MESSAGES)
    tried = get_object_or_404(Room.objects.active(), pk=pk)
    try:
        try_room(room_id=pk, by=request.user)
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, f"{tried.name}: {refusal.sentence}")
    else:
        messages.success(request, f"A greeting stands in {tried.name} now.")
    return redirect("rooms")


@require_POST
def retire(request, pk):
    require(request.user, May.MANAGE_MESSAGES)
    get_object_or_404(Room.objects.active(), pk=pk)
    retired = retire_room(room_id=pk, by=request.user, at=timezone.now())
    messages.success(request, f"{retired.name} hears nothing more, and its address is forgotten.")
    return redirect("rooms")


def _choice(post):
    team = post.get("team", "")
    known = team.isdecimal() and len(team) < 19
    return {"kinds": post.getlist("kinds"), "team": Team.objects.filter(pk=team).first() if known else None}


def _context():
    return {
        "rooms": [
            {"room": one, "kinds": [(kind, kind.key in one.kinds) for kind in chat_kinds()]}
            for one in Room.objects.active().select_related("team")
        ],
        "kinds": chat_kinds(),
        "teams": Team.objects.order_by("name"),
        "styles": Room.Style.choices,
        "new": {"style": Room.Style.SLACK, "kinds": [kind.key for kind in chat_kinds()]},
    }
