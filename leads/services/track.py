"""What visitors and programs tell of visits: marked by the bot rules, then recorded like any other event."""

from collections.abc import Sequence
from dataclasses import replace

from leads.bots import CLICKED, MAILED, REACH, VIEWED, Seen, Signals, suspect
from leads.models import Event
from leads.services.capture import Happened

WATCHED = (VIEWED, CLICKED, MAILED)
TOLD_APART_BY = ("path", "url", "link")


def marked(told: Sequence[tuple[int | None, Happened, Signals]]) -> list[Happened]:
    """The events in their order, each with the bot rule that it breaks. One query.

    told: (lead's id, None where the lead may be new; the event; who asked). Events of one lead are looked at together
    with what is known of that lead around them.
    """
    around = _around(told)
    seen = [_seen(event.kind, event.occurred_at, event.properties) for _, event, _ in told]
    for (lead_id, *_), one in zip(told, seen, strict=True):
        around.setdefault(lead_id, []).append(one)
    return [
        replace(event, suspected_by=suspect(one, signals, around[lead_id]))
        for (lead_id, event, signals), one in zip(told, seen, strict=True)
    ]


def _around(told):
    """{lead's id: what is recorded of it within reach of what is told, and not suspected yet}"""
    watched = [(lead_id, event) for lead_id, event, _ in told if lead_id and event.kind in WATCHED]
    if not watched:
        return {}
    times = [event.occurred_at for _, event in watched]
    rows = Event.objects.filter(
        lead__in={lead_id for lead_id, _ in watched}, kind__in=WATCHED, occurred_at__gt=min(times) - REACH,
        occurred_at__lt=max(times) + REACH,
    )  # fmt: skip
    found = {}
    for lead_id, kind, at, properties in rows.values_list("lead", "kind", "occurred_at", "properties"):
        found.setdefault(lead_id, []).append(_seen(kind, at, properties))
    return found


def _seen(kind, at, properties):
    return Seen(kind, at, str(next((properties[name] for name in TOLD_APART_BY if name in properties), "")))
