"""What a lead lacks, and what would lift it: read off its evaluation."""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from sla import lift
from sla.scoring import Definition, Event, Rule, Tier, evaluate

NOW = dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)
FOOD = {"field": "industry", "op": "equals", "value": "Food"}
TIERS = (Tier("hot", "Hot", 1, 80, 40), Tier("mql", "MQL", 2, 50, None, 10))
points = some.integers(-60, 120)
thresholds = some.one_of(some.none(), some.integers(-20, 90))
some_tiers = some.lists(
    some.tuples(some.integers(-20, 90), thresholds, thresholds), min_size=1, max_size=3
).map(lambda rows: [Tier(f"t{n}", "T", n, *row) for n, row in enumerate(rows, 1)])  # fmt: skip


def judged(*rules, facts=None, events=(), tiers=TIERS):
    definition = Definition(1, rules, tiers)
    evaluation = evaluate(definition, facts or {}, events, NOW)
    return lift.lifts(definition, evaluation, facts or {})


@given(tiers=some_tiers, fit=points, behaviour=points)
def test_so_many_points_reach_a_tier_and_one_fewer_do_not(tiers, fit, behaviour):
    left = lift.missing(tiers, fit, behaviour)
    reached = [any(t.takes(fit + x, behaviour + left - x) for t in tiers) for x in range(left + 1)]
    fewer = [any(t.takes(fit + x, behaviour + left - 1 - x) for t in tiers) for x in range(left)]
    assert any(reached)
    assert not any(fewer)


@given(tiers=some_tiers, fits=some.lists(points, min_size=1, max_size=5), behaviour=points)
def test_columns_say_what_numbers_say(tiers, fits, behaviour):
    columns = lift.missing(tiers, np.array(fits), np.full(len(fits), behaviour))
    assert columns.tolist() == [lift.missing(tiers, fit, behaviour) for fit in fits]


def test_the_nearest_tier_is_the_one_that_lacks_least():
    assert lift.nearest(TIERS, 0, 0).key == "mql"
    assert lift.nearest(TIERS, 75, 0).key == "hot"


def test_a_rule_that_did_not_fire_would_give_its_points_and_says_what_nobody_knows():
    rule = Rule("food", "Food", "fit", FOOD, 20)
    (found,) = judged(rule)
    assert (found.gives, found.undoes, found.unknown) == (20, False, ("industry",))
    (known,) = judged(rule, facts={"industry": "Retail"})
    assert known.unknown == ()
    assert judged(rule, facts={"industry": "Food"}) == []


def test_a_rule_that_took_points_would_give_them_back():
    (found,) = judged(Rule("gone", "Student", "fit", FOOD, -15), facts={"industry": "Food"})
    assert (found.gives, found.undoes) == (15, True)


def test_events_give_what_their_cap_and_their_fading_leave():
    told = [Event("visit", NOW - dt.timedelta(days=5))] * 2
    visit = {"event": "visit"}
    capped = Rule("a", "A", "behaviour", visit, 5, per_event=True, cap=12)
    faded = Rule("b", "B", "behaviour", visit, 10, decay_days=10)
    several = Rule("c", "C", "behaviour", visit, 4, per_event=True, minimum_count=3)
    full = Rule("d", "D", "behaviour", visit, 5, per_event=True, cap=10)
    gives = {each.rule.key: each.gives for each in judged(capped, faded, several, full, events=told)}
    assert gives == {"a": 2, "b": 5, "c": 12}


def test_what_is_enough_alone_stands_first_and_nothing_is_where_a_disqualifier_fired():
    small = Rule("small", "Small", "fit", FOOD, 20)
    great = Rule("great", "Great", "behaviour", {"event": "demo"}, 60)
    out = Rule("out", "Out", "disqualifier", {"field": "domain", "op": "present"})
    assert [(each.rule.key, each.enough) for each in judged(small, great)] == [("great", True), ("small", False)]
    assert not any(each.enough for each in judged(small, great, out, facts={"domain": "rival.example"}))
