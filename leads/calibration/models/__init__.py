"""Calibration's rows: what was asked of the past and proposed, and rounds of deals that sales looks at again."""

from leads.calibration.models.annotation import Annotator, Mark, Round, RoundItem
from leads.calibration.models.calibration import Calibration, Proposal

__all__ = ["Annotator", "Calibration", "Mark", "Proposal", "Round", "RoundItem"]
