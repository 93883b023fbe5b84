"""Aging and speed, recomputed from the raw rows in plain Python; and each number opens its leads."""

import datetime as dt
import html
import random
import re
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from leads import figures, figures_speed
from leads.figures import Counts, Month
from leads.models import Assignment, Handoff
from sla.models import Tier
from tests import kept
from tests.history import random_cases, write

UTC, BERLIN = dt.UTC, ZoneInfo("Europe/Berlin")
LATER = dt.datetime(2026, 10, 15, 8, tzinfo=UTC)
EARLY = dt.datetime(2026, 3, 20, 9, tzinfo=UTC)
MARCH = Month(dt.date(2026, 3, 1))
NAMES = {"accepted": "sqls", "rejected": "rejected", "open": "undecided", "withdrawn": "withdrawn"}
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a>')


@pytest.fixture
def past(agreement, people):
    """Handoffs around March, with every speed, and some that were routed late or waited in the queue."""
    chance = random.Random(8)
    tier = Tier.objects.filter(definition=agreement.definition).first()
    start, end = dt.datetime(2026, 2, 20, tzinfo=UTC), dt.datetime(2026, 4, 8, tzinfo=UTC)
    cases = list(random_cases(260, seed=9, version=agreement, owners=[people.rep], start=start, end=end))
    for case in cases:
        at = case["qualified_at"]
        if chance.random() < 0.6:
            seconds = chance.choice((0, 60, 300, 301, 3600, 3601, 86400, 86401, 400000))
            case["first_touch_at"] = at + dt.timedelta(seconds=seconds)
        if chance.random() < 0.7:
            case |= {
                "is_historical": False, "tier": tier, "breakdown": {"rules": []}, "decision_due_at": at,
                "owner": people.rep, "assignments": routed(chance, at),
            }  # fmt: skip
    return kept.once(lambda: write(agreement, cases), "speeds", agreement.pk, people.rep.pk, empty="leads_lead")


def routed(chance, at):
    """To the queue and later to a person, or to a person at once or later."""
    later = at + dt.timedelta(seconds=chance.choice((0, 30, 4000, 200000)))
    queue = [{"to_queue": True, "assigned_at": at}] if chance.random() < 0.4 else []
    return [*queue, {"assigned_at": later}, {"assigned_at": later + dt.timedelta(days=9)}]


def raw(as_of):
    """March's MQLs as plain dicts: status, waits in seconds, as known at the cut-off."""
    people = {}
    for a in Assignment.objects.all():
        if not a.to_queue and a.assigned_at <= as_of:
            people[a.handoff_id] = min(a.assigned_at, people.get(a.handoff_id, a.assigned_at))
    for h in Handoff.objects.all():
        if h.qualified_at > as_of or h.qualified_at.astimezone(BERLIN).strftime("%Y-%m") != "2026-03":
            continue
        late = any(at and at > as_of for at in (h.decided_at, h.withdrawn_at))
        touched = h.first_touch_at if h.first_touch_at and h.first_touch_at <= as_of else None
        end = touched or (min(at for at in (h.decided_at, h.withdrawn_at, as_of) if at) if not late else as_of)
        yield {
            "pk": h.pk,
            "status": "open" if late else h.status,
            "touched": touched is not None,
            "wait": max(0.0, (end - h.qualified_at).total_seconds()),
            "routed": (people[h.pk] - h.qualified_at).total_seconds() if h.pk in people else None,
            "live": not h.is_historical,
        }


def band(row):
    if not row["touched"]:
        return "none"
    return next(
        key for key, most in (("5min", 300), ("1h", 3600), ("24h", 86400), ("later", 1e9)) if row["wait"] <= most
    )


def product_limit(cases, share=0.5):
    """The first time by which `share` have had it, by hand; None when the data do not reach so far."""
    waiting = 1.0
    for time in sorted({t for t, done in cases if done}):
        at_risk = sum(t >= time for t, _ in cases)
        waiting *= 1 - sum(t == time and done for t, done in cases) / at_risk
        if waiting <= 1 - share + 1e-9:
            return time
    return None


@pytest.mark.parametrize("as_of", [LATER, EARLY], ids=["now", "a cut in March"])
def test_each_band_equals_a_recount_of_the_raw_rows_and_they_sum_to_the_mqls(past, as_of):
    found, rows = figures_speed.speed(MARCH, as_of=as_of, zone=BERLIN), list(raw(as_of))
    for each in found.bands:
        own = [row for row in rows if band(row) == each.key]
        counts = {name: sum(NAMES[row["status"]] == name for row in own) for name in NAMES.values()}
        assert each.counts == Counts(mqls=len(own), **counts)
    (month,) = figures.series(MARCH, 1, basis="cohort", as_of=as_of, zone=BERLIN)
    for name in ("mqls", "sqls", "rejected", "undecided", "withdrawn"):
        assert sum(getattr(each.counts, name) for each in found.bands) == getattr(month.counts, name)


@pytest.mark.parametrize("as_of", [LATER, EARLY], ids=["now", "a cut in March"])
def test_the_medians_count_those_who_still_wait(past, as_of):
    found, rows = figures_speed.speed(MARCH, as_of=as_of, zone=BERLIN), list(raw(as_of))
    by_hand = product_limit([(row["wait"], row["touched"]) for row in rows])
    assert found.contact.median == (None if by_hand is None else dt.timedelta(seconds=by_hand))
    assert found.contact.median == figures.first_contact(MARCH, as_of=as_of, zone=BERLIN).median
    known = median(row["wait"] for row in rows if row["touched"])
    assert found.contact.known == dt.timedelta(seconds=known)
    assert found.contact.waiting == sum(not row["touched"] for row in rows)


@pytest.mark.parametrize("as_of", [LATER, EARLY], ids=["now", "a cut in March"])
def test_routing_and_owner_share_the_wait_and_add_up_to_it(past, as_of):
    found, rows = figures_speed.speed(MARCH, as_of=as_of, zone=BERLIN), list(raw(as_of))
    live = [row for row in rows if row["live"]]
    split = []
    for row in live:
        late = row["routed"] is None or row["routed"] > row["wait"]
        routing = row["wait"] if late else row["routed"]
        split.append((routing, row["wait"] - routing, not late or row["touched"]))
    assert found.imported == len(rows) - len(live)
    assert (found.routing.n, found.routing.waiting) == (len(live), sum(not done for *_, done in split))
    by_hand = product_limit([(routing, done) for routing, _, done in split])
    assert found.routing.median == dt.timedelta(seconds=by_hand)
    contacted = [part for part, row in zip(split, live, strict=True) if row["touched"]]
    sums = sum(routing for routing, *_ in contacted), sum(owner for _, owner, _ in contacted)
    assert tuple(part.total_seconds() for part in found.shared) == pytest.approx(sums)
    assert sum(sums) == pytest.approx(sum(row["wait"] for row in live if row["touched"]))


def test_the_leads_of_a_band_are_exactly_those_it_counts(past):
    rows = list(raw(LATER))
    mqls = figures.rows(figures.counted("mqls", MARCH, "cohort"), as_of=LATER, zone=BERLIN)
    for key in figures_speed.BANDS:
        own = figures_speed.among(mqls, key, as_of=LATER).values_list("pk", flat=True)
        assert set(own) == {row["pk"] for row in rows if band(row) == key}


@pytest.fixture
def reader(people):
    client = Client()
    client.force_login(people.marketer)
    return client


def test_each_number_of_the_section_opens_the_leads_it_counts(past, reader):
    text = reader.get("/audit/2026-03/speed/").content.decode()
    links = FIGURE.findall(text)
    assert len(links) > 12
    for address, number in links:
        assert reader.get(html.unescape(address)).context["count"] == int(number.replace(",", "")), address
    assert reader.get("/leads/?speed=soon").status_code == 404


def test_the_audit_loads_the_section_as_a_part(past, reader):
    assert 'hx-get="/audit/2026-03/speed/"' in reader.get("/audit/2026-03/").content.decode()
    part = reader.get("/audit/2026-03/speed/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section class="section" id="speed"')
    assert "Until an owner had it" in part


def test_a_month_without_mqls_says_so(agreement, reader):
    assert "Marketing delivered no MQLs in March" in reader.get("/audit/2026-03/speed/").content.decode()
