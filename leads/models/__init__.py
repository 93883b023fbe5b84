"""The cases that are judged under the agreement."""

from leads.models.decision import Decision
from leads.models.handoff import Assignment, Handoff, Touch
from leads.models.lead import Event, Lead

__all__ = ["Assignment", "Decision", "Event", "Handoff", "Lead", "Touch"]
