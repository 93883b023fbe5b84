"""The audit's rows: closings with their signatures, actions, samples, excuses; rows that are only added."""

from leads.audit.models.action import Action, ActionRevision
from leads.audit.models.closing import Closing, ClosingSignature, Reopening
from leads.audit.models.excuse import PROPOSERS, Excuse, ExcuseAnswer
from leads.audit.models.sample import Coding, Sample, SampleItem

__all__ = [
    "PROPOSERS", "Action", "ActionRevision", "Closing", "ClosingSignature", "Coding", "Excuse", "ExcuseAnswer",
    "Reopening", "Sample", "SampleItem",
]  # fmt: skip
