"""Which questions a form asks: the one evaluator of show, require and skip, for every path; pure, no Django.

It walks the pages and questions once, in order, and looks only at answers that it *kept*: of questions that were
asked, and that could be read. What is posted for a question that is not asked is dropped, so that it opens nothing.
One page after the other (`until`) and all at once are the same walk, cut short or not.
"""

from dataclasses import dataclass, field

from leads.intake.forms.answers import Wrong, read_answer
from leads.intake.forms.content import CONSENT, HIDDEN
from sla.conditions import compile_condition

REQUIRED = "Please answer this question."
CONSENT_REQUIRED = "Please tick this, or we cannot take your answers."


@dataclass(frozen=True)
class Walk:
    """What a form asks, given what was posted.

    pages: keys of the pages reached, in order. asked: keys of the questions asked, in order, hidden ones too.
    required: those of them that need an answer. kept: {key: value}, the only answers that count. errors: {key:
    sentence}. known: keys that are not asked, because they are known already. next_page: key after the last page
    reached, None when that is the form's end.
    """

    pages: tuple[str, ...]
    asked: tuple[str, ...]
    required: frozenset
    kept: dict
    errors: dict
    known: frozenset = frozenset()
    next_page: str | None = None
    asked_of: dict = field(default_factory=dict)

    @property
    def is_complete(self):
        """The form's end was reached, and nothing is wrong: it can be taken in."""
        return self.next_page is None and not self.errors


def walk(content, posted, *, known=None, until=None):
    """The Walk of a form. posted: {key: [texts]}; known: {key: value} of a known lead; until: a page's key to stop at.

    A known value that no visitor could have given as the answer is not known. Never raises for anything posted.
    """
    known, trail, steps = known or {}, _Trail(), {page.key: n for n, page in enumerate(content.pages)}
    place, next_page = 0, None
    while place is not None:
        page = content.pages[place]
        trail.pages.append(page.key)
        trail.of_page[page.key] = ()
        for question in page.questions:
            _ask(question, posted, known, trail, page.key)
        place = _after(page, place, steps, trail.kept, len(content.pages))
        next_page = None if place is None else content.pages[place].key
        if page.key == until:
            break
    return Walk(
        pages=tuple(trail.pages),
        asked=tuple(key for keys in trail.of_page.values() for key in keys),
        required=frozenset(trail.required),
        kept=trail.kept,
        errors=trail.errors,
        known=frozenset(trail.known),
        next_page=next_page,
        asked_of=trail.of_page,
    )


def controls(content):
    """Keys of the questions that some condition reads: what has to be sent while the form is being filled."""
    from_questions = (condition for question in content.questions for condition in question.conditions)
    from_skips = (skip.when for page in content.pages for skip in page.skips)
    read = {name for condition in (*from_questions, *from_skips) for name in reads(condition)}
    return [question.key for question in content.questions if question.key in read]


def reads(condition):
    """The keys that a condition reads, in its order."""
    if "field" in condition:
        return [condition["field"]]
    parts = [*condition.get("all", ()), *condition.get("any", ()), *([condition["not"]] if "not" in condition else ())]
    return list(dict.fromkeys(name for part in parts for name in reads(part)))


class _Trail:
    """What the walk has seen so far."""

    def __init__(self):
        self.pages, self.of_page, self.required, self.kept, self.errors, self.known = [], {}, set(), {}, {}, set()


def _ask(question, posted, known, trail, page):
    if question.show is not None and not holds(question.show, trail.kept):
        return
    if question.key in known and (value := _as_answered(question, known[question.key])) is not None:
        trail.kept[question.key] = value
        trail.known.add(question.key)
        return
    trail.of_page[page] += (question.key,)
    required = question.required or (question.require is not None and holds(question.require, trail.kept))
    required = required and question.type != HIDDEN
    if required:
        trail.required.add(question.key)
    said = posted.get(question.key) or ()
    if question.type == HIDDEN and not (question.parameter and said):
        said = (question.default,)  # without a parameter it is a constant, whatever is posted
    try:
        value = read_answer(question, said)
    except Wrong as wrong:
        trail.errors[question.key] = str(wrong)
        return
    if value is not None:
        trail.kept[question.key] = value
    elif required:
        trail.errors[question.key] = CONSENT_REQUIRED if question.type == CONSENT else REQUIRED


def _as_answered(question, value):
    """A known value as an answer to the question, or None where it is none."""
    try:
        return read_answer(question, [str(each) for each in (value if isinstance(value, list) else [value])])
    except Wrong:
        return None


def _after(page, place, steps, kept, count):
    """The place of the page that follows, or None at the end; a skip that leads back or nowhere is none."""
    for skip in page.skips:
        if steps.get(skip.to, -1) > place and holds(skip.when, kept):
            return steps[skip.to]
    return place + 1 if place + 1 < count else None


def holds(condition, kept):
    """Whether a condition holds for kept answers."""
    return compile_condition(condition, lambda name: lambda answers: answers.get(name))(kept)
