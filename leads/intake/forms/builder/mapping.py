"""What answers are worth: facts that the definition in force reads, who asks them, and the points of each answer."""

import datetime as dt
from dataclasses import dataclass

from django.utils.timezone import get_default_timezone

from leads.intake.forms import content as form
from leads.intake.forms.answers import facts_of, scored
from leads.intake.forms.builder.edit import may_fill
from leads.intake.forms.document import ContentError, read
from leads.intake.forms.models import FormVersion
from leads.intake.forms.services.submit import KIND
from sla import conditions, lift, scoring, words
from sla.models import SLAVersion

NOT_ASKED = ("external_id",)  # no visitor knows it
ANSWER = "answers."
_SOME_INSTANT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # points of an answer just given hang on no date


@dataclass(frozen=True)
class Terms:
    """The definition in force as the builder needs it; all empty where no agreement is."""

    definition: scoring.Definition | None = None
    number: int | None = None

    @property
    def tiers(self):
        """{key: name}, the highest first."""
        if self.definition is None:
            return {}
        return {tier.key: tier.name for tier in sorted(self.definition.tiers, key=lambda tier: tier.position)}

    @property
    def reads(self):
        """Facts that its rules over facts read, in their order."""
        rules = self.definition.rules if self.definition else ()
        facts = (name for rule in rules if not rule.counts_events for name in conditions.fields_of(rule.condition))
        return [name for name in dict.fromkeys(facts) if name not in NOT_ASKED]


def terms(*, at):
    """The Terms at an instant."""
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        return Terms()
    return Terms(version.definition.as_definition(), version.definition.number)


def asked_by():
    """{fact: names of the live forms that ask it}."""
    newest = (
        FormVersion.objects.published()
        .filter(form__retired_at=None)
        .order_by("form_id", "-number")
        .distinct("form_id")
    )
    found = {}
    for version in newest.select_related("form"):
        for question in version.as_content().questions:
            for name in _filled(question.fills):
                found.setdefault(name, []).append(version.form.name)
    return found


def unasked(known):
    """The facts that the definition reads and no live form asks, in words."""
    asked = asked_by()
    return [words.field(name) for name in known.reads if name not in asked]


def options(known, kind, now):
    """Groups for the select "Fills": [(name, [(value, words)])]; `now` is what the question fills."""
    fits = [name for name in (*form.FILLS, form.EMPLOYEES) if may_fill(kind, name)]
    read = [name for name in known.reads if may_fill(kind, name)]
    others = [name for name in fits if name not in read]
    if may_fill(kind, form.WHOLE_NAME):
        others.insert(0, form.WHOLE_NAME)
    groups = [(f"Read by definition v{known.number}", read)] if read else []
    groups.append(("Other facts of a lead", others))
    if now.startswith(conditions.ATTRIBUTE) and now not in read:
        groups.append(("Its own", [now]))
    return [(name, [(value, _called(value)) for value in values]) for name, values in groups if values]


def questions_of(document):
    """{key: forms.content.Question} of a document; nothing where it cannot be read any more."""
    try:
        return read(document).by_key
    except ContentError:
        return {}


def worth(known, question):
    """{value of a choice: points that it alone gives under the definition in force, by a fact or by the event}."""
    if known.definition is None or question is None or not question.choices:
        return {}
    several = question.type == form.SEVERAL
    return {c.value: _points(known, question, [c.value] if several else c.value) for c in question.choices}


def reads_question(known, question):
    """Whether a rule of the definition reads what the question fills, or its answer in the form's event."""
    if known.definition is None or question is None:
        return False
    if set(_filled(question.fills)) & set(known.reads):
        return True
    wheres = (r.condition.get("where") for r in known.definition.rules if r.counts_events)
    return any(f"{ANSWER}{question.key}" in conditions.fields_of(where) for where in wheres if where)


@dataclass(frozen=True)
class Scored:
    """What answers would come to. outcome: handed_over, nurture or disqualified; tier: its key, or None."""

    evaluation: scoring.Evaluation
    outcome: str
    missing: int
    tier: str | None
    tier_name: str
    rule: str


def score(known, content, kept, *, slug, number, at):
    """The Scored of kept answers of a lead that nobody knew before; None where no agreement is in force."""
    if known.definition is None:
        return None
    event = _event(content.questions, kept, slug, number, at)
    facts = facts_of(content.questions, kept)
    evaluation = scoring.evaluate(known.definition, facts, [event], at, zone=get_default_timezone())
    shut = next((rule.label for rule in evaluation.rules if rule.key == evaluation.disqualified_by), "")
    nearest = lift.nearest(known.definition.tiers, evaluation.fit, evaluation.behaviour)
    return Scored(
        evaluation=evaluation,
        outcome="handed_over" if evaluation.tier else "nurture",
        missing=lift.missing(known.definition.tiers, evaluation.fit, evaluation.behaviour),
        tier=evaluation.tier,
        tier_name=known.tiers.get(evaluation.tier, nearest.name),
        rule=shut,
    )


def _points(known, question, value):
    kept, at = {question.key: value}, _SOME_INSTANT
    facts = facts_of([question], kept)
    with_it = scoring.evaluate(known.definition, facts, [_event([question], kept, "", 0, at)], at)
    without = scoring.evaluate(known.definition, {"attributes": {}}, [_event([], {}, "", 0, at)], at)
    return with_it.total - without.total


def _event(questions, kept, slug, number, at):
    return scoring.Event(KIND, at, {"form": slug, "version": number} | scored(questions, kept))


def _filled(fills):
    return ("first_name", "last_name") if fills == form.WHOLE_NAME else (fills,) if fills else ()


def _called(name):
    return "first and last name" if name == form.WHOLE_NAME else words.field(name)
