"""A marketer drafts from the definition in force, adds a rule with a condition, and sees what it would have done."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.services.capture import capture_lead
from sla.models import MQLDefinition
from tests import cast
from tests.history import write

UTC = dt.UTC
pytestmark = pytest.mark.journey


@pytest.fixture
def marketer(sign_in, page):
    """Marta, signed in, with three leads of last week: two of them are MQLs under v1, one was accepted."""
    version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC)), cast.people()
    at = timezone.now() - dt.timedelta(days=5)
    good = {"title": "Director", "industry": "Food", "employees": 640, "country": "Germany"}
    for n, facts in enumerate(({**good, "source": "Webinar"}, {**good, "product": "Planner"}, {"country": "Germany"})):
        capture_lead(facts={"email": f"n{n}@corvane.example", "company": f"Corvane {n}", **facts}, at=at)
    write(version, [{"qualified_at": at, "decided_at": at + dt.timedelta(days=1)}])
    return page, sign_in(page, people.marketer)


def settled(page):
    """The backtest has answered: its figures stand in the rows."""
    expect(page.locator("#backtest .standfirst")).to_be_visible()
    expect(page.locator("#backtest.htmx-request")).to_have_count(0)


def open_rule(page, name):
    page.get_by_role("button", name=f"Change rule: {name}").click()
    expect(page.get_by_role("button", name=f"Close rule: {name}")).to_be_visible()


def test_a_marketer_adds_a_rule_and_sees_what_it_would_have_done(marketer, complaints):
    page, url = marketer
    page.goto(f"{url}/definition/")
    page.get_by_role("button", name="Start a draft from v1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Definition v2")
    expect(page.locator("#backtest .standfirst")).to_contain_text("2 MQLs instead of 2")
    page.get_by_role("button", name="Add a fit rule").click()
    label = page.get_by_label("Name of the rule")
    expect(label).to_be_focused()
    rule = MQLDefinition.objects.get(number=2).rules.get(label="New rule")
    label.fill("From Germany")
    page.keyboard.press("Tab")
    expect(page.locator(f"#rule-{rule.pk}-name")).to_have_text("From Germany")
    page.get_by_label("Fact", exact=True).fill("country")
    page.get_by_label("Fact", exact=True).press("Tab")
    expect(page.locator(f"#rule-{rule.pk}-said")).to_contain_text("country is given")
    page.get_by_label("Comparison").select_option("equals")
    expect(page.locator(f"#rule-{rule.pk}-said")).to_contain_text("say what country is compared with")
    page.get_by_label("Value", exact=True).fill("Germany")
    page.get_by_label("Value", exact=True).press("Tab")
    expect(page.locator(f"#rule-{rule.pk}-said")).to_contain_text("+5 when country is Germany")
    points = page.locator(f"#rule-{rule.pk}-points")
    points.fill("50")
    points.press("Tab")
    expect(page.locator(f"#rule-{rule.pk}-said")).to_contain_text("+50 when country is Germany")
    expect(page.locator("#backtest .standfirst")).to_contain_text("3 MQLs instead of 2")
    expect(page.locator(f"#rule-{rule.pk}-leads")).to_have_text("3")
    expect(page.locator("#move-admitted")).to_have_text("1")
    expect(page.locator("#backtest")).to_contain_text("never shown to sales")
    assert not [said for said in complaints if "422" not in said]


def test_a_second_condition_and_a_threshold_move_matches_and_curve(marketer):
    page, url = marketer
    page.goto(f"{url}/definition/1/")
    page.get_by_role("button", name="Start a draft from v1").click()
    settled(page)
    size = MQLDefinition.objects.get(number=2).rules.get(key="size")
    expect(page.locator(f"#rule-{size.pk}-leads")).to_have_text("2")
    open_rule(page, "Company size 200–5,000")
    page.get_by_role("button", name="And", exact=True).click()
    expect(page.get_by_label("How these conditions combine")).to_be_visible()
    page.locator(f"#rule-{size.pk}-c\\.1-field").fill("product")
    page.locator(f"#rule-{size.pk}-c\\.1-field").press("Tab")
    expect(page.locator(f"#rule-{size.pk}-said")).to_contain_text("company size is 200–5,000, and product is given")
    expect(page.locator(f"#rule-{size.pk}-leads")).to_have_text("1")
    total = page.get_by_label("Standard from this many points")
    total.fill("5")
    total.press("Tab")
    expect(page.locator("#backtest figure figcaption")).to_contain_text("Now at 5 points")
    expect(page.locator("#backtest .standfirst")).to_contain_text("3 MQLs instead of 2")


def test_rules_are_moved_and_removed_by_keyboard(marketer):
    page, url = marketer
    page.goto(f"{url}/definition/1/")
    page.get_by_role("button", name="Start a draft from v1").click()
    settled(page)
    names = page.locator("#axis-fit tbody th > span:first-child")
    expect(names.nth(1)).to_have_text("Served industry")
    up = page.get_by_role("button", name="Move up: Served industry")
    up.focus()
    page.keyboard.press("Enter")
    expect(names.nth(0)).to_have_text("Served industry")
    expect(page.get_by_role("button", name="Move up: Served industry")).to_be_focused()
    open_rule(page, "Served industry")
    page.get_by_role("button", name="Remove the rule").focus()
    page.keyboard.press("Enter")
    expect(names.nth(0)).to_have_text("Company size 200–5,000")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_definitions_pages_have_no_accessibility_violation_and_no_sideways_scroll(
    marketer, complaints, shown, width
):
    page, url = marketer
    page.set_viewport_size({"width": width, "height": 900})
    looks = (("light", width), ("dark", width))
    page.goto(f"{url}/definition/1/")
    page.get_by_role("button", name="Start a draft from v1").click()
    settled(page)
    open_rule(page, "Served industry")
    expect(page.locator(".value-choices")).to_be_visible()
    settled(page)
    shown(page, "definition-rule", looks)
    addresses = ("1/compare/2/", "2/backtest/", "2/score/?q=n", "facts/", "facts/values/?fact=industry", "1/")
    for place, address in enumerate(addresses):
        page.goto(f"{url}/definition/{address}")
        if "compare" in address:
            settled(page)
        shown(page, f"definition-{place}", looks)
    assert complaints == []


def test_without_script_a_rule_is_changed_and_the_backtest_read(marketer, browser):
    page, url = marketer
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([c for c in page.context.cookies() if c["name"] == "sessionid"])
    bare = context.new_page()
    bare.goto(f"{url}/definition/1/")
    bare.get_by_role("button", name="Start a draft from v1").click()
    open_rule(bare, "Served industry")
    bare.get_by_label("Points", exact=True).fill("40")
    bare.get_by_role("button", name="And", exact=True).click()
    expect(bare.get_by_label("How these conditions combine")).to_be_visible()
    expect(bare.locator("#axis-fit")).to_contain_text("+40 when industry is")
    bare.get_by_role("link", name="What it would have done").click()
    expect(bare.locator("#backtest")).to_contain_text("MQLs instead of 2")
    context.close()
