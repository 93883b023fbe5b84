"""A form's document changed piece by piece: what conditions read follows, and what was published keeps its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leads.intake.forms import content as form
from leads.intake.forms.builder import edit
from leads.intake.forms.builder.compare import differences
from leads.intake.forms.document import read
from leads.intake.forms.faults import faults
from leads.intake.forms.starter import starting_document
from tests.form_cast import ROI, eq

START = starting_document("A form")


def keys(document):
    return [question["key"] for question in edit.questions_of(document)]


def codes(document):
    return [fault.code for fault in faults(read(document))]


@pytest.mark.parametrize("kind", form.TYPES)
def test_a_new_question_of_any_type_can_be_published_as_it_is(kind):
    document, key = edit.add_question(START, kind, after="name")
    assert keys(document) == ["email", "name", key, "company"]
    assert codes(document) == []
    assert starting_document("A form") == START  # the old one is as it was


def test_two_questions_never_fill_one_fact_by_being_added():
    document, _ = edit.add_question(START, form.EMAIL)
    assert [q.get("fills") for q in edit.questions_of(document)] == ["email", "name", "company", ""]


def test_a_question_moves_over_the_edge_of_its_page():
    document = edit.move_question(ROI, "size", up=False)
    assert keys(document) == keys(ROI)
    assert edit.page_with(document, "size")["key"] == "plant"
    assert edit.move_question(ROI, "email", up=True) == ROI
    assert keys(edit.move_question(ROI, "name", up=True))[:2] == ["name", "email"]


def test_a_question_moved_before_what_it_depends_on_is_a_fault_in_plain_words():
    document = edit.move_question(ROI, "contract_end", up=True)
    (fault,) = faults(read(document))
    assert fault.code == "forward"
    assert "“When does that contract end?” depends on “How do you plan maintenance today?”, which is asked later" in (
        fault.sentence
    )


def test_a_deleted_question_leaves_what_depends_on_it_to_be_mended():
    assert codes(edit.delete_question(ROI, "how")) == ["unknown", "unknown"]


def test_a_copy_stands_behind_and_fills_nothing():
    document, key = edit.copy_question(ROI, "how")
    assert keys(document)[keys(document).index("how") + 1] == key
    assert edit.question_of(document, key)["fills"] == ""
    assert codes(document) == []


def test_a_key_follows_its_label_until_it_is_published_and_conditions_follow_the_key():
    question = edit.question_of(ROI, "how") | {"label": "Which system?"}
    document, key = edit.change_question(ROI, "how", question)
    assert key == "which_system"
    assert edit.question_of(document, "contract_end")["show"] == eq("which_system", "Another maintenance system")
    document, key = edit.change_question(ROI, "how", question, settled={"paper", "erp", "other"})
    assert (key, codes(document)) == ("how", [])


def test_a_choice_follows_its_label_until_it_is_published_and_conditions_follow_the_choice():
    question = edit.question_of(ROI, "how")
    choices = [*question["choices"][:2], {"value": "other", "label": "A CMMS"}, {"value": "", "label": "None"}]
    document, _ = edit.change_question(ROI, "how", question | {"choices": choices}, settled={"paper", "erp"})
    assert [c["value"] for c in edit.question_of(document, "how")["choices"]] == ["paper", "erp", "A CMMS", "None"]
    assert edit.question_of(document, "contract_end")["show"] == eq("how", "A CMMS")


def test_another_type_keeps_what_it_can():
    how = edit.question_of(ROI, "how")
    several = edit.change_type(how | {"fills": "industry"}, form.SEVERAL)
    assert (several["choices"], several["fills"]) == (how["choices"], "")
    assert edit.change_type(how, form.TEXT)["fills"] == "attributes.system"
    assert edit.change_type(edit.question_of(ROI, "stops"), form.RANGE)["min"] == 0


def test_a_page_break_is_set_behind_a_question_and_taken_away_again():
    document, key = edit.add_page(START, after="email")
    assert [[q["key"] for q in page["questions"]] for page in document["pages"]] == [["email"], ["name", "company"]]
    back = edit.delete_page(document, key)
    assert keys(back) == keys(START)
    assert len(back["pages"]) == 1


def test_skips_to_a_page_that_is_gone_are_gone():
    three, _ = edit.add_page(ROI, after="how")
    skipping = edit.set_skip(three, "you", 0, {"to": three["pages"][2]["key"], "when": eq("size", "small")})
    assert edit.delete_page(skipping, three["pages"][2]["key"])["pages"][0]["skips"] == []


def test_a_new_thank_you_stands_before_the_one_for_everybody():
    document = edit.set_thanks(START, 1, {"title": "Hot", "tiers": ["hot"]})
    assert [each["title"] for each in document["thanks"]] == ["Hot", "Thank you"]
    assert edit.move_thanks(document, 0, up=True) == document
    assert edit.set_thanks(document, 0, None)["thanks"] == START["thanks"]


def act(document, what, pick, up):
    """One change of some piece of the document."""
    names = keys(document)
    name, page = names[pick % len(names)], document["pages"][pick % len(document["pages"])]["key"]
    return {
        "move": lambda: edit.move_question(document, name, up=up),
        "add": lambda: edit.add_question(document, form.TYPES[pick % 10], after=name)[0],
        "copy": lambda: edit.copy_question(document, name)[0],
        "delete": lambda: edit.delete_question(document, name) if len(names) > 2 else document,
        "break": lambda: edit.add_page(document, after=name)[0],
        "join": lambda: edit.delete_page(document, page),
        "move_page": lambda: edit.move_page(document, page, up=up),
        "show": lambda: edit.set_condition(document, name, "show", eq(names[0], "x")),
    }[what]()


ACTS = some.sampled_from(("move", "add", "copy", "delete", "break", "join", "move_page", "show"))


@given(acts=some.lists(some.tuples(ACTS, some.integers(0, 20), some.booleans()), max_size=12))
def test_whatever_is_moved_added_and_deleted_stays_a_form_that_can_be_read(acts):
    document = ROI
    for step in acts:
        document = act(document, *step)
        content = read(document)
        faults(content)
        assert [question.key for question in content.questions] == keys(document)


# --- two versions in words --------------------------------------------------------------------------
def test_versions_are_compared_in_plain_words():
    question = edit.question_of(ROI, "how") | {"required": False, "help": "Roughly."}
    question["choices"] = [*question["choices"][:2], {"value": "cmms", "label": "A CMMS", "fact": "CMMS"}]
    new, _ = edit.change_question(ROI, "how", question, settled={"paper", "erp", "other", "cmms"})
    new = edit.set_condition(new, "contract_end", "show", None)
    new = edit.delete_question(new, "more")
    new, _ = edit.add_question(new, form.PHONE, after="email")
    new = edit.change_text(new, title="Plan your stops")
    new = edit.set_skip(new, "you", 0, {"to": "plant", "when": eq("size", "small")})
    assert differences(ROI, new) == [
        "Title was “How many stops could you plan away?”, now “Plan your stops”.",
        "“Phone” is asked now (phone number, optional).",
        "“Anything else?” is not asked any more.",
        "“How do you plan maintenance today?” may be left out now.",
        "The help of “How do you plan maintenance today?” is “Roughly.”.",
        "“How do you plan maintenance today?” offers A CMMS now.",
        "“How do you plan maintenance today?” no longer offers Another maintenance system.",
        "“When does that contract end?” is always asked.",
        "After “About you” the form goes on with “Your plant” when “People in the company” is Fewer than 200.",
    ]


def test_a_version_and_its_copy_say_the_same():
    assert differences(ROI, ROI) == []
    moved = edit.move_question(ROI, "name", up=True)
    assert differences(ROI, moved) == ["The questions stand in another order."]
