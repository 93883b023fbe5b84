"""Privacy in a real browser: an admin finds a person, takes what is known of them along, and forgets them."""

import json
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from leads.models import Lead
from tests import cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
EMAIL = "henrike@corvane.example"


@pytest.fixture
def house():
    at = timezone.now()
    cast.agreement(at=at.replace(year=2022, day=1))
    people = cast.people()
    people.handoff = cast.open_handoff(owner=people.rep, at=at, email=EMAIL)
    return people


def test_an_admin_exports_and_forgets_a_person(page, house, sign_in, shown, complaints):
    address = sign_in(page, house.admin)
    page.goto(address + reverse("me"))
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_role("link", name="Privacy").click()
    expect(page.get_by_role("heading", name="Nobody was forgotten yet")).to_be_visible()
    shown(page, "privacy")
    page.get_by_label("E-mail address, or number of the lead").fill("nobody@nowhere.example")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("No lead has the address nobody@nowhere.example.")).to_be_visible()
    shown(page, "privacy-nobody", looks=(("light", 1440), ("dark", 390)))
    page.get_by_label("E-mail address, or number of the lead").fill(EMAIL)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="What is known of Henrike Solvang")).to_be_visible()
    shown(page, "privacy-lead")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON").click()
    assert json.loads(Path(download.value.path()).read_text())["Facts"]["email"] == EMAIL
    page.get_by_label("to confirm").fill("somebody@else.example")
    page.get_by_role("button", name="Forget this person").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the person’s address.")
    page.get_by_label("to confirm").fill(EMAIL)
    page.get_by_role("button", name="Forget this person").click()
    expect(page.get_by_role("heading", name=f"Lead {house.handoff.lead_id} was forgotten")).to_be_visible()
    shown(page, "privacy-forgotten", looks=(("light", 1440), ("dark", 390)))
    page.get_by_role("link", name="The case that stays").click()
    expect(page.get_by_text("Asked to be forgotten")).to_be_visible()
    expect(page.get_by_text("Henrike")).to_have_count(0)
    page.goto(address + reverse("privacy"))
    page.get_by_label("Never handed over: days").fill("365")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. The worker looks once an hour.")).to_be_visible()
    shown(page, "privacy-list")
    assert Lead.objects.get().email is None
    assert [said for said in complaints if "422" not in said] == []
