"""The definition that a calibration proposes, and the changes that make a draft of it; no Django."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from leads.calibration.activations import with_points
from leads.calibration.points import CONSTANT, Weight
from sla.scoring import Definition, Rule


def proposed(rules: Sequence[Rule], against: Definition, weights: Sequence[Weight]) -> Definition:
    """Rules with the points of their weight, those without any left out; disqualifiers and tiers as they are.

    A rule in force that fired on none of the leads, or on all, keeps its points: the data are silent about it.
    """
    points = {weight.key: weight.points for weight in weights}
    silent = {weight.key for weight in weights if weight.verdict == CONSTANT}
    in_force = {rule.key: rule for rule in against.rules if rule.key in silent}
    kept = (
        rule if rule.axis == "disqualifier" else in_force.get(rule.key) or with_points(rule, points.get(rule.key, 0))
        for rule in rules
    )
    return replace(against, rules=tuple(rule for rule in kept if rule.axis == "disqualifier" or rule.points))


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
