"""Leads scored in columns get the very points, tier and fired rules that they get one by one."""

import datetime as dt
import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.backtest.columns import Happened, Panel, column, needed, score
from leads.backtest.tally import ACCEPTED, Tally, at_threshold, tally
from sla import scoring

BASE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
FIELDS = ("industry", "employees", "attributes.Budget", "attributes.Answers")
words = st.sampled_from(["Food", "food ", "FOOD", "Ünlü", "", "  ", "12", "12.0", "x12"])
values = {
    "industry": words | st.none(),
    "employees": st.none() | st.integers(0, 30),
    "attributes.Budget": words | st.none() | st.booleans() | st.integers(0, 30) | st.sampled_from([1.0, 12.5]),
    "attributes.Answers": st.lists(words, max_size=3) | words,
}
operands = st.sampled_from(["Food", "12", "ünlü"]) | st.integers(0, 20)


def leaves(fields):
    named = {"field": st.sampled_from(fields)}
    return st.one_of(
        st.fixed_dictionaries(named | {"op": st.sampled_from(["equals", "not_equals"]), "value": operands}),
        st.fixed_dictionaries(
            named | {"op": st.just("equals"), "value": words.filter(str.strip), "case": st.just(True)}
        ),
        st.fixed_dictionaries(
            named | {"op": st.sampled_from(["in", "not_in"]), "values": st.lists(operands, min_size=1, max_size=3)}
        ),
        st.fixed_dictionaries(named | {"op": st.just("contains"), "value": st.sampled_from(["oo", "1"])}),
        st.fixed_dictionaries(named | {"op": st.just("matches"), "value": st.sampled_from(["^f", "[0-9]{2}"])}),
        st.fixed_dictionaries(named | {"op": st.just("between"), "min": st.integers(0, 15)}),
        st.fixed_dictionaries(named | {"op": st.sampled_from(["present", "absent"])}),
    )


def conditions(fields):
    return st.recursive(
        leaves(fields),
        lambda inner: (
            st.builds(lambda k, c: {k: c}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3))
            | inner.map(lambda c: {"not": c})
        ),
        max_leaves=4,
    )


kinds = st.sampled_from(["visit", "guide"])
points = st.integers(-10_000, 10_000) | st.integers(-20, 20)


@st.composite
def rules(draw, key):
    axis = draw(st.sampled_from(["fit", "behaviour", "disqualifier"]))
    worth = 0 if axis == "disqualifier" else draw(points)
    if draw(st.booleans()):
        return scoring.Rule(key, key, axis, draw(conditions(FIELDS)), worth)
    each = axis != "disqualifier" and draw(st.booleans())
    cap = draw(st.none() | st.integers(1, 50)) if each else None
    condition = {"event": draw(kinds)}
    if draw(st.booleans()):
        condition["where"] = draw(conditions(("page",)))
    return scoring.Rule(
        key, key, axis, condition, worth, window_days=draw(st.none() | st.integers(1, 40)),
        minimum_count=draw(st.integers(1, 3)), per_event=each, cap=cap,
        decay_days=None if axis == "disqualifier" else draw(st.none() | st.integers(1, 40) | st.just(36_500)),
    )  # fmt: skip


thresholds = st.none() | st.integers(-20, 20)


@st.composite
def definitions(draw):
    some = [draw(rules(f"r{i}")) for i in range(draw(st.integers(0, 5)))]
    tiers = [
        scoring.Tier(f"t{i}", f"T{i}", i + 1, draw(st.integers(-20, 40)), draw(thresholds), draw(thresholds))
        for i in range(draw(st.integers(1, 3)))
    ]
    return scoring.Definition(1, some, tiers)


instants = st.integers(0, 60 * 86_400 * 10**6) | st.sampled_from([d * 86_400 * 10**6 for d in (0, 1, 10, 20, 40)])
events = st.tuples(kinds, instants, st.fixed_dictionaries({}, optional={"page": words | st.integers(0, 20)}))
leads = st.tuples(st.fixed_dictionaries(values), instants, st.lists(events, max_size=6), st.integers(0, 4))


def facts_of(known):
    plain = {name: value for name, value in known.items() if "." not in name}
    return plain | {"attributes": {name.partition(".")[2]: v for name, v in known.items() if "." in name}}


def panel(people, definition):
    read, of_kind = needed([definition])
    happened = {}
    for kind, names in of_kind.items():
        rows = [(i, when, p) for i, (_, _, seen, _) in enumerate(people) for k, when, p in seen if k == kind]
        properties = {n: column([json.dumps(p.get(n)) for _, _, p in rows], json.loads) for n in names}
        happened[kind] = Happened(
            np.array([r[0] for r in rows], dtype=np.int64), np.array([r[1] for r in rows], dtype=np.int64), properties
        )
    facts = {name: column([json.dumps(p[0][name]) for p in people], json.loads) for name in read}
    return Panel(np.array([p[1] for p in people], dtype=np.int64), facts, happened)


@settings(max_examples=400)
@given(definitions(), st.lists(leads, max_size=8))
def test_every_lead_gets_what_it_gets_alone(definition, people):
    scores = score(definition, panel(people, definition))
    for i, (known, moment, seen, _) in enumerate(people):
        happened = [scoring.Event(kind, BASE + when * MICROSECOND, p) for kind, when, p in seen]
        alone = scoring.evaluate(definition, facts_of(known), happened, BASE + moment * MICROSECOND)
        tier = scores.names[scores.tiers[i]] if scores.qualified[i] else None
        assert (scores.fit[i], scores.behaviour[i], tier) == (alone.fit, alone.behaviour, alone.tier)
        assert {key for key, fired in scores.fired.items() if fired[i]} == {r.key for r in alone.rules if r.fired}


def counted(definition, before, people):
    outcomes = np.array([p[3] for p in people], dtype=np.int64)
    handoffs = np.arange(1, len(people) + 1)
    return tally(
        score(definition, panel(people, definition)), score(before, panel(people, before)), outcomes, handoffs
    )


@given(definitions(), st.lists(leads, max_size=8), st.integers(-60, 60))
def test_one_more_point_of_threshold_never_raises_accepted_nor_mqls(definition, people, threshold):
    curve = counted(definition, definition, people).curve
    here, above = at_threshold(curve, threshold), at_threshold(curve, threshold + 1)
    assert all(more >= fewer for more, fewer in zip(here, above, strict=True))


@given(definitions(), st.lists(leads, max_size=8))
def test_the_curve_passes_through_the_definition_as_it_is(definition, people):
    found = counted(definition, definition, people)
    entry = min(tier.total for tier in definition.tiers)
    mqls, accepted, _, _ = at_threshold(found.curve, entry)
    assert mqls == found.count("kept")
    assert accepted == found.count("kept", "accepted")


@given(definitions(), definitions(), st.lists(leads, max_size=8), st.integers(0, 8))
def test_counting_in_steps_is_counting_at_once(draft, before, people, cut):
    parts = counted(draft, before, people[:cut]) + counted(draft, before, people[cut:])
    whole = counted(draft, before, people)
    whole.lost = parts.lost = []  # handoffs are numbered from one in each part
    assert parts == whole
    assert Tally.from_json(json.loads(json.dumps(whole.as_json()))) == whole


@given(definitions(), definitions(), st.lists(leads, max_size=8))
def test_every_lead_moves_once_and_the_lost_ones_were_accepted(draft, before, people):
    found = counted(draft, before, people)
    assert sum(found.count(move) for move in ("kept", "dropped", "admitted", "nurture")) == found.leads == len(people)
    assert len(found.lost) == found.count("dropped", "accepted")
    assert all(people[handoff - 1][3] == ACCEPTED for handoff, _, _ in found.lost)
