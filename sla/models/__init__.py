"""The agreement's records."""

from sla.models.calendar import Calendar, CalendarAssignment
from sla.models.chain import ChainHead
from sla.models.definition import MQLDefinition, ScoringRule, Tier
from sla.models.reasons import Category, ReasonCode
from sla.models.version import Commitment, Party, Signature, SLAVersion

__all__ = [
    "Calendar",
    "CalendarAssignment",
    "Category",
    "ChainHead",
    "Commitment",
    "MQLDefinition",
    "Party",
    "ReasonCode",
    "SLAVersion",
    "ScoringRule",
    "Signature",
    "Tier",
]
