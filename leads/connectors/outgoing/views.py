"""Doors of the endpoints, for admins: add one, look at its log, try it, send again, renew its secret, end it."""

import json

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.connectors.models import Delivery, Endpoint
from leads.connectors.outgoing import endpoints, sending
from leads.connectors.outgoing.topics import TOPICS
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

ADD, PAGE, ONE, SECRET = (
    f"connectors/{name}.html" for name in ("endpoint_add", "endpoint", "delivery", "endpoint_secret")
)
SHOWN = 50
STATES = {"waiting": "Waiting", "delivered": "Delivered", "given_up": "Given up"}


@require_http_methods(["GET", "POST"])
@never_cache
def endpoint_add(request):
    """The form for another endpoint; its secret is shown in the answer, and never again."""
    require(request.user, May.MANAGE_CONNECTIONS)
    context = {"topics": TOPICS, "new": {"topics": list(TOPICS)}}
    if request.method == "GET":
        return answer(request, ADD, context)
    given = _given(request.POST) | {"address": request.POST.get("address", "")}
    try:
        endpoint, secret = endpoints.add_endpoint(by=request.user, at=timezone.now(), **given)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, ADD, context | {"refusal": refusal, "new": given | {"address": ""}})
    return answer(request, SECRET, {"endpoint": endpoint, "secret": secret, "is_new": True})


@require_http_methods(["GET", "POST"])
def endpoint(request, pk):
    """How it does, its log, what it hears; a POST changes that."""
    one = _gate(request, pk)
    if request.method == "GET":
        return answer(request, PAGE, _page(request, one))
    given = _given(request.POST) | {"address": request.POST.get("address", "")}
    try:
        endpoints.change_endpoint(endpoint_id=pk, by=request.user, **given)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _page(request, one) | {"refusal": refusal, "new": given | {"address": ""}})
    messages.success(request, f"{one.name} was changed.")
    return redirect("endpoint", pk)


@require_POST
def ping(request, pk):
    one = _gate(request, pk)
    told = sending.ping(endpoint_id=pk, by=request.user, at=timezone.now())
    if told.is_fine:
        messages.success(request, f"{one.name} took a greeting: it answered {told.status} in {told.took_ms} ms.")
    else:
        why = told.problem or f"It answered {told.status}."
        messages.error(request, f"{one.name} did not take the greeting. {why}")
    return redirect("endpoint", pk)


@require_POST
@never_cache
def rotate(request, pk):
    _gate(request, pk)
    one, secret = endpoints.rotate_secret(endpoint_id=pk, by=request.user, at=timezone.now())
    return answer(request, SECRET, {"endpoint": one, "secret": secret, "now": timezone.now()})


@require_POST
def disable(request, pk):
    _gate(request, pk)
    one = endpoints.disable_endpoint(endpoint_id=pk, by=request.user, at=timezone.now())
    messages.success(request, f"{one.name} is disabled. What happens from now on waits for it.")
    return redirect("endpoint", pk)


@require_POST
def enable(request, pk):
    _gate(request, pk)
    one, waiting = endpoints.enable_endpoint(endpoint_id=pk, by=request.user, at=timezone.now())
    follows = {0: "", 1: " What waited is sent now."}.get(waiting, f" {waiting} deliveries that waited are sent now.")
    messages.success(request, f"{one.name} is enabled.{follows}")
    return redirect("endpoint", pk)


@require_POST
def retire(request, pk):
    _gate(request, pk)
    one = endpoints.retire_endpoint(endpoint_id=pk, by=request.user, at=timezone.now())
    messages.success(request, f"{one.name} hears nothing more; its address and secret are forgotten.")
    return redirect("connections")


@require_POST
def resend_all(request, pk):
    """Everything that was given up."""
    _gate(request, pk)
    return _resend(request, pk)


@require_GET
def delivery(request, pk):
    """One delivery: what was sent, and what was answered, attempt by attempt."""
    require(request.user, May.MANAGE_CONNECTIONS)
    one = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=pk)
    context = {"delivery": one, "attempts": list(one.attempts.all()), "now": timezone.now()}
    return answer(request, ONE, context | {"body": _pretty(one.body), "topics": TOPICS})


@require_POST
def resend_one(request, pk):
    require(request.user, May.MANAGE_CONNECTIONS)
    one = get_object_or_404(Delivery.objects.filter(endpoint__retired_at=None), pk=pk)
    return _resend(request, one.endpoint_id, pk)


def _resend(request, endpoint_id, delivery_id=None):
    asked = {"endpoint_id": endpoint_id, "delivery_id": delivery_id}
    try:
        count = endpoints.resend(by=request.user, at=timezone.now(), **asked)
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        said = {0: "There is nothing to send again.", 1: "1 delivery is sent again within five seconds."}
        messages.success(request, said.get(count, f"{count} deliveries are sent again, one after the other."))
    return redirect("endpoint", endpoint_id)


def _gate(request, pk):
    require(request.user, May.MANAGE_CONNECTIONS)
    return get_object_or_404(Endpoint.objects.kept(), pk=pk)


def _given(post):
    return {"name": post.get("name", ""), "topics": post.getlist("topics")}


def _page(request, one):
    state = request.GET.get("state", "")
    log = one.deliveries.order_by("-id")
    log = {"waiting": log.waiting(), "given_up": log.given_up()}.get(state, log)
    log = log.filter(delivered_at__isnull=False) if state == "delivered" else log
    before = request.GET.get("before", "")
    if before.isdecimal():
        log = log.filter(pk__lt=int(before[:18]))
    rows = list(log.prefetch_related("attempts")[: SHOWN + 1])
    return {
        "endpoint": one,
        "now": timezone.now(),
        "topics": TOPICS,
        "new": {"name": one.name, "topics": one.topics},
        "rows": [{"delivery": row, "last": next(reversed(row.attempts.all()), None)} for row in rows[:SHOWN]],
        "older": rows[SHOWN - 1].pk if len(rows) > SHOWN else None,
        "state": state if state in STATES else "",
        "states": STATES,
        "waiting": one.deliveries.waiting().count(),
        "given_up": one.deliveries.given_up().exclude(topic="ping").count(),
    }


def _pretty(body):
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""
