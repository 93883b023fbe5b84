"""Scoring is a pure function: the same definition, facts, events and instant give the same evaluation, always."""

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.conditions import LEAD_FIELDS, compile_condition
from sla.fingerprint import fingerprint
from sla.scoring import Definition, DefinitionError, Evaluation, Event, Rule, Tier, compile, evaluate

AT = datetime(2026, 11, 6, 12, 0, tzinfo=UTC)
HOT, STANDARD = Tier("hot", "Hot", 1, total=80, fit=30), Tier("standard", "Standard", 2, total=50)


def fit(condition, points=10, **more):
    return Rule("rule", "A rule", "fit", condition, points, **more)


def visits(points=10, **more):
    return Rule("visits", "Pricing page", "behaviour", {"event": "page_viewed"}, points, **more)


def viewed(days_ago=0.0, **more):
    return Event("page_viewed", AT - timedelta(days=days_ago), **more)


def score(*rules, facts=None, events=(), tiers=(HOT, STANDARD)):
    return evaluate(Definition(1, rules, tiers), facts or {}, events, AT)


def holds(condition, **facts):
    return compile_condition(condition)(facts)


# --- conditions: text -----------------------------------------------------------------------------
def test_text_is_compared_trimmed_without_case_and_composed():
    assert holds({"field": "country", "op": "equals", "value": " netherlands"}, country="Netherlands ")
    assert holds({"field": "company", "op": "equals", "value": "STRASSE"}, company="Straße")
    assert holds({"field": "company", "op": "equals", "value": "Caf\u00e9"}, company="CAFE\u0301")


def test_case_counts_where_the_rule_says_so():
    condition = {"field": "source", "op": "equals", "value": "Google", "case": True}
    assert holds(condition, source="Google")
    assert not holds(condition, source="google")
    assert not holds({"field": "source", "op": "contains", "value": "Goo", "case": True}, source="google")


def test_in_contains_and_matches_find_what_they_should():
    assert holds({"field": "country", "op": "in", "values": ["NL", "BE"]}, country="be")
    assert not holds({"field": "country", "op": "in", "values": ["NL", "BE"]}, country="Belgium")
    assert holds({"field": "title", "op": "contains", "value": "operations"}, title="Head of Operations")
    assert holds({"field": "title", "op": "matches", "value": r"^(head|vp)\b"}, title=" Head of Operations")
    assert not holds({"field": "title", "op": "matches", "value": r"^(head|vp)\b"}, title="Headhunter")


def test_other_than_wants_a_value_while_not_is_content_without():
    other = {"field": "country", "op": "not_equals", "value": "NL"}
    assert holds(other, country="BE")
    assert not holds(other, country="nl")
    assert not holds(other, country=None)
    assert holds({"not": {"field": "country", "op": "equals", "value": "NL"}}, country=None)
    assert not holds({"field": "country", "op": "not_in", "values": ["NL", "BE"]}, country="be")


def test_attributes_have_any_name():
    facts = {"attributes": {"What is your occupation? (v2.1)": "Working Professional"}}
    condition = {
        "field": "attributes.What is your occupation? (v2.1)",
        "op": "equals",
        "value": "working professional",
    }
    assert holds(condition, **facts)
    assert not holds(condition, attributes={})
    assert not holds(condition, attributes=None)
    assert not holds(condition)


def test_of_several_answers_one_has_to_pass_and_for_other_than_none_may():
    facts = {"attributes": {"topics": ["Pricing", "Support"]}}
    assert holds({"field": "attributes.topics", "op": "equals", "value": "support"}, **facts)
    assert not holds({"field": "attributes.topics", "op": "not_equals", "value": "support"}, **facts)
    assert holds({"field": "attributes.topics", "op": "not_equals", "value": "careers"}, **facts)
    assert holds({"field": "attributes.topics", "op": "absent"}, attributes={"topics": ["", None]})


def test_all_any_and_not_combine():
    size = {"field": "employees", "op": "between", "min": 50}
    place = {"field": "country", "op": "equals", "value": "NL"}
    assert holds({"all": [size, place]}, employees=50, country="NL")
    assert not holds({"all": [size, place]}, employees=49, country="NL")
    assert holds({"any": [size, place]}, employees=49, country="NL")
    assert not holds({"any": [size, place]}, employees=49, country="BE")
    assert holds({"all": [place, {"not": {"any": [size]}}]}, employees=49, country="NL")


# --- conditions: numbers and nothing --------------------------------------------------------------
@pytest.mark.parametrize("value", [50, 500, "50", " 500 ", "50.0", "5e1", Decimal("50.00"), 499.99])
def test_a_range_holds_its_ends_and_reads_numbers_in_text(value):
    assert holds({"field": "employees", "op": "between", "min": 50, "max": 500}, employees=value)


@pytest.mark.parametrize(
    "value", [49, 501, "49.999", "500.001", "1,200", "fifty", "5_0", "50-100", "nan", "inf", True, "٥٠", "9" * 50, {}]
)
def test_outside_a_range_or_no_number_is_simply_false(value):
    assert not holds({"field": "employees", "op": "between", "min": 50, "max": 500}, employees=value)


def test_decimal_bounds_are_exact():
    condition = {"field": "attributes.pages", "op": "between", "min": "0.3"}
    assert holds(condition, attributes={"pages": "0.3"})
    assert holds(condition, attributes={"pages": 0.3})
    assert not holds(condition, attributes={"pages": "0.29999999999999999999"})


def test_a_number_equals_text_that_is_the_same_number():
    assert holds({"field": "employees", "op": "equals", "value": 3}, employees="3.0")
    assert holds({"field": "employees", "op": "in", "values": [3, "many"]}, employees="Many")
    assert holds({"field": "attributes.opt", "op": "equals", "value": True}, attributes={"opt": True})
    assert not holds({"field": "attributes.opt", "op": "equals", "value": 1}, attributes={"opt": True})


@pytest.mark.parametrize("nothing", [None, "", "  \t", [], [" "]])
def test_nothing_is_absent_and_passes_no_other_test(nothing):
    operands = {"equals": {"value": "x"}, "in": {"values": ["x"]}, "contains": {"value": "x"}, "present": {}}
    operands |= {"matches": {"value": ".*"}, "between": {"min": -1}, "not_equals": {"value": "x"}}
    for op, operand in (operands | {"not_in": {"values": ["x"]}}).items():
        assert not holds({"field": "title", "op": op, **operand}, title=nothing), op
    assert holds({"field": "title", "op": "absent"}, title=nothing)
    assert holds({"field": "title", "op": "absent"})
    assert holds({"field": "title", "op": "present"}, title="0")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.datetimes(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=4,
    )
)
def test_no_value_whatever_makes_a_test_raise(value):
    tests = [{"op": "equals", "value": "x"}, {"op": "in", "values": ["x", 3]}, {"op": "contains", "value": "x"}]
    tests += [{"op": "matches", "value": "x+y"}, {"op": "between", "min": 1, "max": "2.5"}, {"op": "present"}]
    tests += [{"op": "not_equals", "value": 1}, {"op": "absent"}, {"op": "not_in", "values": ["x"]}]
    for test in tests:
        assert holds({"field": "attributes.any", **test}, attributes={"any": value}) in (True, False)


# --- behaviour ------------------------------------------------------------------------------------
def test_a_behaviour_rule_fires_from_its_count_on():
    rule = visits(points=12, minimum_count=2)
    assert score(rule, events=[viewed(1)]).behaviour == 0
    assert score(rule, events=[viewed(1), viewed(2)]).behaviour == 12
    assert score(rule, events=[viewed(1)] * 9).behaviour == 12


def test_only_events_of_the_kind_and_with_the_properties_count():
    where = {"field": "url", "op": "contains", "value": "/pricing"}
    rule = Rule("pricing", "Pricing", "behaviour", {"event": "page_viewed", "where": where}, 10)
    assert score(rule, events=[viewed(properties={"url": "https://x.example/Pricing?a=1"})]).behaviour == 10
    assert score(rule, events=[viewed(properties={"url": "/blog"}), viewed(properties={})]).behaviour == 0
    assert score(rule, events=[Event("form_submitted", AT, {"url": "/pricing"})]).behaviour == 0


def test_a_window_is_open_at_its_far_end_and_closed_at_now():
    rule = visits(window_days=14)
    assert score(rule, events=[viewed(14)]).behaviour == 0
    assert score(rule, events=[Event("page_viewed", AT - timedelta(days=14) + timedelta(microseconds=1))]).behaviour
    assert score(rule, events=[viewed(0)]).behaviour == 10
    assert score(rule, events=[viewed(-0.0001)]).behaviour == 0


def test_each_event_counts_up_to_the_cap():
    rule = visits(points=4, per_event=True, cap=10)
    assert [score(rule, events=[viewed(1)] * count).behaviour for count in range(5)] == [0, 4, 8, 10, 10]
    rule = visits(points=-4, per_event=True, cap=10)
    assert [score(rule, events=[viewed(1)] * count).behaviour for count in range(5)] == [0, -4, -8, -10, -10]


def test_points_decay_in_a_straight_line_and_are_rounded_towards_zero():
    rule = visits(points=10, decay_days=30)
    ages = {0: 10, 3: 9, 3.1: 8, 15: 5, 29.9: 0, 30: 0, 400: 0}
    assert {age: score(rule, events=[viewed(age)]).behaviour for age in ages} == ages
    losses = {0: -10, 3.1: -8, 29.9: 0}
    rule = visits(points=-10, decay_days=30)
    assert {age: score(rule, events=[viewed(age)]).behaviour for age in losses} == losses


def test_the_latest_event_decides_the_decay_of_a_rule_that_counts_once():
    assert score(visits(points=10, decay_days=30), events=[viewed(29), viewed(15), viewed(20)]).behaviour == 5


def test_events_decay_each_by_its_own_age_and_are_rounded_together():
    rule = visits(points=1, per_event=True, decay_days=30)
    assert score(rule, events=[viewed(15), viewed(15)]).behaviour == 1  # a half and a half
    rule = visits(points=10, per_event=True, decay_days=30, cap=12)
    assert score(rule, events=[viewed(0), viewed(15)]).behaviour == 12  # fifteen, capped after the decay


def test_decay_counts_true_hours_across_a_change_of_summer_time():
    berlin = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 25, 12, tzinfo=berlin)
    event = Event("page_viewed", datetime(2026, 10, 25, 0, tzinfo=berlin))  # thirteen hours before, not twelve
    rule = visits(points=240, decay_days=1)
    assert evaluate(Definition(1, [rule], [STANDARD]), {}, [event], at).behaviour == 110


def test_an_imported_aggregate_counts_as_behaviour_though_it_is_a_fact():
    condition = {"field": "attributes.Total Time Spent on Website", "op": "between", "min": 500}
    rule = Rule("time", "Time on the website", "behaviour", condition, 30)
    found = score(rule, facts={"attributes": {"Total Time Spent on Website": "674"}})
    assert (found.fit, found.behaviour) == (0, 30)


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        Event("page_viewed", datetime(2026, 11, 6))
    with pytest.raises(ValueError, match="no time zone"):
        evaluate(Definition(1, [], [STANDARD]), {}, [], datetime(2026, 11, 6))


# --- tiers and disqualifiers ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fit_points", "behaviour_points", "tier"),
    [(30, 50, "hot"), (29, 51, "standard"), (30, 49, "standard"), (50, 0, "standard"), (49, 0, None), (80, -31, None)],
)
def test_a_tier_is_reached_exactly_at_its_thresholds(fit_points, behaviour_points, tier):
    found = score(fit({"field": "email", "op": "absent"}, fit_points), visits(behaviour_points), events=[viewed()])
    assert (found.fit, found.behaviour, found.tier) == (fit_points, behaviour_points, tier)
    assert found.qualified == (tier is not None)


def test_the_highest_tier_whose_thresholds_are_met_is_taken_whatever_their_order():
    rule = fit({"field": "email", "op": "absent"}, 90)
    assert score(rule, tiers=(STANDARD, HOT)).tier == score(rule, tiers=(HOT, STANDARD)).tier == "hot"


def test_a_tier_may_ask_for_behaviour_alone():
    active = Tier("active", "Active", 1, total=0, behaviour=10)
    assert score(visits(10), events=[viewed()], tiers=(active,)).tier == "active"
    assert score(fit({"field": "email", "op": "absent"}, 90), tiers=(active,)).tier is None


def test_a_disqualifier_leaves_the_lead_in_nurture_whatever_its_points():
    shut = Rule("student", "Student", "disqualifier", {"field": "title", "op": "contains", "value": "student"})
    rich = fit({"field": "title", "op": "present"}, 500)
    found = score(rich, shut, facts={"title": "Student"})
    assert (found.total, found.tier, found.disqualified_by) == (500, None, "student")
    assert score(rich, shut, facts={"title": "Director"}).tier == "hot"


def test_an_event_may_disqualify_unless_it_is_suspected():
    shut = Rule("gone", "Unsubscribed", "disqualifier", {"event": "unsubscribed"})
    rich = fit({"field": "email", "op": "absent"}, 500)
    assert score(rich, shut, events=[Event("unsubscribed", AT)]).disqualified_by == "gone"
    assert score(rich, shut, events=[Event("unsubscribed", AT, suspected=True)]).tier == "hot"


# --- the breakdown --------------------------------------------------------------------------------
def test_the_breakdown_says_what_was_seen_of_each_rule():
    rules = [
        Rule("size", "Size", "fit", {"field": "employees", "op": "between", "min": 1000}, 20),
        Rule("job", "Job", "fit", {"field": "attributes.Current job", "op": "present"}, 5),
        Rule("nl", "Country", "fit", {"field": "country", "op": "equals", "value": "NL"}, 5),
        Rule("visits", "Visits", "behaviour", {"event": "page_viewed"}, 12, window_days=14, minimum_count=2),
        Rule("demo", "Demo", "behaviour", {"event": "demo_requested"}, 30, window_days=14),
        Rule("old", "Webinar", "behaviour", {"event": "webinar_attended"}, 3),
    ]
    events = [viewed(1), viewed(0.1), viewed(3), Event("webinar_attended", AT - timedelta(days=365))]
    found = score(*rules, facts={"employees": 640, "attributes": {"Current job": " Buyer"}}, events=events)
    assert [(rule.points, rule.fired, rule.saw) for rule in found.rules] == [
        (0, False, "640 employees"),
        (5, True, "Current job: Buyer"),
        (0, False, "no country"),
        (12, True, "3 visits, last 6 Nov 09:36"),
        (0, False, "none in 14 days"),
        (3, True, "1 × webinar attended, last 6 Nov 2025 12:00"),
    ]


def test_the_words_use_the_zone_they_are_asked_for():
    found = evaluate(Definition(1, [visits()], [HOT]), {}, [viewed()], AT, zone=ZoneInfo("Asia/Kolkata"))
    assert found.rules[0].saw == "1 visit, last 6 Nov 17:30"


def test_the_breakdown_adds_up_and_reads_back_from_its_json():
    found = score(fit({"field": "title", "op": "present"}, 7), visits(4), facts={"title": "x"}, events=[viewed()])
    stored = json.loads(json.dumps(found.as_json()))
    assert Evaluation.from_json(stored) == found
    assert stored["at"] == "2026-11-06T12:00:00.000000Z"
    assert stored["total"] == sum(rule["points"] for rule in stored["rules"]) == 11


# --- definitions that cannot be used --------------------------------------------------------------
@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("employees > 50", "A condition is an object"),
        ({}, "names a 'field'"),
        ({"field": "employes", "op": "present"}, "no field 'employes'; did you mean 'employees'"),
        ({"field": "shoe size", "op": "present"}, "write 'attributes.shoe size'"),
        ({"field": "attributes.", "op": "present"}, "no field 'attributes.'"),
        ({"field": "title", "op": "is"}, "unknown op 'is'"),
        ({"field": "title", "op": ["in"]}, "unknown op"),
        ({"field": "title", "op": "equals"}, "takes case, value; found nothing"),
        ({"field": "title", "op": "equals", "value": "x", "values": []}, "found value, values"),
        ({"field": "title", "op": "equals", "value": ""}, "1 to 500 characters"),
        ({"field": "title", "op": "equals", "value": 2.5}, "Write 2.5 as text"),
        ({"field": "title", "op": "equals", "value": None}, "neither text nor"),
        ({"field": "title", "op": "equals", "value": "x", "case": "no"}, "true or false"),
        ({"field": "title", "op": "in", "values": []}, "1 to 10000 values"),
        ({"field": "title", "op": "in", "values": "x"}, "1 to 10000 values"),
        ({"field": "employees", "op": "between"}, "needs 'min', 'max' or both"),
        ({"field": "employees", "op": "between", "min": 5, "max": 4}, "which nothing can be"),
        ({"field": "employees", "op": "between", "min": 2.5}, "decimal text such as '2.5'"),
        ({"field": "employees", "op": "between", "min": "many"}, "not 'many'"),
        ({"field": "title", "op": "matches", "value": "("}, "cannot be read"),
        ({"field": "title", "op": "matches", "value": "a{1,99999999999}"}, "cannot be read"),
        ({"field": "title", "op": "matches", "value": "x" * 201}, "1 to 200 characters"),
        ({"all": []}, "at least one"),
        ({"all": {"field": "title"}}, "takes a list"),
        ({"any": [{"field": "title", "op": "present"}], "field": "title"}, "stands alone"),
        ({"all": [{"event": "page_viewed"}]}, "does not combine"),
        ({"event": ""}, "names a kind of event"),
        ({"event": "page_viewed", "count": 2}, "takes 'event' and 'where'; found count"),
        ({"event": "page_viewed", "where": {"event": "x"}}, "does not combine"),
    ],
)
def test_a_condition_that_cannot_be_used_is_refused_in_plain_words(condition, message):
    with pytest.raises(DefinitionError, match=r"^Rule 'rule': ") as refusal:
        fit(condition)
    assert message in str(refusal.value)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|ab)*c", "(a?){30}a{30}", "a?" * 30 + "a" * 30, ".*.*.*.*x"])
def test_a_pattern_that_could_stall_is_refused(pattern):
    with pytest.raises(DefinitionError, match="could stall"):
        fit({"field": "title", "op": "matches", "value": pattern})


@pytest.mark.parametrize("pattern", [r"^(vp|head)\b.*(sales|ops)", r"[a-z]+\s+[a-z]+", r".+@(gmail|yahoo)\.com$"])
def test_an_everyday_pattern_is_taken(pattern):
    assert fit({"field": "email", "op": "matches", "value": pattern})


def test_a_condition_neither_too_deep_nor_too_long_is_taken():
    deep = {"field": "title", "op": "present"}
    for _ in range(50):
        deep = {"not": deep}
    with pytest.raises(DefinitionError, match="at most 8 deep"):
        fit(deep)
    with pytest.raises(DefinitionError, match="at most 100 parts"):
        fit({"any": [{"field": "title", "op": "present"}] * 101})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": 1.5}, "points 1.5"),
        ({"points": True}, "points True"),
        ({"points": 10_001}, "points 10001"),
        ({"minimum_count": 0}, "minimum_count 0"),
        ({"window_days": 0}, "window_days 0"),
        ({"cap": 0, "per_event": True}, "cap 0"),
        ({"cap": 5}, "'cap' goes with 'per_event'"),
        ({"per_event": 1}, "true or false"),
        ({"axis": "intent"}, "the axis is 'intent'"),
        ({"label": " "}, "needs a label"),
        ({"axis": "disqualifier"}, "has no points"),
        ({"condition": {"field": "title", "op": "present"}, "window_days": 3}, "for events; this one tests facts"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_in_plain_words(change, message):
    with pytest.raises(DefinitionError) as refusal:
        Rule(**{"key": "k", "label": "l", "axis": "behaviour", "condition": {"event": "x"}, "points": 5} | change)
    assert message in str(refusal.value)


def test_rules_and_tiers_have_their_own_keys_and_there_is_a_tier():
    with pytest.raises(DefinitionError, match="Two rules have the same key: visits"):
        Definition(1, [visits(), visits()], [HOT])
    with pytest.raises(DefinitionError, match="Two tiers have the same position: 1"):
        Definition(1, [], [HOT, Tier("warm", "Warm", 1, 3)])
    with pytest.raises(DefinitionError, match="at least one tier"):
        Definition(1, [], [])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "A definition is an object"),
        ({"number": 1, "rules": []}, "A definition lacks tiers"),
        ({"number": 1, "rules": {}, "tiers": []}, "'rules' is a list"),
        ({"number": "1", "rules": [], "tiers": []}, "number '1'"),
        ({"number": 1, "rules": [], "tiers": [], "name": "x"}, "does not know name"),
        ({"number": 1, "rules": [{"key": "a"}], "tiers": []}, "Rule 1 lacks label, axis, condition"),
        ({"number": 1, "rules": [], "tiers": [{"key": "a", "name": "A", "position": 1}]}, "Tier 1 lacks total"),
    ],
)
def test_a_document_that_is_no_definition_is_refused_in_plain_words(document, message):
    with pytest.raises(DefinitionError) as refusal:
        Definition.from_json(document)
    assert message in str(refusal.value)


# --- laws -----------------------------------------------------------------------------------------
KINDS = ("page_viewed", "form_submitted", "email_opened")
names = st.sampled_from([*LEAD_FIELDS, "attributes.Any name, v1.0"])
words = st.sampled_from(["NL", "be", "640", "3.0", "Head of Ops", "x"])
leaves = st.one_of(
    st.builds(lambda f, v: {"field": f, "op": "equals", "value": v}, names, words),
    st.builds(lambda f, v: {"field": f, "op": "not_in", "values": v}, names, st.lists(words, min_size=1, max_size=3)),
    st.builds(lambda f, v: {"field": f, "op": "contains", "value": v}, names, words),
    st.builds(lambda f, v: {"field": f, "op": "between", "min": v}, names, st.integers(0, 700)),
    st.builds(lambda f, op: {"field": f, "op": op}, names, st.sampled_from(["present", "absent"])),
)
fact_conditions = st.recursive(
    leaves,
    lambda inner: (
        st.builds(
            lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        )
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=4,
)
days = st.none() | st.integers(1, 60)
event_conditions = st.builds(
    lambda kind, value: (
        {"event": kind} | ({"where": {"field": "url", "op": "equals", "value": value}} if value else {})
    ),
    st.sampled_from(KINDS),
    st.none() | st.sampled_from(["/a", "/b"]),
)


@st.composite
def rules(draw, key):
    axis = draw(st.sampled_from(["fit", "behaviour", "disqualifier"]))
    points = 0 if axis == "disqualifier" else draw(st.integers(-50, 50))
    if draw(st.booleans()):
        return Rule(key, "A rule", axis, draw(fact_conditions), points)
    more = {"window_days": draw(days), "minimum_count": draw(st.integers(1, 3))}
    if axis != "disqualifier":
        per_event = draw(st.booleans())
        cap = draw(st.none() | st.integers(1, 60)) if per_event else None
        more |= {"per_event": per_event, "cap": cap, "decay_days": draw(days)}
    return Rule(key, "A rule", axis, draw(event_conditions), points, **more)


@st.composite
def definitions(draw):
    made = tuple(draw(rules(f"rule-{place}")) for place in range(draw(st.integers(0, 6))))
    limits = st.none() | st.integers(-30, 60)
    tiers = tuple(
        Tier(f"tier-{place}", "A tier", place, draw(st.integers(-30, 90)), draw(limits), draw(limits))
        for place in range(1, draw(st.integers(1, 3)) + 1)
    )
    return Definition(1, made, tiers)


def events_of(seconds, **more):
    return st.builds(
        Event,
        st.sampled_from(KINDS),
        seconds.map(lambda s: AT - timedelta(seconds=s)),
        st.fixed_dictionaries({}, optional={"url": st.sampled_from(["/a", "/b"])}),
        **more,
    )


happened = st.lists(events_of(st.integers(0, 90 * 86_400)), max_size=8)
columns = st.dictionaries(st.sampled_from(LEAD_FIELDS), words | st.none() | st.integers(0, 700), max_size=6)
attributes = st.fixed_dictionaries({}, optional={"attributes": st.dictionaries(st.just("Any name, v1.0"), words)})
facts_of_leads = st.builds(lambda some, more: some | more, columns, attributes)
outcome = st.tuples(definitions(), facts_of_leads, happened)


def verdict(found):
    """All of an evaluation but the order of its rules."""
    return {**found.as_json(), "rules": sorted(rule.key + str(rule) for rule in found.rules)}


@given(outcome, st.randoms(use_true_random=False))
def test_the_order_of_rules_tiers_and_events_is_irrelevant(case, random):
    definition, facts, events = case
    rules, tiers = (random.sample(part, len(part)) for part in (definition.rules, definition.tiers))
    mixed = evaluate(Definition(1, rules, tiers), facts, random.sample(events, len(events)), AT)
    assert verdict(mixed) == verdict(evaluate(definition, facts, events, AT))


@given(outcome, st.integers(-50, 50))
def test_adding_a_rule_that_does_not_match_changes_nothing(case, points):
    definition, facts, events = case
    never = [
        Rule("never", "Never", "fit", {"field": "attributes.unheard of", "op": "present"}, points),
        Rule("unseen", "Unseen", "behaviour", {"event": "unheard_of"}, points, per_event=True),
        Rule("shut", "Shut", "disqualifier", {"event": "unheard_of"}),
    ]
    before = evaluate(definition, facts, events, AT)
    after = evaluate(Definition(1, (*definition.rules, *never), definition.tiers), facts, events, AT)
    assert after.as_json() | {"rules": before.as_json()["rules"]} == before.as_json()
    assert after.rules[: len(before.rules)] == before.rules


@given(outcome)
def test_a_replay_gives_the_same_and_touches_nothing_it_was_given(case):
    definition, facts, events = case
    kept = copy.deepcopy((definition.as_json(), facts, events))
    scorer = compile(definition)
    first, second = scorer.evaluate(facts, events, AT), scorer.evaluate(facts, events, AT)
    assert first == second == evaluate(definition, facts, events, AT)
    assert (definition.as_json(), facts, events) == kept


@given(outcome)
def test_the_same_instant_in_another_zone_gives_the_same(case):
    definition, facts, events = case
    elsewhere = ZoneInfo("Pacific/Auckland")
    moved = [Event(e.kind, e.occurred_at.astimezone(elsewhere), e.properties) for e in events]
    assert evaluate(definition, facts, moved, AT.astimezone(elsewhere)) == evaluate(definition, facts, events, AT)


@given(outcome)
def test_the_cheap_sums_are_those_of_the_breakdown(case):
    definition, facts, events = case
    found, cheap = evaluate(definition, facts, events, AT), compile(definition)(facts, events, AT)
    assert cheap == (found.fit, found.behaviour, found.total, found.tier, found.disqualified_by is not None)
    assert found.total == found.fit + found.behaviour == sum(rule.points for rule in found.rules)


@given(outcome)
def test_definition_and_evaluation_survive_json_and_can_be_fingerprinted(case):
    definition, facts, events = case
    found = evaluate(definition, facts, events, AT)
    document = json.loads(json.dumps(definition.as_json()))
    assert Definition.from_json(document) == definition
    assert Evaluation.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert fingerprint(document, None) == fingerprint(definition.as_json(), None)


@given(outcome, st.lists(events_of(st.integers(-90 * 86_400, -1)), max_size=4))
def test_what_has_not_happened_yet_changes_nothing(case, future):
    definition, facts, events = case
    assert evaluate(definition, facts, events + future, AT) == evaluate(definition, facts, events, AT)


@given(outcome, st.lists(events_of(st.integers(0, 90 * 86_400), suspected=st.just(True)), max_size=4))
def test_what_is_suspected_to_be_a_machine_changes_nothing(case, suspected):
    definition, facts, events = case
    assert evaluate(definition, facts, events + suspected, AT) == evaluate(definition, facts, events, AT)


@given(outcome)
def test_one_point_under_the_threshold_is_the_next_tier_or_nurture(case):
    definition, facts, events = case
    rules = [rule for rule in definition.rules if rule.axis != "disqualifier"]
    total = evaluate(Definition(1, rules, [STANDARD]), facts, events, AT).total
    at_threshold = evaluate(Definition(1, rules, [Tier("t", "T", 1, total)]), facts, events, AT)
    above = evaluate(Definition(1, rules, [Tier("t", "T", 1, total + 1)]), facts, events, AT)
    assert (at_threshold.tier, above.tier) == ("t", None)
