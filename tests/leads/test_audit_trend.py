"""The audit's trend: limits and verdicts, recomputed from the raw rows in plain Python."""

import datetime as dt
from math import ceil, sqrt
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from leads import figures, figures_trend
from leads.figures import COHORT, PERIOD, Month
from leads.models import Handoff
from tests import cast
from tests.history import random_cases, write

UTC, BERLIN = dt.UTC, ZoneInfo("Europe/Berlin")
LATER = dt.datetime(2026, 10, 15, 8, tzinfo=UTC)
MAY = Month(dt.date(2026, 5, 1))


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        300, seed=21, version=agreement, owners=[people.rep],
        start=dt.datetime(2025, 11, 3, tzinfo=UTC), end=dt.datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip
    return write(agreement, cases)


def asked(last=MAY, months=7, basis=COHORT, as_of=LATER):
    series = figures.series(last, months, basis=basis, as_of=as_of, zone=BERLIN)
    return figures_trend.trend(series, as_of=as_of, zone=BERLIN)


def counted(month):
    """(accepted, delivered) of a "2026-03", one row at a time."""
    rows = [h for h in Handoff.objects.all() if h.qualified_at.astimezone(BERLIN).strftime("%Y-%m") == month]
    return sum(h.status == "accepted" for h in rows), len(rows)


def month_of(version, month, *, sqls, mqls):
    """`mqls` handoffs of a month, `sqls` of them accepted in it."""
    at = dt.datetime.fromisoformat(f"{month}-10T10:00:00+00:00")
    write(version, [{"qualified_at": at} | ({"decided_at": at} if i < sqls else {}) for i in range(mqls)])


def test_limits_are_three_standard_errors_around_the_average_of_the_raw_rows(past):
    found = asked()
    pairs = {str(m.month): counted(str(m.month)) for m, _, _ in found.rows}
    average = sum(k for k, _ in pairs.values()) / sum(n for _, n in pairs.values())
    (phase,) = found.phases
    assert phase.chart.average == pytest.approx(average)
    for month, _, limits in found.rows:
        k, n = pairs[str(month.month)]
        half = 3 * phase.chart.spread * sqrt(average * (1 - average) / n)
        assert limits.rate == pytest.approx(k / n)
        assert (limits.low, limits.high) == pytest.approx((max(0, average - half), min(1, average + half)))


def test_a_month_that_is_not_over_or_has_more_sqls_than_mqls_moves_no_average(agreement):
    month_of(agreement, "2026-01", sqls=20, mqls=100)
    month_of(agreement, "2026-02", sqls=30, mqls=100)
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    write(agreement, [{"qualified_at": at.replace(month=2), "decided_at": at} for _ in range(3)])
    found = asked(Month(dt.date(2026, 3, 1)), 3, PERIOD)
    assert [limits is None for _, _, limits in found.rows] == [False, False, True]
    assert (found.phases[0].sqls, found.phases[0].mqls) == (50, 203)
    unfinished = asked(Month(dt.date(2026, 2, 1)), 2, COHORT, dt.datetime(2026, 2, 20, tzinfo=UTC))
    assert [limits is None for _, _, limits in unfinished.rows] == [False, True]


def test_each_definition_has_its_own_average_and_the_step_between_two_is_judged(agreement):
    for month in ("2026-01", "2026-02", "2026-03"):
        month_of(agreement, month, sqls=120, mqls=400)
    cast.agreement(at=dt.datetime(2026, 4, 14, tzinfo=UTC))
    for month in ("2026-04", "2026-05"):
        month_of(agreement, month, sqls=60, mqls=400)
    found = asked(MAY, 5)
    assert [(p.definition, p.sqls, p.mqls) for p in found.phases] == [(1, 360, 1200), (2, 120, 800)]
    (step,) = found.steps
    assert (step.verdict, round(step.change.difference, 3)) == ("real", -0.15)
    assert [(b.version, b.definition, b.new) for b in found.began] == [(2, 2, True)]
    assert all(not limits.is_signal for _, _, limits in found.rows), "the step is no signal within a phase"


def test_the_months_of_waiting_are_the_sample_size_over_the_mqls_a_month(agreement):
    for month in ("2026-03", "2026-04", "2026-05"):
        month_of(agreement, month, sqls=20, mqls=100)
    needed = asked(MAY, 3).needed(0.05)
    assert needed.mqls == 1094, "Fleiss: 20 % against 25 %, 80 % power, two-sided 5 %"
    assert needed.months == ceil(1094 / 100)
    assert asked(MAY, 3).needed(-0.25) is None
    assert asked(MAY, 3).needed(0.0) is None


@pytest.fixture
def reader(people):
    client = Client()
    client.force_login(people.marketer)
    return client


def test_the_page_loads_the_trend_as_a_part_and_it_is_a_page_of_its_own(past, reader):
    assert 'hx-get="/audit/2026-05/trend/?basis=cohort"' in reader.get("/audit/2026-05/?basis=cohort").content.decode()
    part = reader.get("/audit/2026-05/trend/?basis=cohort", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<section class="section" id="trend"')
    whole = reader.get("/audit/2026-05/trend/?basis=cohort").content.decode()
    assert "<h1>Trend of the rate</h1>" in whole
    assert "May lies" in whole


def test_a_change_of_ones_own_is_answered_and_nonsense_is_refused(past, reader):
    said = reader.get("/audit/2026-05/trend/?basis=cohort&points=7").content.decode()
    needed = asked(months=12).needed(0.07)
    assert f"<b>{needed.months} month" in said
    assert reader.get("/audit/2026-05/trend/?points=abc").status_code == 422
    assert "Such a change cannot be" in reader.get("/audit/2026-05/trend/?points=99").content.decode()


def test_without_any_lead_the_trend_says_so(agreement, reader):
    said = reader.get("/audit/2026-05/trend/").content.decode()
    assert "May cannot be told from chance yet" in said
    assert "Without a full month of MQLs this cannot be told." in said
