"""The terms of a routing plan beside its rules: the default queue, capacities and named accounts."""

import datetime as dt

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from leads.models import RoutingPlan
from leads.routing import HOLDERS
from leads.services import routing_plan as verbs
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.shared import time
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

TEMPLATE = "leads/routing_terms.html"
LONGEST = 20_000


@require_http_methods(["GET", "POST"])
def terms(request):
    """GET: what the draft says. POST: it says that now."""
    require(request.user, May.CHANGE_ROUTING)
    draft = RoutingPlan.objects.draft()
    if draft is None:
        messages.error(request, verbs.NoDraft.sentence)
        return redirect("routing")
    people = list(User.objects.active().filter(roles__overlap=HOLDERS).select_related("team").order_by("name"))
    if request.method == "GET":
        return answer(request, TEMPLATE, _shown(draft, people))
    try:
        verbs.set_terms(by=request.user, **_terms(request.POST, people))
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, TEMPLATE, _sent(draft, people, request.POST) | {"refusal": refusal})
    return redirect("routing")


def terms_said(plan):
    """The terms in words, for the page of the rules."""
    rooms = [f"{one.person.name} {one.most_open}" for one in plan.capacities.select_related("person")]
    return {
        "queue_owner": plan.queue_owner.name,
        "within": time.duration(plan.claim_within),
        "room": "no limit" if plan.most_open is None else f"{plan.most_open} open leads",
        "rooms": rooms,
        "accounts": plan.accounts.select_related("owner")[:50],
        "accounts_count": plan.accounts.count(),
    }


def _shown(draft, people):
    rooms = dict(draft.capacities.values_list("person", "most_open"))
    accounts = draft.accounts.select_related("owner")
    return {
        "plan": draft,
        "people": [(person, rooms.get(person.pk, "")) for person in people],
        "owner": str(draft.queue_owner_id),
        "minutes": draft.claim_within // time.MINUTE,
        "most_open": "" if draft.most_open is None else draft.most_open,
        "accounts": "\n".join(f"{one.domain} {one.owner.email}" for one in accounts),
    }


def _sent(draft, people, post):
    return {
        "plan": draft,
        "people": [(person, post.get(f"room-{person.pk}", "")) for person in people],
        "owner": post.get("queue_owner", ""),
        "minutes": post.get("minutes", ""),
        "most_open": post.get("most_open", ""),
        "accounts": post.get("accounts", "")[:LONGEST],
    }


def _terms(post, people):
    rooms = {person.pk: post.get(f"room-{person.pk}", "").strip() for person in people}
    most, lines = post.get("most_open", "").strip(), post.get("accounts", "")[:LONGEST].splitlines()
    return {
        "queue_owner_id": _number(post.get("queue_owner", "")),
        "claim_within": dt.timedelta(minutes=min(_number(post.get("minutes", "")), 10**6)),
        "most_open": _number(most) if most else None,
        "capacities": {pk: _number(text) for pk, text in rooms.items() if text},
        "accounts": dict(_account(line, people) for line in lines if line.strip()),
    }


def _account(line, people):
    """(domain, owner's id) of "corvane.example jonas@tarnwick.example"."""
    domain, _, who = line.strip().partition(" ")
    found = next((one.pk for one in people if who.strip().lower() in (one.email, one.name.lower())), None)
    if found is None:
        wrong = f"“{line.strip()[:80]}”: nobody with this e-mail address or name holds leads. Nothing was saved."
        raise verbs.TermsWrong(wrong, field="accounts")
    return domain, found


def _number(text):
    """A whole number, or −1 for anything else, which the verb refuses."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
