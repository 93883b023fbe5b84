"""Sales records what became of a lead; marketing reads what the sources were worth in the end."""

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.models import Deal
from tests import cast
from tests.history import write

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.journey


@pytest.fixture
def history():
    """300 handoffs of the last five months, accepted two in five; those of the webinar are won more often."""
    version, people, chance = (
        cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)),
        cast.people(),
        random.Random(4),
    )
    now = timezone.now()
    reason, tier = version.reasons.get(code="11"), version.definition.tiers.first()
    cases = [
        {"qualified_at": (start := now - chance.randrange(20, 150) * DAY), "source": ("Webinar", "Trade fair")[n % 2],
         "campaign": "Spring", "decided_at": start + DAY, "owner": people.rep, "tier": tier,
         **({} if n % 5 < 2 else {"reason": reason})}
        for n in range(300)
    ]  # fmt: skip
    deals = []
    for row in write(version, cases):
        row.refresh_from_db()
        if row.status != "accepted" or chance.random() < 0.2:
            continue
        outcome = chance.choices(("won", "lost", "open"), (6 if row.source == "Webinar" else 1, 4, 2))[0]
        deals.append(
            Deal(lead_id=row.lead_id, handoff=row, outcome=outcome, via="import", recorded_at=now, currency="EUR",
                 amount=Decimal(chance.randrange(20, 400) * 100), opened_at=row.qualified_at + DAY,
                 closed_at=row.qualified_at + chance.randrange(3, 19) * DAY if outcome != "open" else None,
                 loss_reason=chance.choice(("timing", "price", "fit")) if outcome == "lost" else "")
        )  # fmt: skip
    Deal.objects.bulk_create(deals)
    return people


def test_a_deal_is_recorded_corrected_and_found_in_the_list(history, page, sign_in, shown, complaints):
    handoff = cast.open_handoff(owner=history.rep, at=timezone.now() - 9 * DAY)
    url = sign_in(page, history.rep)
    page.goto(f"{url}/leads/{handoff.pk}/")
    page.get_by_role("link", name="Record a deal").click()
    page.get_by_label("Outcome").select_option("won")
    page.get_by_label("Amount").fill("4800")
    page.get_by_role("button", name="Record the deal").click()
    expect(page.get_by_text("Say when it was closed")).to_be_visible()
    shown(page, "deal-form")
    page.get_by_label("Closed on").fill(timezone.localdate().isoformat())
    page.get_by_role("button", name="Record the deal").click()
    expect(page.locator("#deals")).to_contain_text("EUR 4,800")
    page.get_by_role("link", name="Correct this deal").click()
    page.get_by_label("Outcome").select_option("lost")
    page.get_by_label("Why it was lost").fill("timing")
    page.get_by_role("button", name="Save the correction").click()
    expect(page.locator("#deals")).to_contain_text("Bad timing")
    shown(page, "deal-panel", looks=[("light", 1440), ("dark", 390)])
    page.get_by_role("link", name="Deals", exact=True).first.click()
    page.get_by_label("Why lost").select_option("timing")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Henrike Solvang")).to_be_visible()
    shown(page, "deals")
    assert [message for message in complaints if "422" not in message] == []


def test_what_the_sources_were_worth_leads_from_the_audit_to_the_deals(history, page, sign_in, shown, complaints):
    url = sign_in(page, history.marketer)
    page.goto(f"{url}/audit/")
    page.get_by_role("link", name="What they were worth in the end").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("were won in the end")
    page.locator("select[name=from]").select_option(index=6)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#by-title")).to_contain_text("Webinar is won more often than Trade fair")
    shown(page, "deal-figures")
    row = page.get_by_role("row", name="Webinar").first
    won = row.locator("td").nth(3).locator("a.figure")
    count = won.inner_text()
    won.click()
    expect(page.locator("h1 .count")).to_contain_text(count)
    assert complaints == []
