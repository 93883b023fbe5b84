"""What the builder's forms post, read into pieces of a document; the document is checked as a whole, not here."""

from leads.intake.forms import content as form
from leads.intake.forms.builder import edit
from leads.intake.forms.builder.said import ops
from sla import condition_tree

WHOLE = ("shortest", "longest", "step", "fewest", "most")
FLAGS = ("as_list", "multiline")
TEXTS = ("pattern", "pattern_says", "parameter", "default", "precision")
OTHER = "other"  # of the select "Fills": a name of one's own
MOST_LINES = 60


def question(post, old):
    """The question as its form says it, with the conditions and the key it had. Another type changes what it takes."""
    kind = post.get("type") if post.get("type") in form.TYPES else old["type"]
    if kind != old["type"]:
        return edit.change_type(old | {"label": _text(post, "label")}, kind)
    said = {
        "key": old["key"], "type": kind, "label": _text(post, "label"), "help": _text(post, "help"),
        "required": "required" in post, "fills": _fills(post),
        **{which: old[which] for which in ("show", "require") if old.get(which)},
    }  # fmt: skip
    takes = form.TAKES[kind]
    said |= {name: _number(post, name) for name in WHOLE if name in takes}
    said |= {name: name in post for name in FLAGS if name in takes}
    said |= {name: _text(post, name) for name in TEXTS if name in takes}
    if "whole" in takes:
        said["whole"] = "decimals" not in post
    if "min" in takes:
        said |= {name: _text(post, name) if kind == form.DATE else _number(post, name) for name in ("min", "max")}
    if "choices" in takes:
        said["choices"] = _choices(post, old.get("choices", []), said["fills"])
    return {name: value for name, value in said.items() if value is not None}


def choice_act(question, what):
    """The question after an act on its choices: "add", "remove:N", "up:N" or "down:N"."""
    verb, _, number = what.partition(":")
    choices, place = [*question["choices"]], int(number) if number.isdigit() else -1
    if verb == "add":
        choices.append({"value": "", "label": f"Answer {len(choices) + 1}"})
    elif 0 <= place < len(choices):
        choice, target = choices.pop(place), place + {"up": -1, "down": 1}.get(verb, 0)
        if verb != "remove":
            choices.insert(max(0, target), choice)
    return question | {"choices": choices}


def thanks(post):
    """A thank-you as its form says it."""
    link = {"label": _text(post, "link_label"), "address": _text(post, "link_address")}
    said = {name: _text(post, name) for name in ("title", "text", "redirect")}
    said |= {"tiers": post.getlist("tiers"), "outcomes": post.getlist("outcomes")}
    return {name: value for name, value in said.items() if value} | ({"link": link} if any(link.values()) else {})


def texts(post):
    """The form's own texts."""
    return {name: _text(post, name) for name in ("title", "intro", "submit", "brand", "privacy")}


def tree(post, questions):
    """The condition tree that was posted, its leaves made fit for the questions they are about; None: none.

    questions: {key: question} of those that it may read. A leaf about another question, or one whose comparison does
    not fit it, begins anew.
    """
    root = condition_tree.read(post, of_lead=False)
    for node in root.walk() if root else ():
        if node.is_leaf:
            node.leaf = _fitting(node.leaf, questions)
    return root


def first_leaf(questions):
    """What a new condition begins with: the last question's first answer, or that it is answered."""
    return _begin(list(questions.values())[-1])


def shape(root):
    """What decides which fields of a condition are drawn."""
    return root.shape() if root else ""


def _begin(question, op=None):
    """A leaf about a question, with a comparison that fits it."""
    fits, values = ops(question["type"]), [choice["value"] for choice in question.get("choices", ())]
    leaf = {"field": question["key"], "op": op if op in fits else "equals" if values else "present"}
    if leaf["op"] in condition_tree.TAKES_VALUE:
        leaf["value"] = values[0] if values else ""
    elif leaf["op"] in condition_tree.TAKES_VALUES:
        leaf["values"] = values[:1]
    return leaf


def _fitting(leaf, questions):
    question = questions.get(leaf["field"])
    if question is None or leaf["op"] not in ops(question["type"]):
        return _begin(question or list(questions.values())[-1], leaf["op"])
    values = {choice["value"] for choice in question.get("choices", ())}
    given = leaf.get("values") or ([leaf["value"]] if "value" in leaf else [])
    if values and set(map(str, given)) - values:
        return _begin(question, leaf["op"])
    if values and leaf["op"] in condition_tree.TAKES_VALUE and not given[0]:
        return _begin(question, leaf["op"])
    return leaf


def _choices(post, old, fills):
    """The choices as three columns say them, each by its place among the old ones; one without a label is gone."""
    columns = (post.getlist(name) for name in ("choice_place", "choice_label", "choice_fact"))
    found = []
    for place, label, fact in zip(*columns, strict=False):
        value = old[int(place)]["value"] if place.isdigit() and int(place) < len(old) else ""
        if label := label.strip():
            found.append({"value": value, "label": label} | ({"fact": _fact(fact, fills)} if fact.strip() else {}))
    return found


def _fact(text, fills):
    return _whole(text) if fills == form.EMPLOYEES else text.strip()


def _fills(post):
    chosen = post.get("fills", "")
    if chosen != OTHER:
        return chosen
    name = _text(post, "fills_other").removeprefix("attributes.")
    return f"attributes.{name}" if name else ""


def _text(post, name):
    return (post.get(name) or "").replace("\r\n", "\n").strip()


def _number(post, name):
    return _whole(_text(post, name))


def _whole(text):
    """The whole number that a text is, None of nothing, else the text: the document's check says what is wrong."""
    text = text.strip().replace("−", "-")
    return None if not text else int(text) if text.removeprefix("-").isdigit() and len(text) < 16 else text


def lines(text):
    """What stands on the lines of a text, without blanks."""
    return tuple(line.strip().lower() for line in text.splitlines()[:MOST_LINES] if line.strip())
