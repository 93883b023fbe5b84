"""Doors to what one wants to be told: ways for each kind of message, time zone and quiet hours."""

import datetime as dt
from zoneinfo import available_timezones

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from portal.outbox.mail import WAYS
from portal.outbox.preferences import all_ways, choose_ways, quiet_hours, set_quiet_hours
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import Refusal

PAGE = "outbox/preferences.html"


@require_http_methods(["GET", "POST"])
def preferences(request):
    """One row a kind, one box a way."""
    if request.method == "GET":
        return answer(request, PAGE, _context(request.user))
    shown = [kind.key for kind, _ in all_ways(request.user)]
    try:
        choose_ways(person=request.user, ways={key: request.POST.getlist(f"ways-{key}") for key in shown})
    except Refusal as refusal:
        return invalid(request, PAGE, _context(request.user) | {"refusal": refusal})
    messages.success(request, "Saved: messages come the ways you chose.")
    return redirect("preferences")


@require_POST
def quiet(request):
    values = {name: request.POST.get(name, "").strip() for name in ("zone", "begins", "ends")}
    try:
        times = {name: _time(values[name]) for name in ("begins", "ends")}
        set_quiet_hours(person=request.user, zone=values["zone"], **times)
    except Refusal as refusal:
        return invalid(request, PAGE, _context(request.user) | {"quiet_refusal": refusal, "quiet": values})
    messages.success(request, "Saved: mail waits until your quiet hours end.")
    return redirect("preferences")


def _time(text):
    """A time of day; None for nothing and for what is none (the verb then asks for both)."""
    try:
        return dt.time.fromisoformat(text) if text else None
    except ValueError:
        return None


def _context(person):
    hours = quiet_hours(person)
    return {
        "kinds": [{"kind": kind, "ways": [(way, label, way in ways) for way, label in WAYS.items()]}
                  for kind, ways in all_ways(person)],
        "quiet": {
            "zone": person.time_zone,
            "begins": f"{hours.begins:%H:%M}" if hours else "",
            "ends": f"{hours.ends:%H:%M}" if hours else "",
        },
        "house_zone": timezone.get_default_timezone_name(),
        "zones": sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
    }  # fmt: skip
