"""What a calibration's page says: sentences, tables and charts of its result; wording only."""

import datetime as dt
from math import exp

from leads.calibration import charts
from leads.calibration.activations import in_full
from leads.calibration.conclude import LATER
from leads.calibration.labels import LEFT_OUT
from leads.calibration.points import AGAINST, CONSTANT, NOT_SHOWN, SAME, SHOWN
from leads.calibration.validation import Area, Group
from portal.shared import text, time
from portal.shared.charts import interval
from sla import words

LIMIT = 1.5  # of the chart of effects, in powers of ten: odds from one in thirty to thirty times
ONES = {"won": ("won", "lost or rejected"), "accepted": ("accepted", "rejected")}
VERDICTS = {
    SHOWN: ("ok", "shown"),
    NOT_SHOWN: ("idle", "no effect shown"),
    AGAINST: ("late", "the opposite of what you said"),
    CONSTANT: ("idle", "fires on none, or on all"),
    SAME: ("idle", "tells the same leads as others"),
}


def result(job) -> dict:
    """The context of a calibration that is done."""
    found, rules = job.result, {rule.key: rule for rule in job.candidate_rules()}
    weights = {weight["key"]: weight for weight in found["weights"]}
    return {
        "yes": found["yes"], "no": found["no"], "said": ONES[job.question], "span": _span(found["months"]),
        "left_out": _left_out(found), "rules": [_rule(rules[key], weight) for key, weight in weights.items()],
        "refused": [(rules[key], why) for key, why in found["refused"].items()],
        "shown": sum(bool(weight["points"]) for weight in weights.values()), "tried": len(weights),
        "detectable": ratio(found["detectable"]),
        "against_word": any(weight["verdict"] == AGAINST for weight in weights.values()),
        "judged": _judged(found.get("validation")),
    }  # fmt: skip


def _left_out(found):
    """[(how many, in words)] of the handoffs that are no labels."""
    counts = {why: found["counted"].get(why, 0) for why in LEFT_OUT}
    rows = [(n, LEFT_OUT[why]) for why, n in counts.items()]
    rows.append((found["from_files"], "of leads that came later, with a file of the past"))
    rows.append((found["unknown"], "of leads whose facts at the handoff nobody knows any more"))
    return [row for row in rows if row[0]]


def _rule(rule, weight):
    row = {
        "rule": rule, "words": words.rule(rule), "before": in_full(rule), "points": weight["points"],
        "fired": weight["fired"], "verdict": VERDICTS[weight["verdict"]],
        "detectable": ratio(weight["detectable"]), "is_noise": weight["verdict"] != SHOWN,
    }  # fmt: skip
    if weight["estimate"] is None:
        return row
    odds = [odds_of(weight[name]) for name in ("estimate", "low", "high")]
    places = [weight[name] / LIMIT / 2.302585 for name in ("estimate", "low", "high")]
    label = f"{rule.label}: the odds times {odds[0]}, between {odds[1]} and {odds[2]}"
    return row | {"odds": odds, "chart": interval(*places, label=label, target=0, lo=-1, hi=1)}


def odds_of(weight):
    """A weight as what it does to the odds: "2.4", "0.08"."""
    return ratio(exp(min(weight, 20)))


def ratio(odds):
    return None if odds is None else text.rounded(odds, 1 if odds >= 1 else 2)


def _judged(found):
    """The leads held out: areas side by side, what they say in a sentence, the curve."""
    if found is None:
        return None
    new, old, difference = (Area(*found[name]) for name in ("new", "old", "difference"))
    curves = {name: [Group(*group) for group in groups] for name, groups in found["curves"].items()}
    far = max((abs(group.promised - group.seen) for group in curves["new"]), default=0)
    label = (
        f"What the points promised against what came, in {len(curves['new'])} groups of leads held out;"
        f" the farthest apart by {text.percent(far, 0)}."
    )
    return {
        "is_later": found["how"] == LATER, "first": time.month(_first(found["first"])), "n": found["n"],
        "yes": found["yes"], "new": _area(new), "old": _area(old), "difference": text.signed(difference.value, 3),
        "between": f"{text.rounded(difference.low, 3)} to {text.rounded(difference.high, 3)}",
        "better": difference.low > 0, "worse": difference.high < 0,
        "chart": charts.calibration_curve(curves["new"], curves["old"], label=label), "groups": curves["new"],
        "groups_old": curves["old"],
    }  # fmt: skip


def _area(area):
    value, low, high = (text.rounded(part, 3) for part in area)
    chart = interval(*area, label=f"{value}, between {low} and {high}", target=0.5, lo=0.4, hi=1)
    return {"value": value, "between": f"{low}–{high}", "chart": chart}


def _span(months):
    if not months:
        return ""
    first, last = (time.month(_first(month)) for month in months)
    return first if first == last else f"{first} to {last}"


def _first(month):
    return dt.date(month // 100, month % 100, 1)
