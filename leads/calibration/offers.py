"""What a round's finding may become: a rule in a draft of the definition, or a question that no form asks yet."""

from dataclasses import dataclass

from django.utils.text import slugify

from leads.calibration import as_known
from leads.calibration.readiness import NO, YES
from leads.intake.forms import content as form
from leads.intake.forms.builder import edit, mapping
from leads.remedy import free_key
from leads.segments import BANDS, segment_of
from sla import words
from sla.conditions import ATTRIBUTE

FIELDS = {"size": "employees", "industry": "industry", "role": "title", "region": "country"}
ASK = {
    "budget": "Is there a budget for it?", "authority": "Can you decide on it, or bring along who does?",
    "need": "Is this a problem that you have now?", "timeline": "Do you want to begin within six months?",
}  # fmt: skip
CHOICES = ((YES, "Yes"), (NO, "No"), ("unknown", "I do not know yet"))
STRONGEST = 20  # points for a difference of a whole 100 percentage points, as a start: the fit weighs them
MOST_VALUES = 20


@dataclass(frozen=True)
class Offer:
    """What may be made of a Difference: `rule` as sla.definition_changes adds it (None: there is one), `field` is
    what it reads, `asked_by` the live forms that ask for it; `fact` whether leads have it without being asked, else
    `question` asks visitors for it."""

    rule: dict | None
    field: str
    fact: bool
    asked_by: tuple[str, ...]
    why: str = ""
    question: str = ""

    @property
    def called(self):
        """What it reads, in words."""
        return words.field(self.field)


def offer(difference, label, items, definition):
    """The Offer of a readiness.Difference. items: [(Item, facts at its handoff)]; definition: sla.scoring's."""
    kind, _, name = difference.key.partition(":")
    points = round(STRONGEST * difference.change.difference) or 1
    if kind == "signal":
        return _of_signal(name, label, points, definition)
    if condition := _of_values(difference.key, items):
        return Offer(_rule(label, condition, points, definition), condition_field(condition), True, ())
    field = f"{ATTRIBUTE}{slugify(name or kind).replace('-', '_')[:40]}"
    rule = _rule(label, {"field": field, "op": "equals", "value": YES}, points, definition)
    asked = ASK.get(name or kind, label.strip("“”").capitalize())
    return Offer(rule, field, False, tuple(mapping.asked_by().get(field, ())), question=asked)


def with_question(document, offer):
    """(a form's document that asks for what the Offer reads, the place of the question from 1); asked is asked."""
    found = edit.questions_of(document)
    place = next((n for n, question in enumerate(found, 1) if question.get("fills") == offer.field), None)
    if place:
        return document, place
    document, key = edit.add_question(document, form.CHOICE)
    edit.question_of(document, key).update(
        label=offer.question, fills=offer.field,
        choices=[{"value": value, "label": label} for value, label in CHOICES],
    )  # fmt: skip
    return document, edit.questions_of(document).index(edit.question_of(document, key)) + 1


def condition_field(condition):
    return condition.get("field") or condition["any"][0]["field"]


def _of_signal(name, label, points, definition):
    """A rule for an event; one that has a rule, or is a rule, gets no second one."""
    kind = name.removeprefix(as_known.EVENT)
    ruled = name.startswith(as_known.RULE) or any(
        rule.counts_events and rule.condition["event"] == kind for rule in definition.rules
    )
    if ruled:
        return Offer(None, kind, True, (), "The definition has a rule for it; a calibration weighs it.")
    rule = _rule(label, {"event": kind}, points, definition) | {"axis": "behaviour"}
    return Offer(rule, kind, True, ())


def _of_values(key, items):
    """The condition that a fact has one of the values which both called fitting more often than not; None else."""
    field = FIELDS.get(key)
    if field is None:
        return None
    votes = {}
    for item, facts in items:
        first, second = (said.answers[key] for said in item.now)
        value = segment_of(facts.get(field)) if field == "employees" else facts.get(field)
        if first == second != "unknown" and value:
            votes.setdefault(str(value), []).append(first)
    good = sorted(value for value, said in votes.items() if said.count(YES) > said.count(NO))[:MOST_VALUES]
    if not good:
        return None
    return _sizes(good) if field == "employees" else {"field": field, "op": "in", "values": good}


def _sizes(good):
    bands = [(low, high) for low, high in BANDS if segment_of(low) in good]
    parts = [
        {"field": "employees", "op": "between", "min": low} | ({"max": high} if high else {}) for low, high in bands
    ]
    return parts[0] if len(parts) == 1 else {"any": parts}


def _rule(label, condition, points, definition):
    return {
        "key": free_key(definition, label), "label": label[:120], "axis": "fit", "condition": condition,
        "points": points,
    }  # fmt: skip
