"""Several leads at once in a real browser: asked about, answered per lead and undone without leaving the inbox."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from leads.models import Decision, Handoff, Touch
from leads.services.decide import accept_handoff
from tests import cast

pytestmark = pytest.mark.journey
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def inbox(live_server, page, sign_in):
    """Rena, signed in, with five open leads; Lead 1 is the most urgent. Returns (page, address, people, handoffs)."""
    now = dt.datetime.now(dt.UTC)
    cast.agreement(at=now - dt.timedelta(days=90))
    people = cast.people()
    rows = [
        cast.open_handoff(owner=people.rep, at=now - 50 * MINUTE + n * MINUTE, first_name="Lead", last_name=str(n))
        for n in range(1, 6)
    ]
    return page, sign_in(page, people.rep), people, rows


def tick(page, *numbers):
    for n in numbers:
        page.get_by_role("checkbox", name=f"Select Lead {n}", exact=True).check()


def statuses(rows):
    return [Handoff.objects.get(pk=row.pk).status for row in rows]


def test_a_rep_rejects_several_with_one_reason_and_takes_it_back_with_one_key(inbox, shown, complaints):
    page, url, _, rows = inbox
    page.goto(f"{url}/inbox/")
    tick(page, 1, 2, 3)
    page.get_by_role("group", name="Selected leads").get_by_role("button", name="Reject").click()
    title = page.locator("#lead-name")
    expect(title).to_have_text("Reject 3 leads")
    expect(title).to_be_focused()
    shown(page, "bulk-reject")
    page.keyboard.press("1")
    page.keyboard.press("2")
    confirm = page.get_by_label("The one reason holds")
    expect(confirm).to_be_focused()
    page.get_by_role("button", name="Reject 3 leads").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Confirm that the one reason holds")
    expect(alert).to_be_focused()
    shown(page, "bulk-refused")
    page.get_by_label("Reason for Lead 2").select_option("21")
    confirm.check()
    page.get_by_role("button", name="Reject 3 leads").click()
    expect(title).to_have_text("3 of 3 leads rejected")
    expect(page.locator(".lead-row")).to_have_count(2)
    expect(page.locator("#toasts")).to_contain_text("3 leads rejected.")
    expect(title).to_be_focused()
    assert statuses(rows) == ["rejected"] * 3 + ["open"] * 2
    codes = Decision.objects.order_by("handoff").values_list("reason__code", flat=True)
    assert list(codes) == ["12", "21", "12"]
    shown(page, "bulk-rejected")
    page.keyboard.press("z")
    expect(title).to_have_text("3 of 3 leads reopened")
    expect(page.locator(".lead-row")).to_have_count(5)
    assert statuses(rows) == ["open"] * 5
    assert complaints[1:] == []  # the refusal's 422 is told once


def test_each_lead_has_its_result_and_the_next_one_is_a_press_away(inbox, shown, complaints):
    page, url, people, rows = inbox
    page.goto(f"{url}/inbox/")
    tick(page, 1, 2)
    accept_handoff(handoff_id=rows[1].pk, by=people.manager, at=dt.datetime.now(dt.UTC))
    page.get_by_role("group", name="Selected leads").get_by_role("button", name="Accept").click()
    expect(page.locator("#lead-name")).to_have_text("Accept 2 leads?")
    shown(page, "bulk-accept")
    page.get_by_role("button", name="Accept 2 leads").click()
    expect(page.locator("#lead-name")).to_have_text("1 of 2 leads accepted")
    expect(page.get_by_role("row", name="Lead 2")).to_contain_text("Someone decided this lead already.")
    expect(page.locator("#lead-name")).to_be_focused()
    shown(page, "bulk-accepted")
    page.keyboard.press("j")
    expect(page.locator("#lead-name")).to_have_text("Lead 3")
    assert complaints == []


def test_escape_goes_back_to_the_lead_with_nothing_changed_and_the_ticks_kept(inbox):
    page, url, _, _ = inbox
    page.goto(f"{url}/inbox/")
    tick(page, 2, 4)
    page.get_by_role("group", name="Selected leads").get_by_role("button", name="Log contact").click()
    expect(page.locator("#lead-name")).to_have_text("Log a contact with 2 leads")
    expect(page.locator("#lead-name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#lead-name")).to_have_text("Lead 2")
    expect(page.locator(".lead-check input:checked")).to_have_count(2)
    assert not Touch.objects.exists()


def test_without_javascript_the_same_acts_are_pages(inbox, browser, sign_in):
    _, url, people, rows = inbox
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, people.rep)
    page = context.new_page()
    page.goto(f"{url}/inbox/")
    tick(page, 1, 5)
    page.get_by_role("group", name="Selected leads").get_by_role("button", name="Log contact").click()
    page.get_by_role("button", name="Log with 2 leads").click()
    expect(page.get_by_role("heading", name="Contact logged with 2 of 2 leads")).to_be_visible()
    assert set(Touch.objects.values_list("handoff", "via")) == {(rows[0].pk, "bulk"), (rows[4].pk, "bulk")}
    page.get_by_role("link", name="Back to the inbox").click()
    tick(page, 1, 5)
    page.get_by_role("group", name="Selected leads").get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Accept 2 leads").click()
    page.get_by_role("button", name="Undo all 2").click()
    expect(page.get_by_role("heading", name="2 of 2 leads reopened")).to_be_visible()
    assert statuses(rows) == ["open"] * 5
    context.close()
