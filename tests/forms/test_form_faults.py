"""What keeps a form from being published: rings, references forward, questions that nobody can ever be asked."""

import itertools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.intake.forms.document import ContentError, read
from leads.intake.forms.faults import faults
from leads.intake.forms.logic import walk
from leads.intake.forms.starter import starting_document

EMAIL = {"key": "email", "type": "email", "label": "E-mail", "required": True, "fills": "email"}
THANKS = [{"title": "Thank you"}]


def choice(key, *values, **more):
    return {"key": key, "type": "choice", "label": key, "choices": [{"value": v} for v in values], **more}


def text(key, **more):
    return {"key": key, "type": "text", "label": key, **more}


def number(key, **more):
    return {"key": key, "type": "number", "label": key, **more}


def eq(field, value):
    return {"field": field, "op": "equals", "value": value}


def between(field, low, high):
    return {"field": field, "op": "between", "min": low, "max": high}


def form(*questions, skips=(), pages=(), thanks=THANKS):
    first = {"key": "one", "questions": [EMAIL, *questions], "skips": list(skips)}
    return read({"title": "F", "pages": [first, *pages], "thanks": thanks})


def codes(content):
    return [(fault.code, fault.key) for fault in faults(content)]


def test_the_form_that_one_starts_from_has_no_fault():
    assert faults(read(starting_document("Ask us"))) == []


def test_a_reference_to_a_later_question_is_found():
    assert codes(form(text("a", show=eq("b", "x")), text("b"))) == [("forward", "a")]


def test_a_reference_to_nothing_is_found():
    assert codes(form(text("a", require=eq("gone", "x")))) == [("unknown", "a")]


def test_a_question_that_waits_for_itself_is_found():
    assert codes(form(text("a", show=eq("a", "x")))) == [("forward", "a")]


def test_a_ring_is_told_once_with_its_questions():
    found = faults(form(text("a", show=eq("c", "x")), text("b", show=eq("a", "x")), text("c", show=eq("b", "x"))))
    rings = [fault for fault in found if fault.code == "ring"]
    assert len(rings) == 1
    assert "“a” → “c” → “b” → “a”" in rings[0].sentence


def test_a_skip_leads_to_a_later_page_and_reads_what_was_asked():
    later = {"key": "two", "questions": [text("b")], "skips": [{"to": "one", "when": eq("b", "x")}]}
    assert codes(form(pages=[later])) == [("skip_back", "two")]
    skips = [{"to": "two", "when": eq("b", "x")}]
    assert ("unknown", "one") in codes(form(skips=skips, pages=[{"key": "two", "questions": [text("b")]}]))


AB = choice("a", "x", "y")
NUMBER = number("n", min=0, max=10)
SEVERAL = {"key": "s", "type": "several", "label": "s", "choices": [{"value": v} for v in "xyz"], "most": 2}
DEAD = {
    "no such choice": [AB, text("d", show=eq("a", "z"))],
    "two choices at once": [AB, text("d", show={"all": [eq("a", "x"), eq("a", "y")]})],
    "given and missing": [
        text("a"),
        text("d", show={"all": [{"field": "a", "op": "present"}, {"field": "a", "op": "absent"}]}),
    ],
    "outside the bounds": [NUMBER, text("d", show=between("n", 11, 20))],
    "between two whole numbers": [
        NUMBER,
        text("d", show={"all": [between("n", 3, 9), {"not": between("n", 3, 9)}]}),
    ],
    "three of at most two": [SEVERAL, text("d", show={"all": [eq("s", "x"), eq("s", "y"), eq("s", "z")]})],
    "behind a dead one": [AB, choice("b", "p", show=eq("a", "z")), text("d", show=eq("b", "p"))],
    "two branches": [
        AB, choice("b", "p", show=eq("a", "x")), choice("c", "q", show=eq("a", "y")),
        text("d", show={"all": [eq("b", "p"), eq("c", "q")]}),
    ],
    "two texts at once": [text("a"), text("d", show={"all": [eq("a", "one"), eq("a", "two")]})],
}  # fmt: skip
ALIVE = {
    "either choice": [AB, text("d", show={"any": [eq("a", "x"), eq("a", "z")]})],
    "none of them": [AB, text("d", show={"not": {"any": [eq("a", "x"), eq("a", "y")]}})],
    "at the bound": [NUMBER, text("d", show=between("n", 10, 20))],
    "in the gap between": [
        number("n", whole=False),
        text("d", show={"not": {"any": [between("n", None, 1), between("n", "1.0005", None)]}}),
    ],
    "two of at most two": [SEVERAL, text("d", show={"all": [eq("s", "x"), eq("s", "y")]})],
    "a text that a pattern may fit": [
        text("a"),
        text("d", show={"all": [{"field": "a", "op": "matches", "value": "^x"}, {"not": eq("a", "xy")}]}),
    ],
    "a number in a text": [text("a"), text("d", show=between("a", 3, 4))],
}


def without_none(condition):
    """`between` without the bounds that are None."""
    if isinstance(condition, dict):
        return {key: without_none(value) for key, value in condition.items() if value is not None}
    return [without_none(part) for part in condition] if isinstance(condition, list) else condition


@pytest.mark.parametrize("questions", DEAD.values(), ids=DEAD)
def test_a_question_whose_condition_cannot_hold_is_dead(questions):
    assert ("dead", "d") in codes(form(*without_none(questions)))


@pytest.mark.parametrize("questions", ALIVE.values(), ids=ALIVE)
def test_a_question_that_somebody_may_be_asked_is_not_called_dead(questions):
    assert codes(form(*without_none(questions))) == []


def test_a_page_that_everybody_skips_is_dead():
    skips = [{"to": "three", "when": {"any": [eq("a", "x"), {"not": eq("a", "x")}]}}]
    pages = [{"key": key, "questions": [text(key)]} for key in ("two", "three")]
    assert codes(form(AB, skips=skips, pages=pages)) == [("dead", "two")]


def test_everybody_is_asked_for_an_address():
    one = read({"title": "F", "pages": [{"key": "p", "questions": [EMAIL | {"required": False}]}], "thanks": THANKS})
    assert codes(one) == [("no_email", "")]
    first = {"key": "p", "questions": [AB], "skips": [{"to": "r", "when": eq("a", "x")}]}
    rest = [{"key": "q", "questions": [EMAIL]}, {"key": "r", "questions": [text("t")]}]
    assert codes(read({"title": "F", "pages": [first, *rest], "thanks": THANKS})) == [("no_email", "")]


def test_the_last_thanks_are_for_everybody():
    assert codes(form(thanks=[])) == [("thanks", "")]
    assert codes(form(thanks=[{"title": "Book a call", "tiers": ["hot"]}])) == [("thanks", "")]


# --- a dead question is dead: no answers at all reach it ---------------------------------------------
OPS = st.sampled_from(["equals", "not_equals", "present", "absent"])


def leaf(keys):
    return st.builds(
        lambda key, op, value: {"field": key, "op": op} | ({"value": value} if "equals" in op else {}),
        st.sampled_from(keys),
        OPS,
        st.sampled_from(["x", "y", "z"]),
    )


def condition(keys):
    return st.recursive(
        leaf(keys),
        lambda part: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(part, min_size=1, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(part, min_size=1, max_size=3)),
            st.builds(lambda one: {"not": one}, part),
        ),
        max_leaves=5,
    )


@settings(max_examples=150)
@given(condition(["a"]), condition(["a", "b"]), condition(["a", "b", "c"]), condition(["a", "b"]))
def test_what_is_called_dead_is_exactly_what_no_answers_reach(show_b, show_c, show_d, skip):
    content = form(
        choice("a", "x", "y"), choice("b", "x", "y", show=show_b),
        skips=[{"to": "three", "when": skip}],
        pages=[{"key": "two", "questions": [choice("c", "x", "y", show=show_c)]},
               {"key": "three", "questions": [text("d", show=show_d)]}],
    )  # fmt: skip
    reached = set()
    for answers in itertools.product(["x", "y", None], repeat=3):
        posted = {key: [value] for key, value in zip("abc", answers, strict=True) if value}
        reached |= set(walk(content, posted).asked)
    dead = {fault.key for fault in faults(content) if fault.code == "dead"}
    assert dead == set("abcd") - reached


# --- the document ------------------------------------------------------------------------------------
WRONG = {
    "no pages": ({"title": "F"}, "pages"),
    "no title": ({"pages": [{"key": "p", "questions": []}]}, "title"),
    "a stranger": ({"title": "F", "pages": [{"key": "p"}], "script": 1}, "form"),
    "two of one key": ({"title": "F", "pages": [{"key": "p", "questions": [text("a"), text("a")]}]}, "pages"),
    "a float": ({"title": "F", "pages": [{"key": "p", "questions": [number("n", min=0.5)]}]},
                "pages[0].questions[0].min"),
    "a strange type": ({"title": "F", "pages": [{"key": "p", "questions": [{"key": "a", "type": "file"}]}]},
                       "pages[0].questions[0].type"),
    "an unknown fact": ({"title": "F", "pages": [{"key": "p", "questions": [text("a", fills="salary")]}]},
                        "pages[0].questions[0].fills"),
    "a script as address": ({"title": "F", "pages": [{"key": "p"}], "privacy": "javascript:alert(1)"}, "privacy"),
    "a condition without end": ({"title": "F", "pages": [{"key": "p", "questions": [text("a", show={"all": []})]}]},
                                "pages[0].questions[0].show"),
}  # fmt: skip


@pytest.mark.parametrize(("document", "place"), WRONG.values(), ids=WRONG)
def test_a_document_that_cannot_be_read_says_where(document, place):
    with pytest.raises(ContentError) as error:
        read(document)
    assert error.value.place == place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["key", "type", "label", "pages", "questions", "title", "show", "all", "field", "op", "choices", "value",
         "thanks", "fills", "min", "link", "skips", "to", "when"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_read_or_refused_never_worse(document):
    with suppress(ContentError):
        faults(read(document))
