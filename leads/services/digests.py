"""Digests: each working morning a rep and a manager learn what waits, each Monday the leaders how the week went."""

import datetime as dt

from leads.weeks import Week
from portal.accounts.models import Role, User
from portal.outbox.services import Told, tell_many
from sla.models import SLAVersion
from sla.services.whose_hours import WhoseHours, working_hours

FROM, UNTIL = dt.time(7), dt.time(12)  # on the reader's clock: who missed the morning needs no digest of it
READERS = (Role.REP, Role.SALES_MANAGER)
LEADERS = (Role.MARKETING_LEADER, Role.SALES_LEADER)
DAY = dt.timedelta(days=1)


def tell_digests(*, at):
    """Write the digests of everybody whose morning it is at `at`; once a person and day, however often it runs.

    Not on days on which the reader's calendar is closed, nor during an absence. What they say is read at delivery.
    """
    readers = list(User.objects.present(on=at).filter(roles__overlap=[*READERS, *LEADERS]))
    mornings = [person for person in readers if FROM <= at.astimezone(person.zone).time() < UNTIL]
    tell_many([told for person in _at_work(mornings, at) for told in _told(person, at)], at=at)


def _told(person, at):
    day = at.astimezone(person.zone).date()
    payload = {"person": person.pk, "at": at.isoformat()}
    if person.holds(*READERS):
        yield Told("digest.day", f"{person.pk}:{day}", payload, person.pk, at)
    if person.holds(*LEADERS):
        week = Week.of(day).plus(-1)
        yield Told("digest.week", f"{person.pk}:{week}", payload | {"week": str(week)}, person.pk, at)


def _at_work(people, at):
    """Those whose calendar has working time today: their own, their team's, else the agreement's."""
    version = SLAVersion.objects.in_force(at=at) if people else None
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
