"""Verbs on calendars: make one, change one (a new version), give one to a person or a team from a day on."""

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import Role, Team, User
from portal.accounts.permissions import May, require
from portal.shared.refusal import NotPermitted, Refusal
from sla.hours import CalendarError, read_calendar
from sla.models import Calendar, CalendarAssignment

log = structlog.get_logger(__name__)
LONGEST_NAME = 80


class CalendarUnusable(Refusal):
    """The hours cannot be used; the sentence says what is wrong with them."""

    code = "calendar_unusable"
    sentence = "The calendar has no working time. Nothing was saved."


class CalendarNameRequired(Refusal):
    code = "name_required"
    sentence = "Give the calendar a name. Nothing was saved."
    field = "name"


class CalendarChangedMeanwhile(Refusal):
    code = "calendar_changed"
    sentence = "Someone changed this calendar meanwhile. Nothing was saved; start from its newest version."


class FromTodayOn(Refusal):
    code = "from_today_on"
    sentence = "Hours begin today or later: the past keeps the hours it had. Nothing was saved."
    field = "from_day"


@transaction.atomic(durable=True)
def add_calendar(*, name, document, by, at, day_names=None):
    """A new calendar from a document as `sla.clock` reads it. Returns the Calendar.

    Refuses: NotPermitted, CalendarNameRequired, CalendarUnusable.
    """
    require(by, May.MANAGE_CALENDARS)
    return _write(name, document, day_names, by=by, at=at)


@transaction.atomic(durable=True)
def change_calendar(*, calendar_id, name, document, by, at, day_names=None):
    """A new version of a calendar; who has it has the new one from today on. Returns it (the same if nothing changed).

    Running handoffs and agreements keep the version that they name. Refuses: NotPermitted, CalendarNameRequired,
    CalendarUnusable, CalendarChangedMeanwhile.
    """
    require(by, May.MANAGE_CALENDARS)
    _wait_for_other_changes(calendar_id)
    before = Calendar.objects.get(pk=calendar_id)
    holders = _holders(before, at)
    _check_may_change(by, holders)
    if Calendar.objects.filter(predecessor=before).exists():
        raise CalendarChangedMeanwhile
    same = (before.name, before.as_document(), before.day_names) == (name.strip(), document, day_names or {})
    if same:
        return before
    after = _write(name, document, day_names, by=by, at=at, predecessor=before)
    today = _day(at)
    CalendarAssignment.objects.bulk_create(
        CalendarAssignment(
            person_id=held.person_id, team_id=held.team_id, calendar=after, from_day=max(held.from_day, today),
            created_at=at, created_by=by,
        )
        for held in holders
    )  # fmt: skip
    return after


@transaction.atomic(durable=True)
def give_calendar(*, calendar_id, from_day, by, at, person_id=None, team_id=None):
    """From a day on a person or a team has a calendar; None: what stands above counts. Returns the CalendarAssignment.

    Refuses: NotPermitted (another team's, for a manager), FromTodayOn.
    """
    require(by, May.MANAGE_CALENDARS)
    if not by.holds(Role.ADMIN):
        _check_own_team(by, person_id, team_id)
    if from_day is None or from_day < _day(at):
        raise FromTodayOn
    given = CalendarAssignment.objects.create(
        person_id=person_id, team_id=team_id, calendar_id=calendar_id, from_day=from_day, created_at=at, created_by=by
    )
    log.info("calendar_given", person=person_id, team=team_id, calendar=calendar_id, from_day=str(from_day), by=by.pk)
    return given


def holdings(*, on):
    """The assignments in force on the day and those to come, the newest of each person and team first."""
    rows = CalendarAssignment.objects.select_related("person", "team", "calendar").order_by("-from_day", "-id")
    found, settled = [], set()
    for row in rows:
        who = (row.person_id, row.team_id)
        if who in settled:
            continue
        if row.from_day <= on:
            settled.add(who)
        found.append(row)
    return found


def _wait_for_other_changes(calendar_id):
    """One change of a calendar at a time. Not by its row: the portal's role may lock no row that it may not change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sla.calendar', %s))", [calendar_id])


def _holders(calendar, at):
    """Assignments, in force or to come, that name this version."""
    return [held for held in holdings(on=_day(at)) if held.calendar_id == calendar.pk]


def may_change(user, holders):
    """Whether `user` may change a calendar that these assignments name: a manager only where no other team has it."""
    if user.holds(Role.ADMIN):
        return True
    teams = {held.team_id or held.person.team_id for held in holders}
    return user.team_id is not None and teams <= {user.team_id}


def _check_may_change(by, holders):
    if not may_change(by, holders):
        raise NotPermitted("Other teams work by this calendar too; an admin changes it.")


def _check_own_team(by, person_id, team_id):
    mine = Team.objects.filter(pk=by.team_id, pk__in=[team_id] if team_id else [])
    person = User.objects.filter(Q(team=by.team_id, team__isnull=False) | Q(pk=by.pk), pk=person_id)
    if not (mine.exists() or person.exists()):
        raise NotPermitted("A sales manager gives hours to the own team only; an admin to everybody.")


def _write(name, document, day_names, *, by, at, predecessor=None):
    if not name.strip():
        raise CalendarNameRequired
    if len(name.strip()) > LONGEST_NAME:
        raise CalendarNameRequired(f"A calendar’s name has at most {LONGEST_NAME} characters. Nothing was saved.")
    try:
        read_calendar(document)
    except CalendarError as error:
        raise CalendarUnusable(f"{error} Nothing was saved.") from error
    calendar = Calendar.objects.create(
        name=name.strip(), version=predecessor.version + 1 if predecessor else 1, predecessor=predecessor,
        day_names=day_names or {}, created_at=at, created_by=by,
        **{part: document.get(part) or {} for part in ("zone", "week", "exceptions")},
    )  # fmt: skip
    log.info("calendar_saved", calendar=calendar.pk, version=calendar.version, by=by.pk)
    return calendar


def _day(at):
    return timezone.localdate(at, timezone.get_default_timezone())
