"""A marketer draws a sample on the audit and codes it blind by keyboard; the audit then says what it is worth."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from leads.audit.models import Coding
from tests import cast
from tests.history import write

AT = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
pytestmark = pytest.mark.journey


@pytest.fixture
def marketer(sign_in, page):
    """Marta, signed in, with 24 rejections of March behind her; returns her page and the portal's address."""
    version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), cast.people()
    reasons = [version.reasons.get(code=code) for code in ("11", "21", "41")]
    case = {"qualified_at": AT, "decided_at": AT + dt.timedelta(days=1), "owner": people.rep, "source": "Webinar"}
    write(version, [case | {"reason": reasons[n % 3]} for n in range(24)])
    return page, sign_in(page, people.marketer)


def test_a_sample_is_drawn_coded_by_keyboard_left_and_taken_up_again(marketer, complaints, shown):
    page, url = marketer
    page.goto(f"{url}/audit/2026-03/")
    quality = page.locator("#quality")
    quality.get_by_role("button", name="Draw a sample of 50").click()
    expect(quality).to_contain_text("0 of 24 sampled rejections coded")
    shown(page, "quality-drawn", looks=[("light", 1440), ("dark", 390)])
    quality.get_by_role("link", name="Code 24 leads").click()
    expect(page.locator("#coder")).to_contain_text("0 of 24 coded")
    shown(page, "recode")
    for coded in range(1, 25):
        if coded == 3:  # left, and come back to
            page.goto(f"{url}/audit/2026-03/quality/recode/")
            expect(page.locator("#coder")).to_contain_text("2 of 24 coded, 2 of them by you; 22 left for you")
        page.keyboard.press("1")  # the same code for all, in whatever order they were drawn: agreement by chance alone
        expect(page.locator("input[name=reason][value='10']")).to_be_focused()
        page.keyboard.press("1")
        expect(page.locator("#coder")).to_contain_text(f"{coded} of 24 coded" if coded < 24 else "All 24 are coded")
        if coded < 24:  # the next lead takes the focus, and only then the keys
            expect(page.locator("#coded-lead")).to_be_focused()
    assert Coding.objects.count() == 24
    shown(page, "recode-done", looks=[("light", 1440)])
    page.get_by_role("link", name="See how far the two agree").click()
    expect(page.locator("#quality-title")).to_contain_text("Do not act on this ranking yet")
    shown(page, "quality-low")
    assert complaints == []


def test_without_script_the_sample_is_drawn_and_coded_too(marketer, browser):
    page, url = marketer
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([c for c in page.context.cookies() if c["name"] == "sessionid"])
    bare = context.new_page()
    bare.goto(f"{url}/audit/2026-03/")
    bare.get_by_role("link", name="How far the reasons can be trusted").click()
    bare.get_by_role("button", name="Draw a sample of 50").click()
    bare.get_by_role("link", name="Code 24 leads").click()
    bare.locator("input[name=reason][value='21']").check()
    bare.get_by_role("button", name="Save and next").click()
    expect(bare.locator("#coder")).to_contain_text("1 of 24 coded, 1 of them by you; 23 left for you")
    context.close()
