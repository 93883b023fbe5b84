"""Calendars: the list, one calendar to change, proposed holidays, and who has which hours."""

import datetime as dt

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts.absences import plannable_by
from portal.accounts.models import Role, Team
from portal.accounts.permissions import May, require
from portal.shared import places
from portal.shared.htmx import invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla import holiday_days, words
from sla.models import Calendar, SLAVersion
from sla.services.calendars import (
    CalendarChangedMeanwhile,
    add_calendar,
    change_calendar,
    give_calendar,
    holdings,
    may_change,
)
from sla.views.calendar_input import CalendarInput, written

NEW = CalendarInput(zone="", week={day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")})


@require_GET
def calendars(request):
    """Every calendar in its newest version, and who has which."""
    require(request.user, May.MANAGE_CALENDARS)
    return render(request, "sla/calendars.html", _list(request.user))


@require_http_methods(["GET", "POST"])
def calendar_new(request):
    """A new calendar."""
    require(request.user, May.MANAGE_CALENDARS)
    if request.method == "GET":
        fresh = CalendarInput(zone=str(timezone.get_default_timezone()), week=NEW.week)
        return render(request, "sla/calendar.html", _form(fresh))
    given = CalendarInput.posted(request.POST)
    return _save(request, given, None, lambda **fields: add_calendar(**fields))


@require_http_methods(["GET", "POST"])
def calendar(request, pk):
    """One calendar: its week, its special days and its versions; saving makes a new version."""
    require(request.user, May.MANAGE_CALENDARS)
    row = get_object_or_404(Calendar, pk=pk)
    if request.method == "GET":
        return render(request, "sla/calendar.html", _form(CalendarInput.of(row), row, request.user))
    given = CalendarInput.posted(request.POST)
    return _save(request, given, row, lambda **fields: change_calendar(calendar_id=pk, **fields))


@require_http_methods(["GET", "POST"])
def calendar_holidays(request, pk):
    """Proposed holidays of a place and a year; only those that a person ticks become part of the calendar."""
    require(request.user, May.MANAGE_CALENDARS)
    row = get_object_or_404(Calendar, pk=pk)
    place = _place(request.GET if request.method == "GET" else request.POST, row)
    proposals = _proposals(row, **place)
    if request.method == "POST":
        given = CalendarInput.of(row)
        ticked = set(request.POST.getlist("day"))
        taken = [one for one in proposals if one["iso"] in ticked]
        given.special = sorted([*given.special, *((one["iso"], one["name"], one["hours"]) for one in taken)])
        return _save(request, given, row, lambda **fields: change_calendar(calendar_id=pk, **fields))
    context = {"calendar": row, "proposals": proposals, **place, **_places(place["country"])}
    return render(request, "sla/calendar_holidays.html", context)


@require_POST
def calendar_give(request):
    """From a day on, a person or a team has a calendar."""
    require(request.user, May.MANAGE_CALENDARS)
    kind, _, key = request.POST.get("who", "").partition("-")
    who = _who(kind, key, request.user)
    wanted = request.POST.get("calendar", "")
    chosen = get_object_or_404(Calendar.objects.newest(), pk=wanted[:18]) if wanted.isdecimal() else None
    try:
        if not who:
            raise Refusal("Choose whose hours these are. Nothing was saved.", field="who")
        given = give_calendar(
            calendar_id=chosen and chosen.pk, from_day=_day(request.POST), by=request.user, at=timezone.now(), **who
        )
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(
            request, "sla/calendars.html", _list(request.user) | {"refusal": refusal, "given": request.POST}
        )
    holder = given.person or given.team
    said = f"works by {chosen.name}" if chosen else "works by the hours that stand above"
    messages.success(
        request, f"{holder} {said} from {given.from_day:%-d %B %Y} on. Leads that run already keep their hours."
    )
    return redirect("calendars")


def _save(request, given, row, verb):
    """Save what was typed; 422 with a sentence where it cannot be, 409 where somebody was faster."""
    try:
        saved = verb(
            name=given.name, document=given.document, day_names=given.day_names, by=request.user, at=timezone.now()
        )
    except NotPermitted:
        raise
    except CalendarChangedMeanwhile as refusal:
        newest = _newest(row)
        context = _form(CalendarInput.of(newest), newest, request.user) | {"refusal": refusal}
        return overtaken(request, "sla/calendar.html", context)
    except Refusal as refusal:
        return invalid(request, "sla/calendar.html", _form(given, row, request.user) | {"refusal": refusal})
    if row and saved.pk == row.pk:
        messages.info(request, "Nothing was changed.")
    else:
        messages.success(
            request, f"{saved.name}, version {saved.version}, was saved. Leads that run already keep their hours."
        )
    return redirect("calendar", saved.pk)


def _newest(row):
    while (later := Calendar.objects.filter(predecessor=row).first()) is not None:
        row = later
    return row


# --- what the pages show ------------------------------------------------------------------------------
def _list(user):
    now = timezone.now()
    today = timezone.localdate(now, timezone.get_default_timezone())
    held, agreement = holdings(on=today), SLAVersion.objects.select_related("calendar").in_force(at=now)
    rows = list(Calendar.objects.newest().order_by("name", "pk"))
    by_calendar = {row.pk: [one for one in held if one.calendar_id == row.pk] for row in rows}
    people = plannable_by(user).select_related("team").order_by("name")
    admin = user.holds(Role.ADMIN)
    return {
        "calendars": [
            {
                "row": row,
                "week": words.week(row.week, row.zone),
                "special": _coming(row, today),
                "holders": [str(one.person or one.team) for one in by_calendar[row.pk]],
            }
            for row in rows
        ],
        "held": [{"row": one, "coming": one.from_day > today} for one in held],
        "agreement": agreement,
        "teams": Team.objects.order_by("name") if admin else Team.objects.filter(pk=user.team_id),
        "people": people,
        "today": today,
        "now": now,
    }


def _coming(row, today):
    """How many special days lie ahead, and the next of them in words."""
    ahead = sorted(day for day in row.exceptions if day >= today.isoformat())
    if not ahead:
        return {"count": 0}
    day = dt.date.fromisoformat(ahead[0])
    return {"count": len(ahead), "day": day, "name": row.day_names.get(ahead[0], "")}


def _form(given, row=None, user=None):
    today = timezone.localdate()
    context = {"form": given, "calendar": row, "zones": places.zones(), "now": timezone.now()}
    if row is None:
        return context | {"editable": True}
    held = [one for one in holdings(on=today) if one.calendar_id == row.pk]
    newest = _newest(row)
    return context | {
        "newest": newest,
        "editable": newest.pk == row.pk and may_change(user, held),
        "versions": _versions(newest),
        "holders": [str(one.person or one.team) for one in held],
        "agreements": list(row.versions.exclude(proposed_at=None).order_by("number")),
        "week_words": words.week(row.week, row.zone),
    }


def _versions(row):
    """The newest version and all before it."""
    found = [row]
    while found[-1].predecessor_id:
        found.append(Calendar.objects.select_related("created_by").get(pk=found[-1].predecessor_id))
    return found


# --- what was asked -----------------------------------------------------------------------------------
def _place(values, row):
    known = holiday_days.known_countries()
    country = values.get("country", "")
    if country not in known:
        country = places.country_of_zone(row.zone) if places.country_of_zone(row.zone) in known else "DE"
    part, year = values.get("subdivision", ""), values.get("year", "")
    return {
        "country": country,
        "subdivision": part if part in known[country] else "",
        "year": int(year)
        if year.isdecimal() and len(year) == 4 and 1990 <= int(year) <= 2099
        else timezone.localdate().year,
    }


def _places(country):
    known = holiday_days.known_countries()
    return {
        "countries": [(code, name) for code, name in places.countries().items() if code in known],
        "subdivisions": known[country],
        "years": range(timezone.localdate().year, timezone.localdate().year + 4),
    }


def _proposals(row, country, subdivision, year):
    """Proposed days as the page lists them; a day that the calendar has already is told and cannot be ticked."""
    found = []
    for one in holiday_days.propose(country, subdivision, year):
        usual = row.week.get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[one.day.weekday()], [])
        iso = one.day.isoformat()
        hours = written(_morning(usual)) if one.half else ""
        found.append({
            "iso": iso, "day": one.day, "name": one.name, "hours": hours, "half": one.half,
            "known": iso in row.exceptions, "free": not usual,
        })  # fmt: skip
    return found


def _morning(spans):
    """What of a usual day lies before noon."""
    return [[start, min(end, "12:00") if end > start else "12:00"] for start, end in spans if start < "12:00"]


def _who(kind, key, user):
    if not key.isdecimal() or len(key) > 18:
        return {}
    if kind == "team" and Team.objects.filter(pk=key).exists():
        return {"team_id": int(key)}
    if kind == "person" and plannable_by(user).filter(pk=key).exists():
        return {"person_id": int(key)}
    return {}


def _day(post):
    try:
        return parse_date(post.get("from_day", ""))
    except ValueError:
        return None
