"""A sales manager looks after hours in a real browser: a calendar, its holidays, who has it, and an absence."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal.accounts.models import Absence
from sla.models import Calendar, CalendarAssignment
from tests import cast

pytestmark = pytest.mark.journey


@pytest.fixture
def office(live_server, page, sign_in):
    """Mona, signed in, under an agreement that counts the owner's hours. Returns (page, address, people)."""
    cast.agreement(at=dt.datetime.now(dt.UTC) - dt.timedelta(days=90), clock_basis="owner")
    people = cast.people()
    return page, sign_in(page, people.manager), people


def make(page, url):
    """A calendar with a lunch break on Mondays and a half day, from the list to its own page."""
    page.goto(f"{url}/calendars/")
    page.get_by_role("link", name="New calendar").click()
    page.get_by_label("Name", exact=True).fill("Split shifts")
    for label, time in (("span 1, to", "12:00"), ("span 2, from", "13:00"), ("span 2, to", "17:30")):
        page.get_by_label(f"Monday, {label}").fill(time)
    page.get_by_label("Date of special day 1").fill("2030-12-24")
    page.get_by_label("Hours of special day 1").fill("9-12")
    page.get_by_role("button", name="Make the calendar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Split shifts")


def test_a_manager_makes_a_calendar_and_gives_it_to_the_team(office, complaints):
    page, url, people = office
    make(page, url)
    calendar = Calendar.objects.get(name="Split shifts")
    assert calendar.week["mon"] == [["09:00", "12:00"], ["13:00", "17:30"]]
    assert calendar.exceptions == {"2030-12-24": [["09:00", "12:00"]]}

    page.get_by_role("link", name="Propose holidays").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which of these days are free?")
    for box in page.locator("input[name=day]:enabled").all():
        box.set_checked(False)
    page.get_by_label("Christmas Day").check()
    page.get_by_role("button", name="Take the ticked days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Split shifts, version 2")
    assert list(Calendar.objects.get(version=2).day_names.values()) == ["Christmas Day"]

    page.goto(f"{url}/calendars/")
    page.get_by_label("Whose hours").select_option("North")
    page.get_by_label("Calendar", exact=True).select_option("Split shifts")
    page.get_by_role("button", name="Give these hours").click()
    expect(page.locator("#flash")).to_contain_text("North works by Split shifts")
    assert CalendarAssignment.objects.get().team == people.north
    assert complaints == []


def test_hours_that_cannot_be_are_said_and_what_was_typed_stays(office):
    page, url, _ = office
    page.goto(f"{url}/calendars/new/")
    page.get_by_label("Name", exact=True).fill("Odd")
    page.get_by_label("Monday, span 1, from").fill("late")
    page.get_by_role("button", name="Make the calendar").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a time of day")
    expect(page.get_by_label("Monday, span 1, from")).to_have_value("late")
    assert not Calendar.objects.filter(name="Odd").exists()


def test_a_manager_plans_an_absence_and_calls_it_off(office):
    page, url, people = office
    page.goto(f"{url}/absences/")
    page.get_by_label("Person").select_option("Rena Rep")
    first = timezone.localdate() + dt.timedelta(days=3)
    page.get_by_label("First day").fill(first.isoformat())
    page.get_by_label("Last day").fill((first + dt.timedelta(days=4)).isoformat())
    page.get_by_role("button", name="Enter the absence").click()
    expect(page.locator("#flash")).to_contain_text("Rena Rep gets no new leads")
    page.get_by_role("button", name="Call off").click()
    expect(page.locator("#flash")).to_contain_text("The absence was ended")
    assert Absence.objects.get(person=people.rep).back_on == first


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_of_hours_have_no_accessibility_violation_and_no_sideways_scroll(office, complaints, shown, width):
    page, url, _ = office
    page.set_viewport_size({"width": width, "height": 900})
    make(page, url)
    mine = Calendar.objects.get(name="Split shifts").pk
    addresses = ("/calendars/", "/calendars/new/", f"/calendars/{mine}/", f"/calendars/{mine}/holidays/", "/absences/")
    for place, address in enumerate(addresses):
        page.goto(f"{url}{address}")
        shown(page, f"hours-{place}", looks=(("light", width), ("dark", width)))
    assert complaints == []
