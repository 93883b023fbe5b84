"""The panels of the builder: what each shows of a draft, and which of its pieces it is about."""

from django.urls import reverse

from leads.intake.forms import content as form
from leads.intake.forms.builder import edit, mapping, said
from sla import condition_tree

QUESTION, SHOW, REQUIRE, PAGE, SKIP, THANKS, TEXT = PARTS = (
    "question", "show", "require", "page", "skip", "thanks", "text",
)  # fmt: skip
BOUNDS = {  # of a type: (name, label, hint)
    form.TEXT: (("shortest", "Fewest characters", ""), ("longest", "Most characters", "")),
    form.NUMBER: (("min", "Least", ""), ("max", "Greatest", "")),
    form.RANGE: (("min", "From", ""), ("max", "To", ""), ("step", "In steps of", "")),
    form.DATE: (("min", "Not before", "2026-10-31 or 2026-10"), ("max", "Not after", "")),
    form.SEVERAL: (("fewest", "Fewest answers", ""), ("most", "Most answers", "")),
    form.HIDDEN: (("parameter", "From the address", "utm_source, or referrer"), ("default", "Else", "")),
}


def address(form_, part, key):
    """Where a panel of the builder stands."""
    return reverse("form_edit_part", args=[form_.slug, part, key])


def panel(form_, document, known, part, key):
    """What the open panel shows. Raises LookupError."""
    return PANELS[part](form_, document, known, key)


def settled(form_, key):
    """The values of a question's choices that were ever published, None where the question itself never was."""
    asked = [
        question
        for content in form_.versions.published().values_list("content", flat=True)
        for question in edit.questions_of(content)
        if question["key"] == key
    ]
    return {choice["value"] for question in asked for choice in question.get("choices", ())} if asked else None


def nth(document, key):
    """The question with this number, from 1. Raises LookupError."""
    return _nth(edit.questions_of(document), key)


def nth_page(document, key):
    return _nth(document["pages"], key)


def skip_of(document, key):
    """(the page, the place of a skip among its skips) of a key such as "2-1", from 1; one behind the last is new."""
    page, _, place = key.partition("-")
    found = nth_page(document, page)
    if not place.isdigit() or not 1 <= int(place) <= len(found.get("skips", ())) + 1:
        raise LookupError
    return found, int(place) - 1


def readable_by(document, part, key):
    """{key: question} of what a condition of a panel may read."""
    if part == SKIP:
        found = edit.until(document, skip_of(document, key)[0]["key"])
    else:
        found = edit.earlier(document, nth(document, key)["key"])
    if not found:
        raise LookupError
    return {question["key"]: question for question in found}


# --- panels -----------------------------------------------------------------------------------------
def _question(form_, document, known, key):
    question, questions = nth(document, key), edit.questions_of(document)
    by_key, kind = {q["key"]: q for q in questions}, question["type"]
    read = mapping.questions_of(document).get(question["key"])
    worth = mapping.worth(known, read)
    conditions = [
        (which, title, question.get(which) and said.condition(question[which], by_key), address(form_, which, key))
        for which, title in ((SHOW, "Asked"), (REQUIRE, "Required"))
        if which == SHOW or kind != form.HIDDEN
    ]
    return {
        "question": question,
        "n": int(key),
        "count": len(questions),
        "fills": mapping.options(known, kind, question.get("fills", "")),
        "conditions": conditions if edit.earlier(document, question["key"]) else [],
        "has_choices": "choices" in form.TAKES[kind],
        "choices": [
            (n, choice, worth.get(choice["value"], 0)) for n, choice in enumerate(question.get("choices", ()))
        ],
        "bounds": [(name, label, hint, question.get(name)) for name, label, hint in BOUNDS.get(kind, ())],
        "takes": form.TAKES[kind],
        "is_read": mapping.reads_question(known, read),
    }


def _condition(which):
    def show(form_, document, known, key):
        question = nth(document, key)
        earlier = {q["key"]: q for q in edit.earlier(document, question["key"])}
        words = "Ask it only when" if which == SHOW else "Require an answer when"
        return _tree(question.get(which), earlier) | {
            "title": f"{words} …", "about": said.label(question), "back": address(form_, QUESTION, key),
            "taken_away": "Always ask it" if which == SHOW else "Never require it by a condition",
        }  # fmt: skip

    return show


def _skip(form_, document, known, key):
    page, place = skip_of(document, key)
    skips, at = page.get("skips", ()), document["pages"].index(page)
    skip = skips[place] if place < len(skips) else {}
    targets = [(each["key"], each.get("title") or f"page {n}") for n, each in enumerate(document["pages"], 1)]
    known_by_then = {q["key"]: q for q in edit.until(document, page["key"])}
    return _tree(skip.get("when"), known_by_then) | {
        "title": "Skip when …", "about": page.get("title") or f"page {at + 1}", "targets": targets[at + 1 :],
        "to": skip.get("to"), "back": address(form_, PAGE, at + 1), "taken_away": "Skip nothing",
    }  # fmt: skip


def _tree(condition, questions):
    """What the condition editor draws: the tree, and what it may read."""
    root = condition_tree.draw(condition)
    return {"tree": root and fit(root, questions), "questions": list(questions.items()), "groups": GROUPS}


def fit(root, questions):
    """Each leaf with what its question offers: comparisons, answers, whether it counts numbers."""
    for node in root.walk():
        if node.is_leaf:
            question = questions.get(node.leaf["field"], {"type": form.TEXT})
            node.ops = [(op, said.OPS[op]) for op in said.ops(question["type"])]
            node.options = [(c["value"], c.get("label") or c["value"]) for c in question.get("choices", ())]
            node.counts = question["type"] in (form.NUMBER, form.RANGE)
    return root


GROUPS = [(kind, words) for kind, words in condition_tree.GROUPS.items() if kind in ("all", "any", "none")]


def _page(form_, document, known, key):
    page, questions = nth_page(document, key), {q["key"]: q for q in edit.questions_of(document)}
    titles = {each["key"]: each.get("title") or f"page {n}" for n, each in enumerate(document["pages"], 1)}
    skips = [
        (
            titles.get(skip["to"], skip["to"]),
            said.condition(skip["when"], questions),
            address(form_, SKIP, f"{key}-{n}"),
        )
        for n, skip in enumerate(page.get("skips", ()), 1)
    ]
    is_last = page is document["pages"][-1]
    return {
        "page": page,
        "n": int(key),
        "count": len(document["pages"]),
        "skips": skips,
        "skip_url": None if is_last else address(form_, SKIP, f"{key}-{len(skips) + 1}"),
        "may_skip": not is_last and edit.until(document, page["key"]),
    }


def _thanks(form_, document, known, key):
    listed = document.get("thanks", [])
    return {
        "thanks": [
            {"n": n, "said": each, "whom": said.whom(each, known.tiers),
             "tiers": [(k, name, k in each.get("tiers", ())) for k, name in _tiers(each, known).items()],
             "outcomes": [(k, words, k in each.get("outcomes", ())) for k, words in said.OUTCOMES.items()]}
            for n, each in enumerate(listed, 1)
        ],
        "hosts": form_.redirect_hosts,
    }  # fmt: skip


def _tiers(thanks, known):
    return known.tiers | {key: key for key in thanks.get("tiers", ()) if key not in known.tiers}


def _text(form_, document, known, key):
    return {"texts": {name: document.get(name, "") for name in ("title", "intro", "submit", "brand", "privacy")}}


PANELS = {
    QUESTION: _question, SHOW: _condition(SHOW), REQUIRE: _condition(REQUIRE), PAGE: _page, SKIP: _skip,
    THANKS: _thanks, TEXT: _text,
}  # fmt: skip


def _nth(items, key):
    if not str(key).isdigit() or not 1 <= int(key) <= len(items):
        raise LookupError
    return items[int(key) - 1]
