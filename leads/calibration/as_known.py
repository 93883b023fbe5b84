"""A handoff as it was known when it was made: no later fact, event, contact, decision or deal may be read from it."""

from dataclasses import dataclass

from django.utils.text import capfirst

from leads.calibration.provenance import OUTCOMES
from sla.conditions import ATTRIBUTE, is_absent
from sla.words import event

# what is shown of the lead, in order; who the person is stays out of it
FACTS = (
    ("Company", "company"), ("Title", "title"), ("Employees", "employees"), ("Industry", "industry"),
    ("Country", "country"), ("Region", "region"), ("Product", "product"), ("Source", "source"),
    ("Campaign", "campaign"), ("Channel", "channel"),
)  # fmt: skip
KEPT = ("source", "campaign", "channel", "industry", "employees")  # the handoff keeps these itself
EVENTS_SHOWN = 20
EVENT, RULE = "event:", "rule:"


@dataclass(frozen=True)
class Known:
    """What was known at the handoff. `came_later`: the lead came after it, with a file, and nobody knows when."""

    facts: list
    events: list
    signals: dict
    rules: list
    came_later: bool


def shown(item):
    """The Known of a RoundItem; `signals` are {key: words} of what may be ticked as having mattered."""
    handoff = item.handoff
    rules = [rule for rule in (handoff.breakdown or {}).get("rules", ()) if rule["fired"]]
    events = list(_events(handoff).order_by("-occurred_at", "-pk"))
    return Known(
        facts=_facts(handoff),
        events=events[:EVENTS_SHOWN],
        signals=_signals(events, rules if item.round.shows_score else ()),
        rules=rules if item.round.shows_score else [],
        came_later=_came_later(handoff),
    )


def signals(item):
    """The keys of the signals that an item shows."""
    return {*shown(item).signals}


def facts_at(handoff):
    """{field: value} of the lead as it was at the handoff, attributes as "attributes.<name>".

    Attributes of a lead that came after its handoff are left out: nobody knows when they were written.
    """
    lead = handoff.lead
    found = {field: getattr(lead, field) for _, field in FACTS}
    found |= {f"{ATTRIBUTE}{name}": value for name, value in lead.attributes.items()}
    for change in lead.fact_changes.filter(changed_at__gt=handoff.qualified_at).order_by("-changed_at", "-pk"):
        if change.was is None:  # from what it changed nobody knows
            found = dict.fromkeys(found)
        found |= {name: value for name, value in (change.was or {}).items() if name in found or ATTRIBUTE in name}
    found |= {name: getattr(handoff, name) for name in KEPT}
    if _came_later(handoff):
        found = {name: value for name, value in found.items() if not name.startswith(ATTRIBUTE)}
    return {name: value for name, value in found.items() if name.casefold() not in OUTCOMES and not is_absent(value)}


def _facts(handoff):
    """[(name, value)] in words."""
    found = facts_at(handoff)
    labels = {field: label for label, field in FACTS}
    told = [(label, found[field]) for label, field in FACTS if field in found]
    more = {name.removeprefix(ATTRIBUTE): value for name, value in found.items() if name not in labels}
    return told + sorted((name.replace("_", " "), value) for name, value in more.items())


def _events(handoff):
    """What the lead did up to the handoff and was recorded by then; where it came later, all that happened by then."""
    found = handoff.lead.events.filter(occurred_at__lte=handoff.qualified_at, suspected_by="")
    return found if _came_later(handoff) else found.filter(recorded_at__lte=handoff.recorded_at)


def _signals(events, rules):
    kinds = dict.fromkeys(one.kind for one in events)
    found = {f"{EVENT}{kind}": capfirst(event(kind)) for kind in kinds}
    return found | {f"{RULE}{rule['key']}": rule["label"] for rule in rules}


def _came_later(handoff):
    return handoff.lead.created_at > handoff.qualified_at
