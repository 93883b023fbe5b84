"""Every figure of the audit against a second computation from the raw rows that shares no code with the portal."""

import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from leads import figures, figures_disputes, figures_fix, figures_left_out, figures_pairs, figures_speed, figures_trend
from leads.audit import quality
from leads.audit import scorecard as score
from leads.audit.closing import close_audit, read
from leads.audit.report import Audit
from leads.figures import Month
from leads.models import Handoff, Rollup
from leads.services.rollup import rebuild_rollup
from portal.accounts.models import User
from tests import cast
from tests.history import write
from tests.leads.test_demo import NOW, company  # noqa: F401 (a fixture)
from tests.leads.test_edtech_audit import funnel  # noqa: F401 (a fixture)
from tests.lives import DAY, live
from tests.recount import Recount, dump, sections
from tests.recount.rows import share
from tests.recount.statistics import sample_size

UTC = dt.UTC
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana", "Asia/Kathmandu",
         "Australia/Lord_Howe")  # fmt: skip
# leap and other Februaries, both changes of clocks, one of them on the month's first day (Havana), a turn of the year
MONTHS = ("2024-02", "2026-02", "2026-03", "2026-10", "2026-11", "2026-12")
CLOSE = Decimal("1e-12")
MICROSECOND = dt.timedelta(microseconds=1)
REJECT = """
WITH given(handoff, at, reason) AS (VALUES (%s::bigint, %s::timestamptz, %s::bigint)), decided AS (
    INSERT INTO leads_decision (handoff_id, outcome, reason_id, decided_at, recorded_at, via, attribute, field, signal,
        note, supersedes_id)
    SELECT g.handoff, 'rejected', g.reason, g.at, g.at, 'page', '', '', '', '', h.standing_decision_id
    FROM given g JOIN leads_handoff h ON h.id = g.handoff RETURNING id
)
UPDATE leads_handoff h SET status = 'rejected', decided_at = g.at, reason_id = g.reason,
    standing_decision_id = (SELECT id FROM decided)
FROM given g WHERE h.id = g.handoff
"""


# --- equal to the last digit -----------------------------------------------------------------------------
def same(found, exact, where="audit"):
    """Whether the portal's value is the exact one: numbers to twelve digits, all else as it is."""
    if isinstance(exact, dict):
        assert set(found) >= set(exact), where
        for key, value in exact.items():
            same(found[key], value, f"{where}.{key}")
    elif isinstance(exact, list | tuple):
        assert len(found) == len(exact), where
        for place, (one, other) in enumerate(zip(found, exact, strict=True)):
            same(one, other, f"{where}[{place}]")
    elif isinstance(exact, Decimal | Fraction) and found is not None:
        exact = Decimal(exact.numerator) / exact.denominator if isinstance(exact, Fraction) else exact
        assert abs(Decimal(repr(float(found))) - exact) <= CLOSE * max(1, abs(exact)), (where, found, exact)
    else:
        assert found == exact, where


def rate_of(rate):
    return rate and {"value": rate.value, "low": rate.low, "high": rate.high}


def counts_of(counts):
    return {name: getattr(counts, name) for name in ("mqls", "sqls", "rejected", "undecided", "withdrawn")}


class Both:
    """A month asked of the portal and of the recount, in one zone and at one cut-off."""

    def __init__(self, month, *, zone, as_of, tables):
        self.month, self.when = month, {"as_of": as_of, "zone": zone}
        self.key = month.first.year, month.first.month
        self.recount = Recount(tables, zone=zone, as_of=as_of)
        self.before, self.now = {}, {}
        for basis in figures.BASES:
            self.before[basis], self.now[basis] = figures.series(month, 2, basis=basis, **self.when)

    def check_audit(self, dimensions=figures.DIMENSIONS):
        """The JSON of the month on both bases, and each breakdown."""
        for basis in figures.BASES:
            found, exact = self.audit(basis), self.recount.audit(self.key, basis)
            same(found.as_json(), exact, f"{self.month} {basis}")
            for by in dimensions:
                rows = figures.slices(self.month, by, basis=basis, **self.when).rows
                found = sorted(self.audit(basis, by, rows).as_json()["breakdown"], key=lambda row: str(row))
                exact = self.recount.breakdown(self.key, basis, by)
                key = lambda row: (row["key"], row["mqls"], row["sqls"], row["rejected"])  # noqa: E731
                same(sorted(found, key=key), sorted(exact, key=key), f"{self.month} {basis} {by}")
                for name, total in counts_of(self.now[basis].counts).items():
                    assert sum(getattr(row.counts, name) for row in rows) == total, f"{by} does not add up"

    def audit(self, basis, by=None, rows=()):
        return Audit(self.now[basis], self.before[basis], basis, by, rows, *self.when.values())

    def check_pair(self, rows, columns):
        """Every cell of two dimensions, every line, every head."""
        for basis in figures.BASES:
            pair = figures_pairs.pair(self.month, rows, columns, basis=basis, **self.when)
            for (line, one), (head, other) in product(enumerate(pair.lines), enumerate(pair.heads)):
                exact = self.recount.counts(self.key, basis, self.lets(pair, one, other))
                self.same_cell(pair, pair.cell(line, head), exact)
            for one in pair.lines:
                self.same_cell(pair, one.counts, self.recount.counts(self.key, basis, self.lets(pair, one)))
            assert counts_of(pair.total) == self.recount.counts(self.key, basis)

    @staticmethod
    def same_cell(pair, counts, exact):
        found = counts_of(counts)
        if pair.is_of_reasons:
            found, exact = found["rejected"], exact["rejected"]
        assert found == exact

    def lets(self, pair, line, head=None):
        """Whether a raw handoff belongs to the line, and to the head."""

        def lies_in(handoff):
            if pair.is_of_reasons:
                reason, (category, code) = self.recount.reason(handoff), line.key
                if not reason or reason["category"] != category or code not in ("", reason["code"]):
                    return False
            elif not self.has_value(handoff, pair.rows, pair.lines, line):
                return False
            return head is None or self.has_value(handoff, pair.columns, pair.heads, head)

        return lies_in

    def has_value(self, handoff, by, lines, line):
        """Of a dimension the line's value, or none of those that have a line of their own."""
        key, own = self.recount.value_of(handoff, by)[0], {each.key for each in lines}
        return key not in own if line.key == figures_pairs.OTHERS else key == line.key

    def check_trend(self, months=12):
        for basis in figures.BASES:
            series = figures.series(self.month, months, basis=basis, **self.when)
            found = figures_trend.trend(series, **self.when)
            keys = [(m.month.first.year, m.month.first.month) for m in series]
            exact = sections.trend(self.recount, keys, basis)
            assert [phase.definition for phase in found.phases] == [definition for definition, *_ in exact]
            for phase, (_, (average, factor), limits, pairs) in zip(found.phases, exact, strict=True):
                assert (phase.sqls, phase.mqls) == tuple(map(sum, zip(*pairs, strict=True)))
                same([phase.chart and phase.chart.average, phase.chart and phase.chart.spread], [average, factor])
                same([each and each[1:] for each in phase.limits], [ends for _, ends in limits])
            last = next((phase for phase in reversed(exact) if phase[1][0]), None)
            for change in (0.03, -0.05):
                needed, average = found.needed(change), last and last[1][0]
                if needed is not None:
                    assert needed.mqls == sample_size(average, Decimal(str(change)))

    def check_speed(self):
        found, (bands, waits, sums) = (
            figures_speed.speed(self.month, **self.when),
            sections.speed(self.recount, self.key),
        )
        for band in found.bands:
            assert counts_of(band.counts) == {name: bands[band.key][name] for name in counts_of(band.counts)}
            same(rate_of(band.rate), share(band.counts.sqls, band.counts.mqls))
        for wait, exact in zip((found.contact, found.routing, found.owner), waits, strict=True):
            assert wait.n == exact["n"]
            assert [wait.median, wait.known] == [_length(exact["median"]), _length(exact["known"])]
            for minutes in (1, 5, 60, 1440, 10_080):
                same(
                    wait.done_within(dt.timedelta(minutes=minutes)), sections.done_within(exact, minutes * 60_000_000)
                )
        assert found.shared == tuple(map(_length, sums))
        first = figures.first_contact(self.month, **self.when)
        assert (first.median, first.n) == (_length(waits[0]["median"]), waits[0]["n"])
        assert first.within_5_min == bands["5min"]["mqls"]

    def check_the_rest(self):
        """Disputes, what is left out, and what the top reasons' leads have in common."""
        for basis in figures.BASES:
            found = figures_disputes.disputes(self.month, basis=basis, **self.when)
            states, waiting, mqls = sections.disputes(self.recount, self.key, basis)
            assert found.all.opened == states.total()
            for each in found.reasons:
                mine = {
                    s: sum(n for (t, _, code, _), n in states.items() if (t, code) == (s, each.key)) for s in STATES
                }
                assert {s: each.counts[s] for s in STATES} == mine
            assert {rep.key: rep.opened for rep in found.reps} == _by_rep(states)
            assert (found.open_now, found.open_mqls) == (waiting, mqls)
            left = figures_left_out.left_out(self.month, basis=basis, **self.when)
            exact = {kind: n for kind, n in sections.left_out(self.recount, self.key, basis).items() if n}
            assert {each.kind: each.n for each in left} == exact
            for reason in figures.top_reasons(self.now[basis]):
                self.check_signs(reason, basis)

    def check_signs(self, reason, basis):
        found = figures_fix.signs(self.month, reason, basis=basis, **self.when)
        exact, n, m = sections.signs(self.recount, self.key, basis, reason.category, reason.code)
        if reason.category == "data":
            return
        assert (found.rejected, found.accepted) == (n, m)
        named = {(one.sign.key, one.sign.of): one for one in found.found}
        assert set(named) == set(exact)
        for key, (k, j, lift, change) in exact.items():
            one = named[key]
            assert (one.sign.rejected, one.sign.accepted) == (k, j)
            same(one.lift, lift)
            same(one.change, change)

    def check_promises(self):
        card = score.scorecard(self.month, **self.when)
        exact, accepted, mqls = sections.promises(self.recount, self.key)
        found = {(p.version.number, p.kind, p.commitment and p.commitment.tier and p.commitment.tier.key): p
                 for p in card.promises}  # fmt: skip
        assert set(found) == set(exact)
        for key, (k, n, target) in exact.items():
            one = found[key]
            assert (one.k, one.n, one.target) == (k, n, target), key
            if key[1] != "mqls":
                assert one.verdict == sections.verdict(k, n, target), key
        assert (card.accepted, card.mqls) == (accepted, mqls)
        if card.version and len({key[0] for key in exact}) == 1:
            same(_attained(card), sections.attained(exact, accepted, mqls, self.version(card.version.pk)))
        people = score.by_person(self.month, people=User.objects.all(), **self.when)
        found = {
            (one.person.pk, clock): getattr(one, clock)[:2] for one in people for clock in ("contact", "decision")
        }
        assert found == sections.clocks_by_person(self.recount, self.key)

    def version(self, key):
        of = [c for c in self.recount.tables["sla_commitment"] if c["version_id"] == key]
        return self.recount.by_id["sla_slaversion"][key] | {"commitments": of}

    def check_quality(self):
        found = quality.rejections(self.month, among=Handoff.objects.all(), **self.when)
        data = quality.bad_data(found)
        flags = {
            "hurried": (quality.hurried(found).count(), quality.timed(found).count()),
            "bad-data": (len(data.complete), data.told),
            "bulk": (quality.in_bulk(found).count(), found.count()),
        }
        assert flags == sections.flags(self.recount, self.key)
        one = {each.owner: (each.code, each.share.k, each.share.n) for each in quality.one_reason(found)}
        assert one == sections.one_reason(self.recount, self.key)
        agreed = quality.agreement(self.month)
        same((agreed.codes, agreed.categories), sections.agreement(self.recount, self.key))


STATES = ("waiting", "upheld", "overturned", "settled")


def _by_rep(states):
    found = {}
    for (*_, rep), n in states.items():
        key = "" if rep is None else str(rep)
        found[key] = found.get(key, 0) + n
    return found


def _attained(card):
    found = card.attainment
    return found.marketing, found.sales, found.joint, found.value


def _length(microseconds):
    return None if microseconds is None else microseconds * MICROSECOND


# --- random histories --------------------------------------------------------------------------------------
@pytest.fixture
def two_agreements(people):
    """One since 2022, another with a definition of its own since 10 February 2026."""
    versions = [cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC))]
    return [*versions, cast.agreement(at=dt.datetime(2026, 2, 10, tzinfo=UTC))]


@contextmanager
def undone():
    """What is written inside is gone afterwards; a savepoint of its own, as verbs refuse to be nested."""
    point = transaction.savepoint_create()
    try:
        yield
    finally:
        connection.needs_rollback = False  # after a refused statement too, only this savepoint is lost
        transaction.savepoint_rollback(point)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate])
@given(
    seed=some.integers(0, 10**6), zone=some.sampled_from(ZONES), month=some.sampled_from(MONTHS),
    cut=some.sampled_from(("now", "kept", "within the month")),
)  # fmt: skip
def test_every_figure_of_a_random_history_is_that_of_the_raw_rows(two_agreements, people, seed, zone, month, cut):
    """In zones far apart; now, now out of the roll-up, and as it was known within the month."""
    zone, month = ZoneInfo(zone), Month.parse(month)
    with undone():
        for place, version in enumerate(two_agreements):
            live(45, seed=seed + place, month=month, zone=zone, version=version, people=people)
        as_of = month.begins(zone) + 17 * DAY if "within" in cut else month.ends(zone) + 90 * DAY
        if cut == "kept":
            assert rebuild_rollup(at=as_of, zone=zone)
            assert Rollup.objects.exists()
        both = Both(month, zone=zone, as_of=as_of, tables=dump(connection))
        both.check_audit()
        both.check_pair("reason", "owner")
        both.check_pair("segment", "source")
        both.check_trend()
        both.check_speed()
        both.check_the_rest()
        both.check_promises()
        if "within" not in cut:
            both.check_quality()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate])
@given(seed=some.integers(0, 10**6), zone=some.sampled_from(ZONES), month=some.sampled_from(MONTHS))
def test_one_more_rejection_never_raises_a_rate(two_agreements, people, seed, zone, month):
    """Neither of a lead that was open, nor of one that marketing delivers on top; in no month and on no basis."""
    zone, month, version = ZoneInfo(zone), Month.parse(month), two_agreements[0]
    reason, as_of = version.reasons.first(), month.ends(zone) + 90 * DAY

    def rates():
        asked = {"as_of": as_of, "zone": zone}
        found = [m for basis in figures.BASES for m in figures.series(month.plus(1), 3, basis=basis, **asked)]
        return [m.rate and m.rate.value for m in found]

    with undone():
        handoffs = live(60, seed=seed, month=month, zone=zone, version=version, people=people)
        before = rates()
        waiting = next(h for h in handoffs if h.status == "open")
        at = max(waiting.qualified_at, month.begins(zone)) + DAY
        with connection.cursor() as cursor:
            cursor.execute(REJECT, [waiting.pk, at, reason.pk])
        assert all(new <= old for new, old in zip(rates(), before, strict=True) if old is not None)
        at = month.begins(zone) + 3 * DAY
        write(version, [{"qualified_at": at, "decided_at": at + DAY, "reason": reason}])
        assert all(new <= old for new, old in zip(rates(), before, strict=True) if old is not None)


# --- real files, and the invented year ------------------------------------------------------------------------
def test_every_figure_of_the_education_funnel_is_that_of_the_raw_rows(funnel):  # noqa: F811 (the fixture)
    as_of, tables = dt.datetime(2022, 6, 1, tzinfo=UTC), dump(connection)
    for month in ("2021-12", "2022-01", "2022-02", "2022-03"):
        both = Both(Month.parse(month), zone=BERLIN, as_of=as_of, tables=tables)
        both.check_audit()
        both.check_pair("reason", "source")
        both.check_pair("campaign", "owner")
        both.check_trend()
        both.check_speed()
        both.check_the_rest()
        both.check_promises()
        both.check_quality()


def test_every_figure_of_the_demo_year_is_that_of_the_raw_rows(company):  # noqa: F811 (the fixture)
    tables = dump(connection)
    for back in range(14):
        both = Both(Month.of(NOW, BERLIN).plus(-back), zone=BERLIN, as_of=NOW, tables=tables)
        both.check_audit(dimensions=("source", "owner", "tier", "definition") if back < 3 else ("segment",))
        both.check_speed()
        both.check_the_rest()
        both.check_promises()
        both.check_quality()
    both = Both(Month.of(NOW, BERLIN), zone=BERLIN, as_of=NOW, tables=tables)
    both.check_pair("reason", "source")
    both.check_pair("owner", "segment")
    both.check_trend(14)


def test_what_both_leaders_sign_is_what_the_raw_rows_say_to_the_last_digit(two_agreements, people):
    month, at = Month.parse("2026-03"), dt.datetime(2026, 4, 9, tzinfo=UTC)
    live(200, seed=3, month=month, zone=BERLIN, version=two_agreements[1], people=people)
    tables = dump(connection)
    kept = read(close_audit(month=month, by=people.sales_leader, at=at, zone=BERLIN))
    recount = Recount(tables, zone=BERLIN, as_of=at)
    for basis in figures.BASES:
        same_as_signed(kept["bases"][basis], recount.audit((2026, 3), basis))
        for by, rows in kept["breakdowns"][basis].items():
            exact = recount.breakdown((2026, 3), basis, by)
            same_as_signed(*(sorted(each, key=lambda row: (row["key"], row["mqls"])) for each in (rows, exact)))


def same_as_signed(kept, exact, where="signed"):
    """Whether the record's value is the exact one, rounded to the six digits that are kept of a share."""
    if isinstance(exact, dict):
        for key, value in exact.items():
            same_as_signed(kept[key], value, f"{where}.{key}")
    elif isinstance(exact, list):
        assert len(kept) == len(exact), where
        for one, other in zip(kept, exact, strict=True):
            same_as_signed(one, other, where)
    elif isinstance(exact, Decimal):
        assert Decimal(kept) == exact.quantize(Decimal("0.000001")), where
    else:
        assert kept == exact, where
