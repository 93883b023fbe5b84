"""Many leads scored at once: whole columns instead of lead by lead, with the answers of sla.scoring; no Django.

A condition is tested once for each *distinct* value of its fact, by the very test that scores one lead
(sla.conditions), and the answer is dealt out to the leads by number. Points are integers throughout; the sums of
decayed points are made of two parts that a float holds exactly, then put together as Python integers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sla import conditions
from sla.scoring import DAY, Definition, Rule

LOW_BITS = 21  # a sum of whole ages is split here: both parts of up to three million events stay below 2**53


@dataclass(frozen=True)
class Column:
    """One fact of all leads: the number of its value, and the distinct values."""

    codes: np.ndarray
    values: list


@dataclass(frozen=True)
class Happened:
    """The events of one kind that may count: place of the lead, microseconds, and properties that rules read."""

    leads: np.ndarray
    instants: np.ndarray
    properties: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """Leads in columns. `moments`: when each is judged, in microseconds, counted from where the events' are."""

    moments: np.ndarray
    facts: Mapping[str, Column]
    events: Mapping[str, Happened]

    def __len__(self):
        return len(self.moments)


@dataclass(frozen=True)
class Scores:
    """Points and outcome of every lead. `tiers`: place among `names` (tier keys by rank), −1 for nurture.

    `eligible`: not disqualified, and the side conditions of the lowest tier or all of a higher one are met, so that
    the total alone decides. `fired`: by rule key, which leads it fired on.
    """

    fit: np.ndarray
    behaviour: np.ndarray
    tiers: np.ndarray
    names: list[str]
    eligible: np.ndarray
    fired: Mapping[str, np.ndarray]

    @property
    def total(self):
        return self.fit + self.behaviour

    @property
    def qualified(self):
        return self.tiers >= 0


def needed(definitions: Iterable[Definition]) -> tuple[set[str], dict[str, set[str]]]:
    """The facts that the definitions read, and by kind of event the properties."""
    facts, kinds = set(), {}
    for rule in (rule for definition in definitions for rule in definition.rules):
        if rule.counts_events:
            where = rule.condition.get("where")
            kinds.setdefault(rule.condition["event"], set()).update(conditions.fields_of(where) if where else ())
        else:
            facts.update(conditions.fields_of(rule.condition))
    return facts, kinds


def column(values: Iterable, read=None) -> Column:
    """A column of hashable values; `read` makes of each distinct one what conditions look at."""
    places: dict = {}
    codes = np.array([places.setdefault(value, len(places)) for value in values], dtype=np.int64)
    return Column(codes, [read(value) for value in places] if read else list(places))


def score(definition: Definition, panel: Panel) -> Scores:
    """Every lead of the panel under a definition: what `sla.scoring.evaluate` says of each at its moment."""
    sums = {axis: np.zeros(len(panel), dtype=np.int64) for axis in ("fit", "behaviour", "disqualifier")}
    fired, shut_out = {}, np.zeros(len(panel), dtype=bool)
    for rule in definition.rules:
        fired[rule.key], points = judge(rule, panel)
        sums[rule.axis] += points
        if rule.axis == "disqualifier":
            shut_out |= fired[rule.key]
    tiers = sorted(definition.tiers, key=lambda tier: tier.position)
    reached, eligible = reach(tiers, sums["fit"], sums["behaviour"], shut_out)
    return Scores(sums["fit"], sums["behaviour"], reached, [tier.key for tier in tiers], eligible, fired)


def reach(tiers, fit, behaviour, shut_out):
    """(the first of `tiers` that takes each lead, else −1; whom only the total keeps from being an MQL)."""
    total, reached = fit + behaviour, np.full(len(fit), -1, dtype=np.int8)
    lowest, eligible = min(tiers, key=lambda tier: tier.total), np.zeros(len(fit), dtype=bool)
    for place, tier in reversed(list(enumerate(tiers))):
        asked = np.ones(len(fit), dtype=bool)
        if tier.fit is not None:
            asked &= fit >= tier.fit
        if tier.behaviour is not None:
            asked &= behaviour >= tier.behaviour
        takes = asked & (total >= tier.total)
        reached[takes] = place
        eligible |= asked if tier is lowest else takes
    reached[shut_out] = -1
    return reached, eligible & ~shut_out


def judge(rule: Rule, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """(fired, points) of a rule on every lead."""
    if rule.counts_events:
        return _count(rule, panel)
    fired = _mask(rule.condition, panel.facts, len(panel))
    return fired, fired * np.int64(rule.points)


def _mask(condition: Mapping, columns: Mapping[str, Column], size: int) -> np.ndarray:
    for word, join in (("all", np.logical_and), ("any", np.logical_or)):
        if word in condition:
            return join.reduce([_mask(part, columns, size) for part in condition[word]])
    if "not" in condition:
        return ~_mask(condition["not"], columns, size)
    known = columns[condition["field"]]
    holds = conditions.compile_condition(condition, lambda name: lambda value: value)
    passes = np.fromiter((holds(value) for value in known.values), bool, len(known.values))
    return passes[known.codes] if len(known.values) else np.zeros(size, dtype=bool)


def _count(rule: Rule, panel: Panel):
    """A rule over events: how many count for each lead, and the points they give."""
    size, seen = len(panel), panel.events.get(rule.condition["event"])
    if seen is None or not len(seen.leads):
        return np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64)
    moments = panel.moments[seen.leads]
    counts = seen.instants <= moments
    if rule.window_days is not None:
        counts &= seen.instants > moments - rule.window_days * DAY
    if where := rule.condition.get("where"):
        counts &= _mask(where, seen.properties, len(seen.leads))
    leads, ages = seen.leads[counts], (moments - seen.instants)[counts]
    number = np.bincount(leads, minlength=size)
    fired = number >= rule.minimum_count
    return fired, _points(rule, leads, ages, number, fired)


def _points(rule: Rule, leads, ages, number, fired):
    if rule.decay_days is None:
        points = np.where(fired, (number if rule.per_event else 1) * np.int64(rule.points), 0)
    else:
        points = _decayed(rule, leads, ages, fired)
    return points if rule.cap is None else np.clip(points, -rule.cap, rule.cap)


def _decayed(rule: Rule, leads, ages, fired):
    """Points × what is left of each counted event (or of the latest one), rounded once towards zero."""
    whole, size = rule.decay_days * DAY, len(fired)
    if not rule.per_event:
        youngest = np.full(size, whole, dtype=np.int64)
        np.minimum.at(youngest, leads, ages)
        left = dict(zip(np.flatnonzero(fired).tolist(), (whole - youngest)[fired].tolist(), strict=True))
    else:
        rest = np.maximum(0, whole - ages)
        high = np.bincount(leads, weights=rest >> LOW_BITS, minlength=size).astype(np.int64)[fired].tolist()
        low = np.bincount(leads, weights=rest & ((1 << LOW_BITS) - 1), minlength=size).astype(np.int64)[fired].tolist()
        sums = ((h << LOW_BITS) + rest_ for h, rest_ in zip(high, low, strict=True))
        left = dict(zip(np.flatnonzero(fired).tolist(), sums, strict=True))
    points, sign = np.zeros(size, dtype=np.int64), 1 if rule.points > 0 else -1
    for lead, rest in left.items():
        points[lead] = sign * (abs(rule.points) * rest // whole)
    return points
