"""One change of the definition that would have kept the top reason's leads back, and what it would have done.

The effect is counted on one month's MQLs, by the scores that were stored with them: no lead is scored again, and leads
that never reached sales stay unknown. The backtest of the draft does the rest.
"""

from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.utils.text import slugify

from leads import figures, figures_fix
from leads.figures import QUALIFIED, STATUS
from sla.conditions import ATTRIBUTE, LEAD_FIELDS
from sla.models import SLAVersion
from sla.models.reasons import Category


@dataclass(frozen=True)
class Effect:
    """A month's scored MQLs and SQLs, and how many of them the change would have kept back."""

    mqls: int
    sqls: int
    kept_back: int
    kept_back_sqls: int

    @property
    def before(self):
        return figures.rate(figures.Counts(mqls=self.mqls, sqls=self.sqls))

    @property
    def after(self):
        return figures.rate(
            figures.Counts(mqls=self.mqls - self.kept_back, sqls=self.sqls - self.kept_back_sqls)
        )  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """Changes to a definition (see sla.definition_changes), the same in words, and their Effect (None: not known)."""

    definition: object
    changes: tuple[dict, ...]
    words: str
    effect: Effect | None


SCORES = f"""
SELECT {STATUS} AS status, h.fit, h.behaviour, {{asked}}, count(*)
FROM leads_handoff h JOIN leads_lead l ON l.id = h.lead_id
WHERE {QUALIFIED} AND h.breakdown IS NOT NULL GROUP BY 1, 2, 3, 4
"""
POINTS = """COALESCE((SELECT r.points FROM jsonb_to_recordset(h.breakdown -> 'rules') AS r(key text, points integer)
    WHERE r.key = %(asked)s), 0)"""


def propose(month, reason, *, basis, as_of, zone):
    """The Proposal for a figures.Reason of the month, or None: nothing differs beyond chance, or nothing to change."""
    version = SLAVersion.objects.select_related("definition").in_force(at=as_of)
    if version is None:
        return None
    asked = {"basis": basis, "as_of": as_of, "zone": zone}
    if reason.category == Category.DATA:
        return _complete(version.definition, figures_fix.faults(month, reason, **asked))
    makers = {Category.SCORING: _weaker, Category.FIT: _without, Category.TIMING: _later}
    for each in figures_fix.signs(month, reason, **asked).found:
        if each.is_real and (found := makers[reason.category](version.definition, each.sign, month, as_of, zone)):
            return found
    return None


def _weaker(row, sign, month, as_of, zone):
    """The rule counts once where it counted for each event, else for half; one point is no rule."""
    definition = row.as_definition()
    rule = next((rule for rule in definition.rules if rule.key == sign.key and rule.points > 0), None)
    if rule is None:
        return None
    if rule.per_event and (rule.cap is None or rule.cap > rule.points):
        change, words = {"set": {"cap": rule.points}}, f"{rule.label}: {rule.points} points at most, however often"
        left = lambda points: min(points, rule.points)  # noqa: E731
    elif half := rule.points // 2:
        cap = {"cap": max(1, rule.cap // 2)} if rule.cap else {}
        change, words = {"set": {"points": half} | cap}, f"{rule.label}: {half} points instead of {rule.points}"
        left = lambda points: points * half // rule.points  # noqa: E731
    else:
        change, words, left = {"remove": True}, f"Without the rule “{rule.label}”", lambda points: 0
    side = 0 if rule.axis == "fit" else 1
    scores = _scores(month, as_of, zone, POINTS, sign.key)

    def moved(sums, points):
        less = (points - left(points)) if points > 0 else 0
        return sums[0] - less * (side == 0), sums[1] - less * (side == 1)

    return Proposal(row, ({"rule": rule.key} | change,), words, _effect(definition, scores, moved))


def _without(row, sign, month, as_of, zone):
    """Leads with the value that reps named no longer qualify."""
    name = sign.of.replace("_", " ")
    says = f"{name} {sign.key}" if sign.key else f"no {name}"
    definition = row.as_definition()
    key = free_key(definition, f"not-{says}")
    rule = {"key": key, "label": f"Not with {says}"[:120], "axis": "disqualifier", "condition": condition(sign)}
    value = figures_fix.FACT.format("%(asked)s::text")
    scores = _scores(month, as_of, zone, f"trim({value})", sign.of)
    has = figures_fix.band if sign.of == "employees" else str
    effect = _effect(definition, scores, lambda sums, value: None if has(value) == sign.key else sums)
    return Proposal(row, ({"add_rule": rule},), f"Leads with {says} no longer qualify", effect)


def _later(row, sign, month, as_of, zone):
    """Leads of the source need more points: as many as half of them had to spare."""
    definition = row.as_definition()
    scores = _scores(month, as_of, zone, "h.source", None)
    lowest = min(tier.total for tier in definition.tiers)
    spare = [f + b - lowest for _, f, b, source, n in scores if source == sign.key for _ in range(n)]
    points = max(1, int(median(spare)) + 1) if spare else 1
    says = f"source {sign.key}" if sign.key else "no source"
    rule = {
        "key": free_key(definition, f"later-{says}"), "label": f"Rarely ready: {says}"[:120], "axis": "fit",
        "condition": condition(sign), "points": -points,
    }  # fmt: skip
    effect = _effect(definition, scores, lambda s, source: (s[0] - points, s[1]) if source == sign.key else s)
    return Proposal(row, ({"add_rule": rule},), f"{points} points less for leads with {says}", effect)


def _complete(row, found):
    """The field most often at fault becomes one that a complete lead has; none where it is one already."""
    totals = {}
    for field, _, _, n in found:
        totals[field] = totals.get(field, 0) + n
    field = max((name for name in totals if name), key=totals.get, default=None)
    if field is None or field in row.required_facts or field not in LEAD_FIELDS:
        return None
    changes = ({"required_facts": [*row.required_facts, field]},)
    words = f"A complete lead has the field {field.replace('_', ' ')}"
    return Proposal(row, changes, words, None)


def condition(sign):
    """The condition (see sla.conditions) that leads with this Sign fulfil."""
    if not sign.key:
        return {"field": _field(sign.of), "op": "absent"}
    if sign.of == "employees":
        low, high = next(size for size in figures_fix.SIZES if figures_fix.band(str(size[0])) == sign.key)
        return {"field": "employees", "op": "between", "min": low} | ({"max": high} if high else {})
    return {"field": _field(sign.of), "op": "equals", "value": sign.key}


def _field(name):
    return name if name in LEAD_FIELDS else f"{ATTRIBUTE}{name}"


def free_key(definition, words):
    """A key for a new rule of a definition, from words."""
    stem, taken = slugify(words)[:50].strip("-") or "rule", {rule.key for rule in definition.rules}
    return next(key for key in (stem, *(f"{stem}-{i}" for i in range(2, 1000))) if key not in taken)


def _scores(month, as_of, zone, asked, value):
    """[(status, fit, behaviour, what was asked, how many)] of the month's MQLs that were scored."""
    params = {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of, "asked": value}
    with connection.cursor() as cursor:
        cursor.execute(SCORES.format(asked=asked), params)
        return cursor.fetchall()


def _effect(definition, scores, moved):
    """The Effect where `moved((fit, behaviour), asked)` are the new sums, or None: out."""
    mqls = sqls = back = back_sqls = 0
    for status, fit, behaviour, asked, n in scores:
        accepted = n if status == "accepted" else 0
        mqls, sqls = mqls + n, sqls + accepted
        before = any(tier.takes(fit, behaviour) for tier in definition.tiers)
        sums = moved((fit, behaviour), asked)
        if before and not (sums and any(tier.takes(*sums) for tier in definition.tiers)):
            back, back_sqls = back + n, back_sqls + accepted
    return Effect(mqls, sqls, back, back_sqls)
