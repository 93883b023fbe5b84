"""The list of deals, recording and correcting one on a lead's page, and what the leads were worth in the end."""

import csv
import datetime as dt
import random
from collections import Counter, defaultdict
from decimal import Decimal
from math import sqrt
from statistics import median

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads import figures_deals
from leads.models import Deal, Handoff
from leads.periods import Months
from leads.services.deal import record_deal
from leads.views import deals as list_view
from portal.shared.intervals import wilson
from tests import cast
from tests.history import random_cases, write
from tests.leads.test_edtech import imported  # noqa: F401 (a fixture)

DAY = dt.timedelta(days=1)
UTC = dt.UTC


@pytest.fixture
def at(client):
    """at(person, name, *args, **query): the page as that person sees it."""

    def at(person, name, *args, **query):
        client.force_login(person)
        return client.get(reverse(name, args=args), query)

    return at


def test_a_rep_records_a_deal_on_the_leads_page_and_corrects_it(at, open_lead, people):
    handoff = open_lead(at=timezone.now() - 20 * DAY)
    page = at(people.rep, "handoff", handoff.pk)
    assert "No deal is recorded" in page.text
    where, today = reverse("deal_record", args=[handoff.pk]), timezone.localdate()
    answer = page.client.post(where, {"outcome": "won", "amount": "12.5", "closed_on": today.isoformat()})
    assert answer.url == reverse("handoff", args=[handoff.pk])
    deal = Deal.objects.get()
    assert (deal.amount, timezone.localdate(deal.closed_at), deal.recorded_by) == (Decimal("12.50"), today, people.rep)
    correct = reverse("deal_correct", args=[deal.pk])
    assert 'value="12.50"' in page.client.get(correct).text
    page.client.post(correct, {"outcome": "lost", "loss_reason": "Wanted it cheaper", "closed_on": today.isoformat()})
    text = at(people.rep, "handoff", handoff.pk).text
    assert "Wanted it cheaper" in text
    assert "won, EUR 12.50, by Rena Rep" in text
    late = page.client.post(correct, {"outcome": "won", "closed_on": today.isoformat()})
    assert (late.status_code, "Someone corrected this deal meanwhile" in late.text) == (409, True)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"outcome": ""}, "Say what became of the deal"),
        ({"outcome": "won"}, "Say when it was closed"),
        ({"outcome": "won", "closed_on": "2999-01-01"}, "neither lies in the future"),
        ({"outcome": "open", "amount": "5", "currency": "EU"}, "three letters"),
        ({"outcome": "void"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_saved(client, open_lead, people, told, said):
    client.force_login(people.rep)
    answer = client.post(reverse("deal_record", args=[open_lead().pk]), told)
    assert (answer.status_code, said in answer.text, Deal.objects.count()) == (422, True, 0)


def test_a_rep_sees_and_corrects_only_deals_of_their_own_leads(at, open_lead, people, now):
    deal = record_deal(handoff_id=open_lead(owner=people.south_rep).pk, by=None, at=now, outcome="open").deal
    assert at(people.rep, "deal_correct", deal.pk).status_code == 404
    assert "No deal was recorded so far" in at(people.rep, "deals").text
    assert "Henrike Solvang" in at(people.south_rep, "deals").text
    assert at(people.marketer, "deal_record", deal.handoff_id).status_code == 403


@pytest.fixture
def history(agreement, people):
    """write(n): n random handoffs of 2026 with random deals; returns what was written, in plain Python."""

    def make(n, seed):
        chance = random.Random(seed)
        start, end = dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2026, 7, 1, tzinfo=UTC)
        owners = [people.rep, people.south_rep]
        cases = list(random_cases(n, seed=seed, version=agreement, owners=owners, start=start, end=end))
        rows = write(agreement, cases)
        deals = [deal for row in rows if chance.random() < 0.6 for deal in random_deals(row, chance)]
        Deal.objects.bulk_create(deals)
        overtake(deals, chance)
        return rows

    return make


def random_deals(row, chance):
    for n in range(chance.choice((1, 1, 1, 2))):
        outcome = chance.choice(("won", "won", "lost", "open"))
        amount = chance.choice((None, Decimal(chance.randrange(100, 90_000)) / 100, Decimal(1000)))
        ended = outcome != "open" and chance.random() < 0.9
        yield Deal(
            lead_id=row.lead_id, handoff=row, external_id=f"D{row.pk}-{n}", outcome=outcome, amount=amount,
            currency=chance.choice(("EUR", "EUR", "USD")) if amount is not None else "", via="api",
            closed_at=row.qualified_at + chance.random() * 200 * DAY - DAY if ended else None,
            recorded_at=dt.datetime(2026, 8, 1, tzinfo=UTC),
        )  # fmt: skip


def overtake(deals, chance):
    """Every third deal was corrected since; some were a mistake."""
    Deal.objects.bulk_create(
        Deal(lead_id=old.lead_id, handoff=old.handoff, external_id=old.external_id, supersedes=old, via="page",
             outcome=chance.choice(("void", "lost", "won")), recorded_at=old.recorded_at + DAY)
        for old in deals[::3]
    )  # fmt: skip


def recount(by, as_of):
    """{key: what figures_deals should say}, computed row by row from the models."""
    taken_back = {deal.supersedes_id for deal in Deal.objects.all()}
    of = defaultdict(list)
    for deal in Deal.objects.exclude(outcome="void"):
        if deal.pk not in taken_back and deal.handoff_id:
            of[deal.handoff_id].append(deal)
    found = defaultdict(lambda: {"counts": Counter(), "values": defaultdict(list), "each": defaultdict(Counter),
                                 "close": [], "bare": 0, "undated": 0})  # fmt: skip
    for row in Handoff.objects.select_related("tier", "definition"):
        here = found[by(row)]
        here["counts"]["mqls"] += 1
        states = {deal.outcome for deal in of[row.pk]}
        state = next((s for s in ("won", "open", "lost") if s in states), None)
        if row.status != "accepted":
            here["counts"]["beside"] += state is not None
            continue
        here["counts"]["sqls"] += 1
        if state:
            here["counts"]["opportunities"] += 1
            here["counts"][state] += 1
        for deal in of[row.pk]:
            if deal.outcome == "won" and deal.amount is None:
                here["bare"] += 1
            elif deal.outcome == "won":
                here["values"][deal.currency].append(deal.amount)
                here["each"][deal.currency][row.pk] += float(deal.amount)
            if deal.outcome != "open" and deal.closed_at is None:
                here["undated"] += 1
            else:
                ended = deal.closed_at is not None and deal.closed_at <= as_of
                until = deal.closed_at if ended else as_of
                here["close"].append((max(dt.timedelta(0), until - row.qualified_at), ended))
    return found


def kaplan_meier_median(cases):
    """The first time at which the product of survivals is at most a half, computed the slow way."""
    left = 1.0
    for time in sorted({t for t, ended in cases if ended}):
        risk = sum(t >= time for t, _ in cases)
        left *= 1 - sum(t == time and ended for t, ended in cases) / risk
        if left <= 0.5 + 1e-12:
            return time
    return None


KEYS = {
    "source": lambda row: row.source,
    "campaign": lambda row: row.campaign,
    "tier": lambda row: row.tier.key if row.tier else "",
    "definition": lambda row: str(row.definition.number),
    "month": lambda row: timezone.localtime(row.qualified_at).strftime("%Y-%m"),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_figures_are_what_counting_by_hand_gives(history, seed):
    history(260, seed)
    as_of, zone = dt.datetime(2026, 9, 1, tzinfo=UTC), timezone.get_default_timezone()
    span = Months.parse("2025-12..2026-07")
    for by, key in KEYS.items():
        found = {row.key: row for row in figures_deals.worth(span, by, as_of=as_of, zone=zone)}
        expected = recount(key, as_of)
        assert set(found) == set(expected)
        for name, row in found.items():
            check(row, expected[name])


def check(row, expected):
    counts = expected["counts"]
    names = ("mqls", "sqls", "opportunities", "won", "lost", "open", "beside")
    assert {n: getattr(row, n) for n in names} == {n: counts[n] for n in names}
    assert (row.without_amount, row.undated) == (expected["bare"], expected["undated"])
    rate = row.won_rate
    assert (rate is None) is (counts["opportunities"] == 0)
    assert rate is None or (rate.low, rate.high) == wilson(counts["won"], counts["opportunities"])
    assert {m.currency: (m.total, m.median) for m in row.money} == {
        currency: (sum(values), pytest.approx(median(values))) for currency, values in expected["values"].items()
    }
    for money in row.money:
        values = [*expected["each"][money.currency].values()]
        values += [0.0] * (counts["mqls"] - len(values))
        mean = sum(values) / len(values)
        spread = sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else 0
        assert (money.mean, money.high - money.mean) == (
            pytest.approx(mean), pytest.approx(1.959964 * spread / sqrt(len(values)), rel=1e-5, abs=1e-9),
        )  # fmt: skip
    if expected["close"]:
        assert (row.closing.n, row.closing.waiting) == (
            len(expected["close"]), sum(not ended for _, ended in expected["close"]),
        )  # fmt: skip
        assert row.closing.median == kaplan_meier_median(expected["close"])
    else:
        assert row.closing is None


def test_each_figure_leads_to_the_very_leads_and_deals(history, at, people):
    history(200, 5)
    page = at(people.marketer, "deals_figures", to="2026-07", **{"from": "2025-12", "by": "source"})
    client, seen = page.client, 0
    for line in page.context["page"].breakdown + page.context["page"].cohort_rows:
        for label, n, url, _ in line["figures"]:
            assert (n == 0) is (url == "")
            if url:
                assert client.get(url).context["count"] == n, (label, url)
                seen += 1
        won = line["row"]
        found = client.get(line["deals_url"]).context["count"]
        assert found == sum(m.deals for m in won.money) + won.without_amount
    assert seen > 30
    ((n, url, _),) = page.context["page"].beside
    assert n <= client.get(url).context["count"]


def test_the_ed_tech_funnel_is_worth_64_won(imported, at, people):  # noqa: F811
    expected = imported[2]
    page = at(people.marketer, "deals_figures", to="2022-12", **{"from": "2022-01"})
    whole = page.context["page"].total
    assert (whole.mqls, whole.won) == (expected["overall"]["leads"], expected["overall"]["won"]) == (360, 64)
    assert whole.whole_rate.value == pytest.approx(64 / 360)
    rows = {row.key: (row.mqls, row.won) for row in page.context["page"].rows}
    assert rows == {name: (row["leads"], row["won"]) for name, row in expected["by_source"].items()}
    assert "64 of 360 MQLs were won in the end" in page.text


def test_the_files_hold_what_the_page_shows(history, at, people):
    history(120, 7)
    query = {"from": "2025-12", "to": "2026-07", "by": "source"}
    rows = figures(at(people.marketer, "deals_figures_export", "csv", **query))
    shown = at(people.marketer, "deals_figures", **query).context["page"].rows
    assert {r["Key"]: int(r["Won"]) for r in rows} == {row.key: row.won for row in shown}
    months = figures(at(people.marketer, "deals_figures_export", "csv", **query | {"by": "month"}))
    assert {r["Key"] for r in months} == {row.key for row in page_of(at, people, query).cohorts}
    deals = figures(at(people.marketer, "deals_export", "csv", outcome="won"))
    assert len(deals) == Deal.objects.standing().filter(outcome="won").count()
    assert at(people.marketer, "deals_export", "xlsx").status_code == 200
    assert at(people.marketer, "deals_export", "pdf").status_code == 404


def page_of(at, people, query):
    return at(people.marketer, "deals_figures", **query).context["page"]


def figures(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_pages_of_the_list_hold_every_deal_once_open_ones_first(history, people, monkeypatch):
    monkeypatch.setattr(list_view, "PAGE", 17)
    history(120, 11)
    client, seen, url = Client(), [], reverse("deals")
    client.force_login(people.admin)
    while url:
        context = client.get(url).context
        seen += [deal.pk for deal in context["deals"]]
        url = context["next_url"] and reverse("deals") + context["next_url"]
    expected = sorted(
        Deal.objects.standing(), key=lambda d: (d.closed_at is None, d.closed_at or d.recorded_at, d.pk), reverse=True
    )
    assert seen == [deal.pk for deal in expected]


@pytest.mark.parametrize("query", ["outcome=maybe", "closed_month=soon", "after=x", "handoff=1",
                                   "closed_month=2026-05..2026-01"])  # fmt: skip
def test_an_address_that_means_nothing_is_no_page(client, people, query):
    client.force_login(people.admin)
    assert client.get(f"{reverse('deals')}?{query}").status_code == 404


def test_the_list_costs_a_few_questions_however_long(history, at, people, django_assert_max_num_queries):
    history(150, 13)
    client = at(people.marketer, "deals").client
    with django_assert_max_num_queries(8):
        client.get(reverse("deals"))
    with django_assert_max_num_queries(16):
        client.get(reverse("deals_figures"))


def test_a_deal_of_no_handoff_stands_in_the_list_and_in_no_funnel(at, people, now, agreement):
    lead = cast.capture_lead(facts={"email": "x@x.example", "last_name": "Nobody"}, at=now)
    record_deal(lead_id=lead.pk, by=None, at=now, outcome="won", amount=Decimal(5))
    page = at(people.marketer, "deals", handoff="none")
    assert ("Nobody" in page.text, page.context["count"]) == (True, 1)
    assert "No MQL was delivered" in at(people.marketer, "deals_figures").text
