"""Connections in a real browser: an admin adds an endpoint, tries it, reads its log and sends again."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from leads.connectors.outgoing.sending import send_due
from leads.services.decide import accept_handoff
from tests import cast
from tests.receiver import receiver

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(settings):
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    at = timezone.now()
    cast.agreement(at=at.replace(year=2022, day=1))
    with receiver() as server:
        people = cast.people()
        people.server = server
        yield people


def test_an_admin_connects_a_receiver_and_looks_after_it(page, house, sign_in, shown, complaints):
    address = sign_in(page, house.admin)
    page.goto(address + reverse("home"))
    page.goto(address + reverse("me"))
    page.get_by_role("link", name="Connections").click()
    expect(page.get_by_role("heading", name="Nothing is connected yet")).to_be_visible()
    shown(page, "connections-empty")
    page.get_by_label("Name").fill("CRM")
    page.get_by_label("Address").fill(house.server.address)
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_label("Signing secret")).to_have_value(re.compile("^whsec_"))
    shown(page, "connections-secret", looks=(("light", 1440), ("dark", 390)))
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Send a greeting").click()
    expect(page.get_by_text("CRM took a greeting: it answered 200")).to_be_visible()
    house.server.statuses, house.server.answer = [500, 200], b'{"problem": "not today"}'
    at = timezone.now()
    accept_handoff(handoff_id=cast.open_handoff(owner=house.rep, at=at).pk, by=house.rep, at=at)
    send_due(at=timezone.now())
    page.reload()
    shown(page, "connections-endpoint")
    page.get_by_role("link", name="handoff.accepted").click()
    expect(page.get_by_role("region", name="Body")).to_contain_text('"outcome": "accepted"')
    shown(page, "connections-delivery")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("1 delivery is sent again within five seconds.")).to_be_visible()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", name="CRM is disabled")).to_be_visible()
    shown(page, "connections-disabled", looks=(("light", 1440), ("dark", 390)))
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("heading", name="CRM is working")).to_be_visible()
    assert not complaints
