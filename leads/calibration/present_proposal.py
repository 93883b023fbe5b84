"""What the page says of the definition that a calibration proposes: changes with their evidence, and what they do."""

from collections import Counter

from leads.backtest.present import lost, moves, rate_of, side, thresholds_around
from leads.backtest.tally import Tally, at_threshold
from leads.calibration.activations import in_full
from leads.calibration.history import months_of, reaching
from leads.calibration.points import AGAINST, CONSTANT, NOT_SHOWN, SAME
from leads.calibration.present import VERDICTS, odds_of, ratio
from leads.models import Handoff
from leads.models.deal import outcomes_known_to
from portal.shared import text
from portal.shared.charts import sweep
from sla import words
from sla.scoring import Definition

STEPS = (1, 2, 3, 5, 10, 15, 20, 30, 50)  # points below the threshold


def proposed(job, user) -> dict:
    """The context of what a calibration that found something would do. user: who reads it."""
    found, rules = job.result, {rule.key: rule for rule in job.candidate_rules()}
    weights = {weight["key"]: weight for weight in found["weights"]}
    against, wanted = job.against.as_definition(), Definition.from_json(found["definition"])
    moved, months = Tally.from_json(found["tally"]), len(months_of(*found["past"]))
    would, was = side(moved, "kept", "admitted"), side(moved, "kept", "dropped")
    return {
        "against": job.against, "changes": _changes(against, wanted, weights, found["refused"], rules),
        "tiers": _tiers(against, wanted, moved), "moves": moves(moved), "would": would, "was": was,
        "leads": moved.leads, "months": months, "fewer": (was["mqls"] - would["mqls"]) / max(months, 1),
        "admitted": moved.count("admitted"), "admitted_unseen": moved.count("admitted", "unseen"),
        "lost_count": moved.count("dropped", "accepted"), "lost": lost(moved),
        "missed_won": _won(found["missed_won"], user), "below": below(job),
        "entry": _entry(against),
    }  # fmt: skip


def at_target(job, target, user) -> dict | None:
    """What it would do where the joint target (a share of 1) is reached; None where the worker knew another one."""
    found = job.result.get("at_target")
    if not found or found["target"] != target:
        return None
    moved = Tally(moves=Counter(found["moves"]), lost=found["lost"])
    would, was = side(moved, "kept", "admitted"), side(moved, "kept", "dropped")
    return {
        "entry": found["entry"], "would": would, "was": was, "lost_count": moved.count("dropped", "accepted"),
        "lost": lost(moved), "missed_won": _won(found["missed_won"], user),
        "fewer": (was["mqls"] - would["mqls"]) / max(len(months_of(*job.result["past"])), 1),
    }  # fmt: skip


def _changes(against, wanted, weights, refused, rules):
    """Rules of both with their points in full before and after, changed ones first, and why."""
    old, new = ({rule.key: rule for rule in each.rules} for each in (against, wanted))
    rows = []
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key), new.get(key)
        rule = after or before
        if rule.axis == "disqualifier" and before == after:
            continue
        rows.append({"rule": rule, "words": words.rule(rule), "before": before and in_full(before),
                     "after": after and in_full(after), "is_changed": before != after,
                     "why": _why(key, weights.get(key), refused, rules)})  # fmt: skip
    return sorted(rows, key=lambda row: not row["is_changed"])


def _why(key, weight, refused, rules):
    """The evidence for a change, in a line."""
    if key in refused:
        return refused[key]
    if key not in rules:
        return "It is not among the rules that were weighed."
    if weight is None:
        return "Disqualifiers are not weighed."
    verdict = weight["verdict"]
    seen = f"on {text.thousands(weight['fired'])} lead{'' if weight['fired'] == 1 else 's'}"
    if verdict in (CONSTANT, SAME):
        return (
            f"It {VERDICTS[verdict][1]}, {seen}." if verdict == SAME else f"It fired {seen}: nothing to compare with."
        )
    odds, between = odds_of(weight["estimate"]), f"{odds_of(weight['low'])}–{odds_of(weight['high'])}"
    if verdict == NOT_SHOWN:
        would = f"Times {ratio(weight['detectable'])} would show."
        return f"No effect shown {seen}: the odds times {odds} ({between}). {would}"
    return (
        f"The odds times {odds} ({between}) {seen}{': the opposite of what you said.' if verdict == AGAINST else '.'}"
    )


def _tiers(against, wanted, moved):
    """[(tier, what it asked, what it asks, how many leads it took, how many it takes)]"""
    old = {tier.key: tier for tier in against.tiers}
    return [
        (tier.name, words.tier(old[tier.key]), words.tier(tier), moved.tiers[f"before {tier.key} mqls"],
         moved.tiers[f"draft {tier.key} mqls"])
        for tier in wanted.tiers
    ]  # fmt: skip


def _won(ids, user):
    return list(
        outcomes_known_to(user, Handoff.objects.filter(pk__in=ids))
        .select_related("lead")
        .defer("breakdown", "lead__attributes")
    )


def sweeps(job, target) -> list[dict]:
    """For each tier what each threshold would do; the lowest one that reaches `target` (a share of 1, or None)."""
    wanted = Definition.from_json(job.result["definition"])
    curves = {key: {int(at): row for at, row in curve.items()} for key, curve in job.result["sweeps"].items()}
    return [_sweep(tier, curves[tier.key], target) for tier in wanted.tiers]


def _sweep(tier, curve, target):
    points = [(at, *at_threshold(curve, at)) for at in thresholds_around(curve, tier.total)]
    mqls, accepted, _, _ = at_threshold(curve, tier.total)
    label = f"{tier.name}: at {tier.total} points {text.thousands(mqls)} leads, {text.thousands(accepted)} accepted."
    return {
        "tier": tier, "leads": mqls, "reaches": reaching(curve, target),
        "chart": sweep([(at, n, k) for at, n, k, _, _ in points], tier.total, label=label, tier=tier.name),
        "points": [{"threshold": at, "mqls": n, "unseen": unseen, "is_now": at == tier.total, **rate_of(k, decided),
                    "reaches": target is not None and decided and k / decided >= target}
                   for at, n, k, decided, unseen in points],
    }  # fmt: skip


def below(job) -> list[dict]:
    """What thresholds below the one in force would bring, as exploration tells it; empty where there was none."""
    entry, months = _entry(job.against.as_definition()), len(months_of(*job.result["past"]))
    found = {int(at): row for at, row in job.result["below"].items()}
    reached = min((at for at, (_, _, decided) in found.items() if decided), default=entry)
    rows = [_below(found, entry - step, months) for step in STEPS if entry - step >= reached]
    return [row for row in rows if row["leads"]]


def _below(found, threshold, months):
    inside = [row for at, row in found.items() if at >= threshold]
    leads, accepted, decided = (sum(column) for column in zip(*inside, strict=True)) if inside else (0, 0, 0)
    rate = rate_of(accepted, decided)
    monthly = [leads * rate[end] / max(months, 1) for end in ("low", "high")]
    return {"threshold": threshold, "leads": leads, "monthly": monthly, **rate}


def _entry(definition):
    return min(tier.total for tier in definition.tiers)
