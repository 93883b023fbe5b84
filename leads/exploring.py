"""Exploration: which leads just below the lowest tier go to sales all the same, drawn by chance; pure, no Django.

Without it nobody ever learns what leads below the threshold are worth. The draw is by SHA-256 over the agreement's
number and the lead's, so that anybody can draw again: the same lead under the same version is always drawn, or never.
"""

import hashlib

from sla.scoring import Definition, Evaluation, Tier


def lowest(definition: Definition) -> Tier:
    """The tier that asks the fewest points; of two the later one."""
    return min(definition.tiers, key=lambda tier: (tier.total, -tier.position))


def is_near(definition: Definition, evaluation: Evaluation, reach: int) -> bool:
    """Whether only its total keeps the lead from the lowest tier, and by at most `reach` points."""
    tier = lowest(definition)
    return (
        evaluation.tier is None
        and evaluation.disqualified_by is None
        and tier.total - reach <= evaluation.total < tier.total
        and (tier.fit is None or evaluation.fit >= tier.fit)
        and (tier.behaviour is None or evaluation.behaviour >= tier.behaviour)
    )


def takes(version, definition: Definition, lead: int, evaluation: Evaluation) -> bool:
    """Whether the exploration of an SLA version hands over the lead of this id: drawn by chance, and near enough."""
    share = version.exploration_share
    drawn = share is not None and is_drawn(version.number, lead, share)
    return drawn and is_near(definition, evaluation, version.exploration_reach)


def is_drawn(version: int, lead: int, share: int) -> bool:
    """Whether a lead is among the `share` per mille of version number `version`."""
    digest = hashlib.sha256(f"exploration:{version}:{lead}".encode()).digest()
    return int.from_bytes(digest[:8]) % 1000 < share
