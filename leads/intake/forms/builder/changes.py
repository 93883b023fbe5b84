"""What a panel's form or a button of the builder asks for: the draft's document as it would then be."""

from dataclasses import dataclass

from leads.intake.forms import content as form
from leads.intake.forms.builder import edit, inputs, panels
from sla import condition_tree


@dataclass(frozen=True)
class Change:
    """A document and the panel that is open afterwards.

    was: the panel's key before. whole: the panel is to be drawn again. fresh: what is in it is new. lacks: the tree of
    a condition that is not complete yet, so that nothing is saved.
    """

    document: dict
    part: str
    key: str
    was: str
    whole: bool = False
    fresh: bool = False
    lacks: object = None


def read(post, form_, document, part, key):
    """The Change that a panel's form asks for. Raises LookupError where the panel is none of the draft's."""
    return READERS[part](post, form_, document, part, key)


def act(post, document):
    """The Change of a button: add, copy, delete, up, down of a question; page, page_up, page_down, page_delete."""
    what, key = post.get("act", ""), post.get("of", "1")
    if what == "add":
        kind = post.get("type") if post.get("type") in form.TYPES else form.TEXT
        return _at(*edit.add_question(document, kind, after=post.get("after")), fresh=True)
    if what == "page":
        document, name = edit.add_page(document, after=post.get("after"))
        return Change(document, panels.PAGE, _page_number(document, name), "", fresh=True)
    if what.startswith("page_"):
        return _page_act(document, what.removeprefix("page_"), key)
    name = panels.nth(document, key)["key"]
    if what == "copy":
        return _at(*edit.copy_question(document, name), fresh=True)
    if what == "delete":
        document = edit.delete_question(document, name)
        left = len(edit.questions_of(document))
        part, number = (panels.QUESTION, str(min(int(key), left))) if left else (panels.PAGE, "1")
        return Change(document, part, number, key)
    return _at(edit.move_question(document, name, up=what == "up"), name)


def _page_act(document, what, key):
    name = panels.nth_page(document, key)["key"]
    if what == "delete":
        document = edit.delete_page(document, name)
        return Change(document, panels.PAGE, str(max(1, min(int(key) - 1, len(document["pages"])))), key)
    document = edit.move_page(document, name, up=what == "up")
    return Change(document, panels.PAGE, _page_number(document, name), key)


def _question(post, form_, document, part, key):
    old = panels.nth(document, key)
    new, what = inputs.question(post, old), post.get("act", "")
    drawn_anew = (new["type"], new.get("fills")) != (old["type"], old.get("fills", ""))
    if what.startswith("choice_"):
        new = inputs.choice_act(new, what.removeprefix("choice_"))
    settled = panels.settled(form_, old["key"])
    document, name = edit.change_question(document, old["key"], new, settled=settled)
    if what.startswith("follow:"):
        return _follow_up(document, name, what.removeprefix("follow:"))
    return Change(document, part, key, key, whole=bool(what) or drawn_anew)


def _follow_up(document, name, place):
    """A new question behind this one, asked after one of its answers only."""
    choices = edit.question_of(document, name)["choices"]
    value = choices[int(place) if place.isdigit() and int(place) < len(choices) else 0]["value"]
    document, key = edit.add_question(document, form.TEXT, after=name)
    document = edit.set_condition(document, key, "show", {"field": name, "op": "equals", "value": value})
    return _at(document, key, whole=True, fresh=True)


def _condition(post, form_, document, part, key):
    """A question's `show` or `require`."""
    question = panels.nth(document, key)
    tree, questions = _tree(post, document, part, key)
    if lacks := _lacking(tree, questions):
        return Change(document, part, key, key, lacks=lacks)
    after = edit.set_condition(document, question["key"], part, condition_tree.condition(tree))
    if tree is None:
        return Change(after, panels.QUESTION, key, key, whole=True)
    return Change(after, part, key, key, whole=_drawn_anew(post, question.get(part), tree))


def _skip(post, form_, document, part, key):
    page, place = panels.skip_of(document, key)
    tree, questions = _tree(post, document, part, key)
    if lacks := _lacking(tree, questions):
        return Change(document, part, key, key, lacks=lacks)
    number = _page_number(document, page["key"])
    if tree is None:
        after = edit.set_skip(document, page["key"], place, None)
        return Change(after, panels.PAGE, number, key, whole=True)
    later = [each["key"] for each in document["pages"][int(number) :]]
    if not later:
        raise LookupError
    to = post.get("to") if post.get("to") in later else later[-1]
    skips, when = page.get("skips", ()), condition_tree.condition(tree)
    before = skips[place]["when"] if place < len(skips) else None
    after = edit.set_skip(document, page["key"], place, {"to": to, "when": when})
    return Change(after, part, key, key, whole=_drawn_anew(post, before, tree))


def _tree(post, document, part, key):
    """(the tree as posted and after its act, the questions that it may read)."""
    what, questions = post.get("act", ""), panels.readable_by(document, part, key)
    if what == "clear":
        return None, questions
    root = inputs.tree(post, questions)
    if what:
        root = condition_tree.act(root, what, inputs.first_leaf(questions))
    return root, questions


def _lacking(tree, questions):
    """The tree to draw where a comparison lacks its other side, else None."""
    if condition_tree.lacking(tree) is None:
        return None
    return panels.fit(condition_tree.draw(condition_tree.condition(tree)), questions)


def _drawn_anew(post, before, tree):
    return bool(post.get("act")) or inputs.shape(condition_tree.draw(before)) != inputs.shape(tree)


def _page(post, form_, document, part, key):
    name = panels.nth_page(document, key)["key"]
    return Change(edit.change_page(document, name, title=post.get("title", "").strip()), part, key, key)


def _thanks(post, form_, document, part, key):
    what, _, number = post.get("act", "").partition(":")
    place = int(number or post.get("n") or 0) - 1 if (number or post.get("n") or "0").isdigit() else -1
    if what == "add":
        fresh = {"title": "Thank you", "outcomes": ["handed_over"]}
        return Change(edit.set_thanks(document, len(document.get("thanks", ())), fresh), part, key, key, whole=True)
    if not 0 <= place < len(document.get("thanks", ())):
        raise LookupError
    if what in ("up", "down"):
        return Change(edit.move_thanks(document, place, up=what == "up"), part, key, key, whole=True)
    said = None if what == "remove" else inputs.thanks(post)
    return Change(edit.set_thanks(document, place, said), part, key, key, whole=bool(what))


def _text(post, form_, document, part, key):
    return Change(edit.change_text(document, **inputs.texts(post)), part, key, key)


def _at(document, name, *, whole=False, fresh=False):
    """The Change after which the question `name` is open."""
    number = next(n for n, q in enumerate(edit.questions_of(document), 1) if q["key"] == name)
    return Change(document, panels.QUESTION, str(number), "", whole=whole, fresh=fresh)


def _page_number(document, name):
    return str(next(n for n, page in enumerate(document["pages"], 1) if page["key"] == name))


READERS = {
    panels.QUESTION: _question, panels.SHOW: _condition, panels.REQUIRE: _condition, panels.PAGE: _page,
    panels.SKIP: _skip, panels.THANKS: _thanks, panels.TEXT: _text,
}  # fmt: skip
