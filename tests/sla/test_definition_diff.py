"""Two definitions compared: every difference once, in words, and nothing where there is none."""

from dataclasses import replace

from sla import definition_changes, definition_diff
from sla.scoring import Definition, Rule, Tier

GUIDE = Rule("guide", "Guide", "behaviour", {"event": "guide"}, 10, per_event=True, cap=40)
SIZE = Rule("size", "Size", "fit", {"field": "employees", "op": "between", "min": 50, "max": 500}, 15)
OLD = Definition(1, (GUIDE, SIZE), (Tier("hot", "Hot", 1, 80, fit=40), Tier("std", "Standard", 2, 50)))


def told(*changes):
    new = definition_changes.apply(OLD, changes, number=2)
    return [(c.kind, c.section, c.name, c.part, c.before, c.after) for c in definition_diff.compare(OLD, new)]


def test_the_same_definition_differs_in_nothing():
    assert told() == []
    assert definition_diff.unchanged(OLD, replace(OLD, number=2)) == 4


def test_a_changed_rule_is_told_field_by_field():
    assert told({"rule": "guide", "set": {"points": 4, "cap": None, "window_days": 30}}) == [
        ("changed", "Behaviour", "Guide", "Points", "+10", "+4"),
        ("changed", "Behaviour", "Guide", "Window", "none", "30 days"),
        ("changed", "Behaviour", "Guide", "Cap", "40 points", "none"),
    ]


def test_a_changed_condition_is_told_as_a_clause():
    condition = {"field": "employees", "op": "between", "min": 200}
    assert told({"rule": "size", "set": {"condition": condition}}) == [
        ("changed", "Fit", "Size", "Condition", "company size is 50–500", "company size is at least 200")
    ]


def test_added_and_removed_rules_are_told_as_their_sentence():
    added = {"key": "no", "label": "No", "axis": "disqualifier", "condition": {"field": "company", "op": "absent"}}
    assert told({"rule": "size", "remove": True}, {"add_rule": added}) == [
        ("removed", "Fit", "Size", "Rule", "+15 when company size is 50–500", ""),
        ("added", "Disqualifier", "No", "Rule", "", "Never an MQL when company is missing"),
    ]


def test_tiers_are_told_by_threshold_and_order():
    assert told({"tier": "hot", "set": {"total": 90, "fit": None, "behaviour": 20, "position": 3}}) == [
        ("changed", "Tiers", "Hot", "Total from", "80", "90"),
        ("changed", "Tiers", "Hot", "Fit from", "40", "asks nothing"),
        ("changed", "Tiers", "Hot", "Behaviour from", "asks nothing", "20"),
        ("changed", "Tiers", "Hot", "Order", "place 1", "place 2"),
        ("changed", "Tiers", "Standard", "Order", "place 2", "place 1"),
    ]


def test_required_facts_are_told_one_by_one():
    assert told({"required_facts": ["employees", "attributes.Budget"]}) == [
        ("added", "Required facts", "company size", "Required", "", "required"),
        ("added", "Required facts", "Budget", "Required", "", "required"),
    ]
