"""What programs send of leads and events and get of handoffs: the shapes of the doors."""

import datetime as dt
from typing import Literal

from pydantic import Field

from leads.bots import Signals
from leads.models import Deal, Lead, Touch
from leads.models.deal import LOSS_REASONS
from leads.models.lead import FACTS
from leads.services.capture import Happened
from leads.services.refusals import NotInTheFuture
from leads.services.touch import CLOCK_SKEW
from portal.keys.shapes import Day, Email, Id, Moment, Said, Strict, Values, Yes, text, whole
from portal.shared.refusal import Refusal

MOST_EVENTS, EARLIEST = 50, 1971
ORIGIN = "api"


class TooLongAgo(Refusal):
    code = "time_too_long_ago"
    sentence = "Nothing is told here of the time before 1971. Nothing was saved."
    field = "occurred_at"


def happened_at(when, now):
    """The instant, `now` for None. Refuses NotInTheFuture (clocks may differ by five minutes), TooLongAgo."""
    if when is None:
        return now
    if when.year < EARLIEST:
        raise TooLongAgo
    if when > now + CLOCK_SKEW:
        raise NotInTheFuture("It cannot have happened in the future. Nothing was saved.")
    return when


def _fact(name, **more):
    return text(Lead._meta.get_field(name).max_length, **more)


def _deal(name):
    return text(Deal._meta.get_field(name).max_length)


class EventIn(Strict):
    """Something a lead did."""

    kind: text(60, least=1, pattern=r"^[a-z][a-z0-9_]*$", examples=["pricing_viewed"])
    occurred_at: Moment | None = Field(None, description="now, where it is left out")
    id: text(120, least=1) | None = Field(None, description="your own; the same id again is the same event")
    source: text(50, least=1, pattern=r"^[a-z0-9][a-z0-9_.-]*$") | None = Field(
        None, description="which of your systems gave the `id`; ids are told apart by source"
    )
    properties: Values = {}
    user_agent: text(500) = Field(
        "", description="of the visitor's browser, where there was one: see docs/tracking.md"
    )
    prefetch: Yes = Field(False, description="fetched ahead of the visitor (header Sec-Purpose or Purpose)")

    def signals(self):
        """What the bot rules look at."""
        return Signals(self.user_agent, self.prefetch)

    def happened(self, at):
        """The leads.services.capture.Happened of it. Refuses NotInTheFuture, TooLongAgo."""
        when, origin = happened_at(self.occurred_at, at), f"{ORIGIN}/{self.source}" if self.source else ORIGIN
        return Happened(self.kind, min(when, at), origin, self.id, self.properties)


class LeadIn(Strict):
    """A person at a company: found by `email` or `external_id`, else made. What is left out stays as it is."""

    email: Email | None = None
    external_id: _fact("external_id", least=1) | None = Field(None, description="your own id of the person")
    phone: _fact("phone") | None = None
    first_name: _fact("first_name") | None = None
    last_name: _fact("last_name") | None = None
    title: _fact("title") | None = None
    company: _fact("company") | None = None
    domain: _fact("domain") | None = None
    employees: whole(0, 2**31 - 1) | None = None
    industry: _fact("industry") | None = None
    country: _fact("country") | None = None
    region: _fact("region") | None = None
    product: _fact("product") | None = None
    source: _fact("source") | None = None
    campaign: _fact("campaign") | None = None
    channel: _fact("channel") | None = None
    attributes: Values = Field({}, description="whatever else the definition of an MQL reads")
    events: list[EventIn] = Field([], max_length=MOST_EVENTS, description="what the person just did")

    def facts(self):
        """As leads.services.capture wants them."""
        return {name: getattr(self, name) for name in FACTS} | {"attributes": self.attributes}


class WhoIn(Strict):
    """Which lead: by its id here, by e-mail address or by your own id."""

    id: Id | None = None
    email: Email | None = None
    external_id: _fact("external_id", least=1) | None = None


class LeadEventIn(EventIn):
    lead: WhoIn


class TouchIn(Strict):
    kind: Literal[tuple(Touch.Kind.values)]
    outcome: Literal[tuple(Touch.Outcome.values)]
    occurred_at: Moment | None = Field(None, description="now, where it is left out")
    note: text(5000) = ""


class DecisionIn(Strict):
    """`reason` is a code of the catalogue that the lead was handed over under; a rejection needs one."""

    outcome: Literal["accepted", "rejected"]
    reason: text(20) | None = None
    note: text(5000) = ""
    attribute: text(60) = Field("", description="which attribute does not fit, where the reason asks for it")
    recycle_on: Day | None = Field(None, description="when to come back, where the reason asks for it")
    field: text(60) = Field("", description="which field is wrong, where the reason asks for it")
    signal: text(60) = Field("", description="which signal misled, where the reason asks for it")
    duplicate_of: Id | None = Field(None, description="id of the other lead, where the reason asks for it")


class DealIn(Strict):
    """What became of a lead in the end. `void` takes back what was recorded by mistake."""

    lead: WhoIn
    handoff: Id | None = Field(None, description="which handoff led to it; else the last one before it closed")
    id: text(120, least=1) | None = Field(None, description="your own id of the deal; it tells deals apart")
    outcome: Literal[tuple(Deal.Outcome.values)]
    amount: text(18, pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,2})?$", examples=["1200.50"]) | None = None
    currency: text(3, pattern=r"^([A-Z]{3})?$", examples=["EUR"]) = Field(
        "", description="ISO 4217; empty: the organisation's"
    )
    product: _deal("product") = ""
    loss_reason: text(40) = Field("", description=f"{', '.join(LOSS_REASONS)}, or a word of your own")
    opened_at: Moment | None = None
    closed_at: Moment | None = None
    note: text(5000) = ""


class Person(Said):
    id: int
    name: str
    email: str | None


class Score(Said):
    fit: int
    behaviour: int
    total: int
    tier: str | None = Field(description="the tier's key; null: in nurture")


class HandoffSaid(Said):
    id: int
    lead: int
    status: str
    owner: Person | None
    tier: str | None
    score: int | None
    exploration: bool = Field(description="below the threshold, drawn by chance: in no rate and no promise")
    agreement: int
    definition: int
    qualified_at: dt.datetime
    contact_due_at: dt.datetime | None
    decision_due_at: dt.datetime | None = Field(
        description="null: of imported history that nobody took up; contacts and decisions are refused until then"
    )
    first_touch_at: dt.datetime | None
    decided_at: dt.datetime | None
    reason: str | None

    @classmethod
    def of(cls, row):
        """Of a Handoff with its owner, tier, reason, definition and version at hand."""
        return cls(
            id=row.pk, lead=row.lead_id, status=row.status, owner=row.owner, tier=row.tier and row.tier.key,
            score=row.total, exploration=row.exploration, agreement=row.sla_version.number,
            definition=row.definition.number, qualified_at=row.qualified_at,
            contact_due_at=row.contact_due_at, decision_due_at=row.decision_due_at,
            first_touch_at=row.first_touch_at, decided_at=row.decided_at, reason=row.reason and row.reason.code,
        )  # fmt: skip


class TakenInSaid(Said):
    """What became of it. `outcome`: handed_over, open (it has an open handoff already), nurture, cooling_off,
    disqualified, later (the worker evaluates it within seconds) or no_version (no agreement is in force)."""

    lead: int
    created: bool
    outcome: str
    new_events: int
    handoff: HandoffSaid | None
    score: Score | None
    visitor: str = Field(description="a token that the website's script may know the person by")


class LeadSaid(Said):
    id: int
    email: str | None
    external_id: str | None
    phone: str
    first_name: str
    last_name: str
    title: str
    company: str
    domain: str
    employees: int | None
    industry: str
    country: str
    region: str
    product: str
    source: str
    campaign: str
    channel: str
    attributes: dict
    recycle_on: dt.date | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Page(Said):
    next_cursor: str | None = Field(description="of the next page; null: there is no more for now")
    resume_cursor: str | None = Field(
        description="come back with it for what is new since then; of a list without filters, for a key that sees all"
    )


class LeadPage(Page):
    items: list[LeadSaid]


class HandoffPage(Page):
    items: list[HandoffSaid]


class TouchSaid(Said):
    id: int
    handoff: int
    kind: str
    outcome: str
    occurred_at: dt.datetime
    counts: bool = Field(description="whether the agreement takes it for a contact")
    first_touch_at: dt.datetime | None


class DecisionSaid(Said):
    id: int
    handoff: int
    outcome: str
    reason: str | None
    decided_at: dt.datetime
    recycle_on: dt.date | None


class DealKept(Said):
    """A deal as it stands now; `deal` names what was told last of it, `id` is your own."""

    deal: int
    lead: int
    handoff: int | None
    id: str | None
    outcome: str
    amount: str | None
    currency: str
    product: str
    loss_reason: str
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    recorded_at: dt.datetime

    @classmethod
    def of(cls, row):
        names = ("outcome", "currency", "product", "loss_reason", "opened_at", "closed_at", "recorded_at")
        kept = {name: getattr(row, name) for name in names}
        return cls(
            deal=row.pk, lead=row.lead_id, handoff=row.handoff_id, id=row.external_id,
            amount=None if row.amount is None else f"{row.amount:.2f}", **kept,
        )  # fmt: skip


class DealSaid(DealKept):
    change: str = Field(description="new, corrected or unchanged")


class DealPage(Page):
    items: list[DealKept]
