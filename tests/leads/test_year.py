"""A year of a sales team, time passed in: clock changes, holidays, absences, reassignments; and the ledger sums."""

import datetime as dt
import random
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from leads.clock_states import contact_state, decision_state
from leads.models import Handoff
from leads.responsibility import Given, shares, spells
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.touch import log_touch
from portal.accounts.absences import add_absence
from portal.accounts.models import User
from sla import holiday_days
from sla.services.calendars import add_calendar, change_calendar, give_calendar
from sla.services.whose_hours import working_hours
from sla.starter import IN_BUSINESS_HOURS
from tests import cast

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BEGINS = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
LEADS, EVERY = 40, 9 * DAY
WEEK = {day: [["08:30", "12:30"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
PLACES = {"rep": ("DE", "BY", "Europe/Berlin"), "other_rep": ("US", "NY", "America/New_York"),
          "south_rep": ("AU", "NSW", "Australia/Sydney")}  # fmt: skip


@pytest.fixture
def year(people):
    """Forty leads over a year for three reps on three continents, each with their hours, holidays and absences."""
    cast.agreement(at=BEGINS - 30 * DAY, **IN_BUSINESS_HOURS | {"clock_basis": "owner"})
    chance = random.Random(2026)
    calendars = {name: _calendar(people, name, *place) for name, place in PLACES.items()}
    for name in PLACES:
        rep, first = getattr(people, name), BEGINS.date() + chance.randrange(40, 90) * DAY
        for weeks in (0, 20):
            away = first + weeks * 7 * DAY
            add_absence(person_id=rep.pk, first_day=away, last_day=away + 9 * DAY, by=people.admin, at=BEGINS)
    for n in range(LEADS):
        if n == LEADS // 2:  # in summer one works shorter from then on
            short = {"zone": PLACES["rep"][2], "week": {**WEEK, "fri": [["08:30", "12:30"]]}, "exceptions": {}}
            change_calendar(calendar_id=calendars["rep"].pk, name="Rena", document=short, by=people.admin,
                            at=BEGINS + 182 * DAY)  # fmt: skip
        _lead(people, chance, BEGINS + n * EVERY + chance.randrange(9 * 24 * 60) * dt.timedelta(minutes=1))
    return list(Handoff.objects.select_related("owner", "calendar").order_by("pk"))


def _calendar(people, name, country, part, zone):
    free = {one.day.isoformat(): [] for year in (2025, 2026) for one in holiday_days.propose(country, part, year)}
    document = {"zone": zone, "week": WEEK, "exceptions": free}
    calendar = add_calendar(name=name, document=document, by=people.admin, at=BEGINS)
    give_calendar(calendar_id=calendar.pk, person_id=getattr(people, name).pk, from_day=BEGINS.date(),
                  by=people.admin, at=BEGINS)  # fmt: skip
    return calendar


def _lead(people, chance, at):
    """One lead's life: routed to who is present, handed over now and then, reached or not, decided or still open."""
    reps = [people.rep, people.other_rep, people.south_rep]
    present = list(User.objects.reps().present(on=at).filter(pk__in=[rep.pk for rep in reps]).order_by("pk"))
    owner, manager = chance.choice(present), people.manager
    handoff = cast.open_handoff(owner=owner, at=at)
    for _ in range(chance.choice((0, 0, 1, 2))):
        at += chance.randrange(1, 4000) * dt.timedelta(seconds=30)
        if owner.team_id == manager.team_id:
            owner = chance.choice([rep for rep in reps if rep.pk != owner.pk])
            reassign_handoff(handoff_id=handoff.pk, to=owner, by=manager, at=at)
    if chance.random() < 0.8:
        at += chance.randrange(1, 9000) * dt.timedelta(seconds=30)
        log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=owner, at=at)
    if chance.random() < 0.8:
        at += chance.randrange(1, 9000) * dt.timedelta(seconds=30)
        verb, more = chance.choice(((accept_handoff, {}), (reject_handoff, {"reason": "11"})))
        verb(handoff_id=handoff.pk, by=owner, at=at, **more)


def test_over_a_year_every_ledger_sums_and_nobody_got_a_lead_while_away(year):
    """One test for both, for living the year takes most of its time."""
    _ledgers_sum_and_clocks_give_one_answer(year)
    _nobody_got_a_lead_while_away_and_what_ran_kept_its_hours(year)


def _ledgers_sum_and_clocks_give_one_answer(year):
    now, kinds, holders = BEGINS + 366 * DAY, Counter(), Counter()
    assert len(year) == LEADS
    hours = working_hours({row.calendar_id for row in year})
    said = {row.pk: row for row in Handoff.objects.with_clock_states(at=now)}
    for row in year:
        worked_in, end = hours[row.calendar_id], row.decided_at or now
        # due times are the promise, to the microsecond, whatever the clocks of the zone did meanwhile
        assert worked_in.between(row.qualified_at, row.contact_due_at) in (HOUR, 10 * HOUR)
        assert worked_in.between(row.qualified_at, row.decision_due_at) in (10 * HOUR, 50 * HOUR)
        given = [Given(a.assigned_at, a.owner_id, a.to_queue) for a in row.assignments.all()]
        parts = shares(spells(row.qualified_at, end, given, worked_in))
        assert sum((elapsed for elapsed, _ in parts.values()), 0 * HOUR) == end - row.qualified_at
        assert sum((worked for _, worked in parts.values()), 0 * HOUR) == worked_in.between(row.qualified_at, end)
        states = contact_state(row, now), decision_state(row, now)
        assert states == (said[row.pk].contact_state, said[row.pk].decision_state)
        kinds.update(states)
        holders[len(parts)] += 1
    assert {"kept", "late"} <= set(kinds)
    assert min(holders) == 1
    assert max(holders) > 1


def _nobody_got_a_lead_while_away_and_what_ran_kept_its_hours(year):
    for row in year:
        first = row.assignments.first()
        assert not User.objects.absent(on=first.assigned_at).filter(pk=first.owner_id).exists()
        assert ZoneInfo(row.calendar.zone).key in {place[2] for place in PLACES.values()}
    mine = [row for row in year if row.calendar.name in ("rep", "Rena")]
    versions = {row.calendar.version: row.qualified_at for row in mine}
    assert set(versions) == {1, 2}
    change = BEGINS + 182 * DAY
    assert all((row.qualified_at >= change) == (row.calendar.version == 2) for row in mine)
