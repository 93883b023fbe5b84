"""Columns that take one of a few words of ours: the values that occur in the file, and what each one means to us."""

from dataclasses import dataclass

from leads.intake.imports import fields
from leads.intake.imports.law import CATEGORIES
from leads.intake.imports.propose import fold
from leads.models.deal import LOSS_REASONS
from leads.services.deal import code_of
from sla.models import Category, SLAVersion
from sla.starter import REASONS

CLOSED = ("decision", "reason", "outcome", "loss_reason")
SHOWN = 60
REJECTED = "rejected:"
OURS = {
    "decision": (("accepted", "Accepted"), ("rejected", "Rejected"), ("undecided", "Undecided")),
    "outcome": (("won", "Won"), ("lost", "Lost"), ("open", "Open")),
    "loss_reason": tuple(LOSS_REASONS.items()),
}
# values, folded, as CRMs write them: letters and digits only
OBVIOUS = {
    "decision": {
        "accepted": "accept salesaccepted salesacceptedlead salesqualified salesqualifiedlead sql qualified converted"
        " closedconverted opendeal won closedwon",
        "rejected": "reject unqualified disqualified notqualified closednotconverted junk junklead lostlead",
        "undecided": "new open pending inprogress working workingcontacted opennotcontacted notcontacted contacted"
        " attemptedtocontact attemptedcontact contactinfuture connected",
    },
    "reason": {
        "fit": "notafit nofit wrongfit poorfit notatargetcustomer",
        "timing": "notnow later toolate tooearly wrongtiming nobudgetnow",
        "data": "wrongnumber invalidnumber numbernotprovided wrongnumbergiven invalidemail bounced baddata duplicate",
    },
    "outcome": {"won": "closedwon dealwon", "lost": "closedlost deallost", "open": "inprogress opendeal pending"},
    "loss_reason": {
        "timing": "badtiming notnow later toolate tooearly wrongtiming nobudgetnow postponed",
        "fit": "nofit notafit badfit poorfit",
        "price": "tooexpensive budget pricing",
        "competitor": "losttocompetitor competition",
        "no_decision": "nodecision wentdark unresponsive",
    },
}
MEANS = {name: {raw: ours for ours, raws in words.items() for raw in raws.split()} for name, words in OBVIOUS.items()}


@dataclass
class Value:
    """One value of a column on the page. `chosen` is our word for it; `stands` what it says without one."""

    raw: str
    count: int
    chosen: str
    stands: str


@dataclass
class Closed:
    """One column whose values are translated. With `takes_reason` a rejection is chosen together with its reason."""

    place: int
    column: str
    name: str
    takes_reason: bool
    values: list[Value]
    more: int
    is_beginning: bool

    @property
    def label(self):
        return fields.label_of(self.name)

    @property
    def plain(self):
        return OURS.get(self.name, ())

    @property
    def groups(self):
        """True when the catalogue of reasons is offered."""
        return self.name == "reason" or self.takes_reason

    @property
    def unsaid(self):
        """How many values say nothing that the import understands."""
        return sum(not value.chosen and not value.stands for value in self.values)


def catalogue(*, at):
    """[(category, its label, [(word, label)])] of the agreement in force, else the first proposed, else the starter's.

    The word is a code, or the category's name for its general code.
    """
    versions = SLAVersion.objects.filter(proposed_at__isnull=False)
    version = SLAVersion.objects.in_force(at=at) or versions.order_by("effective_from", "number").first()
    if version:
        codes = [(code.code, code.category, code.label, code.is_general) for code in version.reasons.order_by("code")]
    else:
        codes = [(code, kind, label, more.get("is_general", False)) for code, kind, label, *_, more in REASONS]
    return [
        (
            category.value,
            category.label,
            [
                (kind if general else code, f"{code} {label}")
                for code, kind, label, general in codes
                if kind == category
            ],
        )
        for category in Category
    ]


def find(profile, document, reasons):
    """The Closed columns of a profiled file under its mapping, each with its values, the most frequent first."""
    columns = document.get("columns", {})
    wanted = {}
    for name in CLOSED:
        place = profile.place(column_of(columns[name])) if name in columns else None
        if place is not None and not (name == "reason" and wanted.get("decision") == place):
            wanted[name] = place
    takes_reason = "reason" not in wanted
    return [
        _closed(profile, document, reasons, name, place, takes_reason and name == "decision")
        for name, place in wanted.items()
    ]


def _closed(profile, document, reasons, name, place, takes_reason):
    columns, (counts, distinct) = document["columns"], profile.counts(place)
    said, because = values_of(columns[name]), values_of(columns.get("reason", "")) if takes_reason else {}
    default = document.get("defaults", {}).get(name, "")
    values = []
    for raw, often in counts.most_common(SHOWN):
        chosen = _said(said, raw)
        if takes_reason and chosen == "rejected" and (reason := _said(because, raw)):
            chosen = REJECTED + reason
        values.append(Value(raw, often, chosen, stands(name, raw, reasons, default)))
    return Closed(
        place,
        profile.header[place],
        name,
        takes_reason,
        values,
        distinct - len(values),
        profile.counted < profile.rows,
    )


def _said(values, raw):
    if raw in values:
        return str(values[raw])
    folded = {text.strip().casefold(): ours for text, ours in values.items()}
    return str(folded.get(raw.casefold(), ""))


def stands(name, raw, reasons, default=""):
    """What a value says as it stands, for people; empty when the import would refuse it."""
    said = raw.casefold()
    if not raw:
        return default or {"decision": "undecided", "outcome": "nothing"}.get(name, "no reason")
    if name == "reason":
        words = dict(words for _, _, codes in reasons for words in codes)
        return words.get(CATEGORIES.get(said, raw), "")
    if name == "loss_reason":
        return LOSS_REASONS.get(code_of(raw)) or raw
    return next((label.lower() for word, label in OURS[name] if word == said), "")


def obvious(name, raw, reasons):
    """Our word for a value that can mean only one thing, or ""; with the category where a decision tells it too."""
    if stands(name, raw, reasons) and (name != "loss_reason" or code_of(raw) in LOSS_REASONS):
        return ""
    folded = fold(raw)
    if name == "reason":
        labels = {fold(label[3:]): word for _, _, codes in reasons for word, label in codes}
        return labels.get(folded) or MEANS["reason"].get(folded, "")
    return MEANS[name].get(folded, "")


def proposed(profile, columns, names, reasons):
    """`columns` with our words for the obvious values of the closed fields `names`."""
    wanted = {
        name: place
        for name in names
        if name in columns and (place := profile.place(column_of(columns[name]))) is not None
    }
    made = dict(columns)
    for name, place in wanted.items():
        words = {raw: word for raw in profile.counts(place)[0] if (word := obvious(name, raw, reasons))}
        if words:
            made[name] = {"column": column_of(columns[name]), "values": words}
    return made


def chosen(post, place, words, reasons):
    """({raw: our word}, {raw: reason}) after the form of one column; values that the page did not show are kept."""
    values, because = dict(words), dict(reasons)
    for n in range(SHOWN):
        raw = post.get(f"raw-{place}-{n}")
        if raw is None:
            break
        for kept in (values, because):
            for text in [text for text in kept if text.strip().casefold() == raw.casefold()]:
                del kept[text]
        word = post.get(f"value-{place}-{n}", "")
        if word.startswith(REJECTED):
            values[raw], because[raw] = "rejected", word.removeprefix(REJECTED)
        elif word:
            values[raw] = word
    return values, because


def column_of(value):
    return value.get("column", "") if isinstance(value, dict) else value


def values_of(value):
    return value.get("values", {}) if isinstance(value, dict) else {}


def written(column, values):
    """A column of the document: its heading alone where nothing is translated."""
    return {"column": column, "values": values} if values else column
