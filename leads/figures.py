"""The figures: the one place that defines MQLs, SQLs, rates, intervals, reasons and aging; it only reads.

Every page, command and export asks here. A figure is what is known now, cut at an instant `as_of`: what was qualified,
decided or withdrawn later counts as not yet so. Superseded decisions count nowhere; only the standing one does.
Definitions in words: docs/figures.md. Where the roll-up may answer (leads/rollup.py) it does, in the same statement.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from math import comb
from statistics import NormalDist

from django.db import connection
from django.db.models import Q

from leads import lifecycle, rollup, segments
from leads.models import Handoff
from leads.periods import Month, Span
from portal.shared import intervals
from portal.shared.text import FEW
from sla.models.reasons import Category

PERIOD, COHORT = BASES = ("period", "cohort")
UNDECIDED = "undecided"  # the figures' word for a handoff that is open
BENCHMARK_SOURCE = "MQL-to-SQL benchmarks of the handoff guide this portal was made from"
BENCHMARKS = (
    intervals.Benchmark("broken handoff", 0.0),
    intervals.Benchmark("misaligned", 0.05),
    intervals.Benchmark("average", 0.13),
    intervals.Benchmark("good", 0.25),
    intervals.Benchmark("best-in-class", 0.40, inclusive=False),
)


# --- what a figure is ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """Handoffs of one month or one slice of it. `withdrawn` ones are among the MQLs and shown beside."""

    mqls: int = 0
    sqls: int = 0
    rejected: int = 0
    undecided: int = 0
    withdrawn: int = 0


@dataclass(frozen=True)
class Rate:
    """SQLs ÷ MQLs, shares of 1, with Wilson's 95 % interval: None where SQLs exceed MQLs (period basis only)."""

    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def few(self):
        """Too few MQLs to rank."""
        return self.n < FEW


@dataclass(frozen=True)
class Change:
    """This month's rate minus `since`'s, with Newcombe's 95 % interval; None where it cannot be told."""

    since: Month | Span
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self):
        """ "noise" when the interval holds 0, else "real"; None without an interval."""
        if self.low is None:
            return None
        return "noise" if self.low <= 0 <= self.high else "real"


@dataclass(frozen=True)
class Reason:
    """How often one reason code was given: `n` of all rejections counted, share of 1 with Wilson's interval."""

    category: str
    code: str
    label: str
    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One value of a breakdown. `key` selects it ("" where none is known), `label` is for people."""

    key: str
    label: str
    counts: Counts

    @property
    def rate(self):
        return rate(self.counts)


@dataclass(frozen=True)
class MonthFigures:
    """One month's counts and how often each (category, code) was the reason; `labels` name the reasons."""

    month: Month | Span
    counts: Counts
    rejections: Counter
    labels: dict = field(repr=False)

    @cached_property
    def rate(self):
        return rate(self.counts)

    @cached_property
    def categories(self):
        """{category: rejections}"""
        totals = Counter()
        for (category, _), n in self.rejections.items():
            totals[category] += n
        return totals

    @cached_property
    def reasons(self):
        """Reasons, the most frequent first."""
        total = self.rejections.total()
        return tuple(
            Reason(category, code, self.labels[category, code], n, n / total, *intervals.wilson(n, total))
            for (category, code), n in sorted(self.rejections.items(), key=lambda item: (-item[1], item[0][1]))
        )


@dataclass(frozen=True)
class Slices:
    """The month cut by one dimension, and by source and reason: {(source, category, code): rejections}."""

    rows: tuple[Row, ...]
    sources: tuple[Row, ...]
    heat: dict


@dataclass(frozen=True)
class FirstContact:
    """From qualification to the first contact attempt, elapsed time, of one month's MQLs."""

    median: dt.timedelta | None
    n: int
    within_5_min: int


def rate(counts):
    """The Rate of `counts`, or None without MQLs: nothing delivered is no rate of zero."""
    k, n = counts.sqls, counts.mqls
    if n == 0:
        return None
    low, high = intervals.wilson(k, n) if k <= n else (None, None)
    return Rate(k / n, low, high, n)


def tier(rate):
    """ "average", or "average to good" where the interval crosses a boundary; None without an interval."""
    if rate is None or rate.low is None:
        return None
    return intervals.benchmark_tier(rate.low, rate.high, rate.value, BENCHMARKS)


def change(before, after):
    """The Change between the rates of two MonthFigures."""
    old, new = before.rate, after.rate
    if old is None or new is None:
        return Change(before.month)
    if old.low is None or new.low is None:
        return Change(before.month, new.value - old.value)
    a, b = before.counts, after.counts
    return Change(before.month, *intervals.newcombe(a.sqls, a.mqls, b.sqls, b.mqls))


def top_reasons(figures):
    """The top reason: the most frequent category's most frequent code; two candidates where they cannot be told apart.

    Two categories that cannot be told apart send one code each; else two codes of the top category may be candidates.
    """
    total = figures.rejections.total()
    order = list(Category.values)
    ranked = sorted(figures.categories.items(), key=lambda item: (-item[1], order.index(item[0])))
    if not ranked:
        return ()
    best = {category: [r for r in figures.reasons if r.category == category] for category, _ in ranked[:2]}
    (top, n), *others = ranked
    if others and not intervals.distinguishable(n, others[0][1], total):
        return best[top][0], best[others[0][0]][0]
    first, *rest = best[top]
    if rest and not intervals.distinguishable(first.n, rest[0].n, total):
        return first, rest[0]
    return (first,)


def reason_change(before, after, reason):
    """The Change of one reason's share of all rejections between two MonthFigures."""
    k1, n1 = before.rejections[reason.category, reason.code], before.rejections.total()
    if not n1:
        return Change(before.month)
    return Change(before.month, *intervals.newcombe(k1, n1, reason.n, after.rejections.total()))


def ends(found):
    """The Rows with the highest and the lowest rate, if they differ beyond chance; else None.

    Rows with few MQLs are not ranked. The two are compared at 5 % divided by the number of pairs (Bonferroni), as
    they were picked for being the ends.
    """
    known = [row for row in found if row.rate and row.rate.low is not None and not row.rate.few]
    ranked = sorted(known, key=lambda row: row.rate.value)
    if len(ranked) < 2:
        return None
    worst, best = ranked[0], ranked[-1]
    z = NormalDist().inv_cdf(1 - 0.025 / comb(len(ranked), 2))
    low, high = worst.counts, best.counts
    certain = not intervals.newcombe(low.sqls, low.mqls, high.sqls, high.mqls, z).is_noise
    return (best, worst) if certain else None


# --- which handoffs a figure counts -------------------------------------------------------------------


def counted(what, month, basis):
    """The filters (see `rows`) of the handoffs behind a figure: mqls, sqls, rejected, undecided or withdrawn."""
    if what == "mqls":
        return {"qualified_month": month}
    status = {"sqls": lifecycle.ACCEPTED}.get(what, what)
    decided = what in ("sqls", "rejected")
    side = "decided_month" if decided and basis == PERIOD else "qualified_month"
    return {side: month, "status": status}


DIMENSIONS = {  # name: (what a handoff holds, SQL of the key, of the label, joins, lookup of the key in a queryset)
    "source": ("h.source", "h.held", "h.held", "", "source"),
    "campaign": ("h.campaign", "h.held", "h.held", "", "campaign"),
    "channel": ("h.channel", "h.held", "h.held", "", "channel"),
    "industry": ("h.industry", "h.held", "h.held", "", "industry"),
    "segment": ("h.segment", "h.held", segments.label_sql("h.held"), "", "segment"),
    "owner": ("h.owner_id", "h.held::text", "o.name", "LEFT JOIN accounts_user o ON o.id = h.held", "owner_id"),
    "tier": ("h.tier_id", "t.key", "t.name", "LEFT JOIN sla_tier t ON t.id = h.held", "tier__key"),
    "definition": (
        "h.definition_id", "d.number::text", "'Definition v' || d.number",
        "LEFT JOIN sla_mqldefinition d ON d.id = h.held", "definition__number",
    ),
}  # fmt: skip


def rows(filters, *, as_of, zone, among=None):
    """The handoffs that `filters` select: exactly those that the figures count.

    filters: qualified_month, decided_month (Month), status (accepted, rejected, undecided, withdrawn), category,
    reason (code), each of DIMENSIONS ("" for none), not_<dimension> (a list of values), exploration (those alone that
    no figure counts). Months are of `zone`.
    """
    query = Handoff.objects.all() if among is None else among
    query = query.filter(exploration=bool(filters.get("exploration")))
    for side in ("qualified_at", "decided_at"):
        if month := filters.get(side.replace("_at", "_month")):
            inside = {f"{side}__gte": month.begins(zone), f"{side}__lt": month.ends(zone), f"{side}__lte": as_of}
            query = query.filter(**inside)
    if status := filters.get("status"):
        query = query.filter(_has_status(status, as_of))
    if category := filters.get("category"):
        query = query.filter(reason__category=category)
    if code := filters.get("reason"):
        query = query.filter(reason__code=code)
    for name in DIMENSIONS:
        if (value := filters.get(name)) is not None:
            query = query.filter(_is_one_of(name, [value]))
        if others := filters.get(f"not_{name}"):
            query = query.exclude(_is_one_of(name, others))
    return query


def _is_one_of(name, values):
    *_, lookup = DIMENSIONS[name]
    found = Q(**{f"{lookup}__in": [value for value in values if value != ""]})
    missing = Q(**{f"{lookup}__isnull": True}) if name in ("owner", "tier") else Q(**{lookup: ""})
    return found | missing if "" in values else found


def _has_status(status, as_of):
    later = Q(decided_at__gt=as_of) | Q(withdrawn_at__gt=as_of)
    if status == UNDECIDED:
        return Q(status=lifecycle.OPEN) | later
    column = "withdrawn_at" if status == lifecycle.WITHDRAWN else "decided_at"
    return Q(status=status, **{f"{column}__lte": as_of})


# --- the questions ------------------------------------------------------------------------------------

STATUS = f"CASE WHEN h.decided_at > %(as_of)s OR h.withdrawn_at > %(as_of)s THEN '{lifecycle.OPEN}' ELSE h.status END"
# what exploration handed over is in no figure but its own count
WITHIN = "h.{0} >= %(start)s AND h.{0} < %(end)s AND h.{0} <= %(as_of)s AND NOT h.exploration"
QUALIFIED, DECIDED = WITHIN.format("qualified_at"), WITHIN.format("decided_at")

# A month at a time, so that each is a range of one index that answers alone. What was qualified in it are its MQLs;
# sales is judged by what was decided in it (period) or by what became of its MQLs (cohort).
PER_MONTH = """
SELECT m.place, {mqls} AS mqls, {judged} AS judged, found.* FROM months m, LATERAL (
    SELECT {status} AS status, {reason} AS reason_id, count(*) AS n FROM leads_handoff h
    WHERE h.{at} >= m.start AND h.{at} < m.stop AND h.{at} <= %(as_of)s AND NOT h.exploration GROUP BY 1, 2
) found WHERE {no}
"""
DELIVERED = {"no": rollup.NO, "status": STATUS, "at": "qualified_at", "mqls": "true"}
COUNTED = {
    PERIOD: PER_MONTH.format(**DELIVERED, judged="false", reason="NULL::bigint")
    + " UNION ALL "
    + PER_MONTH.format(
        mqls="false", judged="true", status="h.status", reason="h.reason_id", at="decided_at", no=rollup.NO
    ),
    COHORT: PER_MONTH.format(**DELIVERED, judged="true", reason="h.reason_id"),
}
JUDGED = {PERIOD: "k.decided", COHORT: "NOT k.decided"}
ROLLED_UP = f"""
SELECT width_bucket(k.first, %(firsts)s::date[]) AS place, NOT k.decided AS mqls, {{judged}} AS judged, k.status,
    k.reason_id, sum(k.n)::bigint AS n
FROM {rollup.STANDING} k
WHERE k.dimension = %(grain)s AND k.first >= %(first)s AND k.first < %(next)s AND {rollup.YES}
GROUP BY 1, 2, 3, 4, 5 HAVING sum(k.n) <> 0
"""
SERIES = f"""
WITH {rollup.USABLE}, months AS (
    SELECT * FROM unnest(%(starts)s::timestamptz[], %(stops)s::timestamptz[]) WITH ORDINALITY AS m(start, stop, place)
), counted AS ({{rolled_up}} UNION ALL {{counted}})
SELECT c.place, c.mqls, c.judged, c.status, r.category, r.code, r.label, c.n
FROM counted c LEFT JOIN sla_reasoncode r ON r.id = c.reason_id ORDER BY r.version_id
"""


def series(last, months, *, basis, as_of, zone):
    """MonthFigures of the `months` months that end with `last`, oldest first. One query."""
    names = [last.plus(i + 1 - months) for i in range(months)]
    found = _ask(
        SERIES.format(counted=COUNTED[basis], rolled_up=ROLLED_UP.format(judged=JUDGED[basis])), as_of=as_of,
        **_rolled_up(names[0], names[-1], zone), grain="all" if isinstance(last, Month) else "day",
        starts=[month.begins(zone) for month in names], stops=[month.ends(zone) for month in names],
        firsts=[month.first for month in names],
    )  # fmt: skip
    counts, rejections, labels = [Counter() for _ in names], [Counter() for _ in names], {}
    for place, mqls, judged, status, category, code, label, n in found:
        here = counts[place - 1]
        if mqls:
            _count_mqls(here, status, n)
        if judged and status == lifecycle.ACCEPTED:
            here["sqls"] += n
        if judged and status == lifecycle.REJECTED:
            here["rejected"] += n
            rejections[place - 1][category, code] += n
            labels[category, code] = label  # of the newest version that was used
    return [MonthFigures(m, Counts(**c), r, labels) for m, c, r in zip(names, counts, rejections, strict=True)]


def _count_mqls(here, status, n):
    here["mqls"] += n
    if status == lifecycle.OPEN:
        here["undecided"] += n
    if status == lifecycle.WITHDRAWN:
        here["withdrawn"] += n


# Counted by what the rows hold, named afterwards: a few hundred groups are joined, not every handoff.
# The roll-up knows each dimension by itself, so a row of it is one of the slices (`cut`), of the sources, or both.
SLICES = f"""
WITH {rollup.USABLE}, counted AS (
    SELECT {{held}} AS held, h.source, h.reason_id, {{status}} AS status, {{qualified}} AS mql, {{counted}} AS judged,
        count(*) AS n, true AS cut, true AS by_source
    FROM leads_handoff h WHERE ({{where}}) AND {rollup.NO} GROUP BY 1, 2, 3, 4, 5, 6
    UNION ALL
    SELECT CASE WHEN k.dimension = %(by)s THEN {{kept}} END, k.key, k.reason_id, k.status, NOT k.decided, {{judged}},
        sum(k.n)::bigint, k.dimension = %(by)s, k.dimension = 'source'
    FROM {rollup.STANDING} k
    WHERE k.dimension IN (%(by)s, 'source') AND k.first = %(first)s AND ({{judged}} OR NOT k.decided) AND {rollup.YES}
    GROUP BY k.dimension, k.key, k.reason_id, k.status, k.decided HAVING sum(k.n) <> 0
), h AS (
    SELECT COALESCE({{key}}, '') AS key, {{label}} AS label, h.source, r.category, r.code, h.status, h.mql, h.judged,
        h.n, h.cut, h.by_source
    FROM counted h {{joins}} LEFT JOIN sla_reasoncode r ON r.id = h.reason_id
)
SELECT GROUPING(key), GROUPING(code), key, max(label), source, category, code,
    {{mqls}}, {{sqls}}, {{rejected}}, {{undecided}}, {{withdrawn}}
FROM h GROUP BY GROUPING SETS ((cut, key), (by_source, source), (by_source, source, category, code))
HAVING cut OR by_source
"""
NAMED = ("owner", "tier", "definition")  # dimensions whose value is the id of what has the name
SUMS = {
    name: f"COALESCE(sum(n) FILTER (WHERE {which}), 0)::bigint"
    for name, which in (
        ("mqls", "mql"), ("sqls", "judged AND status = 'accepted'"), ("rejected", "judged AND status = 'rejected'"),
        ("undecided", "mql AND status = 'open'"), ("withdrawn", "mql AND status = 'withdrawn'"),
    )
}  # fmt: skip


def sides(basis):
    """Pieces of SQL over handoffs `h`: is it an MQL of the month, is it judged in it, which may count at all."""
    if basis == PERIOD:
        return {
            "qualified": f"({QUALIFIED})", "counted": f"COALESCE({DECIDED}, false)",
            "where": f"({QUALIFIED}) OR ({DECIDED})",
        }  # fmt: skip
    return {"qualified": f"({QUALIFIED})", "counted": "true", "where": QUALIFIED}


def slices(month, by, *, basis, as_of, zone):
    """The month's Slices along `by` (of DIMENSIONS), the largest slice first. One query."""
    held, key, label, joins, _ = DIMENSIONS[by]
    sql = SLICES.format(
        kept="NULLIF(k.key, '')::bigint" if by in NAMED else "k.key", judged=JUDGED[basis],
        held=held, key=key, label=label, joins=joins, status=STATUS, **SUMS, **sides(basis),
    )  # fmt: skip
    found, sources, heat = [], [], {}
    span = {"start": month.begins(zone), "end": month.ends(zone), **_rolled_up(month, month, zone)}
    kept = isinstance(month, Month) and by in rollup.DIMENSIONS
    answer = _ask(sql, by=by, as_of=as_of, **span | {"rolled_up": kept})
    for no_key, no_code, key, label, source, category, code, *numbers in answer:
        counts = Counts(*numbers)
        if not no_key:
            found.append(Row(key, label or "", counts))
        elif no_code:
            sources.append(Row(source, source, counts))
        elif counts.rejected:
            heat[source, category, code] = counts.rejected
    return Slices(_largest_first(found), _largest_first(sources), heat)


def _largest_first(found):
    return tuple(sorted(found, key=lambda row: (-row.counts.mqls, -row.counts.sqls, row.label, row.key)))


# Kaplan–Meier: an MQL without a contact leaves the risk set when it was decided or withdrawn, or at the cut-off.
FIRST_CONTACT = f"""
WITH {rollup.CONTACT_KNOWN}, waited AS (
    SELECT h.first_touch_at IS NOT NULL AND h.first_touch_at <= %(as_of)s AS touched, GREATEST(interval '0',
        LEAST(COALESCE(CASE WHEN h.first_touch_at <= %(as_of)s THEN h.first_touch_at END,
            h.decided_at, h.withdrawn_at, %(as_of)s), %(as_of)s) - h.qualified_at) AS t
    FROM leads_handoff h WHERE {QUALIFIED} AND NOT EXISTS (SELECT FROM known)
), risk AS (
    SELECT t, touched, row_number() OVER (ORDER BY t DESC, touched) AS n FROM waited
), survival AS (
    SELECT t, touched, sum(CASE WHEN NOT touched THEN 0 WHEN n = 1 THEN '-Infinity' ELSE ln((n - 1)::float8 / n) END)
        OVER (ORDER BY n DESC) AS log_s
    FROM risk
)
SELECT * FROM known UNION ALL
SELECT min(t) FILTER (WHERE touched AND log_s <= ln(0.5) + 1e-9), count(*),
    count(*) FILTER (WHERE touched AND t <= interval '5 min')
FROM survival HAVING NOT EXISTS (SELECT FROM known)
"""


def first_contact(month, *, as_of, zone, recount=False):
    """The month's FirstContact; median None where half were not contacted. One query; `recount` reads no roll-up."""
    span = {"start": month.begins(zone), "end": month.ends(zone), **_rolled_up(month, month, zone)}
    kept = isinstance(month, Month) and not recount
    ((median, n, fast),) = _ask(FIRST_CONTACT, as_of=as_of, **span | {"rolled_up": kept})
    return FirstContact(median, n, fast)


EXTENT = """
SELECT (SELECT min(qualified_at) FROM leads_handoff WHERE qualified_at <= %(as_of)s),
    (SELECT max(qualified_at) FROM leads_handoff WHERE qualified_at <= %(as_of)s),
    (SELECT max(decided_at) FROM leads_handoff WHERE decided_at <= %(as_of)s)
"""


def months_with_data(*, as_of, zone):
    """(first, last) Month with a handoff or a decision by `as_of`; None where there is no handoff. One query."""
    ((first, last, decided),) = _ask(EXTENT, as_of=as_of)
    return first and (Month.of(first, zone), Month.of(max(last, decided or last), zone))


def _rolled_up(first, last, zone):
    """What the roll-up is asked for: the days from the first of `first` to the last of `last`, in its zone."""
    return {"rolled_up": True, "zone": str(zone), "first": first.first, "next": last.plus(1).first}


def _ask(sql, **params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
