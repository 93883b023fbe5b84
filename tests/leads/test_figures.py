"""The figures, recomputed from the raw rows in plain Python."""

import datetime as dt
from collections import Counter
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from leads import figures
from leads.audit.report import audits
from leads.figures import COHORT, PERIOD, Counts, Month
from leads.models import Handoff
from portal.shared import intervals
from sla.models import ReasonCode
from tests import kept
from tests.history import random_cases, write

UTC = dt.UTC
BERLIN, PACIFIC = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
ZONES = [BERLIN, PACIFIC, ZoneInfo("Pacific/Kiritimati")]
LATER = dt.datetime(2026, 10, 15, 8, tzinfo=UTC)
CUTS = [LATER, dt.datetime(2026, 4, 12, 5, tzinfo=UTC)]
MARCH = Month(dt.date(2026, 3, 1))  # clocks go forward in Berlin and in Los Angeles


@pytest.fixture
def version(agreement):
    return agreement


@pytest.fixture
def random_past(version, people):
    cases = random_cases(
        400, seed=11, version=version, owners=[people.rep, people.other_rep],
        start=dt.datetime(2026, 1, 1, tzinfo=UTC), end=dt.datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(lambda: write(version, cases), "random past", version.pk, people.rep.pk, empty="leads_lead")


def raw(zone, as_of):
    """Every handoff as a plain dict with its months in `zone` and its status as of the cut-off."""
    for h in Handoff.objects.select_related("tier", "definition", "reason", "owner"):
        late = any(at and at > as_of for at in (h.decided_at, h.withdrawn_at))
        yield {
            "id": h.pk,
            "qualified": h.qualified_at.astimezone(zone).strftime("%Y-%m") if h.qualified_at <= as_of else None,
            "decided": h.decided_at.astimezone(zone).strftime("%Y-%m") if h.decided_at and not late else None,
            "status": "undecided" if late or h.status == "open" else h.status,
            "reason": None if late or not h.reason else (h.reason.category, h.reason.code),
            "source": h.source,
            "campaign": h.campaign,
            "channel": h.channel,
            "industry": h.industry,
            "segment": band(h.employees),
            "owner": str(h.owner_id) if h.owner else "",
            "tier": h.tier.key if h.tier else "",
            "definition": str(h.definition.number),
        }


def band(employees):
    """The size band of a company, in so many words."""
    if not employees:
        return ""
    if employees < 50:
        return "1-49"
    return "50-199" if employees < 200 else "200-999" if employees < 1000 else "1000+"


def count(rows, month, basis):
    """Counts and reasons by the definitions of docs/figures.md, one row at a time."""
    mqls = [row for row in rows if row["qualified"] == month]
    judged = [row for row in rows if row["decided"] == month] if basis == PERIOD else mqls
    rejected = [row for row in judged if row["status"] == "rejected"]
    counts = Counts(
        mqls=len(mqls),
        sqls=sum(row["status"] == "accepted" for row in judged),
        rejected=len(rejected),
        undecided=sum(row["status"] == "undecided" for row in mqls),
        withdrawn=sum(row["status"] == "withdrawn" for row in mqls),
    )
    return counts, Counter(row["reason"] for row in rejected)


def test_every_figure_equals_a_recount_of_the_raw_rows(random_past):
    for basis, zone, as_of in product(figures.BASES, ZONES, CUTS):
        rows = list(raw(zone, as_of))
        for month in figures.series(Month(dt.date(2026, 6, 1)), 6, basis=basis, as_of=as_of, zone=zone):
            assert (month.counts, month.rejections) == count(rows, str(month.month), basis)


def test_every_breakdown_equals_a_recount_and_sums_to_the_totals(random_past):
    rows = list(raw(BERLIN, LATER))
    for basis, by in product(figures.BASES, figures.DIMENSIONS):
        check_breakdown(rows, basis, by)


def check_breakdown(rows, basis, by):
    cut = figures.slices(MARCH, by, basis=basis, as_of=LATER, zone=BERLIN)
    for row in cut.rows:
        assert row.counts == count([r for r in rows if r[by] == row.key], "2026-03", basis)[0], row
    (month,) = figures.series(MARCH, 1, basis=basis, as_of=LATER, zone=BERLIN)
    for part in (cut.rows, cut.sources):
        for name in ("mqls", "sqls", "rejected", "undecided", "withdrawn"):
            assert sum(getattr(row.counts, name) for row in part) == getattr(month.counts, name)
    by_reason = Counter()
    for (_, category, code), n in cut.heat.items():
        by_reason[category, code] += n
    assert by_reason == month.rejections


@pytest.mark.parametrize("basis", figures.BASES)
@pytest.mark.parametrize("as_of", CUTS, ids=["now", "a cut in April"])
def test_the_rows_behind_a_figure_are_exactly_those_it_counts(random_past, basis, as_of):
    def ids(filters):
        return set(figures.rows(filters, as_of=as_of, zone=PACIFIC).values_list("pk", flat=True))

    cut = figures.slices(MARCH, "owner", basis=basis, as_of=as_of, zone=PACIFIC)
    for what in ("mqls", "sqls", "rejected", "undecided", "withdrawn"):
        filters = figures.counted(what, MARCH, basis)
        for row in cut.rows:
            assert len(ids(filters | {"owner": row.key})) == getattr(row.counts, what)
        for row in cut.sources:
            assert len(ids(filters | {"source": row.key})) == getattr(row.counts, what)
            others = sum(getattr(r.counts, what) for r in cut.sources if r.key != row.key)
            assert len(ids(filters | {"not_source": [row.key]})) == others
    rejected = figures.counted("rejected", MARCH, basis)
    for (source, category, code), n in cut.heat.items():
        assert len(ids(rejected | {"source": source, "category": category, "reason": code})) == n


def test_a_month_begins_at_midnight_of_the_organisations_zone(version):
    midnight_berlin = dt.datetime(2026, 2, 28, 23, tzinfo=UTC)
    tick = dt.timedelta(microseconds=1)
    write(version, [{"qualified_at": at} for at in (midnight_berlin - tick, midnight_berlin, midnight_berlin + tick)])
    assert _mqls(MARCH, BERLIN) == 2
    assert _mqls(MARCH.plus(-1), BERLIN) == 1
    assert _mqls(MARCH, PACIFIC) == 0, "in Los Angeles it is still February"


def test_the_month_in_which_clocks_change_ends_an_hour_earlier_in_utc(version):
    last_moment = dt.datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC)
    write(version, [{"qualified_at": at} for at in (last_moment, last_moment + dt.timedelta(seconds=1))])
    assert MARCH.ends(BERLIN) - MARCH.begins(BERLIN) == dt.timedelta(days=31, hours=-1)
    assert (_mqls(MARCH, BERLIN), _mqls(MARCH.plus(1), BERLIN)) == (1, 1)


def test_where_clocks_skip_midnight_the_month_begins_at_its_first_instant():
    asuncion = ZoneInfo("America/Asuncion")
    assert Month.parse("2017-10").begins(asuncion) == dt.datetime(2017, 10, 1, 4, tzinfo=UTC)


def _mqls(month, zone):
    return figures.series(month, 1, basis=PERIOD, as_of=LATER, zone=zone)[0].counts.mqls


def test_a_month_without_mqls_has_no_rate(version):
    (audit,) = audits(MARCH, MARCH, basis=PERIOD, as_of=LATER, zone=BERLIN)
    assert (audit.rate, audit.tier, audit.change.value, audit.top_reasons) == (None, None, None, ())


def test_more_sqls_than_mqls_show_a_value_without_an_interval_or_a_tier(version):
    may_day = dt.datetime(2026, 4, 20, tzinfo=UTC)
    decided = dt.datetime(2026, 5, 4, tzinfo=UTC)
    write(version, [{"qualified_at": may_day, "decided_at": decided}] * 3 + [{"qualified_at": decided}] * 2)
    (audit,) = audits(Month.parse("2026-05"), Month.parse("2026-05"), basis=PERIOD, as_of=LATER, zone=BERLIN)
    assert (audit.rate.value, audit.rate.low, audit.tier, audit.change.verdict) == (1.5, None, None, None)
    (cohort,) = audits(Month.parse("2026-05"), Month.parse("2026-05"), basis=COHORT, as_of=LATER, zone=BERLIN)
    assert cohort.rate.value == 0


@pytest.mark.parametrize("basis", figures.BASES)
def test_rejecting_never_raises_the_rate(random_past, version, basis):
    before = figures.series(MARCH, 1, basis=basis, as_of=LATER, zone=BERLIN)[0]
    open_ones = figures.rows(figures.counted("undecided", MARCH, basis), as_of=LATER, zone=BERLIN)
    reason = version.reasons.first()
    decide(open_ones, dt.datetime(2026, 3, 31, 12, tzinfo=UTC), reason)
    after = figures.series(MARCH, 1, basis=basis, as_of=LATER, zone=BERLIN)[0]
    assert after.counts.rejected > before.counts.rejected
    assert after.rate.value <= before.rate.value


def decide(handoffs, at, reason):
    from leads.models import Decision

    for row in handoffs:
        row.standing_decision = Decision.objects.create(
            handoff=row, outcome="rejected", reason=reason, decided_at=at, recorded_at=at
        )
        row.status, row.decided_at, row.reason = "rejected", at, reason
        row.save(update_fields=["standing_decision", "status", "decided_at", "reason"])


@pytest.mark.parametrize(
    ("k", "n", "name"),
    [
        (1, 1000, "broken handoff"),
        (90, 1000, "misaligned"),
        (180, 1000, "average"),
        (10, 40, "average to best-in-class"),
        (220, 1000, "average"),
        (240, 1000, "average to good"),
        (320, 1000, "good"),
        (500, 1000, "best-in-class"),
        (130, 1000, "misaligned to average"),
    ],
)
def test_a_tier_is_a_range_where_the_interval_crosses_a_boundary(k, n, name):
    assert figures.tier(figures.rate(Counts(mqls=n, sqls=k))) == name


def test_forty_mqls_are_enough_to_rank_and_thirty_nine_are_few():
    assert figures.rate(Counts(mqls=39, sqls=9)).few
    assert not figures.rate(Counts(mqls=40, sqls=9)).few


def _month(sqls, mqls, rejections=()):
    labels = {pair: pair[1] for pair, _ in rejections}
    return figures.MonthFigures(MARCH, Counts(mqls=mqls, sqls=sqls), Counter(dict(rejections)), labels)


def test_a_change_within_its_interval_is_noise_and_a_large_one_is_real():
    assert figures.change(_month(127, 594), _month(118, 612)).verdict == "noise"
    real = figures.change(_month(300, 600), _month(118, 612))
    assert real.verdict == "real"
    assert (real.value, real.low, real.high) == pytest.approx(tuple(intervals.newcombe(300, 600, 118, 612)))


def test_a_change_since_a_month_without_mqls_is_unknown():
    assert figures.change(_month(0, 0), _month(118, 612)).value is None


def test_the_top_reason_is_the_most_frequent_code_of_the_most_frequent_category():
    month = _month(0, 900, [(("fit", "11"), 60), (("scoring", "41"), 50), (("scoring", "42"), 120)])
    assert [r.code for r in figures.top_reasons(month)] == ["42"]


def test_categories_that_cannot_be_told_apart_give_two_candidates():
    month = _month(0, 900, [(("fit", "11"), 60), (("timing", "21"), 58), (("data", "31"), 5)])
    assert [r.code for r in figures.top_reasons(month)] == ["11", "21"]


def test_codes_of_one_category_that_cannot_be_told_apart_give_two_candidates():
    month = _month(0, 900, [(("fit", "11"), 60), (("fit", "12"), 58), (("data", "31"), 5)])
    assert [r.code for r in figures.top_reasons(month)] == ["11", "12"]


def test_a_reason_is_named_as_in_the_newest_version_that_used_it(version, now):
    from tests import cast

    newer = cast.agreement(at=now - dt.timedelta(days=1), reasons=(
        ("11", "fit", "Too small a company", "As before.", "", "", {}),
    ))  # fmt: skip
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    for law in (version, newer):
        write(law, [{"qualified_at": at, "decided_at": at, "reason": ReasonCode.objects.get(version=law, code="11")}])
    (month,) = figures.series(MARCH, 1, basis=PERIOD, as_of=LATER, zone=BERLIN)
    assert [(r.code, r.label, r.n) for r in month.reasons] == [("11", "Too small a company", 2)]


def test_an_amended_decision_counts_as_it_stands(open_lead, people, now):
    from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff

    lead = open_lead()
    minute = dt.timedelta(minutes=1)
    reject_handoff(handoff_id=lead.pk, by=people.rep, at=now, reason="11")
    reopen_handoff(handoff_id=lead.pk, by=people.rep, at=now + minute)
    accept_handoff(handoff_id=lead.pk, by=people.rep, at=now + 2 * minute)
    (month,) = figures.series(Month.parse("2026-10"), 1, basis=PERIOD, as_of=now + 3 * minute, zone=BERLIN)
    assert (month.counts.sqls, month.counts.rejected, month.counts.undecided) == (1, 0, 0)


def test_the_median_first_contact_counts_those_who_still_wait(version):
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    hour = dt.timedelta(hours=1)
    touched = [{"qualified_at": at, "first_touch_at": at + i * hour} for i in (1, 2, 3)]
    waiting = [{"qualified_at": at}] * 2
    write(version, touched + waiting)
    contact = figures.first_contact(MARCH, as_of=LATER, zone=BERLIN)
    assert (contact.median, contact.n) == (3 * hour, 5), "leaving the two out would say two hours"


def test_the_median_first_contact_is_kaplan_and_meiers(random_past):
    expected = kaplan_meier_median(figures.rows({"qualified_month": MARCH}, as_of=LATER, zone=BERLIN))
    assert figures.first_contact(MARCH, as_of=LATER, zone=BERLIN).median == expected


def kaplan_meier_median(handoffs):
    waits = []
    for h in handoffs:
        end = h.first_touch_at or h.decided_at or h.withdrawn_at or LATER
        waits.append((end - h.qualified_at, bool(h.first_touch_at)))
    survival = 1.0
    for t in sorted({wait for wait, touched in waits if touched}):
        at_risk = sum(wait >= t for wait, _ in waits)
        survival *= 1 - sum(wait == t and touched for wait, touched in waits) / at_risk
        if survival <= 0.5:
            return t
    return None


def test_the_median_is_unknown_when_fewer_than_half_were_contacted(version):
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    write(version, [{"qualified_at": at, "first_touch_at": at + dt.timedelta(minutes=3)}] + [{"qualified_at": at}] * 2)
    contact = figures.first_contact(MARCH, as_of=LATER, zone=BERLIN)
    assert (contact.median, contact.within_5_min) == (None, 1)
