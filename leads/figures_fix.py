"""Behind the top reason: what its rejected leads have in common that the accepted ones have not; it only reads.

A sign is a rule (bad scoring: where its points were pivotal), a value of an attribute that reps named (bad fit), a
source (bad timing), or a field at fault with its source (bad data). Each is counted on the month's rejections for the
reason and on its acceptances, and the two shares are compared at 5 % divided by the number of signs (Bonferroni).
"""

from collections import Counter
from dataclasses import dataclass
from math import inf
from statistics import NormalDist

from django.db import connection

from leads import figures, segments
from portal.shared import intervals
from sla.models.reasons import Category

SIZES = segments.BANDS  # named by reps as a number, compared by size


@dataclass(frozen=True)
class Sign:
    """`rejected` of the reason's rejections have it, and `accepted` of the acceptances."""

    key: str
    of: str
    label: str
    rejected: int
    accepted: int


@dataclass(frozen=True)
class Compared:
    """A Sign with the shares' ratio (None where no accepted lead has it), judged at the corrected level."""

    sign: Sign
    lift: intervals.Lift | None
    change: intervals.Change

    @property
    def is_real(self):
        """More often on the rejected than on the accepted, beyond chance."""
        return self.lift.low > 1 if self.lift else self.change.low > 0

    @property
    def verdict(self):
        noise = self.lift.is_noise if self.lift else self.change.is_noise
        return "noise" if noise else "real"


@dataclass(frozen=True)
class Signs:
    """The signs of one reason: counted on `rejected` rejections and `accepted` acceptances; the rest had no score."""

    found: tuple[Compared, ...]
    rejected: int
    accepted: int
    left_out: int

    @property
    def tested(self):
        return len(self.found)


JUDGED = "SELECT id, true AS rejected FROM ({0}) r(id) UNION ALL SELECT id, false FROM ({1}) a(id)"
SCORED = """
SELECT g.rejected, h.breakdown IS NOT NULL AND h.tier_id IS NOT NULL, count(*)
FROM ({judged}) g JOIN leads_handoff h ON h.id = g.id GROUP BY 1, 2
"""
# pivotal: without the rule's points the lead would have been under its tier's thresholds
PIVOTAL = """
SELECT r.key, r.axis, max(r.label), count(*) FILTER (WHERE g.rejected), count(*) FILTER (WHERE NOT g.rejected)
FROM ({judged}) g JOIN leads_handoff h ON h.id = g.id JOIN sla_tier t ON t.id = h.tier_id,
    jsonb_to_recordset(h.breakdown -> 'rules') AS r(key text, label text, axis text, points integer)
WHERE r.points > 0 AND (
    h.total - r.points < t.total
    OR r.axis = 'fit' AND h.fit - r.points < t.fit
    OR r.axis = 'behaviour' AND h.behaviour - r.points < t.behaviour
)
GROUP BY 1, 2
"""
FACT = "COALESCE(to_jsonb(l) ->> {0}, l.attributes ->> {0}, '')"
NAMED = f"""
WITH judged AS ({{judged}}), named AS (
    SELECT DISTINCT d.attribute FROM judged g JOIN leads_handoff h ON h.id = g.id
    JOIN leads_decision d ON d.id = h.standing_decision_id WHERE g.rejected AND d.attribute <> ''
)
SELECT n.attribute, trim({FACT.format("n.attribute")}), count(*) FILTER (WHERE g.rejected),
    count(*) FILTER (WHERE NOT g.rejected)
FROM judged g JOIN leads_handoff h ON h.id = g.id JOIN leads_lead l ON l.id = h.lead_id
JOIN leads_decision d ON d.id = h.standing_decision_id CROSS JOIN named n
WHERE NOT g.rejected OR d.attribute = n.attribute GROUP BY 1, 2
"""
SOURCES = """
SELECT h.source, count(*) FILTER (WHERE g.rejected), count(*) FILTER (WHERE NOT g.rejected)
FROM ({judged}) g JOIN leads_handoff h ON h.id = g.id GROUP BY 1
"""
FIELDS = """
SELECT d.field, h.source, h.is_historical, count(*)
FROM ({judged}) g JOIN leads_handoff h ON h.id = g.id JOIN leads_decision d ON d.id = h.standing_decision_id
WHERE g.rejected GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""
RETURNS = """
SELECT CASE WHEN d.recycle_on IS NULL THEN 'none' WHEN wait <= 30 THEN '30' WHEN wait <= 90 THEN '90'
    WHEN wait <= 180 THEN '180' ELSE 'later' END, count(*)
FROM ({judged}) g JOIN leads_handoff h ON h.id = g.id JOIN leads_decision d ON d.id = h.standing_decision_id,
    LATERAL (SELECT d.recycle_on - (d.decided_at AT TIME ZONE %s)::date AS wait) w
WHERE g.rejected GROUP BY 1
"""


def signs(month, reason, *, basis, as_of, zone):
    """The Signs of a figures.Reason of the month, the most frequent on its rejections first; bad data has none."""
    judged, params = _judged(month, reason, basis, as_of, zone)
    sums = Counter()
    for rejected, scored, n in _ask(SCORED.format(judged=judged), params):
        sums[rejected, scored] += n
    needs_score = reason.category == Category.SCORING
    of = {side: sums[side, True] + (0 if needs_score else sums[side, False]) for side in (True, False)}
    asked = {Category.SCORING: _rules, Category.FIT: _values, Category.TIMING: _sources}.get(reason.category)
    found = [sign for sign in (asked(judged, params) if asked else ()) if sign.rejected]
    found.sort(key=lambda sign: (-sign.rejected, sign.accepted, sign.label))
    left_out = sums[True, False] + sums[False, False] if needs_score else 0
    compared = tuple(_compare(sign, of, len(found)) for sign in found) if of[False] else ()
    return Signs(compared, of[True], of[False], left_out)


def faults(month, reason, *, basis, as_of, zone):
    """[(field, source, imported, rejections)] of a reason of bad data, the most frequent first."""
    judged, params = _judged(month, reason, basis, as_of, zone)
    return _ask(FIELDS.format(judged=judged), params)


def returns(month, reason, *, basis, as_of, zone):
    """{within "30", "90", "180" days, "later" or "none": rejections}: when sales said to come back."""
    judged, params = _judged(month, reason, basis, as_of, zone)
    return dict(_ask(RETURNS.format(judged=judged), [*params, zone.key]))


def _judged(month, reason, basis, as_of, zone):
    """SQL of (id, rejected) of the reason's rejections and the acceptances of the month, with its parameters."""
    wanted = {"category": reason.category, "reason": reason.code}
    both = [
        figures.rows(filters, as_of=as_of, zone=zone).order_by().values("pk").query.sql_with_params()
        for filters in (figures.counted("rejected", month, basis) | wanted, figures.counted("sqls", month, basis))
    ]
    return JUDGED.format(*(sql for sql, _ in both)), [value for _, params in both for value in params]


def _rules(judged, params):
    return [
        Sign(key, axis, label, rejected, accepted)
        for key, axis, label, rejected, accepted in _ask(PIVOTAL.format(judged=judged), params)
    ]


def _values(judged, params):
    counts = Counter()
    for attribute, value, rejected, accepted in _ask(NAMED.format(judged=judged), params):
        key = attribute, band(value) if attribute == "employees" else value
        counts[key, "rejected"] += rejected
        counts[key, "accepted"] += accepted
    keys = dict.fromkeys(key for key, _ in counts)
    return [Sign(value, name, value, counts[(name, value), "rejected"], counts[(name, value), "accepted"])
            for name, value in keys]  # fmt: skip


def _sources(judged, params):
    found = _ask(SOURCES.format(judged=judged), params)
    return [Sign(source, "source", source, rejected, accepted) for source, rejected, accepted in found]


def band(value):
    """The size band of a number of employees: "50–199", "1000 or more"; "" where it is not known."""
    if not value.isdecimal() or not int(value):
        return ""
    low, high = next((low, high) for low, high in SIZES if int(value) <= (high or inf))
    return f"{low}–{high}" if high else f"{low} or more"


def _compare(sign, of, tests):
    z = NormalDist().inv_cdf(1 - 0.025 / tests)
    k, n, j, m = sign.rejected, of[True], sign.accepted, of[False]
    return Compared(sign, intervals.log_ratio(k, n, j, m, z), intervals.newcombe(j, m, k, n, z))


def _ask(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
