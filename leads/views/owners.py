"""The doors that change who holds a lead: hand back, reassign, hand over all of somebody's."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from leads.models import Handoff
from leads.services.assign import reassign_handoff
from leads.services.leave import hand_over_leads, open_count
from leads.services.queue import hand_back_handoff
from leads.services.refusals import AlreadyDecided, CannotOwn
from leads.views.home import breaching_part
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal

LONGEST_WHY = 150


@require_http_methods(["GET", "POST"])
def hand_back(request, pk):
    """GET: why? POST: the lead goes to the default queue."""
    require(request.user, May.HAND_BACK_LEADS)
    handoff = get_object_or_404(Handoff.objects.workable_by(request.user).select_related("lead"), pk=pk)
    context = {"handoff": handoff, "why": request.POST.get("why", "")[:LONGEST_WHY], "longest": LONGEST_WHY}
    if request.method == "GET":
        return answer(request, "leads/hand_back.html", context)
    try:
        hand_back_handoff(handoff_id=pk, by=request.user, at=timezone.now(), why=context["why"])
    except NotPermitted:
        raise
    except Refusal as refusal:
        say = overtaken if isinstance(refusal, AlreadyDecided) else invalid
        return say(request, "leads/hand_back.html", context | {"refusal": refusal})
    messages.success(request, f"{handoff.lead.name} waits in the default queue now; the clocks go on.")
    return redirect("inbox")


@require_http_methods(["GET", "POST"])
def reassign(request, pk):
    """GET: to whom? A page, or the cell of the board's table. POST: done; the board's table as it is now."""
    require(request.user, May.REASSIGN_LEADS)
    handoff = get_object_or_404(Handoff.objects.visible_to(request.user).select_related("lead", "owner"), pk=pk)
    takers, now = takers_of(request.user), timezone.now()
    context = {"handoff": handoff, "takers": takers.exclude(pk=handoff.owner_id)}
    if request.method == "GET":
        return answer(request, "leads/reassign.html", context, part="cell", also=("no_poll",))
    to, why = _chosen(takers, request.POST.get("owner", "")), request.POST.get("why", "")[:LONGEST_WHY]
    try:
        if to is None:
            raise CannotOwn
        reassign_handoff(handoff_id=pk, to=to, by=request.user, at=now, why=why)
    except NotPermitted:
        raise
    except Refusal as refusal:
        if wants_part(request):
            return breaching_part(request, now, wrong=refusal)
        say = overtaken if isinstance(refusal, AlreadyDecided) else invalid
        return say(request, "leads/reassign.html", context | {"refusal": refusal})
    if wants_part(request):
        return breaching_part(request, now, said=f"{handoff.lead.name} is with {to.name} now.")
    messages.success(request, f"{handoff.lead.name} is with {to.name} now; the clocks go on.")
    return redirect("home")


@require_http_methods(["GET", "POST"])
def hand_over(request, pk):
    """GET: to whom? POST: all open leads of this person go there."""
    require(request.user, May.REASSIGN_LEADS)
    people = takers_of(request.user)
    person = get_object_or_404(people, pk=pk)
    context = {"person": person, "held": open_count(person), "takers": people.exclude(pk=pk)}
    if request.method == "GET":
        return answer(request, "leads/hand_over.html", context)
    chosen = request.POST.get("owner", "")
    to = _chosen(people.exclude(pk=pk), chosen)
    try:
        if chosen and to is None:
            raise CannotOwn
        moved = hand_over_leads(person_id=pk, by=request.user, at=timezone.now(), to=to)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, "leads/hand_over.html", context | {"refusal": refusal})
    went, taker = "1 lead" if moved == 1 else f"{moved} leads", to.name if to else "the least busy"
    messages.success(request, f"{went} of {person.name} went to {taker}; the clocks go on.")
    return redirect("home")


def takers_of(manager):
    """Whom a manager may give a lead to: active people of the own team who can hold one."""
    people = User.objects.active().filter(roles__overlap=[Role.REP, Role.SALES_MANAGER]).order_by("name")
    return people.filter(team=manager.team_id) if manager.team_id else people.filter(pk=manager.pk)


def _chosen(people, number):
    known = number.isascii() and number.isdigit() and len(number) < 19
    return people.filter(pk=int(number)).first() if known else None
