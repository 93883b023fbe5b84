"""A condition drawn as form fields and read back is the same condition; its acts add, group and remove."""

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from sla import condition_tree as tree
from sla.conditions import LEAD_FIELDS, compile_condition
from tests.condition_fields import fields

NEW = {"field": "company", "op": "present"}
A, B = {"field": "industry", "op": "equals", "value": "Food"}, {"field": "country", "op": "in", "values": ["NL", "BE"]}

names = st.sampled_from([*LEAD_FIELDS, "attributes.Lead Source", "attributes.company", "attributes.company size"])
texts = st.text("abcXYZ 0é|.", min_size=1, max_size=8).map(str.strip).filter(lambda t: t)
numbers = st.integers(-(10**9), 10**9)
listed = st.one_of(st.lists(kind, min_size=1, max_size=4, unique=True) for kind in (texts, numbers))
leaves = st.one_of(
    st.fixed_dictionaries({"field": names, "op": st.sampled_from(["equals", "contains"]), "value": texts | numbers}),
    st.fixed_dictionaries({"field": names, "op": st.just("equals"), "value": texts, "case": st.just(True)}),
    st.fixed_dictionaries({"field": names, "op": st.sampled_from(["in", "not_in"]), "values": listed}),
    st.fixed_dictionaries({"field": names, "op": st.just("between"), "min": numbers}),
    st.fixed_dictionaries({"field": names, "op": st.sampled_from(["present", "absent"])}),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda k, c: {k: c}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=2, max_size=3)),
        inner.map(lambda c: {"not": c}),
    ),
    max_leaves=6,
)


@given(conditions)
def test_a_condition_survives_the_form(condition):
    drawn = tree.draw(condition)
    again = tree.condition(tree.read(fields(drawn)))
    compile_condition(again)
    assert again == tree.condition(drawn)


def after(condition, act):
    return tree.condition(tree.act(tree.draw(condition), act, NEW))


@pytest.mark.parametrize(
    ("condition", "act", "wanted"),
    [
        (A, "and:c", {"all": [A, NEW]}),
        (A, "or:c", {"any": [A, NEW]}),
        ({"all": [A, B]}, "and:c.0", {"all": [A, NEW, B]}),
        ({"all": [A, B]}, "or:c.1", {"all": [A, {"any": [B, NEW]}]}),
        ({"all": [A, B]}, "and:c", {"all": [A, B, NEW]}),
        ({"all": [A, B]}, "remove:c.0", B),
        ({"not": {"any": [A, B]}}, "remove:c.1", {"not": A}),
        (A, "remove:c", None),
        (None, "and:c", NEW),
    ],
)
def test_an_act_adds_beside_groups_or_takes_away(condition, act, wanted):
    assert after(condition, act) == wanted


def test_a_choice_that_still_lacks_its_value_is_found():
    post = QueryDict("node=c:leaf&c.field=industry&c.op=equals&c.value=")
    assert tree.lacking(tree.read(post)).leaf["field"] == "industry"
    assert tree.lacking(tree.draw(A)) is None


def test_changing_the_comparison_takes_the_values_along():
    post = QueryDict("node=c:leaf&c.field=industry&c.op=in&c.value=Food")
    assert tree.condition(tree.read(post))["values"] == ["Food"]
    post = QueryDict("node=c:leaf&c.field=industry&c.op=equals&c.values=Food&c.values=Logistics")
    assert tree.condition(tree.read(post))["value"] == "Food"


def test_a_field_is_named_as_people_say_it():
    assert tree.field_named("Company size") == "employees"
    assert tree.field_named("Lead Source") == "attributes.Lead Source"
    assert tree.field_said("attributes.company size") == "attributes.company size"


def test_what_no_form_of_ours_sends_breaks_nothing():
    deep = ".".join(["c", *["0"] * 500])
    post = QueryDict(f"node=c:leaf&node={deep}:leaf&node=x&c.field=industry&c.op=equals&c.value=Fo%00od")
    assert tree.condition(tree.read(post)) == {"field": "industry", "op": "equals", "value": "Food"}
