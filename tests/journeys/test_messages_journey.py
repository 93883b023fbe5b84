"""Messages in a real browser: the bell rings while one works, a notice leads to its lead, preferences are kept."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message
from tests import cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def told():
    """A rep who was told of a lead."""
    at = timezone.now()
    cast.agreement(at=at.replace(year=2022, day=1))
    people = cast.people()
    people.lead = cast.open_handoff(owner=people.rep, at=at)
    deliver_due(at=at)
    return people


def test_a_rep_reads_a_notice_and_chooses_how_to_be_told(page, told, sign_in, check_axe, complaints):
    address = sign_in(page, told.rep)
    page.goto(address + reverse("me"))
    page.get_by_role("link", name="Notices, 1 unread").click()
    expect(page.get_by_role("heading", name="One you have not read")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name=re.compile("New lead: Henrike Solvang")).click()
    expect(page).to_have_url(address + reverse("handoff", args=[told.lead.pk]))
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()
    page.goto(address + reverse("preferences"))
    check_axe(page)
    wish = page.get_by_role("group", name="A lead is mine")
    wish.get_by_label("E-mail").uncheck()
    page.get_by_role("button", name="Save these ways").click()
    expect(page.get_by_text("Saved: messages come the ways you chose.")).to_be_visible()
    expect(page.get_by_role("group", name="A lead is mine").get_by_label("E-mail")).not_to_be_checked()
    assert not complaints


def test_the_bell_tells_of_a_new_notice_without_a_new_page(page, told, sign_in):
    page.clock.install()
    address = sign_in(page, told.rep)
    page.goto(address + reverse("me"))
    expect(page.get_by_role("link", name="Notices, 1 unread")).to_be_visible()
    at = timezone.now()
    cast.open_handoff(owner=told.rep, at=at)
    deliver_due(at=at)
    page.clock.run_for(61_000)
    expect(page.get_by_role("link", name="Notices, 2 unread")).to_be_visible()
    expect(page.locator("#announce")).to_have_text("A new notice arrived.")


def test_an_admin_tries_a_dead_letter_again_at_390_in_the_dark(page, told, sign_in, check_axe):
    Message.objects.filter(recipient=told.rep).update(delivered_at=None, dead_at=timezone.now(), last_error="OSError")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    address = sign_in(page, told.admin)
    page.goto(address + reverse("messages"))
    expect(page.get_by_role("heading", name="One could not be delivered")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Try again “A lead is mine” to Rena Rep").click()
    expect(page.get_by_text("1 message is tried again within ten seconds.")).to_be_visible()
    page.goto(address + reverse("rooms"))
    expect(page.get_by_role("heading", name="No chat room listens yet")).to_be_visible()
    check_axe(page)
