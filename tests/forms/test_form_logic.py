"""Which questions a form asks: one table of cases for both paths, and laws that no posted text breaks."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.intake.forms.document import read
from leads.intake.forms.logic import controls, holds, walk

TABLE = json.loads((Path(__file__).parent.parent / "data" / "form_cases.json").read_text(encoding="utf-8"))
CASES = [pytest.param(case, id=case["name"]) for case in TABLE["cases"]]
FORMS = {name: read(document) for name, document in TABLE["forms"].items()}


def page_by_page(content, posted, known):
    """The walk of a visitor who is shown one page after the other, and answers what they see of what is posted."""
    seen, done = {}, None
    for _ in content.pages:
        ahead = walk(content, seen, known=known, until=done)
        page = ahead.next_page if done else content.pages[0].key
        if page is None:
            break
        for _ in content.pages[0].questions * 3:  # the page is shown again while an answer opens another question
            shown = walk(content, seen, known=known, until=page).asked
            if set(shown) <= set(seen):
                break
            seen |= {key: posted.get(key, []) for key in shown}
        done = page
    return walk(content, seen, known=known)


@pytest.mark.parametrize("case", CASES)
def test_all_at_once_a_form_asks_what_the_table_says(case):
    content = FORMS[case["form"]]
    walked = walk(content, case["posted"], known=case.get("known"))
    assert (list(walked.asked), walked.kept, sorted(walked.errors)) == (
        case["asked"],
        case["kept"],
        sorted(case["errors"]),
    )
    if "pages" in case:
        assert list(walked.pages) == case["pages"]


@pytest.mark.parametrize("case", CASES)
def test_page_by_page_a_form_asks_the_same(case):
    walked = page_by_page(FORMS[case["form"]], case["posted"], case.get("known"))
    assert (list(walked.asked), walked.kept) == (case["asked"], case["kept"])
    assert sorted(walked.errors) == sorted(case["errors"])


# --- laws -------------------------------------------------------------------------------------------
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(["yes", "no", "open", "shut", "gold", "owner", "student", "5000", "1e400", "\0", "\ud800"]),
    ),
    max_size=4,
)


def posted_for(content):
    return st.dictionaries(st.sampled_from([*content.by_key, "lead_id", "__proto__"]), TEXTS)


FUZZED = st.sampled_from(sorted(FORMS)).flatmap(lambda name: st.tuples(st.just(name), posted_for(FORMS[name])))


@settings(max_examples=300)
@given(FUZZED)
def test_whatever_is_posted_nothing_is_unlocked(named):
    name, posted = named
    content = FORMS[name]
    walked = walk(content, posted)
    assert set(walked.kept) <= set(walked.asked)
    before = {}
    for question in content.questions:
        if question.key in walked.asked and question.show is not None:
            assert holds(question.show, before), "asked, though what was kept before does not open it"
        if question.key in walked.kept:
            before[question.key] = walked.kept[question.key]
    json.dumps(walked.kept, ensure_ascii=False).encode()  # no half characters
    assert "\\u0000" not in json.dumps(walked.kept)


@settings(max_examples=150)
@given(FUZZED)
def test_both_paths_come_to_the_same_whatever_is_posted(named):
    name, posted = named
    once, paged = walk(FORMS[name], posted), page_by_page(FORMS[name], posted, None)
    assert (once.kept, once.asked, once.errors) == (paged.kept, paged.asked, paged.errors)


@settings(max_examples=150)
@given(FUZZED, st.data())
def test_what_is_posted_for_a_question_that_is_not_asked_changes_nothing(named, data):
    name, posted = named
    content = FORMS[name]
    walked = walk(content, posted)
    dropped = [key for key in content.by_key if key not in walked.asked]
    noise = {key: data.draw(TEXTS) for key in dropped}
    assert walk(content, posted | noise) == walked


def test_only_questions_that_conditions_read_are_sent_while_a_form_is_filled():
    assert controls(FORMS["pages"]) == ["size", "role", "tools"]
