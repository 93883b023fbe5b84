"""When clocks run out: due times as the verbs store them, in the hours of the agreement or of the owner."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from leads.models import Handoff, Lead
from leads.services.assign import reassign_handoff, take_up_handoff
from leads.services.due import Case, Terms
from portal.accounts.models import User
from sla import starter
from sla.models import Calendar, CalendarAssignment
from tests import cast

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
NINE_TO_SIX = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
SHORT_DAYS = {day: [["10:00", "12:00"]] for day in ("mon", "wed")}
BEGAN = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
FIRST_DAY = BEGAN.date()


@pytest.fixture
def signed(people):
    """Signs an agreement: signed(week, zone, contact=…, decision=…, basis="calendar"). Both tiers get these times."""

    def sign(week=NINE_TO_SIX, zone="Europe/Berlin", contact=4 * HOUR, decision=9 * HOUR, basis="calendar"):
        calendar = hours(week, zone)
        tiers = [(*tier[:5], contact, decision) for tier in starter.TIERS]
        return cast.agreement(at=BEGAN, tiers=tiers, clock_basis=basis, calendar=calendar)

    return sign


def hours(week=NINE_TO_SIX, zone="Europe/Berlin", **more):
    return Calendar.objects.create(name=zone, zone=zone, week=week, created_at=BEGAN, **more)


def give(calendar, *, from_day=FIRST_DAY, **who):
    return CalendarAssignment.objects.create(calendar=calendar, from_day=from_day, created_at=BEGAN, **who)


def at(zone, *moment, **fold):
    return dt.datetime(*moment, tzinfo=zone, **fold)


@pytest.mark.parametrize("hour", [7, 11, 16, 23])
def test_who_arrives_on_a_saturday_is_due_on_monday_at_one(signed, people, hour):
    """Monday to Friday nine to six and four hours: another CRM says Monday 13:00, 15:00, Tuesday 11:00, 13:00."""
    agreement = signed()
    handoff = cast.open_handoff(owner=people.rep, at=at(BERLIN, 2026, 10, 17, hour))
    assert handoff.calendar == agreement.calendar
    assert handoff.contact_due_at == at(BERLIN, 2026, 10, 19, 13)
    assert handoff.decision_due_at == at(BERLIN, 2026, 10, 19, 18)


ROUND = {day: [["00:00", "24:00"]] for day in ("sat", "sun", "mon")}


@pytest.mark.parametrize(
    ("zone", "saturday", "sunday_due"),
    [
        ("Europe/Berlin", (2026, 3, 28, 22), (2026, 3, 29, 7)),  # the night loses an hour
        ("Europe/Berlin", (2026, 10, 24, 22), (2026, 10, 25, 5)),  # and gets it back
        ("Australia/Sydney", (2026, 10, 3, 22), (2026, 10, 4, 7)),
        ("Australia/Sydney", (2026, 4, 4, 22), (2026, 4, 5, 5)),
        ("America/New_York", (2026, 3, 7, 22), (2026, 3, 8, 7)),
    ],
)
def test_eight_hours_are_eight_hours_while_the_clocks_change(signed, people, zone, saturday, sunday_due):
    signed(ROUND, zone, contact=8 * HOUR)
    here = ZoneInfo(zone)
    handoff = cast.open_handoff(owner=people.rep, at=at(here, *saturday))
    assert handoff.contact_due_at - handoff.qualified_at == 8 * HOUR
    assert handoff.contact_due_at == at(here, *sunday_due)


def test_around_the_clock_no_calendar_counts(signed, people, now):
    signed(basis="elapsed")
    handoff = cast.open_handoff(owner=people.rep, at=now)
    assert handoff.calendar is None
    assert (handoff.contact_due_at, handoff.decision_due_at) == (now + 4 * HOUR, now + 9 * HOUR)


def test_little_time_is_left_in_the_last_quarter_of_working_time_and_in_the_last_hour(signed, people):
    signed(contact=2 * HOUR, decision=8 * HOUR)
    handoff = cast.open_handoff(owner=people.rep, at=at(BERLIN, 2026, 10, 16, 17))  # an hour before the weekend
    assert handoff.contact_warn_at == at(BERLIN, 2026, 10, 16, 18)
    assert handoff.contact_due_at == at(BERLIN, 2026, 10, 19, 10)
    assert handoff.decision_warn_at == at(BERLIN, 2026, 10, 19, 14)


# --- whose hours ------------------------------------------------------------------------------------
MONDAY = at(BERLIN, 2026, 10, 19, 9)


@pytest.fixture
def owners_hours(signed):
    return signed(basis="owner")


def due(owner, begins=MONDAY):
    return cast.open_handoff(owner=owner, at=begins).contact_due_at


def test_without_hours_of_their_own_the_agreements_count(owners_hours, people):
    assert due(people.rep) == MONDAY + 4 * HOUR


def test_the_teams_hours_go_before_the_agreements_and_the_persons_before_the_teams(owners_hours, people):
    give(hours({"mon": [["12:00", "18:00"]]}), team=people.north)
    give(hours({"mon": [["14:00", "19:00"]]}), person=people.rep)
    assert due(people.other_rep) == MONDAY + 7 * HOUR
    assert due(people.rep) == MONDAY + 9 * HOUR
    assert due(people.south_rep) == MONDAY + 4 * HOUR


def test_hours_count_from_their_day_on_and_the_newest_wins(owners_hours, people):
    late, later = hours({"mon": [["12:00", "18:00"]]}), hours({"mon": [["14:00", "19:00"]]})
    give(late, person=people.rep)
    give(later, person=people.rep, from_day=MONDAY.date() + 7 * DAY)
    assert due(people.rep) == MONDAY + 7 * HOUR
    assert due(people.rep, MONDAY + 7 * DAY + HOUR) == at(BERLIN, 2026, 10, 26, 18)
    give(None, person=people.rep)
    assert due(people.rep) == MONDAY + 4 * HOUR


def test_a_handoff_keeps_its_hours_when_it_changes_hands(owners_hours, people):
    mine = hours({"mon": [["14:00", "19:00"]]})
    give(mine, person=people.rep)
    handoff = cast.open_handoff(owner=people.rep, at=MONDAY)
    before = (handoff.calendar_id, handoff.contact_due_at, handoff.decision_due_at)
    reassign_handoff(handoff_id=handoff.pk, to=people.other_rep, by=people.manager, at=MONDAY + HOUR)
    handoff.refresh_from_db()
    assert (handoff.calendar_id, handoff.contact_due_at, handoff.decision_due_at) == before
    assert handoff.calendar_id == mine.pk


def test_what_is_taken_up_runs_in_the_hours_of_who_takes_it_up(owners_hours, people):
    mine = hours({"mon": [["14:00", "19:00"]]})
    give(mine, person=people.rep)
    lead = Lead.objects.create(email="past@corvane.example", created_at=BEGAN, updated_at=BEGAN)
    past = Handoff.objects.create(
        lead=lead, definition=owners_hours.definition, sla_version=owners_hours, owner=people.rep,
        qualified_at=BEGAN, recorded_at=MONDAY, is_historical=True,
    )  # fmt: skip
    handoff = take_up_handoff(handoff_id=past.pk, by=people.rep, at=MONDAY)
    assert (handoff.calendar_id, handoff.contact_due_at) == (mine.pk, MONDAY + 9 * HOUR)


def test_many_due_times_are_those_of_one_by_one(owners_hours, people):
    give(hours(SHORT_DAYS, "America/New_York"), team=people.north)
    give(hours(NINE_TO_SIX, "Asia/Tokyo"), person=people.rep, from_day=MONDAY.date())
    terms, tiers = Terms(owners_hours), list(owners_hours.definition.tiers.all())
    owners = [people.rep, people.other_rep, people.south_rep, None]
    cases = [
        Case(tier and tier.pk, owners[n % 4], MONDAY - 9 * DAY + n * 5 * HOUR + n * n * dt.timedelta(microseconds=7))
        for n in range(80)
        for tier in (*tiers, None)
    ]
    assert terms.due_many(cases) == [terms.due_many([case])[0] for case in cases]
    assert {terms.due_many([case])[0].calendar_id for case in cases} == set(
        Calendar.objects.values_list("pk", flat=True)
    )


def test_one_handoff_asks_for_its_hours_in_two_statements(owners_hours, people, django_assert_max_num_queries):
    give(hours(), team=people.north)
    owner = User.objects.get(pk=people.rep.pk)
    Terms(owners_hours).due(tier_id=None, owner=owner, at=MONDAY)
    with django_assert_max_num_queries(2):
        Terms(owners_hours).due(tier_id=None, owner=owner, at=MONDAY)
