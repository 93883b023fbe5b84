"""Keys in a real browser: an admin makes one, copies it once, and a program opens the API with it."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests import cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_an_admin_makes_a_key_that_opens_the_api_and_revokes_it(page, sign_in, shown, complaints):
    cast.agreement(at=timezone.now().replace(year=2022, day=1))
    people = cast.people()
    address = sign_in(page, people.admin)
    page.goto(address + "/me/")
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.get_by_role("heading", name="No key opens the API yet")).to_be_visible()
    page.get_by_label("What it is for").fill("CRM bridge")
    page.get_by_label("Acts as").select_option(label="Marta Marketer · Marketer")
    page.get_by_label("Read the agreement and the definition").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="CRM bridge: here is the key, once")).to_be_focused()
    token = page.locator("#token").inner_text()
    shown(page, "api-keys")
    bearing = {"headers": {"Authorization": f"Bearer {token}"}}
    assert page.request.get(f"{address}/api/v1/agreement", **bearing).json()["number"] == 1
    page.goto(address + reverse("api_keys"))
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("button", name="Revoke CRM bridge").click()
    expect(page.get_by_text("The key of CRM bridge opens nothing any more.")).to_be_visible()
    assert page.request.get(f"{address}/api/v1/agreement", **bearing).status == 401
    page.get_by_role("link", name="What the API can do").click()
    expect(page.get_by_role("heading", name="What a program can send and ask")).to_be_visible()
    shown(page, "api-docs")
    page.get_by_role("link", name="Problems").click()
    expect(page).to_have_url(re.compile("#problems$"))
    assert not complaints
