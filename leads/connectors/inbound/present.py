"""What the pages of an inbound connection show: its log, its conflicts, its reading, and a sample read."""

import json

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from leads.connectors.inbound import facts as reader
from leads.connectors.inbound import generic, senders
from leads.connectors.inbound.message import Message, Unreadable
from leads.connectors.models import Conflict, Item
from leads.intake.imports import fields
from leads.intake.models import SavedMapping
from portal.shared.refusal import Refusal

SHOWN, CONFLICTS, SAMPLED = 50, 20, 20
LABELS = {name: fields.label_of(name) for name in reader.TAKEN}
Outcome = Item.Outcome
STATES = {
    Outcome.TAKEN: "ok", Outcome.UNCHANGED: "idle", Outcome.OURS: "idle", Outcome.IGNORED: "idle",
    Outcome.WAITING: "info", Outcome.HELD: "warn", Outcome.REFUSED: "late", Outcome.FAILED: "late",
}  # fmt: skip
ICONS = {"ok": "circle-check", "idle": "circle-minus", "info": "clock", "warn": "hourglass", "late": "circle-x"}
AGAIN = (Outcome.HELD, Outcome.REFUSED, Outcome.FAILED)


def page(connection, query, *, at):
    """The context of the connection's page; query: outcome and before."""
    items, outcome = connection.items.select_related("lead", "handoff").order_by("-id"), query.get("outcome", "")
    if outcome in Outcome.values:
        items = items.filter(outcome=outcome)
    if (before := query.get("before", "")).isdecimal():
        items = items.filter(pk__lt=int(before[:18]))
    rows = list(items[: SHOWN + 1])
    counted = {name: connection.items.filter(outcome=name)[:1001].count() for name in AGAIN}
    conflicts = Conflict.objects.filter(item__connection=connection).select_related("item")[:CONFLICTS]
    return {
        "connection": connection,
        "now": at,
        "rows": [row(one) for one in rows[:SHOWN]],
        "older": rows[SHOWN - 1].pk if len(rows) > SHOWN else None,
        "outcome": outcome if outcome in Outcome.values else "",
        "outcomes": Outcome.choices,
        "counted": counted,
        "conflicts": [{"conflict": one, "label": fields.label_of(one.fact)} for one in conflicts],
        "address": f"…{connection.address_end}",
    }


def row(item):
    """An item with the colour and the icon of its outcome."""
    state = STATES[Outcome(item.outcome)]
    return {"item": item, "state": state, "icon": ICONS[state]}


def again(item):
    """Whether somebody may let it be looked at again."""
    return item.outcome in AGAIN and item.content is not None


def address(connection, token):
    """The whole address, with its secret part."""
    return f"{settings.PORTAL_URL.rstrip('/')}{reverse('inbound', args=[connection.kind, token])}"


def reading(connection, post=None):
    """How it is read, as the form shows it; post: what somebody typed, when it was refused."""
    columns = connection.mapping.get("columns", {})
    where = {name: one["column"] if isinstance(one, dict) else one for name, one in columns.items()}
    own = {name.removeprefix(fields.ATTRIBUTE): at for name, at in where.items() if name.startswith(fields.ATTRIBUTE)}
    typed = post.get if post else lambda _, shown: shown
    sources = post.getlist("overwrites") if post else connection.overwrites
    return {
        "name": typed("name", connection.name),
        "facts": [
            {"name": name, "label": label, "where": typed(f"from-{name}", where.get(name, "")),
             "overwrites": name in sources}
            for name, label in LABELS.items()
        ],
        "attributes": typed("attributes", "\n".join(f"{name} = {path}" for name, path in own.items())),
        "properties": typed("properties", "\n".join(f"{n} = {path}" for n, path in connection.properties.items())),
        "attribute_sources": [
            {"name": name, "label": fields.label_of(name), "overwrites": name in sources}
            for name in where if name.startswith(fields.ATTRIBUTE)
        ],
        "ours": typed("ours", "\n".join(connection.ours)),
        "shares_ids": "shares_ids" in post if post else connection.shares_ids,
        "event_kind": typed("event_kind", connection.event_kind),
        "paths": [
            {"name": name, "hint": hint, "path": typed(f"path-{name}", connection.paths.get(name, ""))}
            for name, hint in generic.PATHS.items()
        ],
        "document": json.dumps(connection.mapping, indent=2, ensure_ascii=False),
        "pasted": typed("document", ""),
        "saved": SavedMapping.objects.all(),
    }  # fmt: skip


def sample(connection, text, *, at):
    """What would be read in a message: [{"person", "facts", "problem"}], or one problem where nothing can be."""
    message = Message("", {}, text.encode("utf-8", "replace"), at)
    try:
        mapping = reader.checked(connection.mapping)
        arrivals = senders.arrivals(message, connection, timezone.get_default_timezone())
    except (Unreadable, Refusal) as problem:
        return [{"problem": str(problem)}]
    return [_read(connection, mapping, one) for one in arrivals[:SAMPLED]]


def _read(connection, mapping, arrival):
    passed_over = senders.passes_over(connection, arrival.content, mapping) if not arrival.problem else ""
    if why := arrival.problem or passed_over:
        return {"person": arrival.person, "problem": why}
    try:
        facts = reader.read(mapping, senders.finder(connection, arrival.content), connection.properties)
    except Refusal as refusal:
        return {"person": arrival.person, "problem": refusal.sentence}
    told = [(fields.label_of(name), value) for name, value in (facts.defaults | facts.told).items()]
    told += [(f"{name} (of the event)", value) for name, value in facts.properties.items()]
    return {"person": arrival.person, "facts": told, "problem": ""}
