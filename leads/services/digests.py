"""Digests: each working morning a rep and a manager learn what waits; before each review the leaders get it."""

import datetime as dt

from django.utils.timezone import get_default_timezone

from leads.periods import DAY, FORTNIGHT, WEEK, Span
from portal.accounts.models import Role, User
from portal.outbox.services import Told, tell_many
from sla.models import SLAVersion
from sla.services.whose_hours import WhoseHours, working_hours

FROM, UNTIL = dt.time(7), dt.time(12)  # on the reader's clock: who missed the morning needs no digest of it
READERS = (Role.REP, Role.SALES_MANAGER)
LEADERS = (Role.MARKETING_LEADER, Role.SALES_LEADER)
REVIEW_DAYS = {SLAVersion.Cadence.WEEKLY: WEEK, SLAVersion.Cadence.FORTNIGHTLY: FORTNIGHT}


def tell_digests(*, at):
    """Write the digests of everybody whose morning it is at `at`; once a person and day, however often it runs.

    Not on days on which the reader's calendar is closed, nor during an absence. What they say is read at delivery.
    """
    readers = list(User.objects.present(on=at).filter(roles__overlap=[*READERS, *LEADERS]))
    mornings = [person for person in readers if FROM <= at.astimezone(person.zone).time() < UNTIL]
    version = SLAVersion.objects.in_force(at=at) if mornings else None
    span = review_of(version, at.astimezone(get_default_timezone()).date())
    tell_many([told for person in _at_work(mornings, version, at) for told in _told(person, span, at)], at=at)


def review_of(version, day):
    """The Span that is reviewed in the week of a date, by the cadence of the version in force; None where none is.

    The days before its Monday. Fortnights are counted from the week in which the version began.
    """
    days = REVIEW_DAYS.get(version and version.review_cadence)
    if days is None:
        return None
    monday = Span.week_of(day).first
    began = Span.week_of(version.begins_at.astimezone(get_default_timezone()).date()).first
    return None if (monday - began).days % days else Span.until(monday - DAY, days)


def _told(person, span, at):
    day = at.astimezone(person.zone).date()
    payload = {"person": person.pk, "at": at.isoformat()}
    if person.holds(*READERS):
        yield Told("digest.day", f"{person.pk}:{day}", payload, person.pk, at)
    if span and person.holds(*LEADERS):
        yield Told("digest.review", f"{person.pk}:{span}", payload | {"span": str(span)}, person.pk, at)


def _at_work(people, version, at):
    """Those whose calendar has working time today: their own, their team's, else the agreement's."""
    if version is None:
        return people
    whose = WhoseHours(people)
    ids = {person: whose.calendar_id(person, at=at) or version.calendar_id for person in people}
    hours = working_hours(ids.values())
    return [person for person in people if _opens(hours[ids[person]], at)]


def _opens(hours, at):
    day = at.astimezone(hours.zone).date()
    start = dt.datetime.combine(day, dt.time(), tzinfo=hours.zone)
    return any(True for _ in hours.windows(start.astimezone(dt.UTC), (start + DAY).astimezone(dt.UTC)))
