"""A manager writes rules and gives leads away, a rep claims one: a real browser, every look without a violation."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from leads.models import Handoff, RoutingPlan
from leads.services.queue import hand_back_handoff
from tests import cast

pytestmark = pytest.mark.journey
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def sales(live_server, page, sign_in):
    """A team with two late leads and one in the queue. Returns (page, sign in as, people, handoffs)."""
    now = dt.datetime.now(dt.UTC)
    cast.agreement(at=now - dt.timedelta(days=90))
    people = cast.people()
    rows = [
        cast.open_handoff(owner=people.rep, at=now - 60 * HOUR, first_name="Late", last_name=str(n)) for n in range(2)
    ]
    waits = cast.open_handoff(owner=people.rep, at=now - HOUR / 6, first_name="Queued", last_name="Lead")
    hand_back_handoff(handoff_id=waits.pk, by=people.rep, at=now, why="Speaks Danish")
    return page, lambda user: sign_in(page, user), people, [*rows, waits]


def test_a_manager_writes_a_rule_moves_it_and_publishes_the_plan(sales, complaints, shown):
    page, sign_in, people, _ = sales
    page.goto(f"{sign_in(people.manager)}/routing/")
    page.get_by_role("button", name="Write the first rules").click()
    for name, value, team in (("DACH", "Germany, Austria", "North"), ("Rest", "", "South")):
        page.get_by_role("link", name="Add a rule").click()
        expect(page.locator(".rule-form")).to_be_visible()
        page.get_by_label("Name").fill(name)
        if value:
            page.get_by_label("Fact 1").select_option("Country")
            page.get_by_label("Value 1").fill(value)
        page.get_by_label("Goes to").select_option(team)
        expect(page.locator("#weights input").first).to_be_visible()
        page.get_by_role("button", name="Add the rule").click()
        expect(page.locator("#rules")).to_contain_text(f"to {team}, in turn by weight")
    expect(page.locator("#rules")).to_contain_text("When country is Germany or Austria: to North")
    shown(page, "routing")
    page.get_by_role("button", name="Move rule 2 up").click()
    expect(page.locator(".rule-row").first).to_contain_text("Rest")
    page.get_by_role("button", name="Delete rule 1").click()
    expect(page.locator("#rules-title")).to_have_text("One rule")
    page.get_by_role("button", name="Publish plan 1").click()
    expect(page.get_by_role("button", name="Change the rules")).to_be_visible()
    assert RoutingPlan.objects.get().rules.get().name == "DACH"
    assert not complaints


def test_a_manager_gives_a_late_lead_to_somebody_else_in_its_row(sales, complaints, shown):
    page, sign_in, people, rows = sales
    page.goto(f"{sign_in(people.manager)}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Two clocks have run out")
    shown(page, "home")
    page.get_by_role("link", name="Reassign Late 0").click()
    page.get_by_label("New owner of Late 0").select_option("Otto Rep")
    page.get_by_role("button", name="Give").click()
    expect(page.locator("#breaching")).to_contain_text("Late 0 is with Otto Rep now")
    assert Handoff.objects.get(pk=rows[0].pk).owner == people.other_rep
    assert not complaints


def test_a_rep_claims_a_lead_from_the_queue(sales, complaints, shown):
    page, sign_in, people, rows = sales
    page.goto(f"{sign_in(people.south_rep)}/queue/")
    expect(page.get_by_role("heading", level=1)).to_have_text("One lead waits to be claimed")
    shown(page, "queue")
    page.get_by_role("button", name="Claim Queued Lead").click()
    expect(page.locator("#queue-list")).to_contain_text("Queued Lead is yours")
    assert Handoff.objects.get(pk=rows[2].pk).owner == people.south_rep
    page.get_by_role("link", name="Open it").click()
    expect(page.locator("#lead-name")).to_have_text("Queued Lead")
    assert not complaints
