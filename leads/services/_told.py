"""Shapes of capture: what a door tells of a person, and what became of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from leads.models import Handoff, Lead
from portal.shared.refusal import Refusal


class NotALead(Refusal):
    code = "not_a_lead"
    sentence = "A lead needs an e-mail address or an outside id. Nothing was saved."


class TwoLeads(Refusal):
    code = "two_leads"
    sentence = "The outside id and the e-mail address belong to two different leads. Nothing was saved."


@dataclass(frozen=True)
class Happened:
    """An event as a door hears of it; suspected_by names the bot rule that marked it."""

    kind: str
    occurred_at: dt.datetime
    origin: str = ""
    origin_id: str | None = None
    properties: dict = field(default_factory=dict)
    suspected_by: str = ""


@dataclass(frozen=True)
class Captured:
    """What is told of one person: facts {field of leads.models.lead.FACTS: value, "attributes": {…}}, and events."""

    facts: dict
    events: Sequence[Happened] = ()
    known: Lead | None = None  # the locked lead that it is, where the caller knows


@dataclass(frozen=True)
class TakenIn:
    """What became of a capture: the lead, whether it is new, the outcome, its open handoff or None.

    outcome: of leads.services.qualify (handed_over, nurture, cooling_off, open, disqualified, suspected, no_version),
    or "later" where the worker is to evaluate. new_events: how many were not known before. evaluation: None where
    none was made.
    """

    lead: Lead
    created: bool
    outcome: str
    handoff: Handoff | None = None
    new_events: int = 0
    evaluation: object = None
