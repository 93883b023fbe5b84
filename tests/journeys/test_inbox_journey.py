"""A rep clears the inbox in a real browser by keyboard alone; light, dark, wide and narrow without a violation."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from leads.models import Decision, Handoff, Touch
from tests import cast

pytestmark = pytest.mark.journey
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def inbox(live_server, page, sign_in):
    """Rena, signed in, with ten open leads; Lead 1 is the most urgent. Returns (page, address, people, handoffs)."""
    now = dt.datetime.now(dt.UTC)
    cast.agreement(at=now - dt.timedelta(days=90))
    people = cast.people()
    rows = [
        cast.open_handoff(owner=people.rep, at=now - 50 * MINUTE + n * MINUTE, first_name="Lead", last_name=str(n))
        for n in range(1, 11)
    ]
    return page, sign_in(page, people.rep), people, rows


def test_a_rep_clears_ten_leads_by_keyboard_alone(inbox, complaints):
    page, url, people, rows = inbox
    page.goto(f"{url}/inbox/")
    keys, name, row = page.keyboard, page.locator("#lead-name"), page.locator(".lead-row")
    at_lead(page, 1, left=10)

    keys.press("c")  # the contact's form has its button focused: Enter logs the usual one
    expect(page.get_by_role("button", name="Log contact")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Contact logged")
    at_lead(page, 1, left=10)

    keys.press("a")
    expect(page.locator("#toasts")).to_contain_text("Accepted.")
    at_lead(page, 2, left=9)
    keys.press("z")
    at_lead(page, 1, left=10)
    keys.press("a")
    at_lead(page, 2, left=9)
    keys.press("j")
    at_lead(page, 3, left=9)
    keys.press("k")
    at_lead(page, 2, left=9)

    for n, reason in ((2, "11"), (3, "12"), (4, "22")):
        press_reject(page)
        for digit in reason:
            keys.press(digit)
        at_lead(page, n + 1, left=10 - n)
    press_reject(page)
    keys.press("4")
    keys.press("1")  # asks for a comment: the focus is in its field
    expect(page.locator("#ask-note")).to_be_focused()
    keys.type("Webinars only, a student.")
    keys.press("Enter")
    for n in range(6, 11):
        at_lead(page, n, left=11 - n)
        keys.press("a")
    expect(row).to_have_count(0)
    expect(name).to_have_text("Nothing waits here")

    statuses = [Handoff.objects.get(pk=one.pk).status for one in rows]
    assert sorted(statuses) == ["accepted"] * 6 + ["rejected"] * 4
    standing = Decision.objects.filter(handoff__standing_decision_id__isnull=False, superseded_by=None)
    assert sorted(standing.exclude(reason=None).values_list("reason__code", flat=True)) == ["11", "12", "22", "41"]
    assert list(Decision.objects.filter(outcome="open").values_list("handoff", flat=True)) == [rows[0].pk]
    assert list(Touch.objects.values_list("handoff", flat=True)) == [rows[0].pk]
    assert set(standing.values_list("decided_by", flat=True)) == {people.rep.pk}
    assert complaints == []


def at_lead(page, n, *, left):
    """The pane shows Lead `n` and has the focus, `left` rows remain, and the last answer is taken in."""
    expect(page.locator("#lead-name")).to_have_text(f"Lead {n}")
    expect(page.locator(".lead-row")).to_have_count(left)
    expect(page.locator(".lead-name[aria-current=true]")).to_have_text(f"Lead {n}")
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def press_reject(page):
    """R, then the panel's first reason has the focus."""
    page.keyboard.press("r")
    expect(page.locator(".palette input").first).to_be_focused()


def test_escape_closes_the_palette_and_the_lead_stays(inbox):
    page, url, *_ = inbox
    page.goto(f"{url}/inbox/")
    press_reject(page)
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).to_have_count(0)
    expect(page.locator('[data-key="r"]')).to_be_focused()
    assert not Decision.objects.exists()


def test_letters_typed_into_the_search_decide_nothing(inbox):
    page, url, *_ = inbox
    page.goto(f"{url}/inbox/")
    page.keyboard.press("/")
    page.keyboard.type("acrxz")
    expect(page.locator("input[type=search]").first).to_have_value("acrxz")
    assert not Decision.objects.exists()


def test_ticked_leads_are_accepted_together_and_undone_together(inbox, complaints):
    page, url, _, rows = inbox
    page.goto(f"{url}/inbox/")
    at_lead(page, 1, left=len(rows))
    page.keyboard.press("x")
    expect(page.get_by_label("Select Lead 1", exact=True)).to_be_checked()
    page.keyboard.press("j")
    expect(page.locator("#lead-name")).to_have_text("Lead 2")
    page.keyboard.press("x")
    expect(page.get_by_label("Select Lead 2", exact=True)).to_be_checked()
    page.locator(".bulk-bar").get_by_role("button", name="Accept").click()
    title = page.locator("#lead-name")
    expect(title).to_have_text("Accept 2 leads?")
    expect(title).to_be_focused()
    page.get_by_role("button", name="Accept 2 leads").click()
    expect(title).to_have_text("2 of 2 leads accepted")
    expect(title).to_be_focused()
    assert Handoff.objects.filter(status="accepted").count() == 2
    page.keyboard.press("z")
    expect(title).to_have_text("2 of 2 leads reopened")
    assert Handoff.objects.filter(status="open").count() == len(rows)
    assert complaints == []


def test_a_lead_decided_by_the_manager_meanwhile_is_said_in_place(inbox):
    from leads.services.decide import accept_handoff

    page, url, people, rows = inbox
    page.goto(f"{url}/inbox/")
    accept_handoff(handoff_id=rows[0].pk, by=people.manager, at=dt.datetime.now(dt.UTC))
    page.keyboard.press("a")
    alert = page.locator("#lead [role=alert]")
    expect(alert).to_contain_text("Someone decided this lead already")
    expect(alert).to_be_focused()
    assert Decision.objects.count() == 1


def test_a_lead_that_arrives_is_shown_when_asked_and_the_ticks_stay(inbox, complaints, check_axe):
    page, url, people, _ = inbox
    page.clock.install()
    page.goto(f"{url}/inbox/")
    at_lead(page, 1, left=10)
    page.get_by_label("Select Lead 2", exact=True).check()
    cast.open_handoff(owner=people.rep, at=dt.datetime.now(dt.UTC), first_name="Late", last_name="Comer")
    page.clock.fast_forward("00:31")
    show = page.get_by_role("link", name="1 new: show it")
    expect(show).to_be_visible()
    expect(page.locator("#nav-count-inbox")).to_contain_text("11")
    expect(page.locator(".lead-row")).to_have_count(10)
    check_axe(page)
    show.click()
    at_lead(page, 1, left=11)
    expect(page.locator("#headline")).to_be_focused()
    expect(page.get_by_label("Select Lead 2", exact=True)).to_be_checked()
    assert complaints == []


def test_without_script_a_rep_accepts_and_rejects_by_forms(inbox, browser, sign_in):
    _, url, people, rows = inbox
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, people.rep)
    bare = context.new_page()
    bare.goto(f"{url}/inbox/{rows[0].pk}/")
    bare.locator("#actions").get_by_role("button", name="Accept").click()
    expect(bare.locator("#flash")).to_contain_text("Accepted.")
    bare.goto(f"{url}/inbox/{rows[1].pk}/")
    bare.locator("#actions").get_by_role("link", name="Reject").click()
    bare.get_by_label("Company too small").check()
    bare.get_by_role("button", name="Reject lead").click()
    expect(bare.locator("#flash")).to_contain_text("Rejected.")
    statuses = [Handoff.objects.get(pk=row.pk).status for row in rows[:2]]
    assert statuses == ["accepted", "rejected"]
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_inbox_has_no_accessibility_violation_and_no_sideways_scroll(inbox, complaints, shown, width):
    page, url, _, rows = inbox
    page.set_viewport_size({"width": width, "height": 900})
    looks = (("light", width), ("dark", width))
    lead = f"{url}/inbox/{rows[3].pk}/"
    for place, address in enumerate((f"{url}/inbox/", lead, f"{lead}reject/", f"{lead}contact/")):
        page.goto(address)
        shown(page, f"inbox-{place}", looks)
    page.goto(f"{url}/inbox/")
    for box in page.locator(".lead-check input").all()[:2]:
        box.check()
    shown(page, "inbox-ticked", looks)
    page.locator(".bulk-bar").get_by_role("button", name="Reject").click()
    expect(page.locator("#lead-name")).to_have_text("Reject 2 leads")
    shown(page, "inbox-bulk", looks)
    assert complaints == []
