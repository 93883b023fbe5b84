"""Changes of a form's document (forms.document), each answered by a new document; pure, no Django.

Keys and values of choices are what answers are kept under: they follow the label until a version that has them was
published (`settled`), and never change afterwards. Conditions follow every renaming.
"""

import re
import unicodedata
from copy import deepcopy

from leads.intake.forms import content as form
from leads.intake.forms.document import TAKEN_KEYS

LABELS = {
    form.TEXT: "New question",
    form.EMAIL: "Work e-mail",
    form.PHONE: "Phone",
    form.NUMBER: "New number",
    form.CHOICE: "New choice",
    form.SEVERAL: "New list",
    form.RANGE: "New scale",
    form.DATE: "New date",
    form.CONSENT: "We may contact you about this by e-mail and phone.",
    form.HIDDEN: "Campaign",
}
ADDED = {
    form.EMAIL: {"fills": "email", "required": True},
    form.PHONE: {"fills": "phone"},
    form.CHOICE: {"choices": [{"value": "Yes"}, {"value": "No"}]},
    form.SEVERAL: {"choices": [{"value": "This"}, {"value": "That"}]},
    form.RANGE: {"min": 0, "max": 10},
    form.CONSENT: {"required": True},
    form.HIDDEN: {"parameter": "utm_campaign", "fills": "campaign"},
}
KEPT = ("key", "label", "help", "required", "fills", "show", "require")


# --- looking ----------------------------------------------------------------------------------------
def questions_of(document):
    """Every question of a document, in order."""
    return [question for page in document["pages"] for question in page["questions"]]


def question_of(document, key):
    """The question with this key, or None."""
    return next((question for question in questions_of(document) if question["key"] == key), None)


def page_of(document, key):
    """The page with this key, or None."""
    return next((page for page in document["pages"] if page["key"] == key), None)


def page_with(document, key):
    """The page that asks a question, or None."""
    return next((page for page in document["pages"] if any(q["key"] == key for q in page["questions"])), None)


def earlier(document, key):
    """The questions that are asked before this one, those of its page too."""
    found = []
    for question in questions_of(document):
        if question["key"] == key:
            break
        found.append(question)
    return found


def until(document, key):
    """The questions that are asked up to the end of this page."""
    place = next((n for n, page in enumerate(document["pages"]) if page["key"] == key), -1)
    return [question for page in document["pages"][: place + 1] for question in page["questions"]]


# --- questions --------------------------------------------------------------------------------------
def add_question(document, kind, *, after=None):
    """(the document with a new question of a type, behind `after` or at the end, its key)."""
    document = _copy(document)
    label = LABELS[kind]
    key = _free(_key(label if kind != form.CONSENT else "consent"), _keys(document))
    fresh = {"key": key, "type": kind, "label": label, **deepcopy(ADDED.get(kind, {}))}
    if fresh.get("fills") and any(q.get("fills") == fresh["fills"] for q in questions_of(document)):
        fresh["fills"] = ""
    page = page_with(document, after) or page_of(document, after) or document["pages"][-1]
    place = next((n + 1 for n, q in enumerate(page["questions"]) if q["key"] == after), None)
    at = place if place is not None else 0 if page["key"] == after else len(page["questions"])
    page["questions"].insert(at, fresh)
    return document, key


def copy_question(document, key):
    """(the document with a copy behind the question, the copy's key); a copy fills nothing."""
    document = _copy(document)
    page, question = page_with(document, key), question_of(document, key)
    fresh = deepcopy(question) | {"key": _free(_key(question.get("label") or key), _keys(document)), "fills": ""}
    page["questions"].insert(page["questions"].index(question) + 1, fresh)
    return document, fresh["key"]


def delete_question(document, key):
    """The document without the question; what depends on it stays, and is a fault until it is changed."""
    document = _copy(document)
    page = page_with(document, key)
    page["questions"] = [question for question in page["questions"] if question["key"] != key]
    return document


def move_question(document, key, *, up):
    """The document with the question one place up or down, over the edge of its page into the next one."""
    document = _copy(document)
    pages, page, question = document["pages"], page_with(document, key), question_of(document, key)
    place, at = page["questions"].index(question), pages.index(page)
    target = place + (-1 if up else 1)
    if 0 <= target < len(page["questions"]):
        page["questions"].insert(target, page["questions"].pop(place))
    elif 0 <= at + (-1 if up else 1) < len(pages):
        page["questions"].remove(question)
        neighbour = pages[at + (-1 if up else 1)]["questions"]
        neighbour.insert(len(neighbour) if up else 0, question)
    return document


def change_question(document, key, question, *, settled=None):
    """(the document with the question said anew, its key then).

    question: its dictionary, under its old key. settled: the values of its choices that were published, None where
    the question itself never was: then its key follows its label.
    """
    document, question = _copy(document), deepcopy(question)
    old = question_of(document, key)
    for before, after in _renamed_values(old, question, settled or ()):
        _rename_value(document, key, before, after)
    name = key
    if settled is None and question.get("label", "") != old.get("label", ""):
        name = _free(_key(question.get("label", "")) or key, _keys(document) - {key})
    page = page_with(document, key)
    page["questions"][page["questions"].index(question_of(document, key))] = _tidy(question) | {"key": name}
    if name != key:
        _rename_key(document, key, name)
    return document, name


def change_type(question, kind):
    """The question as one of another type: what it asked stays, as far as the other type takes it."""
    kept = {name: deepcopy(question[name]) for name in KEPT if name in question}
    taken = {n: deepcopy(question[n]) for n in form.TAKES[kind] if n in question and n not in ("min", "max")}
    fresh = {k: v for k, v in deepcopy(ADDED.get(kind, {})).items() if k in form.TAKES[kind]}
    changed = kept | {"type": kind} | fresh | taken
    if not may_fill(kind, changed.get("fills", "")):
        changed["fills"] = ""
    return changed


def may_fill(kind, name):
    """Whether an answer of a type can become this fact of a lead."""
    if not name or name.startswith("attributes."):
        return True
    if name == form.WHOLE_NAME:
        return kind == form.TEXT
    if kind in (form.SEVERAL, form.CONSENT, form.DATE) or (kind == form.EMAIL and name != "email"):
        return False
    return kind in form.NEEDS_TYPE.get(name, (kind,))


def set_condition(document, key, which, condition):
    """The document with a question's `show` or `require` (which) as given; None takes it away."""
    document = _copy(document)
    question = question_of(document, key)
    question.pop(which, None)
    if condition:
        question[which] = condition
    return document


def _renamed_values(old, new, settled):
    """(before, after) of the choices whose value follows their label; `new` is changed on the way."""
    taken, moved = {choice["value"] for choice in new.get("choices", ()) if choice["value"]}, []
    for choice in new.get("choices", ()):
        before, label = choice["value"], (choice.get("label") or choice["value"])
        if before in settled or not label:
            continue
        after = _free_value(label[:100], taken - {before})
        choice["value"] = after
        taken.add(after)
        if before and before != after:
            moved.append((before, after))
    known = {choice["value"] for choice in old.get("choices", ())}
    return [pair for pair in moved if pair[0] in known]


# --- pages ------------------------------------------------------------------------------------------
def add_page(document, *, after=None):
    """(the document with a page behind the page or question `after`, its key); questions behind it move there."""
    document = _copy(document)
    pages = document["pages"]
    page = page_with(document, after) or page_of(document, after) or pages[-1]
    key = _free(f"page_{len(pages) + 1}", {each["key"] for each in pages})
    cut = next((n + 1 for n, q in enumerate(page["questions"]) if q["key"] == after), len(page["questions"]))
    fresh = {"key": key, "title": "", "questions": page["questions"][cut:], "skips": page.pop("skips", [])}
    page["questions"] = page["questions"][:cut]
    pages.insert(pages.index(page) + 1, fresh)
    return document, key


def delete_page(document, key):
    """The document without the page's beginning: its questions are asked on the page before (or behind the first)."""
    document = _copy(document)
    pages, page = document["pages"], page_of(document, key)
    at = pages.index(page)
    if len(pages) > 1:
        pages.remove(page)
        if at:
            pages[at - 1]["questions"] += page["questions"]
        else:
            pages[0]["questions"] = page["questions"] + pages[0]["questions"]
        for each in pages:
            each["skips"] = [skip for skip in each.get("skips", []) if skip["to"] != key]
    return document


def move_page(document, key, *, up):
    """The document with the page one place up or down."""
    document = _copy(document)
    pages, page = document["pages"], page_of(document, key)
    target = pages.index(page) + (-1 if up else 1)
    if 0 <= target < len(pages):
        pages.remove(page)
        pages.insert(target, page)
    return document


def change_page(document, key, *, title):
    document = _copy(document)
    page_of(document, key)["title"] = title
    return document


def set_skip(document, key, place, skip):
    """The document with the skip at `place` of a page as given; a place beyond appends, None takes it away."""
    document = _copy(document)
    page = page_of(document, key)
    skips = page.setdefault("skips", [])
    skips[place : place + 1] = [skip] if skip else []
    return document


# --- thank-yous and the form itself -----------------------------------------------------------------
def set_thanks(document, place, thanks):
    """The document with the thank-you at `place` as given; None takes it away. A new one stands before the last."""
    document = _copy(document)
    listed = document.setdefault("thanks", [])
    if place >= len(listed) and thanks:
        listed.insert(max(len(listed) - 1, 0), thanks)
    else:
        listed[place : place + 1] = [thanks] if thanks else []
    return document


def move_thanks(document, place, *, up):
    document = _copy(document)
    listed, target = document["thanks"], place + (-1 if up else 1)
    if 0 <= place < len(listed) and 0 <= target < len(listed):
        listed.insert(target, listed.pop(place))
    return document


def change_text(document, **texts):
    """The document with its title, intro, submit, brand or privacy said anew."""
    return _copy(document) | texts


# --- steps ------------------------------------------------------------------------------------------
def _copy(document):
    document = deepcopy(document)
    for page in document["pages"]:
        page.setdefault("questions", [])
    return document


def _tidy(question):
    """Without what the type does not take, and without what says nothing."""
    allowed = {*KEPT, "type", *form.TAKES[question["type"]]}
    return {
        name: value
        for name, value in question.items()
        if name in allowed and (name in ("key", "label", "type", "whole") or value not in ("", None, False, []))
    }


def _keys(document):
    return {question["key"] for question in questions_of(document)} | set(TAKEN_KEYS)


def _key(label):
    """A label as a key: small letters, digits and _."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_").lstrip("0123456789_")[:32].strip("_") or "question"


def _free(stem, taken):
    return next(each for n in range(1, 1000) if (each := stem if n == 1 else f"{stem}_{n}") not in taken)


def _free_value(stem, taken):
    return next(each for n in range(1, 1000) if (each := stem if n == 1 else f"{stem[:95]} {n}") not in taken)


def _rename_key(document, before, after):
    for leaf in _leaves_of(document):
        if leaf.get("field") == before:
            leaf["field"] = after


def _rename_value(document, key, before, after):
    for leaf in _leaves_of(document):
        if leaf.get("field") == key:
            if leaf.get("value") == before:
                leaf["value"] = after
            if "values" in leaf:
                leaf["values"] = [after if each == before else each for each in leaf["values"]]


def _leaves_of(document):
    conditions = [q[w] for q in questions_of(document) for w in ("show", "require") if q.get(w)]
    conditions += [skip["when"] for page in document["pages"] for skip in page.get("skips", ())]
    while conditions:
        condition = conditions.pop()
        if "field" in condition:
            yield condition
        conditions += [*condition.get("all", ()), *condition.get("any", ())]
        conditions += [condition["not"]] if "not" in condition else []
