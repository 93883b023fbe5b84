"""The audit says what its figures leave out, each number leading to exactly the leads it counts; and as of when."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads import figures
from leads.figures import Month
from leads.figures_left_out import left_out
from leads.models import Decision, Handoff
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from tests.history import random_cases, write

UTC, MINUTE = dt.UTC, dt.timedelta(minutes=1)
MARCH, OCTOBER, ZONE = Month.parse("2026-03"), Month.parse("2026-10"), get_default_timezone()
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a> ([^:<]+):')
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        150, seed=8, version=agreement, owners=[people.rep],
        start=dt.datetime(2026, 2, 1, tzinfo=UTC), end=dt.datetime(2026, 4, 20, tzinfo=UTC),
    )  # fmt: skip
    return write(agreement, cases)


@pytest.fixture
def marketer(client, people):
    client.force_login(people.marketer)
    return client


def inside(at, month=MARCH):
    return at is not None and month.begins(ZONE) <= at < month.ends(ZONE)


def counted_by_hand(basis):
    """{kind: leads} in plain Python over the rows."""
    rows = list(Handoff.objects.all())
    mine = [row for row in rows if inside(row.qualified_at)]
    apart = [r for r in mine if r.decided_at and not inside(r.decided_at)]
    if basis == "cohort":
        apart = [r for r in rows if inside(r.decided_at) and not inside(r.qualified_at)]
    return {
        "withdrawn": sum(row.status == "withdrawn" for row in mine),
        "apart": len(apart),
        "imported": sum(row.is_historical for row in mine),
    }


@pytest.mark.parametrize("basis", figures.BASES)
def test_each_kind_is_what_a_count_of_the_rows_says_and_lists_exactly_these(past, marketer, basis):
    later = dt.datetime(2026, 11, 1, tzinfo=UTC)
    found = {each.kind: each.n for each in left_out(MARCH, basis=basis, as_of=later, zone=ZONE)}
    assert found == counted_by_hand(basis)
    assert all(found.values())
    text = marketer.get(reverse("audit_left_out", args=[MARCH]), {"basis": basis}, **HTMX).text
    links = FIGURE.findall(text)
    assert len(links) == 3
    for address, number, _ in links:
        answer = marketer.get(address.replace("&amp;", "&"))
        assert answer.context["count"] == int(number), address


def test_a_decision_that_was_taken_back_counts_nowhere_and_is_told(open_lead, people, marketer, now):
    twice, once = open_lead(), open_lead()
    accept_handoff(handoff_id=twice.pk, by=people.rep, at=now + MINUTE)
    reopen_handoff(handoff_id=twice.pk, by=people.rep, at=now + 2 * MINUTE)
    reject_handoff(handoff_id=twice.pk, by=people.rep, at=now + 3 * MINUTE, reason="11")
    accept_handoff(handoff_id=once.pk, by=people.rep, at=now + MINUTE)
    assert Decision.objects.filter(supersedes__isnull=False).count() == 2
    later = now + dt.timedelta(days=1)
    (amended,) = left_out(OCTOBER, basis="period", as_of=later, zone=ZONE)
    assert (amended.kind, amended.n) == ("amended", 1), "a lead is told once, however often it was amended"
    address = reverse("leads") + "?amended_month=2026-10"
    assert [row.pk for row in marketer.get(address).context["handoffs"]] == [twice.pk]
    assert left_out(OCTOBER, basis="period", as_of=now + MINUTE, zone=ZONE) == (), "not yet amended at that instant"


def test_a_month_without_any_says_so(agreement, marketer):
    text = marketer.get(reverse("audit_left_out", args=[MARCH])).text
    assert "Nothing of March 2026 is left out" in text


def test_it_is_one_question_whatever_the_size(past):
    with CaptureQueriesContext(connection) as queries:
        left_out(MARCH, basis="period", as_of=dt.datetime(2026, 11, 1, tzinfo=UTC), zone=ZONE)
    assert len(queries) == 1


def test_the_page_says_as_of_when_in_which_time_zone_and_asks_for_the_rest(past, marketer):
    text = marketer.get(reverse("audit", args=[MARCH])).text
    assert re.search(r'id="as-of">As of \w+day \d+ \w+ \d{4}, \d\d:\d\d, ' + ZONE.key, text)
    assert f'hx-get="{reverse("audit_left_out", args=[MARCH])}?basis=period"' in text


def test_the_joint_target_is_a_tile_that_comes_with_both_sides_promises(past, marketer):
    page = marketer.get(reverse("audit", args=[MARCH])).text
    assert 'id="attained"' in page
    part = marketer.get(reverse("audit_scorecard", args=[MARCH]), **HTMX)
    tile = re.search(r'<div class="stat" id="attained" hx-swap-oob="true">.*?</div>', part.text, re.S).group()
    value = part.context["attainment"].value
    assert value is not None
    assert f"{value:.1%}" in tile
    assert "hx-swap-oob" not in marketer.get(reverse("audit_scorecard", args=[MARCH])).text


def test_a_rep_who_sees_only_their_clocks_gets_no_tile(past, client, people):
    client.force_login(people.rep)
    assert 'id="attained"' not in client.get(reverse("audit_scorecard", args=[MARCH]), **HTMX).text


@pytest.mark.parametrize("address", ["/leads/?apart=no", "/leads/?imported=x", "/leads/?amended_month=May"])
def test_a_kind_that_does_not_exist_is_not_found(agreement, marketer, address):
    assert marketer.get(address).status_code == 404
