"""Two of sales say what readiness looked like, the past weighs it, both sign, and the next lead is judged by it."""

import datetime as dt
import re

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.calibration import jobs, tasks
from leads.calibration.models import RoundItem
from leads.models import Deal, Handoff
from sla.models import MQLDefinition
from tests import cast
from tests.history import write
from tests.journeys.test_agreement_journey import sign
from tests.journeys.test_rounds_journey import mark
from tests.leads.test_calibration import case

pytestmark = pytest.mark.journey
DAY = dt.timedelta(days=1)
# what wins here: shipyards, of which no rule in force knows, and Germany
TRUTH = (("ships", "industry", "Shipbuilding", 20, 1.8), ("germany", "country", "Germany", 10, 0.9),
         ("demo", "source", "Demo request", 35, 0.7), ("blue", "region", "Blue", 15, 0.0))  # fmt: skip


@pytest.fixture
def house(monkeypatch):
    """A company with half a year of decisions, deals of which shipyards were won, and a worker at once."""
    version, people = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), cast.people()
    rng, at = np.random.default_rng(5), timezone.now()
    cases = (case(version, rng, TRUTH) for _ in range(900))
    write(version, [
        each | {"qualified_at": (then := at - (200 * rng.random() + 5) * DAY), "decided_at": then + DAY,
                "owner": people.other_rep, "industry": each["lead"]["industry"]}
        for each in cases
    ])  # fmt: skip
    for industry, outcome in (("Shipbuilding", "won"), ("Other", "lost")):
        for row in Handoff.objects.filter(status="accepted", lead__industry=industry).order_by("pk")[:10]:
            Deal.objects.create(lead=row.lead, handoff=row, outcome=outcome, via="page", recorded_at=at,
                                closed_at=row.qualified_at + 3 * DAY)  # fmt: skip
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk))
    return version, people


def test_what_two_of_sales_say_and_the_past_shows_is_signed_and_the_next_lead_is_judged_by_it(
    house, sign_in, page, shown, complaints
):
    _, people = house
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/rounds/")
    page.get_by_label("Won deals").fill("8")
    page.get_by_label("Lost deals").fill("8")
    page.get_by_label("Who marks them").select_option(label="Rena Rep")
    page.get_by_label("and who else").select_option(label="Suna Rep")
    page.get_by_role("button", name="Draw the round").click()
    won = set(RoundItem.objects.filter(outcome="won").values_list("position", flat=True))
    for person in (people.rep, people.south_rep):
        sign_in(page, person)
        page.goto(f"{url}/rounds/1/mark/")
        for position in range(1, 17):  # budget, authority, need, timeline, size, industry, role, region
            mark(page, position, ["u", "y", "y", "u", "y", "y" if position in won else "n", "y", "u"])
            if position < 16:
                expect(page.locator("#deal-title")).to_be_focused()
        expect(page.locator("#marker")).to_contain_text("You have marked all 16 deals")

    sign_in(page, people.marketer)
    page.goto(f"{url}/rounds/1/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Industry fits tells won from lost")
    page.get_by_role("button", name="Draft a rule: +20 points for Industry fits").click()
    expect(page).to_have_url(f"{url}/definition/2/edit/")
    rule = MQLDefinition.objects.get(number=2).rules.get(label="Industry fits")
    assert rule.condition == {"field": "industry", "op": "in", "values": ["Shipbuilding"]}

    page.goto(f"{url}/calibration/")
    page.get_by_role("link", name="Ask the past").click()
    page.locator("#whose").select_option("2")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("The rules of v2")
    page.get_by_label("Accepted or rejected leads").check()
    shown(page, "calibration-new")
    page.get_by_role("button", name="Weigh them").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("tell accepted from rejected")
    expect(page.locator("#weights")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Industry fits")).first).to_contain_text("shown")
    for summary in page.locator("details > summary").all():
        summary.click()
    shown(page, "calibration")
    page.get_by_label("Hours to work one lead").last.fill("0.5")
    page.get_by_role("button", name="Draft it and open the editor").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Definition v3")
    page.goto(f"{url}/calibration/")
    expect(page.get_by_role("link", name="v3", exact=True)).to_be_visible()
    shown(page, "calibrations")
    page.get_by_role("link", name="What v3 promised, and what came").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What v3 promises")
    shown(page, "calibration-promise")

    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    with page.expect_response(re.compile("/edit/definition/")):
        page.locator("#definition-definition").select_option(
            label=page.locator("#definition-definition option", has_text="v3").inner_text()
        )
    page.get_by_role("link", name="Read it and propose").click()
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator("#proof-title")).to_have_text("Fingerprint of v2")
    before = cast.open_handoff(owner=people.rep, at=timezone.now())
    assert before.definition.number == 1, "nothing is in force before both have signed"
    for leader, name, side in ((people.marketing_leader, "Linus Leader", "marketing"),
                               (people.sales_leader, "Sara Leader", "sales")):  # fmt: skip
        sign_in(page, leader)
        page.goto(f"{url}/agreement/2/")
        sign(page, name, side)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreement v2 is in force")

    following = cast.open_handoff(
        owner=people.rep, at=timezone.now() + dt.timedelta(seconds=5), industry="Shipbuilding", country="Germany"
    )
    assert following.definition.number == 3
    points = {rule["label"]: rule["points"] for rule in following.breakdown["rules"]}
    assert points["Industry fits"] > points["Sales region"] > 5, "what sales said and the past taught"
    sign_in(page, people.rep)
    page.goto(f"{url}/inbox/{following.pk}/")
    expect(page.get_by_role("row", name=re.compile("Industry fits"))).to_contain_text(f"+{points['Industry fits']}")
    shown(page, "calibration-next-lead", [("light", 1440), ("dark", 390)])
    assert complaints == []
