"""The agreement's records."""

from sla.models.calendar import Calendar, CalendarAssignment
from sla.models.chain import ChainHead
from sla.models.commitment import Commitment, EscalationStep
from sla.models.definition import MQLDefinition, ScoringRule, Tier
from sla.models.party import Party
from sla.models.reasons import Category, ReasonCode
from sla.models.signature import Comment, Deputy, Signature, Withdrawal
from sla.models.version import COUNTED, MOST_EXPLORED, TOUCHES, SLAVersion

__all__ = [
    "COUNTED",
    "MOST_EXPLORED",
    "TOUCHES",
    "Calendar",
    "CalendarAssignment",
    "Category",
    "ChainHead",
    "Comment",
    "Commitment",
    "Deputy",
    "EscalationStep",
    "MQLDefinition",
    "Party",
    "ReasonCode",
    "SLAVersion",
    "ScoringRule",
    "Signature",
    "Tier",
    "Withdrawal",
]
