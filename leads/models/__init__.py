"""The cases that are judged under the agreement."""

from leads.models.clock import ClockCorrection
from leads.models.decision import Decision
from leads.models.handoff import Assignment, Handoff, Touch
from leads.models.lead import Event, Lead

__all__ = ["Assignment", "ClockCorrection", "Decision", "Event", "Handoff", "Lead", "Touch"]
