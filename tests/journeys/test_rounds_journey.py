"""Marketing draws a round; two of sales mark it by keyboard, or without scripts; what tells becomes a rule."""

import datetime as dt
import random

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.calibration.models import Mark, RoundItem
from leads.intake.forms.services.build import create_form, publish_version
from leads.models import Deal, Event
from tests import cast
from tests.history import write

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.journey


@pytest.fixture
def people():
    """An agreement in force, a form that visitors see, and twenty deals of another rep: those in food were won."""
    version, found = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), cast.people()
    chance, start = random.Random(8), timezone.now() - 100 * DAY
    cases = [
        {"qualified_at": (at := start + n * DAY), "decided_at": at + DAY, "owner": found.other_rep,
         "source": chance.choice(("Webinar", "Trade fair")), "employees": chance.choice((120, 640)),
         "industry": ("Food", "Law")[n % 2], "lead": {"title": "Head of Operations", "country": "Netherlands"}}
        for n in range(20)
    ]  # fmt: skip
    rows = write(version, cases)
    Event.objects.bulk_create(
        Event(lead=row.lead, kind="demo_requested", occurred_at=row.qualified_at - DAY, recorded_at=row.qualified_at)
        for row in rows[::3]
    )
    Deal.objects.bulk_create(
        Deal(lead=row.lead, handoff=row, outcome=("won", "lost")[n % 2], via="api", recorded_at=timezone.now(),
             closed_at=row.qualified_at + 20 * DAY) for n, row in enumerate(rows)
    )  # fmt: skip
    form = create_form(name="Demo request", by=found.marketer, at=timezone.now())
    publish_version(form_id=form.pk, by=found.marketer, at=timezone.now())
    return found


def mark(page, position, keys):
    """Answer the questions of the deal that is shown, one key each, and go on with Enter."""
    expect(page.locator("#marker")).to_contain_text(f"Deal {position} of 16")
    for key in keys:
        page.keyboard.press(key)
    expect(page.get_by_label("What mattered, in your own words")).to_be_focused()
    page.keyboard.type("runs shifts")
    page.keyboard.press("Enter")


def test_two_mark_a_round_by_keyboard_and_what_tells_becomes_a_rule(people, page, sign_in, shown, complaints):
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/rounds/")
    page.get_by_label("Won deals").fill("8")
    page.get_by_label("Lost deals").fill("8")
    page.get_by_label("Who marks them").select_option(label="Rena Rep")
    page.get_by_label("and who else").select_option(label="Suna Rep")
    shown(page, "rounds")
    page.get_by_role("button", name="Draw the round").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits for its marks")
    won = set(RoundItem.objects.filter(outcome="won").values_list("position", flat=True))
    for person in (people.rep, people.south_rep):
        sign_in(page, person)
        page.goto(f"{url}/rounds/1/mark/")
        if person == people.rep:
            shown(page, "mark")
        for position in range(1, 17):
            if position == 4:  # left, and come back to
                page.goto(f"{url}/rounds/1/mark/")
                expect(page.locator("#marker")).to_contain_text("3 of 16 marked by you")
            answer = "y" if position in won else "n"
            other = "u" if person == people.rep and position % 5 == 0 else "y"
            mark(page, position, ["y", other, answer, "u", "y", answer, "n", "y"])
            if position < 16:
                expect(page.locator("#deal-title")).to_be_focused()
        expect(page.locator("#marker")).to_contain_text("You have marked all 16 deals")
    assert Mark.objects.count() == 32
    assert complaints == []
    sign_in(page, people.marketer)
    page.goto(f"{url}/rounds/1/")
    expect(page.locator("#apart-title")).to_be_visible()
    page.locator("details summary").first.click()
    shown(page, "round-done")
    page.get_by_role("button", name="Draft a rule: +20 points for Has the need").click()
    expect(page).to_have_url(f"{url}/definition/2/edit/")
    expect(page.locator("#main")).to_contain_text("Has the need")
    assert complaints == []


def test_without_script_a_deal_is_marked_and_the_next_one_comes(people, page, sign_in, browser):
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/rounds/")
    page.get_by_label("Who marks them").select_option(label="Rena Rep")
    page.get_by_label("and who else").select_option(label="Suna Rep")
    page.get_by_role("button", name="Draw the round").click()
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, people.rep)
    bare = context.new_page()
    bare.goto(f"{url}/rounds/1/")
    bare.get_by_role("link", name="Mark 20 deals").click()
    for group in bare.get_by_role("radiogroup").all():
        if group.locator("[data-answer=y]").count():
            group.get_by_text("Yes").click()
    bare.get_by_role("button", name="Save and next").click()
    expect(bare.locator("#marker")).to_contain_text("Deal 2 of 20")
    context.close()
