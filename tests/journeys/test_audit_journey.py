"""A marketer reads the audit in a real browser: from a bar to its leads, from a cell to its leads, by keyboard too."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from tests import cast, kept
from tests.history import random_cases, write

UTC = dt.UTC
pytestmark = pytest.mark.journey
PARTS = ("/audit/2026-03/actions/new/", "/audit/2026-03/scorecard/")


@pytest.fixture
def marketer(sign_in, page):
    """Marta, signed in, with the first five months of 2026 behind her; returns her page and the portal's address."""

    def make():
        version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC)), cast.people()
        begin, end = dt.datetime(2026, 1, 5, tzinfo=UTC), dt.datetime(2026, 6, 1, tzinfo=UTC)
        write(version, random_cases(700, seed=5, version=version, owners=[people.rep], start=begin, end=end))
        return people.marketer

    return page, sign_in(page, kept.once(make, "audit in the browser"))


def number(text):
    return int("".join(c for c in text if c.isdigit()))


def test_a_marketer_drills_by_keyboard_from_a_bar_to_the_leads_and_to_one_of_them(marketer, complaints):
    page, url = marketer
    page.goto(f"{url}/audit/2026-03/")
    bar = page.locator("#reasons svg a").last
    leads = number(bar.get_attribute("aria-label").rsplit(":", 1)[1])
    bar.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drill h2")).to_be_focused()
    expect(page.locator("#drill")).to_contain_text("Rejected leads, decided in March 2026")
    page.keyboard.press("Escape")
    expect(page.locator("#drill")).to_be_hidden()
    expect(bar).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Open the list of").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rejected leads, decided in March 2026")
    assert page.locator("main tbody tr").count() == leads
    page.locator("main tbody a").first.click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    assert complaints == []


def test_a_cell_opens_beside_the_page_and_the_selects_change_only_the_table(marketer):
    page, url = marketer
    page.goto(f"{url}/audit/2026-03/")
    cell = page.locator(".heat td[data-heat] a").first
    leads = number(cell.inner_text())
    cell.click()
    expect(page.locator("#drill h2")).to_have_text(re.compile(rf"^{leads} leads?$"))
    assert page.url.endswith("/audit/2026-03/")
    page.get_by_label("Columns").select_option("segment")
    expect(page.locator(".heat thead")).to_contain_text("50–199 employees")
    page.get_by_label("Rows").focus()
    page.get_by_label("Rows").select_option("owner")
    expect(page.locator(".heat thead")).to_contain_text("Owner")
    assert "rows=owner" in page.url
    assert "columns=segment" in page.url
    expect(page.get_by_label("Rows")).to_be_focused()
    page.get_by_role("link", name="Owner", exact=True).click()
    expect(page.locator("#breakdown tbody")).to_contain_text("Rena Rep")
    assert "columns=segment" in page.url, "the other choice stays"
    expect(page.locator("#drill h2")).to_be_visible()
    page.go_back()
    expect(page.locator("#breakdown thead")).to_contain_text("Source")


def test_choosing_a_month_shows_it_and_keeps_the_basis(marketer):
    page, url = marketer
    page.goto(f"{url}/audit/2026-03/?basis=cohort")
    page.get_by_label("Month", exact=True).select_option("2026-02")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Of February’s")
    assert "/audit/2026-02/" in page.url
    assert "basis=cohort" in page.url


def test_the_audit_and_its_lists_have_no_accessibility_violation_and_no_sideways_scroll(marketer, complaints, shown):
    page, url = marketer
    addresses = ("/audit/2026-03/", "/audit/2026-03/?basis=cohort&by=owner", *PARTS, "/leads/")
    for place, address in enumerate(addresses):
        page.goto(f"{url}{address}")
        shown(page, f"audit-{place}")
    page.goto(f"{url}{page.locator('main tbody a').first.get_attribute('href')}")
    shown(page, "audit-lead")
    assert complaints == []


def test_without_script_every_number_is_still_a_link(marketer, browser, live_server):
    page, url = marketer
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([c for c in page.context.cookies() if c["name"] == "sessionid"])
    bare = context.new_page()
    bare.goto(f"{url}/audit/2026-03/")
    bare.locator(".heat td[data-heat] a").first.click()
    expect(bare.get_by_role("heading", level=1)).to_contain_text("Rejected leads")
    bare.goto(f"{url}/audit/2026-03/")
    bare.get_by_label("Columns").select_option("segment")
    bare.locator("#sources").get_by_role("button", name="Show").click()
    expect(bare.locator(".heat thead")).to_contain_text("50–199 employees")
    context.close()
