"""The cases that are judged under the agreement, and the plan that says who gets them."""

from leads.models.breach import Breach, Escalation, Watch
from leads.models.clock import ClockCorrection
from leads.models.deal import Deal
from leads.models.decision import Decision
from leads.models.dispute import Dispute, Ruling
from leads.models.erasure import Erasure, Retention
from leads.models.fact_change import FactChange
from leads.models.handoff import Assignment, Handoff, Touch
from leads.models.lead import Event, Lead
from leads.models.place import Place, PlaceCount, PlaceRefresh, RecycleChange
from leads.models.rollup import Rollup, RollupContact, RollupDelta, RollupState
from leads.models.routing import (
    AccountOwner,
    NamedAccount,
    RoutingCapacity,
    RoutingPlan,
    RoutingRule,
    RoutingTurns,
    RoutingWeight,
)

__all__ = [
    "AccountOwner", "Assignment", "Breach", "ClockCorrection", "Deal", "Decision", "Dispute", "Erasure",
    "Escalation", "Event", "FactChange", "Handoff", "Lead", "NamedAccount", "Place", "PlaceCount", "PlaceRefresh",
    "RecycleChange", "Retention", "Rollup", "RollupContact", "RollupDelta", "RollupState", "RoutingCapacity",
    "RoutingPlan", "RoutingRule", "RoutingTurns", "RoutingWeight", "Ruling", "Touch", "Watch",
]  # fmt: skip
