"""Where a fact comes from, and so whether it may speak for a lead at its handoff; no Django.

Three ways to be known at the handoff: the database recorded it before (`leads.models.FactChange` tells what was there
then); or the lead came later, with a file of the past, and a person declared that the fact was known before anybody
contacted it. What a file told the outcome with is refused whatever anybody declares.
"""

from collections.abc import Iterable, Mapping

from sla import conditions
from sla.scoring import Rule
from sla.words import event, field

EVENT = "event:"
# attributes that hold what became of the lead, from any import
OUTCOMES = {
    f"{conditions.ATTRIBUTE}{name}": "It tells the outcome itself."
    for name in ("outcome", "closed_at", "amount", "note", "decision", "reason", "decided_at", "loss_reason")
}
UNDECLARED = "Nobody declared that it was known before the lead was contacted."


def sources_of(rule: Rule) -> list[str]:
    """What the rule reads: facts as conditions name them, or "event:<kind>"."""
    if rule.counts_events:
        return [f"{EVENT}{rule.condition['event']}"]
    return conditions.fields_of(rule.condition)


def said(source: str) -> str:
    """A source in words."""
    return event(source.removeprefix(EVENT)) if source.startswith(EVENT) else field(source)


def refused(
    rules: Iterable[Rule], *, told_by_files: Mapping[str, str], declared: Iterable[str], from_files: bool
) -> dict[str, str]:
    """{rule key: one sentence} of the rules whose facts may not speak for the handoff.

    told_by_files: {source in lower case: sentence}, what imports read an outcome from. declared: sources that were
    known before the contact, for leads that came later with a file. from_files: whether such leads are fitted to.
    """
    never, declared = {**told_by_files, **OUTCOMES}, set(declared)
    found = {}
    for rule in rules:
        for source in sources_of(rule):
            if source.casefold() in never:
                found[rule.key] = f"Reads “{said(source)}”. {never[source.casefold()]}"
            elif from_files and source not in declared:
                found.setdefault(rule.key, f"Reads “{said(source)}”. {UNDECLARED}")
    return found
