"""The JSON document of a form's version: checked once and read into the records of `content`; pure, no Django.

    {"title": …, "intro": "", "submit": "Send my answers", "brand": "", "privacy": "https://…",
     "pages": [{"key": "you", "title": "", "questions": […], "skips": [{"to": "page key", "when": condition}]}],
     "thanks": [{"tiers": ["hot"], "outcomes": [], "title": …, "text": "", "link": {"label": …, "address": …},
                 "redirect": ""}]}

A question: ``{"key", "type", "label", "help": "", "required": false, "fills": "", "show": condition, "require":
condition}`` and what its type takes (``TAKES``). ``fills`` names what the answer becomes of the lead: a column of
``FILLS``, ``name`` (first and last name in one) or ``attributes.<name>``. A choice: ``{"value", "label"}`` and
``"fact"`` where the lead keeps something else than the value ("200–999" may fill employees with 200).

A condition is one of ``sla.conditions`` whose fields are keys of *earlier* questions; a question without ``show`` is
always asked, one with ``require`` must be answered where that holds. A page is followed by the first of its skips
that holds, else by the next page; skips lead forward only. Thanks: the first that fits the outcome and the tier
(empty: any) is shown; the last one fits everything. Numbers are integers or decimal text, never floats.
Whether the document makes sense as a whole is asked of ``faults``.
"""

import re
from collections.abc import Mapping

from leads.intake.forms import content
from leads.intake.forms.content import Choice, Content, Page, Question, Skip, Thanks
from sla.conditions import ATTRIBUTE, DefinitionError, compile_condition, number

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
TAKEN_KEYS = ("homepage_url",)  # the field that people leave empty
ISO_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
MOST_PAGES, MOST_QUESTIONS, MOST_CHOICES, MOST_SKIPS, MOST_THANKS = 20, 100, 200, 20, 20
LONGEST_LABEL, LONGEST_HELP, LONGEST_VALUE = 600, 1000, 100


class ContentError(ValueError):
    """The document cannot be read; `place` says where ("pages[0].questions[2].label"), the message what to change."""

    def __init__(self, place, sentence):
        self.place, self.sentence = place, sentence
        super().__init__(f"{place}: {sentence}")


def read(document) -> Content:
    """The Content of a document. Raises ``ContentError`` with the first thing that is wrong in it."""
    _object(document, "form", {"title", "intro", "submit", "brand", "privacy", "pages", "thanks"})
    pages = tuple(
        _page(page, f"pages[{place}]")
        for place, page in enumerate(_list(document.get("pages"), "pages", 1, MOST_PAGES))
    )
    questions = [question for page in pages for question in page.questions]
    _once([page.key for page in pages], "pages", "page")
    _once([question.key for question in questions], "pages", "question")
    if len(questions) > MOST_QUESTIONS:
        raise ContentError("pages", f"A form asks at most {MOST_QUESTIONS} questions.")
    thanks = tuple(
        _thanks(each, f"thanks[{place}]")
        for place, each in enumerate(_list(document.get("thanks", []), "thanks", 0, MOST_THANKS))
    )
    return Content(
        title=_text(document, "title", "title", 200, needed=True),
        pages=pages,
        thanks=thanks,
        intro=_text(document, "intro", "intro", 2000),
        submit=_text(document, "submit", "submit", 60) or "Send my answers",
        brand=_text(document, "brand", "brand", 80),
        privacy=_address(document, "privacy", "privacy"),
        by_key={question.key: question for question in questions},
    )


def _page(document, place):
    _object(document, place, {"key", "title", "questions", "skips"})
    questions = _list(document.get("questions", []), f"{place}.questions", 0, MOST_QUESTIONS)
    skips = _list(document.get("skips", []), f"{place}.skips", 0, MOST_SKIPS)
    return Page(
        key=_key(document, place),
        title=_text(document, "title", f"{place}.title", 200),
        questions=tuple(_question(each, f"{place}.questions[{n}]") for n, each in enumerate(questions)),
        skips=tuple(_skip(each, f"{place}.skips[{n}]") for n, each in enumerate(skips)),
    )


def _skip(document, place):
    _object(document, place, {"to", "when"})
    return Skip(to=_key(document, place, "to"), when=_condition(document.get("when"), f"{place}.when"))


def _question(document, place):
    kind = document.get("type") if isinstance(document, Mapping) else None
    if kind not in content.TYPES:
        raise ContentError(
            f"{place}.type", f"A question has one of the types {', '.join(content.TYPES)}, not {kind!r}."
        )
    allowed = {"key", "type", "label", "help", "required", "fills", "show", "require"} | content.TAKES[kind]
    _object(document, place, allowed)
    key, fills = _key(document, place), _text(document, "fills", f"{place}.fills", 80)
    if key in TAKEN_KEYS:
        raise ContentError(f"{place}.key", f"The key {key!r} is taken by the form itself.")
    conditions = {
        name: _condition(document[name], f"{place}.{name}")
        for name in ("show", "require")
        if document.get(name) is not None
    }
    made = Question(
        key=key,
        type=kind,
        label=_text(document, "label", f"{place}.label", LONGEST_LABEL, needed=kind != content.HIDDEN),
        help=_text(document, "help", f"{place}.help", LONGEST_HELP),
        required=_flag(document, "required", place),
        fills=fills,
        **conditions,
        **_of_type(kind, document, place),
    )
    _check_fills(made, place)
    return made


def _of_type(kind, document, place):
    """What the type of a question takes, checked."""
    given = {}
    if "choices" in content.TAKES[kind]:
        given["choices"] = _choices(document, place)
    for name, low, high in (
        ("shortest", 1, content.LONGEST_ANSWER), ("longest", 1, content.LONGEST_ANSWER), ("fewest", 1, MOST_CHOICES),
        ("most", 1, MOST_CHOICES), ("step", 1, 10**9),
    ):  # fmt: skip
        if name in content.TAKES[kind]:
            given[name] = _whole(document, name, f"{place}.{name}", low, high)
    for name, default in (("as_list", False), ("multiline", False), ("whole", True)):
        if name in content.TAKES[kind]:
            given[name] = _flag(document, name, place, default)
    for name, longest in (("pattern_says", 200), ("parameter", 60), ("default", 200)):
        if name in content.TAKES[kind]:
            given[name] = _text(document, name, f"{place}.{name}", longest)
    if kind == content.TEXT:
        given["pattern"] = _pattern(document, place)
    if kind == content.DATE:
        given |= _dates(document, place)
    elif "min" in content.TAKES[kind]:
        given |= _bounds(kind, document, place)
    _ordered(given, "shortest", "longest", place)
    _ordered(given, "fewest", "most", place)
    return given


def _choices(document, place):
    place = f"{place}.choices"
    choices = []
    for n, each in enumerate(_list(document.get("choices"), place, 1, MOST_CHOICES)):
        here = f"{place}[{n}]"
        _object(each, here, {"value", "label", "fact"})
        value = _text(each, "value", f"{here}.value", LONGEST_VALUE, needed=True)
        label = _text(each, "label", f"{here}.label", 200) or value
        fact = each.get("fact")
        if fact is not None and (isinstance(fact, bool) or not isinstance(fact, int | str) or len(str(fact)) > 200):
            raise ContentError(f"{here}.fact", "What the lead keeps is text or a whole number.")
        choices.append(Choice(value, label, None if fact == "" else fact))
    _once([choice.value for choice in choices], place, "choice")
    return tuple(choices)


def _bounds(kind, document, place):
    bounds = {}
    for name in ("min", "max"):
        value = document.get(name)
        bounds[name] = None if value in (None, "") else value
        wrong = isinstance(value, float) or number(value) is None
        if bounds[name] is not None and wrong:
            raise ContentError(f"{place}.{name}", "This is a whole number, or decimal text such as '2.5'.")
        if kind == content.RANGE and (bounds[name] is None or not isinstance(number(value), int)):
            raise ContentError(f"{place}.{name}", "A range has a least and a greatest whole number.")
    low, high = (None if each is None else number(each) for each in bounds.values())
    if low is not None and high is not None and (low > high or (kind == content.RANGE and low == high)):
        raise ContentError(f"{place}.max", "The greatest number is less than the least.")
    return bounds if kind != content.RANGE else {"min": int(low), "max": int(high)}


def _dates(document, place):
    precision = document.get("precision", "day")
    if precision not in ("day", "month"):
        raise ContentError(f"{place}.precision", "A date is asked by the 'day' or by the 'month'.")
    length = 10 if precision == "day" else 7
    given = {"precision": precision}
    for name in ("min", "max"):
        text = _text(document, name, f"{place}.{name}", 10)
        if text and not (ISO_DATE.fullmatch(text) and len(text) == length):
            raise ContentError(f"{place}.{name}", "Write the date as 2026-10-31, a month as 2026-10.")
        given[name] = text or None
    _ordered(given, "min", "max", place)
    return given


def _pattern(document, place):
    pattern = _text(document, "pattern", f"{place}.pattern", 200)
    if pattern:
        _condition({"field": "pattern", "op": "matches", "value": pattern}, f"{place}.pattern")
    return pattern


def _check_fills(question, place):
    name, place = question.fills, f"{place}.fills"
    if not name:
        return
    if name.startswith(ATTRIBUTE):
        if name == ATTRIBUTE:
            raise ContentError(place, "Name the attribute: 'attributes.timeline'.")
        return
    if name not in content.FILLS and name not in (content.EMPLOYEES, content.WHOLE_NAME):
        raise ContentError(place, f"A lead has no {name!r}; anything else is 'attributes.{name}'.")
    fitting = content.NEEDS_TYPE.get(name, (question.type,))
    if question.type in (content.SEVERAL, content.CONSENT, content.DATE) or question.type not in fitting:
        raise ContentError(place, f"An answer of the type {question.type!r} cannot fill {name!r}.")
    if question.type == content.EMAIL and name != "email":
        raise ContentError(place, "An e-mail address fills 'email' or an attribute.")
    for choice in question.choices:
        fact = choice.value if choice.fact is None else choice.fact
        if name == content.EMPLOYEES and not _fits_employees(fact):
            raise ContentError(place, f"{choice.label!r} needs a whole number for the lead's employees.")
        if name in content.FILLS and len(str(fact)) > content.FILLS[name]:
            raise ContentError(place, f"{choice.label!r} is too long for the lead's {name}.")


def _fits_employees(fact):
    found = number(fact)
    return isinstance(found, int) and 0 <= found <= content.MOST_EMPLOYEES


def _thanks(document, place):
    _object(document, place, {"tiers", "outcomes", "title", "text", "link", "redirect"})
    link = document.get("link") or {}
    _object(link, f"{place}.link", {"label", "address"})
    tiers, outcomes = (
        tuple(_list(document.get(name, []), f"{place}.{name}", 0, 20)) for name in ("tiers", "outcomes")
    )
    if any(each not in content.OUTCOMES for each in outcomes):
        raise ContentError(f"{place}.outcomes", f"The outcomes are {', '.join(content.OUTCOMES)}.")
    if not all(isinstance(tier, str) and 0 < len(tier) <= 60 for tier in tiers):
        raise ContentError(f"{place}.tiers", "Tiers are named by their keys.")
    made = Thanks(
        title=_text(document, "title", f"{place}.title", 200),
        text=_text(document, "text", f"{place}.text", 2000),
        tiers=tiers,
        outcomes=outcomes,
        link_label=_text(link, "label", f"{place}.link.label", 80),
        link_address=_address(link, "address", f"{place}.link.address"),
        redirect=_address(document, "redirect", f"{place}.redirect"),
    )
    if not (made.title or made.redirect):
        raise ContentError(f"{place}.title", "A thank-you has a title, or sends people to an address.")
    if bool(made.link_label) != bool(made.link_address):
        raise ContentError(f"{place}.link", "A link has a label and an address.")
    return made


# --- values -----------------------------------------------------------------------------------------
def _object(value, place, known):
    if not isinstance(value, Mapping):
        raise ContentError(place, f"This is an object, not {type(value).__name__}.")
    if unknown := sorted(set(map(str, value)) - known):
        raise ContentError(place, f"Unknown here: {', '.join(unknown)}.")


def _list(value, place, fewest, most):
    if not isinstance(value, list | tuple) or not fewest <= len(value) <= most:
        raise ContentError(place, f"This is a list of {fewest} to {most}.")
    return value


def _text(document, name, place, longest, *, needed=False):
    value = document.get(name, "")
    value = "" if value is None else value
    if not isinstance(value, str) or len(value) > longest:
        raise ContentError(place, f"This is text of at most {longest} characters.")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ContentError(place, "The text holds a character that cannot be kept.")
    if needed and not value.strip():
        raise ContentError(place, "This cannot be empty.")
    return value.strip()


def _address(document, name, place):
    text = _text(document, name, place, 500)
    if text and not re.fullmatch(r"https?://[^\s/?#\"'<>\\]+\.?[^\s\"'<>\\]*", text):
        raise ContentError(place, "An address begins with https:// and has no blanks.")
    return text


def _key(document, place, name="key"):
    key = document.get(name)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise ContentError(f"{place}.{name}", "A key is small letters, digits and _, 40 at most, a letter first.")
    return key


def _flag(document, name, place, default=False):
    value = document.get(name, default)
    if not isinstance(value, bool):
        raise ContentError(f"{place}.{name}", "This is true or false.")
    return value


def _whole(document, name, place, low, high):
    value = document.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ContentError(place, f"This is a whole number from {low} to {high}.")
    return value


def _condition(condition, place):
    try:
        compile_condition(condition, lambda name: lambda answers: answers.get(name))
    except DefinitionError as error:
        raise ContentError(place, str(error)) from None
    return condition


def _ordered(given, low, high, place):
    if given.get(low) is not None and given.get(high) is not None and given[low] > given[high]:
        raise ContentError(f"{place}.{high}", "The most is less than the least.")


def _once(keys, place, what):
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ContentError(place, f"Two {what}s have the key {twice[0]!r}.")
