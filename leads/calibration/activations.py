"""How far each rule fires on each lead, between nothing and in full: what weights are fitted to; no Django.

A rule over facts fires or not. One over events fires by what decay has left of its points; one that counts each event
fires in full where its cap is reached (without a cap one event is 1). So caps and decay are part of what is fitted,
and the points of a weight are worth what they were fitted as.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from leads.backtest.columns import Panel, judge
from leads.calibration.fit import UNIT
from sla.scoring import Rule

MOST_CAP = 10**6


def activations(rules: Sequence[Rule], panel: Panel) -> np.ndarray:
    """Thousandths (leads × rules, uint16) of the rules that give points; a disqualifier has none."""
    found = np.zeros((len(panel), len(rules)), dtype=np.uint16)
    for place, rule in enumerate(rules):
        whole = _whole(rule)
        _, points = judge(replace(rule, points=UNIT, cap=whole), panel)
        if whole is not None:
            points = points * UNIT // whole
        found[:, place] = np.minimum(points, np.iinfo(np.uint16).max)
    return found


def in_full(rule: Rule) -> int:
    """The points of a rule that fires in full: those of its cap where it has one."""
    return rule.points if rule.cap is None else rule.cap * (1 if rule.points >= 0 else -1)


def with_points(rule: Rule, full: int) -> Rule:
    """The rule giving `full` points in full; where it counts each event, it is full at as many events as before."""
    if rule.cap is None or not full:
        return replace(rule, points=full)
    each = max(1, round(abs(full) * max(1, abs(rule.points)) / rule.cap))
    return replace(rule, points=each if full > 0 else -each, cap=abs(full))


def _whole(rule):
    """The cap, were each event worth UNIT points."""
    return None if rule.cap is None else min(MOST_CAP, max(1, round(rule.cap * UNIT / max(1, abs(rule.points)))))
