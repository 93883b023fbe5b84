"""Verbs on absences: enter one, end one early. Days are those of the organisation's zone."""

import structlog
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Absence, Role, User
from portal.accounts.permissions import May, may
from portal.accounts.refusals import AbsenceOver, AbsentAlready, DaysPast, DaysRequired
from portal.shared.refusal import NotPermitted

log = structlog.get_logger(__name__)


def plannable_by(user):
    """Active people whose absences `user` may enter and end: oneself, the manager's team, everybody for an admin."""
    people = User.objects.active()
    if may(user, May.PLAN_ABSENCES) and user.holds(Role.ADMIN):
        return people
    if may(user, May.PLAN_ABSENCES) and user.team_id:
        return people.filter(team=user.team_id) | people.filter(pk=user.pk)
    return people.filter(pk=user.pk)


@transaction.atomic(durable=True)
def add_absence(*, person_id, first_day, last_day, by, at, note=""):
    """A person is away from `first_day` to `last_day`, both included (dates). Returns the Absence.

    Refuses: NotPermitted, DaysRequired, DaysPast, AbsentAlready.
    """
    person = User.objects.select_for_update().get(pk=person_id)
    _check_plans(by, person)
    if first_day is None or last_day is None or last_day < first_day:
        raise DaysRequired
    if last_day < _day(at):
        raise DaysPast
    if any(each.first_day <= last_day and each.until >= first_day for each in person.absences.all()):
        raise AbsentAlready
    absence = Absence.objects.create(
        person=person, first_day=first_day, last_day=last_day, note=note.strip(), created_at=at, created_by=by
    )
    log.info("absence_added", person=person.pk, first_day=str(first_day), last_day=str(last_day), by=by.pk)
    return absence


@transaction.atomic(durable=True)
def end_absence(*, absence_id, by, at):
    """The person is back today; an absence still to come is called off. Returns the Absence.

    Refuses: NotPermitted, AbsenceOver.
    """
    absence = Absence.objects.select_for_update(of=("self",)).select_related("person").get(pk=absence_id)
    _check_plans(by, absence.person)
    today = _day(at)
    if absence.back_on or absence.last_day < today:
        raise AbsenceOver
    absence.back_on = max(absence.first_day, today)
    absence.ended_at, absence.ended_by = at, by
    absence.save(update_fields=["back_on", "ended_at", "ended_by"])
    log.info("absence_ended", person=absence.person_id, back_on=str(absence.back_on), by=by.pk)
    return absence


def _check_plans(by, person):
    if not (by.is_active and plannable_by(by).filter(pk=person.pk).exists()):
        raise NotPermitted(May.PLAN_ABSENCES.refusal)


def _day(at):
    return timezone.localdate(at, timezone.get_default_timezone())
