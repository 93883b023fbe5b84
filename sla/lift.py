"""What a lead lacks to become an MQL, and which rules would lift it: pure, no Django, read off its evaluation.

The points missing to a tier are the fewest that fit and behaviour would have to gain together so that every
threshold of the tier is met: max(total lacks, fit lacks + behaviour lacks, 0). Missing to a definition: the least over
its tiers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sla import conditions
from sla.scoring import Definition, Evaluation, Rule, RuleResult, Tier


@dataclass(frozen=True)
class Lift:
    """A rule that could still give a lead points.

    gives: how many more. undoes: whether the rule took points, which would come back. enough: whether they alone
    reach a tier. unknown: facts the rule reads and the lead does not have.
    """

    rule: Rule
    gives: int
    undoes: bool = False
    enough: bool = False
    unknown: tuple[str, ...] = ()


def missing(tiers: Iterable[Tier], fit: int, behaviour: int) -> int:
    """Points missing to the nearest tier; 0 where one is reached. Takes columns of numpy as well as numbers."""
    return least([lacks(tier, fit, behaviour) for tier in tiers])


def nearest(tiers: Iterable[Tier], fit: int, behaviour: int) -> Tier:
    """The tier that the fewest points are missing to; of two as near the higher."""
    return min(tiers, key=lambda tier: (lacks(tier, fit, behaviour), tier.position))


def lacks(tier: Tier, fit, behaviour):
    """Points missing to one tier."""
    of_fit = 0 if tier.fit is None else _above_zero(tier.fit - fit)
    of_behaviour = 0 if tier.behaviour is None else _above_zero(tier.behaviour - behaviour)
    total = _above_zero(tier.total - fit - behaviour)
    sides = of_fit + of_behaviour
    return total + _above_zero(sides - total)


def least(values: Sequence):
    """The smallest of numbers, or of columns place by place."""
    found, *others = values
    for other in others:
        found = found - _above_zero(found - other)
    return found


def lifts(definition: Definition, evaluation: Evaluation, facts: Mapping) -> list[Lift]:
    """The rules that would give the lead more points, those first that are enough alone, then by points."""
    results = {result.key: result for result in evaluation.rules}
    found = []
    for rule in definition.rules:
        gives, undoes = _more(rule, results[rule.key])
        if gives:
            found.append(
                Lift(rule, gives, undoes, _enough(definition, evaluation, rule, gives), _unknown(rule, facts))
            )
    return sorted(found, key=lambda lift: (not lift.enough, -lift.gives))


def _more(rule: Rule, result: RuleResult) -> tuple[int, bool]:
    """(points that the rule could still add, whether by no longer taking any)."""
    if rule.axis == "disqualifier" or not rule.points:
        return 0, False
    if rule.points < 0:
        return -min(result.points, 0), True
    once = rule.points * (rule.minimum_count if rule.per_event and not result.fired else 1)
    if not rule.per_event:
        return rule.points - result.points, False
    return once if rule.cap is None else max(0, min(once, rule.cap - result.points)), False


def _enough(definition: Definition, evaluation: Evaluation, rule: Rule, gives: int) -> bool:
    fit = evaluation.fit + (gives if rule.axis == "fit" else 0)
    behaviour = evaluation.behaviour + (gives if rule.axis == "behaviour" else 0)
    return evaluation.disqualified_by is None and missing(definition.tiers, fit, behaviour) == 0


def _unknown(rule: Rule, facts: Mapping) -> tuple[str, ...]:
    if rule.counts_events:
        return ()
    names = dict.fromkeys(conditions.fields_of(rule.condition))
    return tuple(name for name in names if conditions.is_absent(conditions.lead_field(name)(facts)))


def _above_zero(number):
    """The number, or 0 where it is below; of a column place by place."""
    return number * (number > 0)
