"""The definition that a calibration proposes, and the changes that make a draft of it; no Django."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from leads.calibration.activations import with_points
from leads.calibration.points import Weight
from sla.scoring import Definition, Rule


def proposed(rules: Sequence[Rule], against: Definition, weights: Sequence[Weight]) -> Definition:
    """Disqualifiers as they are, rules with points of their weight, those without any left out; tiers of `against`."""
    points = {weight.key: weight.points for weight in weights}
    kept = [
        rule if rule.axis == "disqualifier" else with_points(rule, points[rule.key])
        for rule in rules
        if rule.axis == "disqualifier" or points.get(rule.key)
    ]
    return replace(against, rules=tuple(kept))


def changes(against: Definition, wanted: Definition) -> list[dict]:
    """What turns one into the other, as sla.definition_changes takes it."""
    old, new = ({rule.key: rule for rule in each.rules} for each in (against, wanted))
    found = [{"rule": key, "remove": True} for key in old if key not in new]
    found += [{"add_rule": asdict(rule)} for key, rule in new.items() if key not in old]
    found += [{"rule": key, "set": asdict(rule)} for key, rule in new.items() if key in old and old[key] != rule]
    tiers = {tier.key: tier for tier in against.tiers}
    return found + [
        {"tier": tier.key, "set": {"total": tier.total, "fit": tier.fit, "behaviour": tier.behaviour}}
        for tier in wanted.tiers
        if tier != tiers[tier.key]
    ]
