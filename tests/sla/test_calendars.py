"""Calendars: versions, who has which, holidays as proposals, and the pages where people look after them."""

import datetime as dt

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.shared import places
from portal.shared.refusal import NotPermitted
from sla import holiday_days
from sla.models import Calendar, CalendarAssignment
from sla.services.calendars import (
    CalendarChangedMeanwhile,
    CalendarNameRequired,
    CalendarUnusable,
    FromTodayOn,
    add_calendar,
    change_calendar,
    give_calendar,
)
from sla.services.whose_hours import WhoseHours
from sla.views.calendar_input import CalendarInput
from tests import cast

DAY = dt.timedelta(days=1)
DOCUMENT = {"zone": "Europe/Berlin", "week": {"mon": [["09:00", "17:00"]]}, "exceptions": {}}
LONGER = {**DOCUMENT, "week": {"mon": [["08:00", "12:00"], ["13:00", "18:00"]]}}


@pytest.fixture
def office(people, now):
    return add_calendar(name="Office", document=DOCUMENT, by=people.manager, at=now)


def signed_in(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def whose(person, at):
    return WhoseHours([person]).calendar_id(person, at=at)


# --- versions ---------------------------------------------------------------------------------------
def test_a_change_is_a_new_version_that_names_its_predecessor(office, people, now):
    changed = change_calendar(calendar_id=office.pk, name="Office", document=LONGER, by=people.admin, at=now)
    assert (changed.version, changed.predecessor, changed.created_by) == (2, office, people.admin)
    assert Calendar.objects.newest().filter(name="Office").get() == changed
    office.refresh_from_db()
    assert office.week == DOCUMENT["week"]


def test_saving_without_a_change_makes_no_version(office, people, now):
    same = change_calendar(calendar_id=office.pk, name=" Office ", document=DOCUMENT, by=people.admin, at=now)
    assert same == office


def test_of_two_people_who_change_one_version_the_second_is_told(office, people, now):
    change_calendar(calendar_id=office.pk, name="Office", document=LONGER, by=people.admin, at=now)
    with pytest.raises(CalendarChangedMeanwhile):
        change_calendar(calendar_id=office.pk, name="Office", document=LONGER, by=people.manager, at=now)


def test_who_has_a_calendar_has_its_new_version_and_what_runs_keeps_the_old_one(people, now):
    cast.agreement(at=now - 99 * DAY, clock_basis="owner")
    office = add_calendar(name="Office", document=DOCUMENT, by=people.admin, at=now)
    give_calendar(calendar_id=office.pk, person_id=people.rep.pk, from_day=now.date(), by=people.admin, at=now)
    give_calendar(
        calendar_id=office.pk, team_id=people.south.pk, from_day=now.date() + 9 * DAY, by=people.admin, at=now
    )
    handoff = cast.open_handoff(owner=people.rep, at=now)
    changed = change_calendar(calendar_id=office.pk, name="Office", document=LONGER, by=people.admin, at=now + DAY)
    assert whose(people.rep, now) == office.pk
    assert whose(people.rep, now + DAY) == changed.pk
    assert whose(people.south_rep, now + 8 * DAY) is None
    assert whose(people.south_rep, now + 9 * DAY) == changed.pk
    handoff.refresh_from_db()
    assert handoff.calendar == office


@pytest.mark.parametrize(
    ("name", "change", "refusal"),
    [
        (" ", {}, CalendarNameRequired),
        ("Office", {"week": {}}, CalendarUnusable),
        ("Office", {"week": {"mon": []}}, CalendarUnusable),
        ("Office", {"zone": "Middle/Earth"}, CalendarUnusable),
        ("Office", {"week": {"mon": [["09:00", "12:00"], ["11:00", "14:00"]]}}, CalendarUnusable),
        ("Office", {"exceptions": {"2026-02-30": []}}, CalendarUnusable),
    ],
)
def test_a_calendar_that_cannot_be_used_is_refused(people, now, name, change, refusal):
    with pytest.raises(refusal):
        add_calendar(name=name, document=DOCUMENT | change, by=people.admin, at=now)
    assert not Calendar.objects.exists()


# --- who may ----------------------------------------------------------------------------------------
def test_a_manager_gives_hours_to_the_own_team_only(office, people, now):
    given = {"calendar_id": office.pk, "from_day": now.date(), "by": people.manager, "at": now}
    for who in ({"team_id": people.north.pk}, {"person_id": people.rep.pk}, {"person_id": people.manager.pk}):
        assert give_calendar(**given, **who).created_by == people.manager
    for who in ({"team_id": people.south.pk}, {"person_id": people.south_rep.pk}, {"person_id": people.marketer.pk}):
        with pytest.raises(NotPermitted):
            give_calendar(**given, **who)


def test_a_manager_does_not_change_the_hours_of_another_team(office, people, now):
    give_calendar(calendar_id=office.pk, team_id=people.south.pk, from_day=now.date(), by=people.admin, at=now)
    with pytest.raises(NotPermitted):
        change_calendar(calendar_id=office.pk, name="Office", document=LONGER, by=people.manager, at=now)


@pytest.mark.parametrize("role", ["rep", "marketer", "sales_leader"])
def test_nobody_else_looks_after_calendars(people, now, role):
    with pytest.raises(NotPermitted):
        add_calendar(name="Office", document=DOCUMENT, by=getattr(people, role), at=now)


def test_hours_are_not_given_for_the_past(office, people, now):
    with pytest.raises(FromTodayOn):
        give_calendar(
            calendar_id=office.pk, team_id=people.north.pk, from_day=now.date() - DAY, by=people.admin, at=now
        )


# --- holidays ---------------------------------------------------------------------------------------
def test_holidays_of_a_region_are_proposed_in_english(db):
    bavaria = {one.day: one.name for one in holiday_days.propose("DE", "BY", 2026)}
    assert bavaria[dt.date(2026, 1, 6)] == "Epiphany"
    assert dt.date(2026, 1, 6) not in {one.day for one in holiday_days.propose("DE", "BE", 2026)}


def test_days_of_which_half_is_free_are_proposed_as_such():
    half = [one for one in holiday_days.propose("CH", "ZH", 2026) if one.half]
    assert all(one.day.year == 2026 for one in half)
    assert {one.half for one in holiday_days.propose("IS", "", 2026)} == {True, False}


def test_a_zone_has_a_country_and_a_country_a_zone_where_all_of_it_shows_one_time(now):
    assert places.country_of_zone("Europe/Berlin") == "DE"
    assert str(places.zone_of_country("japan", now)) == "Asia/Tokyo"
    assert places.zone_of_country("Germany", now).utcoffset(now) == dt.timedelta(hours=2)
    assert places.zone_of_country("United States", now) is None
    assert places.zone_of_country("Atlantis", now) is None


# --- what a person types ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("", []),
        ("closed", []),
        ("9-12", [["09:00", "12:00"]]),
        ("09:00–12:00, 13:30–24:00", [["09:00", "12:00"], ["13:30", "24:00"]]),
        ("9.30 to 1200", [["09:30", "12:00"]]),
        ("soon", [["soon"]]),
    ],
)
def test_hours_are_read_as_people_write_them(typed, spans):
    assert CalendarInput(special=[("2026-12-24", "", typed)]).document["exceptions"]["2026-12-24"] == spans


# --- pages ------------------------------------------------------------------------------------------
def form(**changes):
    week = {f"{day}_{end}": [] for day in ("mon", "tue") for end in ("from", "to")}
    given = {"name": "Split shifts", "zone": "Europe/Berlin", "date": [], "day_name": [], "hours": []}
    return given | week | {"mon_from": ["08:00", "13:00", ""], "mon_to": ["12:00", "17:00", ""]} | changes


def test_a_manager_makes_a_calendar_with_a_lunch_break_a_holiday_and_a_half_day(people):
    special = {"date": ["2026-12-24", "2026-12-25", ""], "day_name": ["Christmas Eve", "", ""]}
    answer = signed_in(people.manager).post(
        reverse("calendar_new"), form(**special, hours=["09:00–12:00", "closed", ""]), follow=True
    )
    calendar = Calendar.objects.get()
    assert calendar.week == {"mon": [["08:00", "12:00"], ["13:00", "17:00"]]}
    assert calendar.exceptions == {"2026-12-24": [["09:00", "12:00"]], "2026-12-25": []}
    assert calendar.day_names == {"2026-12-24": "Christmas Eve"}
    assert "Monday, 08:00–12:00 and 13:00–17:00, Europe/Berlin time" in answer.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mon_from": [], "mon_to": []}, "no working time"),
        ({"mon_from": ["08:00"], "mon_to": [""]}, "is not a time of day"),
        ({"date": ["2026-12-24"], "day_name": [""], "hours": ["mornings"]}, "needs a beginning and an end"),
        ({"name": ""}, "Give the calendar a name"),
    ],
)
def test_a_calendar_that_cannot_be_used_comes_back_with_a_sentence(people, change, sentence):
    answer = signed_in(people.manager).post(reverse("calendar_new"), form(**change))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Calendar.objects.exists()


def test_a_change_shows_the_new_version_and_the_old_one_stays_to_be_read(office, people):
    client = signed_in(people.manager)
    client.post(reverse("calendar", args=[office.pk]), form(name="Office"))
    changed = Calendar.objects.get(version=2)
    assert "Office, version 2" in client.get(reverse("calendar", args=[changed.pk])).text
    old = client.get(reverse("calendar", args=[office.pk])).text
    assert "This version was replaced" in old
    assert client.post(reverse("calendar", args=[office.pk]), form(name="Other")).status_code == 409


def test_only_ticked_holidays_become_part_of_the_calendar(office, people):
    client = signed_in(people.manager)
    year = timezone.localdate().year
    address, asked = (
        reverse("calendar_holidays", args=[office.pk]),
        {"country": "DE", "subdivision": "BY", "year": year},
    )
    shown = client.get(address, asked)
    assert "Christmas Day" in shown.text
    assert "proposals" in shown.text
    answer = client.post(address, asked | {"day": [f"{year}-12-25", "1999-01-01"]})
    changed = Calendar.objects.get(version=2)
    assert changed.exceptions == {f"{year}-12-25": []}
    assert changed.day_names == {f"{year}-12-25": "Christmas Day"}
    assert answer["Location"] == reverse("calendar", args=[changed.pk])
    assert "in the calendar" in client.get(reverse("calendar_holidays", args=[changed.pk]), asked).text


def test_holidays_join_the_special_days_that_are_there(people):
    client = signed_in(people.manager)
    client.post(reverse("calendar_new"), form(date=["2030-12-24"], day_name=[""], hours=["9-12"]))
    address = reverse("calendar_holidays", args=[Calendar.objects.get().pk])
    assert client.post(address, {"country": "DE", "year": "2026", "day": ["2026-12-25"]}).status_code == 302
    changed = Calendar.objects.get(version=2)
    assert changed.exceptions == {"2026-12-25": [], "2030-12-24": [["09:00", "12:00"]]}


def test_hours_are_given_on_the_page_and_shown(office, people):
    client, today = signed_in(people.manager), timezone.localdate()
    given = {"who": f"team-{people.north.pk}", "calendar": office.pk, "from_day": today.isoformat()}
    answer = client.post(reverse("calendar_give"), given, follow=True)
    assert "North works by Office from" in answer.text
    assert CalendarAssignment.objects.get().team == people.north
    client.post(reverse("calendar_give"), given | {"who": f"person-{people.rep.pk}", "calendar": ""})
    assert CalendarAssignment.objects.get(person=people.rep).calendar is None


@pytest.mark.parametrize("change", [{"who": ""}, {"who": "person-0"}, {"from_day": ""}, {"from_day": "2020-01-01"}])
def test_hours_that_cannot_be_given_are_refused_with_a_sentence(office, people, change):
    given = {"who": f"team-{people.north.pk}", "calendar": office.pk, "from_day": timezone.localdate().isoformat()}
    answer = signed_in(people.manager).post(reverse("calendar_give"), given | change)
    assert (answer.status_code, CalendarAssignment.objects.count()) == (422, 0)
    assert "Nothing was saved" in answer.text


def test_the_list_says_whose_hours_count(people, now, office):
    client = signed_in(people.manager)
    assert "No agreement is in force" in client.get(reverse("calendars")).text
    cast.agreement(at=now - 99 * DAY, clock_basis="owner")
    assert "Clocks count the owner’s hours" in client.get(reverse("calendars")).text


def test_a_calendar_of_another_team_is_shown_and_not_offered_to_change(office, people, now):
    give_calendar(
        calendar_id=office.pk, team_id=people.south.pk, from_day=timezone.localdate(), by=people.admin, at=now
    )
    client = signed_in(people.manager)
    assert "an admin changes it" in client.get(reverse("calendar", args=[office.pk])).text
    assert client.post(reverse("calendar", args=[office.pk]), form()).status_code == 403


@pytest.mark.parametrize("role", ["rep", "marketer", "sales_leader", "marketing_leader"])
@pytest.mark.parametrize("name", ["calendar", "calendar_holidays"])
def test_a_calendars_own_pages_open_for_managers_and_admins_only(office, people, role, name):
    address = reverse(name, args=[office.pk])
    assert signed_in(getattr(people, role)).get(address).status_code == 403
    assert signed_in(people.admin).get(address).status_code == 200
