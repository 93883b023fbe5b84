"""Two definitions field by field, in words: pure, no Django."""

from collections.abc import Iterator
from dataclasses import dataclass

from sla import words
from sla.scoring import Definition, Rule, Tier

AXES = {"fit": "Fit", "behaviour": "Behaviour", "disqualifier": "Disqualifier"}
RULE_PARTS = {
    "label": "Name",
    "axis": "Axis",
    "condition": "Condition",
    "points": "Points",
    "minimum_count": "Counts from",
    "window_days": "Window",
    "per_event": "Counts",
    "cap": "Cap",
    "decay_days": "Decay",
}
TIER_PARTS = {"name": "Name", "total": "Total from", "fit": "Fit from", "behaviour": "Behaviour from"}


@dataclass(frozen=True)
class Change:
    """One difference. kind: added, removed or changed; before and after in words, "" where there was nothing."""

    kind: str
    section: str
    name: str
    part: str
    before: str
    after: str
    key: str = ""


def compare(before: Definition, after: Definition) -> list[Change]:
    """Every difference between two definitions: tiers, rules by axis, required facts. Numbers are none."""
    return [*_tiers(before, after), *_rules(before, after), *_facts(before, after)]


def unchanged(before: Definition, after: Definition) -> int:
    """How many rules, tiers and required facts are the same in both."""
    same = sum(_of(before.rules).get(rule.key) == rule for rule in after.rules)
    same += sum(_of(before.tiers).get(tier.key) == tier for tier in after.tiers)
    return same + len(set(before.required_facts) & set(after.required_facts))


def _rules(before: Definition, after: Definition) -> Iterator[Change]:
    old, new = _of(before.rules), _of(after.rules)
    for axis, section in AXES.items():
        for key in dict.fromkeys([*old, *new]):
            now = new.get(key) or old[key]
            if now.axis == axis:
                yield from _rule(old.get(key), new.get(key), section)


def _rule(old: Rule | None, new: Rule | None, section: str) -> Iterator[Change]:
    if old is None or new is None:
        yield _whole(old, new, section, words.rule)
        return
    for part, name in RULE_PARTS.items():
        was, now = getattr(old, part), getattr(new, part)
        if was != now:
            said = (_said(old, part), _said(new, part))
            if part == "condition" and said[0] == said[1]:  # the same words: only the letter of it differs
                said = (str(was), str(now))
            yield Change("changed", section, new.label, name, *said, key=new.key)


def _tiers(before: Definition, after: Definition) -> Iterator[Change]:
    old, new = _of(before.tiers), _of(after.tiers)
    for key in dict.fromkeys([*old, *new]):
        if key not in old or key not in new:
            yield _whole(old.get(key), new.get(key), "Tiers", words.tier)
            continue
        for part, name in TIER_PARTS.items():
            was, now = getattr(old[key], part), getattr(new[key], part)
            if was != now:
                yield Change("changed", "Tiers", new[key].name, name, _asked(was), _asked(now), key=key)
        if _rank(before, old[key]) != _rank(after, new[key]):
            ranks = (f"place {_rank(d, t)}" for d, t in ((before, old[key]), (after, new[key])))
            yield Change("changed", "Tiers", new[key].name, "Order", *ranks, key=key)


def _facts(before: Definition, after: Definition) -> Iterator[Change]:
    for name in before.required_facts:
        if name not in after.required_facts:
            yield Change("removed", "Required facts", words.field(name), "Required", "required", "")
    for name in after.required_facts:
        if name not in before.required_facts:
            yield Change("added", "Required facts", words.field(name), "Required", "", "required")


def _whole(old, new, section: str, said) -> Change:
    one = new or old
    name = one.name if isinstance(one, Tier) else one.label
    what = "Tier" if isinstance(one, Tier) else "Rule"
    texts = ("", said(new)) if old is None else (said(old), "")
    return Change("added" if old is None else "removed", section, name, what, *texts, key=one.key)


def _said(rule: Rule, part: str) -> str:
    value = getattr(rule, part)
    if part == "condition":
        return words.when(rule)
    if part == "axis":
        return AXES[value]
    if part == "points":
        return words.points(value)
    if part == "per_event":
        return "each time" if value else "once"
    if part == "minimum_count":
        return f"{value} {'time' if value == 1 else 'times'}"
    if value is None:
        return "none"
    return (
        f"{value} points"
        if part == "cap"
        else f"{value} {'day' if value == 1 else 'days'}"
        if part != "label"
        else value
    )


def _asked(value) -> str:
    return "asks nothing" if value is None else value if isinstance(value, str) else words.points(value).lstrip("+")


def _rank(definition: Definition, tier: Tier) -> int:
    return sorted(each.position for each in definition.tiers).index(tier.position) + 1


def _of(pieces) -> dict:
    return {piece.key: piece for piece in pieces}
