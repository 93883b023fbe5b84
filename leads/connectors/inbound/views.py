"""Doors of the inbound connections, for admins: make one, say how it is read, look at what came, try it again."""

import json

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.connectors.inbound import connections, present
from leads.connectors.inbound.reading_form import reading_of
from leads.connectors.inbound.take import try_again
from leads.connectors.models import Connection, Item
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

ADD, PAGE, READING, ADDRESS, ONE = (
    f"connectors/{name}.html" for name in ("connection_add", "connection", "reading", "connection_address", "item")
)
GIVEN = ("name", "kind", "secret", "organisation", "event_kind")


@require_http_methods(["GET", "POST"])
@never_cache
def connection_add(request):
    """The form for another connection; its address is shown in the answer, and never again."""
    require(request.user, May.MANAGE_CONNECTIONS)
    context = {"kinds": Connection.Kind.choices, "new": {"kind": Connection.Kind.HUBSPOT}}
    if request.method == "GET":
        return answer(request, ADD, context)
    given = {name: request.POST.get(name, "") for name in GIVEN} | {"signed": "signed" in request.POST}
    try:
        made, token, shown = connections.add_connection(by=request.user, at=timezone.now(), **given)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, ADD, context | {"refusal": refusal, "new": given | {"secret": ""}})
    return _address(request, made, token, secret=shown, is_new=True)


@require_GET
def connection(request, pk):
    """What came lately, and what was not taken."""
    one = _gate(request, pk)
    return answer(request, PAGE, present.page(one, request.GET, at=timezone.now()))


@require_http_methods(["GET", "POST"])
def reading(request, pk):
    """How its items are read, and which facts it may overwrite; a POST changes that."""
    one = _gate(request, pk)
    if request.method == "GET":
        return answer(request, READING, {"connection": one, "reading": present.reading(one)})
    try:
        given = reading_of(request.POST, one)
        connections.change_connection(connection_id=pk, by=request.user, **given)
    except NotPermitted:
        raise
    except Refusal as refusal:
        typed = present.reading(one, request.POST)
        return invalid(request, READING, {"connection": one, "reading": typed, "refusal": refusal})
    messages.success(request, f"{one.name} is read like this from now on.")
    return redirect("connection_reading", pk)


@require_POST
def sample(request, pk):
    """What would be read in a message that somebody pasted; nothing is kept."""
    one, text = _gate(request, pk), request.POST.get("sample", "")
    read = present.sample(one, text, at=timezone.now())
    context = {"connection": one, "reading": present.reading(one), "sample": text, "read": read}
    return answer(request, READING, context)


@require_POST
@never_cache
def renew(request, pk):
    _gate(request, pk)
    one, token = connections.renew_address(connection_id=pk, by=request.user, at=timezone.now())
    return _address(request, one, token)


@require_POST
def secret(request, pk):
    one = _gate(request, pk)
    try:
        connections.change_secret(connection_id=pk, secret=request.POST.get("secret", ""), by=request.user)
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, f"{one.name} is checked with the new client secret.")
    return redirect("connection", pk)


@require_POST
def disable(request, pk):
    _gate(request, pk)
    one = connections.set_disabled(connection_id=pk, disabled=True, by=request.user, at=timezone.now())
    messages.success(request, f"{one.name} is disabled: its address leads nowhere.")
    return redirect("connection", pk)


@require_POST
def enable(request, pk):
    _gate(request, pk)
    one = connections.set_disabled(connection_id=pk, disabled=False, by=request.user, at=timezone.now())
    messages.success(request, f"{one.name} is enabled.")
    return redirect("connection", pk)


@require_POST
def retire(request, pk):
    _gate(request, pk)
    one = connections.retire_connection(connection_id=pk, by=request.user, at=timezone.now())
    messages.success(request, f"{one.name} tells us nothing more; its address and secret are forgotten.")
    return redirect("connections")


@require_GET
def item(request, pk):
    """One item as it came, and what became of it."""
    require(request.user, May.MANAGE_CONNECTIONS)
    one = get_object_or_404(Item.objects.select_related("connection", "lead", "handoff"), pk=pk)
    content = "" if one.content is None else json.dumps(one.content, indent=2, ensure_ascii=False)
    context = {"item": one, "content": content, "conflicts": one.conflicts.all(), "now": timezone.now()}
    return answer(request, ONE, context | {"again": present.again(one)})


@require_POST
def again(request, pk):
    require(request.user, May.MANAGE_CONNECTIONS)
    get_object_or_404(Item, pk=pk)
    try_again(item_id=pk, by=request.user, at=timezone.now())
    messages.success(request, "It is looked at again within five seconds.")
    return redirect("item", pk)


def _gate(request, pk):
    require(request.user, May.MANAGE_CONNECTIONS)
    return get_object_or_404(Connection.objects.kept(), pk=pk)


def _address(request, one, token, **context):
    address = present.address(one, token)
    return answer(request, ADDRESS, {"connection": one, "address": address, "now": timezone.now(), **context})
