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
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_role("link", name="Connections").click()
    expect(page.get_by_role("heading", name="Nothing is connected yet")).to_be_visible()
    shown(page, "connections-empty")
    page.get_by_role("link", name="Add an endpoint").click()
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


def test_an_admin_lets_a_system_tell_of_leads_and_reads_what_came(page, house, sign_in, shown, complaints):
    address = sign_in(page, house.admin)
    page.goto(address + reverse("connections"))
    page.get_by_role("link", name="Add a connection").click()
    expect(page.get_by_label("Client secret of the HubSpot app")).to_be_visible()
    page.get_by_label("Salesforce", exact=True).check()
    expect(page.get_by_label("Client secret of the HubSpot app")).to_be_hidden()
    page.get_by_label("JSON", exact=True).check()
    shown(page, "connection-add")
    page.get_by_label("Name").fill("Webinars")
    page.get_by_label("What each item tells").fill("webinar_attended")
    page.get_by_role("button", name="Add the connection").click()
    secret_address = page.get_by_label("Address to send to").input_value()
    shown(page, "connection-address", looks=(("light", 1440), ("dark", 390)))
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="How it is read").click()
    shown(page, "connection-reading")
    page.get_by_label("E-mail", exact=True).fill("who.mail")
    page.get_by_label("Job title", exact=True).fill("who.role")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Webinars is read like this from now on.")).to_be_visible()
    page.get_by_label("A message as it would come").fill('{"who": {"mail": "anna@corvane.example", "role": "COO"}}')
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("status").get_by_text("anna@corvane.example")).to_be_visible()
    path = secret_address.partition("/in/")[2]
    for role in ("COO", "CEO"):
        sent = {"who": {"mail": "anna@corvane.example", "role": role}}
        assert page.request.post(f"{address}/in/{path}", data=sent).ok
    assert page.request.post(f"{address}/in/{path}", data={"who": {"mail": "nobody"}}).ok
    page.goto(address + reverse("connections"))
    shown(page, "connections-both")
    page.get_by_role("link", name="Webinars").click()
    expect(page.get_by_role("heading", name="Facts that were not taken")).to_be_visible()
    shown(page, "connection")
    page.get_by_label("Outcome").select_option("refused")
    expect(page).to_have_url(re.compile("outcome=refused"))
    page.get_by_role("table").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    shown(page, "connection-item")
    page.get_by_role("button", name="Look at it again").click()
    expect(page.get_by_text("It is looked at again within five seconds.")).to_be_visible()
    assert not complaints
