"""The content of a form: pages, questions, skips and thanks as plain records, see `document`; pure, no Django."""

from dataclasses import dataclass, field

TEXT, EMAIL, PHONE, NUMBER, CHOICE, SEVERAL, RANGE, DATE, CONSENT, HIDDEN = TYPES = (
    "text", "email", "phone", "number", "choice", "several", "range", "date", "consent", "hidden",
)  # fmt: skip
TAKES = {
    TEXT: {"multiline", "shortest", "longest", "pattern", "pattern_says"},
    EMAIL: set(),
    PHONE: set(),
    NUMBER: {"min", "max", "whole"},
    CHOICE: {"choices", "as_list"},
    SEVERAL: {"choices", "fewest", "most"},
    RANGE: {"min", "max", "step"},
    DATE: {"min", "max", "precision"},
    CONSENT: set(),
    HIDDEN: {"parameter", "default"},
}
# what a lead has room for: characters of its columns
FILLS = {
    "email": 254, "phone": 60, "first_name": 120, "last_name": 120, "title": 200, "company": 200, "domain": 200,
    "industry": 120, "country": 120, "region": 120, "product": 120, "source": 120, "campaign": 200, "channel": 120,
}  # fmt: skip
EMPLOYEES, WHOLE_NAME, MOST_EMPLOYEES = "employees", "name", 2_147_483_647
NEEDS_TYPE = {"email": (EMAIL,), "phone": (PHONE, TEXT), EMPLOYEES: (NUMBER, RANGE, CHOICE)}
OUTCOMES = ("handed_over", "open", "nurture", "cooling_off", "disqualified", "later")
LONGEST_ANSWER, MOST_POSTED = 5000, 200


@dataclass(frozen=True)
class Choice:
    """One answer of a list; `fact` is what the lead keeps of it, None: its value."""

    value: str
    label: str
    fact: str | int | None = None


@dataclass(frozen=True)
class Question:
    """One question; which of the fields of validation mean something depends on the type (TAKES)."""

    key: str
    type: str
    label: str
    help: str = ""
    required: bool = False
    fills: str = ""
    show: dict | None = None
    require: dict | None = None
    choices: tuple[Choice, ...] = ()
    as_list: bool = False
    multiline: bool = False
    shortest: int | None = None
    longest: int | None = None
    pattern: str = ""
    pattern_says: str = ""
    min: int | str | None = None
    max: int | str | None = None
    step: int | None = None
    whole: bool = True
    precision: str = "day"
    fewest: int | None = None
    most: int | None = None
    parameter: str = ""
    default: str = ""

    @property
    def is_conditional(self):
        return self.show is not None

    @property
    def conditions(self):
        return [condition for condition in (self.show, self.require) if condition]


@dataclass(frozen=True)
class Skip:
    """After its page, where `when` holds, the form goes on with the page `to`."""

    to: str
    when: dict


@dataclass(frozen=True)
class Page:
    """Questions that are asked together."""

    key: str
    questions: tuple[Question, ...]
    title: str = ""
    skips: tuple[Skip, ...] = ()


@dataclass(frozen=True)
class Thanks:
    """What a visitor reads, or where they are sent, when the form was taken in."""

    title: str = ""
    text: str = ""
    tiers: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    link_label: str = ""
    link_address: str = ""
    redirect: str = ""

    def fits(self, outcome, tier):
        """Whether it is meant for this outcome and tier (a key, or None)."""
        return (not self.outcomes or outcome in self.outcomes) and (not self.tiers or tier in self.tiers)

    @property
    def fits_everything(self):
        return not self.outcomes and not self.tiers


@dataclass(frozen=True)
class Content:
    """A whole form."""

    title: str
    pages: tuple[Page, ...]
    thanks: tuple[Thanks, ...]
    intro: str = ""
    submit: str = "Send my answers"
    brand: str = ""
    privacy: str = ""
    by_key: dict = field(default_factory=dict, compare=False)

    @property
    def questions(self):
        """Every question, in order."""
        return list(self.by_key.values())

    def thanks_for(self, outcome, tier):
        """The Thanks for an outcome and a tier; a form whose last one fits everything always has one."""
        return next((thanks for thanks in self.thanks if thanks.fits(outcome, tier)), Thanks("Thank you"))
