"""Both leaders sign exploration; a lead just below the threshold comes marked, counts nowhere, and teaches."""

import datetime as dt
import re

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.calibration import jobs, tasks
from leads.models import Handoff
from leads.services.capture import take_in_lead
from leads.services.decide import accept_handoff
from tests import cast
from tests.history import write
from tests.journeys.test_agreement_journey import save, sign
from tests.leads.test_calibration import case

pytestmark = pytest.mark.journey
DAY = dt.timedelta(days=1)
# 40 points under the starter definition: 10 below Standard
NEAR = {"first_name": "Nina", "last_name": "Near", "company": "Below Foods", "employees": 640, "industry": "Food",
        "country": "Germany", "title": "Analyst", "source": "Webinar"}  # fmt: skip


@pytest.fixture
def people(monkeypatch):
    """A company with half a year of decisions that food was won by, one rep, and a worker at once."""
    version, found = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), cast.people()
    rng, at = np.random.default_rng(5), timezone.now()
    write(version, [
        case(version, rng) | {"qualified_at": (then := at - (200 * rng.random() + 5) * DAY), "decided_at": then + DAY}
        for _ in range(600)
    ])  # fmt: skip
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk))
    return found


def drawn(n, at):
    """The first of the leads just below the threshold that exploration hands over; as many leads as it takes."""
    for place in range(n, n + 200):
        if (found := take_in_lead(facts={**NEAR, "email": f"near{place}@x.example"}, at=at)).handoff:
            return found.handoff
    raise AssertionError("none of two hundred was drawn")


def test_exploration_is_signed_and_its_leads_are_marked_counted_apart_and_learnt_from(
    people, sign_in, page, shown, complaints
):
    url = sign_in(page, people.marketing_leader)
    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    save(page, "basics-summary", "Look below the threshold")
    save(page, "target-exploration_share", "20")
    save(page, "target-exploration_reach", "15")
    expect(page.locator("#said-target")).to_contain_text("20% of the leads up to 15 points below the lowest tier")
    shown(page, "exploration-draft")
    page.get_by_role("link", name="Read it and propose").click()
    expect(page.locator("#changes")).to_contain_text("Exploration")
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator("#proof-title")).to_have_text("Fingerprint of v2")
    for leader, name, side in ((people.marketing_leader, "Linus Leader", "marketing"),
                               (people.sales_leader, "Sara Leader", "sales")):  # fmt: skip
        sign_in(page, leader)
        page.goto(f"{url}/agreement/2/")
        sign(page, name, side)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreement v2 is in force")

    handoff = drawn(0, timezone.now())
    assert (handoff.exploration, handoff.total, handoff.sla_version.number) == (True, 40, 2)
    for place in (200, 400):
        seen = drawn(place, timezone.now())
        accept_handoff(handoff_id=seen.pk, by=seen.owner, at=timezone.now())
    sign_in(page, handoff.owner)
    page.goto(f"{url}/inbox/")
    expect(page.locator("#main")).to_contain_text("Exploration")
    shown(page, "exploration-inbox")
    page.goto(f"{url}/inbox/{handoff.pk}/")
    expect(page.locator("#main")).to_contain_text("it counts in no rate and no promise")
    shown(page, "exploration-lead")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("Accepted.")
    assert Handoff.objects.get(pk=handoff.pk).status == "accepted"

    sign_in(page, people.marketing_leader)
    page.goto(f"{url}/audit/{timezone.localdate():%Y-%m}/")
    expect(page.locator("#left-out")).to_contain_text(re.compile("3 .*exploration"))
    shown(page, "exploration-audit", [("light", 1440), ("dark", 390)])

    page.goto(f"{url}/calibration/new/")
    page.get_by_label("Accepted or rejected leads").check()
    page.get_by_role("button", name="Weigh them").click()
    expect(page.locator("#below")).to_contain_text("What exploration shows below the 50 points of v1")
    row = page.get_by_role("row", name=re.compile("^40 "))
    expect(row).to_contain_text("3")
    shown(page, "exploration-calibration")
    assert complaints == []
