"""What leads were worth in the end: SQL → opportunity → won, value and time to close, by cohort; it only reads.

A cohort are the handoffs qualified in some months. Figures are nested: MQLs, of them the SQLs (accepted), of them the
opportunities (a deal stands for them), of them the won ones; the rate of each step has Wilson's interval. A handoff
with several deals is won if one was won, else open if one is open, else lost. As of a cut-off, as leads.figures.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from leads import figures
from leads.figures import QUALIFIED, STATUS
from leads.figures_speed import MICROSECONDS, Wait, waited
from leads.models import Deal
from portal.shared.intervals import Z_95

WON, LOST, OPEN, ANY, NONE = STATES = ("won", "lost", "open", "any", "none")
MONTH = "month"
DIMENSIONS = {
    MONTH: ("to_char(h.qualified_at AT TIME ZONE %(zone)s, 'YYYY-MM')", "h.held", "h.held", ""),
    **{name: parts[:4] for name, parts in figures.DIMENSIONS.items()},
}


@dataclass(frozen=True)
class Money:
    """Won deals of one currency that have an amount; `mean` per MQL of the cohort, with its normal 95 % interval."""

    currency: str
    deals: int
    total: Decimal
    median: Decimal
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """One cohort, or one value of a dimension in it. `beside`: handoffs with a deal that sales never accepted."""

    key: str
    label: str
    mqls: int
    sqls: int
    opportunities: int
    won: int
    lost: int
    open: int
    beside: int
    money: tuple[Money, ...] = ()
    without_amount: int = 0
    closing: Wait | None = None
    undated: int = field(default=0)

    @property
    def sql_rate(self):
        """MQL → SQL"""
        return share(self.sqls, self.mqls)

    @property
    def opportunity_rate(self):
        """SQL → opportunity"""
        return share(self.opportunities, self.sqls)

    @property
    def won_rate(self):
        """opportunity → won; open ones are not yet won"""
        return share(self.won, self.opportunities)

    @property
    def whole_rate(self):
        """MQL → won"""
        return share(self.won, self.mqls)


def share(k, n):
    """k of n as a figures.Rate, None without any."""
    return figures.rate(figures.Counts(mqls=n, sqls=k))


def worth(span, by, *, as_of, zone):
    """Worth of the span's handoffs along `by` (of DIMENSIONS): months in order, else the most won first. 3 queries."""
    return _worth(span, DIMENSIONS[by], in_order=by == MONTH, as_of=as_of, zone=zone)


def total(span, *, as_of, zone):
    """The Worth of all handoffs of the span together; None without any. Three queries."""
    found = _worth(span, ("''", "h.held", "h.held", ""), in_order=True, as_of=as_of, zone=zone)
    return found[0] if found else None


def among(query, state, *, as_of):
    """Of a queryset of handoffs those whose deals say so: won, lost, open, any or none of them."""
    said = Deal.objects.filter(handoff=OuterRef("pk"), recorded_at__lte=as_of).exclude(outcome=Deal.Outcome.VOID)
    later = Deal.objects.filter(supersedes=OuterRef("pk"), recorded_at__lte=as_of)
    standing = said.filter(~Exists(later))
    won, still, ended = (Exists(standing.filter(outcome=outcome)) for outcome in (WON, OPEN, LOST))
    which = {WON: Q(won), OPEN: ~Q(won) & Q(still), LOST: ~Q(won) & ~Q(still) & Q(ended)}
    return query.filter(which.get(state) or (Exists(standing) if state == ANY else ~Exists(standing)))


# the rows that stood at the cut-off, of the span's handoffs
STANDING = f"""
deals AS (
    SELECT d.*, h.qualified_at, {STATUS} = 'accepted' AS accepted FROM leads_deal d
    JOIN leads_handoff h ON h.id = d.handoff_id
    WHERE {QUALIFIED} AND d.outcome <> 'void' AND d.recorded_at <= %(as_of)s AND NOT EXISTS (
        SELECT FROM leads_deal n WHERE n.supersedes_id = d.id AND n.recorded_at <= %(as_of)s)
)"""
FUNNEL = f"""
WITH {STANDING}, told AS (
    SELECT handoff_id, CASE WHEN bool_or(outcome = 'won') THEN 'won' WHEN bool_or(outcome = 'open') THEN 'open'
        ELSE 'lost' END AS state FROM deals GROUP BY 1
), h AS (
    SELECT {{held}} AS held, {STATUS} = 'accepted' AS accepted, t.state
    FROM leads_handoff h LEFT JOIN told t ON t.handoff_id = h.id WHERE {QUALIFIED}
)
SELECT COALESCE({{key}}, '') AS key, COALESCE(max({{label}}), ''), count(*), count(*) FILTER (WHERE accepted),
    count(state) FILTER (WHERE accepted), count(*) FILTER (WHERE accepted AND state = 'won'),
    count(*) FILTER (WHERE accepted AND state = 'lost'), count(*) FILTER (WHERE accepted AND state = 'open'),
    count(state) FILTER (WHERE NOT accepted)
FROM h {{joins}} GROUP BY 1
"""
HELD = "(SELECT {held} FROM leads_handoff h WHERE h.id = d.handoff_id)"
MONEY = f"""
WITH {STANDING}, h AS (
    SELECT {HELD} AS held, d.handoff_id, d.currency, d.amount FROM deals d WHERE d.accepted AND d.outcome = 'won'
), keyed AS (
    SELECT COALESCE({{key}}, '') AS key, h.* FROM h {{joins}}
), each AS (
    SELECT key, handoff_id, currency, sum(amount) AS amount FROM keyed WHERE amount IS NOT NULL GROUP BY 1, 2, 3
)
SELECT k.key, k.currency, count(*), sum(k.amount), percentile_cont(0.5) WITHIN GROUP (ORDER BY k.amount)::numeric,
    (SELECT sum(e.amount * e.amount) FROM each e WHERE e.key = k.key AND e.currency = k.currency)
FROM keyed k GROUP BY 1, 2 ORDER BY 1, 4 DESC NULLS LAST, 2
"""
CLOSING = f"""
WITH {STANDING}, h AS (
    SELECT {HELD} AS held, d.outcome <> 'open' AND d.closed_at IS NULL AS undated,
        d.outcome <> 'open' AND d.closed_at <= %(as_of)s AS closed,
        {MICROSECONDS.format("LEAST(COALESCE(h.closed_at, %(as_of)s), %(as_of)s)").replace("h.", "d.")} AS length
    FROM deals d WHERE d.accepted
)
SELECT COALESCE({{key}}, ''), undated, closed, length FROM h {{joins}}
"""


def _worth(span, dimension, *, in_order, as_of, zone):
    held, key, label, joins = dimension
    params = {"start": span.begins(zone), "end": span.ends(zone), "as_of": as_of, "zone": str(zone)}
    parts = {"held": held, "key": key, "label": label, "joins": joins}
    counts = {row[0]: row[1:] for row in _ask(FUNNEL.format(**parts), params)}
    money, without = _money(_ask(MONEY.format(**parts), params), {key: row[1] for key, row in counts.items()})
    closing = {}
    for key_of, undated, closed, length in _ask(CLOSING.format(**parts), params):
        cases, missing = closing.setdefault(key_of, ([], []))
        (missing if undated else cases).append((length, bool(closed)))
    found = [
        Worth(
            key_of, *row, money=tuple(money.get(key_of, ())), without_amount=without.get(key_of, 0),
            closing=waited(closing[key_of][0]) if closing.get(key_of, ([],))[0] else None,
            undated=len(closing[key_of][1]) if key_of in closing else 0,
        )
        for key_of, row in counts.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda row: row.key if in_order else (-row.won, -row.mqls, row.label, row.key)))


def _money(rows, mqls):
    """({key: Moneys}, {key: won deals without an amount})"""
    money, without = {}, {}
    for key, currency, deals, total_of, median, squares in rows:
        if not currency:
            without[key] = deals
            continue
        n = mqls[key]
        mean = float(total_of) / n
        spread = sqrt(max(0.0, float(squares) - n * mean * mean) / (n - 1)) if n > 1 else 0.0
        half = Z_95 * spread / sqrt(n)
        money.setdefault(key, []).append(Money(currency, deals, total_of, median, mean, mean - half, mean + half))
    return money, without


def _ask(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
