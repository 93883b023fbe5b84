"""The audit's parts in a real browser: they load by themselves, answer a question, and one click makes a draft."""

import datetime as dt
import random
import re

import pytest
from playwright.sync_api import expect

from sla.models import ReasonCode
from tests import cast
from tests.history import random_cases, scored, write

UTC = dt.UTC
PARTS = ("fix", "trend", "speed", "disputes")
pytestmark = pytest.mark.journey


@pytest.fixture
def marketer(sign_in, page):
    """Marta, signed in; half a year of leads, and in March a rule that misled. Returns her page and the address."""
    version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC)), cast.people()
    begin, end = dt.datetime(2025, 10, 5, tzinfo=UTC), dt.datetime(2026, 3, 1, tzinfo=UTC)
    cases = list(random_cases(300, seed=5, version=version, owners=[people.rep], start=begin, end=end))
    chance, misled = random.Random(4), ReasonCode.objects.get(version=version, code="41")
    carried = version.definition.rules.filter(axis="behaviour", points__gt=0).order_by("-points").first().key
    cases += [scored(version, chance, carried, reason=misled) for _ in range(90)]
    cases += [scored(version, chance) for _ in range(60)]
    write(version, cases)
    return page, sign_in(page, people.marketer)


def open_audit(page, url):
    page.goto(f"{url}/audit/2026-03/?basis=cohort")
    for part in PARTS:
        expect(page.locator(f"#{part}-title")).to_be_visible()


def test_the_parts_load_by_themselves_and_a_change_of_ones_own_is_answered(marketer, complaints):
    page, url = marketer
    open_audit(page, url)
    page.get_by_label("Another change, in points").fill("7")
    page.get_by_role("button", name="Tell").click()
    expect(page.locator("#trend-said")).to_contain_text("+7.0 points take")
    page.locator("#speed a.figure").first.click()
    expect(page.locator("#drill")).to_contain_text("qualified in March 2026")
    assert complaints == []


def test_one_click_drafts_the_proposed_change_and_opens_the_editor(marketer):
    page, url = marketer
    open_audit(page, url)
    page.get_by_role("button", name="Draft the definition with this change").first.click()
    expect(page).to_have_url(re.compile(r"/definition/\d+/edit/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_whole_audit_is_accessible_in_both_themes_and_widths(marketer, shown, complaints):
    page, url = marketer
    open_audit(page, url)
    shown(page, "audit-whole")
    assert complaints == []


def test_without_script_each_part_is_a_page(marketer, browser):
    page, url = marketer
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([c for c in page.context.cookies() if c["name"] == "sessionid"])
    bare = context.new_page()
    for part in PARTS:
        bare.goto(f"{url}/audit/2026-03/?basis=cohort")
        bare.locator(f"#{part} a").click()
        expect(bare.locator(f"#{part}-title")).to_be_visible()
    context.close()


def test_the_review_of_some_days_loads_its_parts_and_moves_by_its_own_length(marketer, shown, complaints):
    page, url = marketer
    rep, now = cast.people().rep, dt.datetime.now(UTC)
    for days in (9, 12):
        cast.open_handoff(owner=rep, at=now - dt.timedelta(days=days), first_name=f"Late{days}")
    page.goto(f"{url}/audit/2026-03/")
    page.get_by_role("link", name="Conversion review", exact=True).click()
    page.get_by_label("Days", exact=True).select_option("14")
    page.get_by_label("up to and with").fill("2026-03-15")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("From 2 to 15 March")
    expect(page.locator("#agenda")).to_contain_text("2 open leads are past a clock; the longest is Late12 Solvang")
    for part in ("fix", "speed", "disputes", "score", "quality", "trend"):
        expect(page.locator(f"#{part}-title")).to_be_visible()
    shown(page, "review")
    page.get_by_role("link", name="14 days earlier").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("From 16 February to 1 March")
    page.locator("#worst tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Late12 Solvang")
    assert complaints == []
