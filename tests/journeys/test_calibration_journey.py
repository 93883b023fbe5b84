"""The past is asked, what it teaches is drafted, both sides sign, and the next lead is judged by it."""

import datetime as dt
import re

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.calibration import jobs, tasks
from leads.models import Deal, Handoff
from tests import cast
from tests.history import write
from tests.journeys.test_agreement_journey import sign
from tests.leads.test_calibration import case

pytestmark = pytest.mark.journey
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(monkeypatch):
    """A company whose leads from the food industry are won, with half a year of decisions, and a worker at once."""
    version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), cast.people()
    rng, at = np.random.default_rng(5), timezone.now()
    write(version, [
        case(version, rng) | {"qualified_at": (then := at - (200 * rng.random() + 5) * DAY), "decided_at": then + DAY}
        for _ in range(900)
    ])  # fmt: skip
    for row in Handoff.objects.filter(status="accepted", lead__industry="Food").order_by("pk")[:3]:
        Deal.objects.create(
            lead=row.lead, handoff=row, outcome="won", via="page", recorded_at=at, closed_at=row.qualified_at + 3 * DAY
        )
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk))
    return version, people


def test_what_was_won_becomes_a_draft_that_both_sign_and_the_next_lead_is_judged_by(
    house, sign_in, page, shown, complaints
):
    _, people = house
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/definition/")
    page.get_by_role("link", name="Calibration").click()
    page.get_by_role("link", name="Ask the past").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which rules told won from lost?")
    page.get_by_label("Accepted or rejected leads").check()
    shown(page, "calibration-new")
    page.get_by_role("button", name="Let the worker weigh them").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("tell")
    expect(page.locator("#weights")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Served industry")).first).to_contain_text("shown")
    for summary in page.locator("details > summary").all():
        summary.click()
    shown(page, "calibration")
    page.get_by_label("Hours to work one lead").last.fill("0.5")
    page.get_by_role("button", name="Draft it and open the editor").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Definition v2")
    page.goto(f"{url}/calibration/")
    expect(page.get_by_role("link", name="v2", exact=True)).to_be_visible()
    shown(page, "calibrations")

    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    with page.expect_response(re.compile("/edit/definition/")):
        page.locator("#definition-definition").select_option(
            label=page.locator("#definition-definition option", has_text="v2").inner_text()
        )
    page.get_by_role("link", name="Read it and propose").click()
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator("#proof-title")).to_have_text("Fingerprint of v2")
    for leader, name, side in ((people.marketing_leader, "Linus Leader", "marketing"),
                               (people.sales_leader, "Sara Leader", "sales")):  # fmt: skip
        sign_in(page, leader)
        page.goto(f"{url}/agreement/2/")
        sign(page, name, side)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreement v2 is in force")
    following = cast.open_handoff(owner=people.rep, at=timezone.now() + dt.timedelta(seconds=5))
    assert following.definition.number == 2
    points = {rule["key"]: rule["points"] for rule in following.breakdown["rules"]}
    assert points["industry"] > points["region"] > 5, "what the past taught"
    assert not complaints
