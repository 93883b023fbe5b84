"""What a page of a form shows: its questions as fields, in rows, with what was posted and what is wrong."""

from dataclasses import dataclass

from leads.intake.forms import content as form
from leads.intake.forms.answers import YES
from leads.intake.forms.logic import controls
from leads.intake.forms.typos import typo_of

AUTOCOMPLETE = {
    "email": "email", "phone": "tel", "name": "name", "first_name": "given-name", "last_name": "family-name",
    "title": "organization-title", "company": "organization", "country": "country-name", "domain": "url",
}  # fmt: skip
INPUT = {form.EMAIL: "email", form.PHONE: "tel"}
SHORT = 34  # characters of a label up to which two fields share a row
FEW = 11  # values of a range that are shown one beside the other


@dataclass(frozen=True)
class Field:
    """A question on the page. texts: what was posted; error and hint: sentences, "" for none."""

    question: form.Question
    texts: tuple[str, ...]
    asked: bool
    required: bool
    error: str = ""
    suggestion: str = ""

    @property
    def key(self):
        return self.question.key

    @property
    def value(self):
        return self.texts[0] if self.texts else ""

    @property
    def kind(self):
        """How it is drawn: input, textarea, list, choices, checks, scale, consent."""
        asks = self.question
        if asks.type == form.TEXT and asks.multiline:
            return "textarea"
        if asks.type == form.CHOICE:
            return "list" if asks.as_list else "choices"
        if asks.type == form.RANGE and len(self.scale) <= FEW:
            return "scale"
        return {form.SEVERAL: "checks", form.CONSENT: "consent"}.get(asks.type, "input")

    @property
    def input_type(self):
        if self.question.type == form.DATE:
            return "month" if self.question.precision == "month" else "date"
        return INPUT.get(self.question.type, "text")

    @property
    def input_mode(self):
        if self.question.type == form.RANGE or (self.question.type == form.NUMBER and self.question.whole):
            return "numeric"
        return "decimal" if self.question.type == form.NUMBER else ""

    @property
    def autocomplete(self):
        return AUTOCOMPLETE.get(self.question.fills, "off" if self.question.type != form.TEXT else "")

    @property
    def options(self):
        """(value, label, chosen, id) of each answer of a list or scale."""
        choices = [(choice.value, choice.label) for choice in self.question.choices]
        choices = choices or [(str(value), f"{value:,}") for value in self.scale]
        return [(value, label, value in self.texts, f"q-{self.key}-{n}") for n, (value, label) in enumerate(choices)]

    @property
    def scale(self):
        asks = self.question
        return range(asks.min, asks.max + 1, asks.step or 1)

    @property
    def bounds(self):
        """What a number may be, in words."""
        asks = self.question
        if asks.type == form.RANGE:
            return f"From {asks.min:,} to {asks.max:,}" + (f", in steps of {asks.step:,}" if asks.step else "")
        return "Year and month, such as 2026-10." if self.input_type == "month" and not asks.help else ""

    @property
    def is_ticked(self):
        return YES in self.texts or bool(self.value)

    @property
    def described_by(self):
        parts = {"help": self.question.help or self.bounds, "error": self.error, "hint": self.suggestion}
        return " ".join(f"q-{self.key}-{name}" for name, there in parts.items() if there)

    @property
    def is_group(self):
        """Drawn as a fieldset with a legend."""
        return self.kind in ("choices", "checks", "scale")

    @property
    def is_short(self):
        return (
            not self.question.is_conditional
            and self.kind in ("input", "list")
            and self.question.type != form.EMAIL
            and len(self.question.label) <= SHORT
        )

    @property
    def shown_as(self):
        """What the page says back of it: that it was shown, and whether it was required then."""
        return f"{self.key}!" if self.required else self.key


@dataclass(frozen=True)
class Step:
    """One page of a form as it is shown.

    rows: tuples of one or two Fields. carried: (key, text) of what was said on other pages. sent: names of the inputs
    that decide what is asked, which are sent while the page is being filled.
    """

    page: form.Page
    rows: tuple
    carried: tuple
    number: int
    count: int
    sent: str
    is_first: bool
    is_last: bool

    @property
    def fields(self):
        return [field for row in self.rows for field in row]

    @property
    def wrong(self):
        return [field for field in self.fields if field.error]


def step(content, walked, posted, page, *, errors):
    """The Step of `page` (its key), given what was posted; errors: whether what is wrong is said."""
    pages = [each.key for each in content.pages]
    here = content.pages[pages.index(page)]
    fields = [
        field_of(question, walked, posted, said=errors) for question in here.questions if is_drawn(question, walked)
    ]
    on_page = {field.key for field in fields}
    return Step(
        page=here,
        rows=tuple(_rows(fields)),
        carried=tuple((key, text) for key in content.by_key if key not in on_page for text in posted.get(key, ())),
        number=pages.index(page) + 1,
        count=len(pages),
        sent=sent(content),
        is_first=walked.pages.index(page) == 0,
        is_last=pages.index(page) == len(pages) - 1 or leads_to_the_end(walked, page),
    )


def leads_to_the_end(walked, page):
    return walked.pages[-1] == page and walked.next_page is None


def sent(content):
    """Names of the inputs that htmx sends when an answer was given: those that decide what is asked, and what is
    required now and then, for it is drawn again. Whatever else was written stays on the visitor's machine.
    """
    varying = [question.key for question in content.questions if question.require]
    return ",".join(dict.fromkeys(("_token", "_page", "_shown", *controls(content), *varying)))


def changed(content, walked, posted, page, shown):
    """The Fields of `page` that are asked, shut or required now and were not before. shown: as Field.shown_as."""
    found = []
    here = next(each for each in content.pages if each.key == page)
    for question in here.questions:
        if question.conditions and is_drawn(question, walked):
            field = field_of(question, walked, posted, said=False)
            before = {question.key, f"{question.key}!"} & set(shown)
            if before != ({field.shown_as} if field.asked else set()):
                found.append(field)
    return found


def mail(content, walked, posted, key):
    """The Field of the e-mail question `key`, to say what was probably meant; None for another question."""
    question = content.by_key.get(key)
    return field_of(question, walked, posted) if question and question.type == form.EMAIL else None


def is_drawn(question, walked):
    """Whether a question has a place on its page: hidden ones and known ones have none."""
    return question.type != form.HIDDEN and question.key not in walked.known


def field_of(question, walked, posted, *, said=True):
    """The Field of a question; said: with what is wrong."""
    texts = tuple(posted.get(question.key, ()))
    return Field(
        question=question,
        texts=texts,
        asked=question.key in walked.asked,
        required=question.key in walked.required,
        error=walked.errors.get(question.key, "") if said else "",
        suggestion=typo_of(texts[0]) if question.type == form.EMAIL and texts else "",
    )


def _rows(fields):
    """The fields, two short ones beside each other."""
    row = []
    for field in fields:
        if row and field.is_short:
            yield (row[0], field)
            row = []
        else:
            if row:
                yield tuple(row)
            row = [field] if field.is_short else []
            if not row:
                yield (field,)
    if row:
        yield tuple(row)
