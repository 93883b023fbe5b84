"""All leads of the past under two definitions: where tiers begin, what moves, what thresholds would do; no Django.

The points of a lead are those of the moment it was judged (its latest handoff, else its latest event, else its
capture). Outcomes are those of `leads.backtest.tally`; of a lead that sales never saw nobody guesses one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leads.backtest.columns import Scores, reach
from leads.backtest.tally import Tally, at_threshold, curve, tally
from leads.calibration.points import threshold_of_equal_volume
from portal.shared.text import FEW
from sla.scoring import Definition, Tier


@dataclass(frozen=True)
class Sums:
    """Points of leads on both axes, and who is shut out whatever they are."""

    fit: np.ndarray
    behaviour: np.ndarray
    shut_out: np.ndarray

    @property
    def total(self):
        return self.fit + self.behaviour

    def under(self, tiers: Sequence[Tier]) -> Scores:
        """Their outcome under these tiers (no rule by rule)."""
        tiers = sorted(tiers, key=lambda tier: tier.position)
        reached, eligible = reach(tiers, self.fit, self.behaviour, self.shut_out)
        return Scores(self.fit, self.behaviour, reached, [tier.key for tier in tiers], eligible, {})


@dataclass(frozen=True)
class Past:
    """Leads in columns: points before and after, outcome, handoff (0: none), month (202610).

    explored: which of them exploration handed over under the definition in force.
    """

    before: Sums
    after: Sums
    outcomes: np.ndarray
    handoffs: np.ndarray
    months: np.ndarray
    explored: np.ndarray

    def __len__(self):
        return len(self.outcomes)

    @classmethod
    def joined(cls, parts):
        """Several of them as one."""
        sides = {
            side: Sums(*(np.concatenate([getattr(getattr(part, side), name) for part in parts])
                         for name in ("fit", "behaviour", "shut_out")))
            for side in ("before", "after")
        }  # fmt: skip
        return cls(
            **sides,
            **{
                n: np.concatenate([getattr(p, n) for p in parts])
                for n in ("outcomes", "handoffs", "months", "explored")
            },
        )


def rescaled(tiers: Sequence[Tier], past: Past) -> tuple[Tier, ...]:
    """The tiers on the new scale: each threshold takes as many of all leads as it took on the old one."""
    own = ~past.before.shut_out & ~past.after.shut_out
    if not own.any():
        return tuple(tiers)

    def moved(tier, name):
        threshold = getattr(tier, name)
        if threshold is None:
            return None
        return threshold_of_equal_volume(getattr(past.before, name)[own], getattr(past.after, name)[own], threshold)

    return tuple(replace(tier, **{n: moved(tier, n) for n in ("total", "fit", "behaviour")}) for tier in tiers)


def beginning_at(definition: Definition, entry: int) -> Definition:
    """The definition whose lowest tier begins at `entry` points, and no other tier below it."""
    lowest = min(definition.tiers, key=lambda tier: tier.total)
    return replace(definition, tiers=tuple(
        replace(tier, total=entry if tier.key == lowest.key else max(tier.total, entry)) for tier in definition.tiers
    ))  # fmt: skip


def compared(definition: Definition, against: Definition, past: Past) -> Tally:
    """What moves between the two definitions, with the outcomes that are known."""
    return tally(
        past.after.under(definition.tiers), past.before.under(against.tiers), past.outcomes, past.handoffs
    )  # fmt: skip


def dropped(definition: Definition, against: Definition, past: Past) -> list[int]:
    """The handoffs that would not have been made any more."""
    was, now = (side.under(d.tiers).qualified for side, d in ((past.before, against), (past.after, definition)))
    return past.handoffs[was & ~now & (past.handoffs > 0)].tolist()


def sweeps(definition: Definition, past: Past) -> dict[str, dict[int, list[int]]]:
    """By tier and total points, of whom only the total decides: [leads, accepted, decided, never shown]."""
    return {tier.key: curve(past.after.total, _eligible(tier, past.after), past.outcomes) for tier in definition.tiers}


def monthly(definition: Definition, past: Past) -> dict[int, dict[int, list[int]]]:
    """By month and total points, of whom the total alone decides: [leads, accepted, decided, never shown]."""
    own = past.after.under(definition.tiers).eligible
    months = np.unique(past.months[own]).tolist()
    return {month: curve(past.after.total, own & (past.months == month), past.outcomes) for month in months}


def below(against: Definition, past: Past) -> dict[int, list[int]]:
    """By total points under `against`, below its lowest tier, of whom the total decides: [leads, accepted, decided].

    The last two count what exploration handed over alone: a draw by chance, so that its rate is that of all of them.
    """
    entry = min(tier.total for tier in against.tiers)
    own = past.before.under(against.tiers).eligible & (past.before.total < entry)
    all_of_them = curve(past.before.total, own, past.outcomes)
    drawn = curve(past.before.total, own & past.explored, past.outcomes)
    return {at: [leads, *drawn.get(at, [0] * 4)[1:3]] for at, (leads, *_) in all_of_them.items()}


def months_of(first: int, last: int) -> list[int]:
    """The months from `first` to `last` (202611, 202612, 202701)."""
    found = []
    while first <= last:
        found.append(first)
        first += 89 if first % 100 == 12 else 1
    return found


def _eligible(tier, sums):
    asked = ~sums.shut_out
    for name in ("fit", "behaviour"):
        if getattr(tier, name) is not None:
            asked &= getattr(sums, name) >= getattr(tier, name)
    return asked


def reaching(curve, target):
    """The lowest threshold from which on the known acceptance is at least `target`, of enough leads to say so."""
    if target is None:
        return None
    for at in sorted(curve):
        _, accepted, decided, _ = at_threshold(curve, at)
        if decided >= FEW and accepted / decided >= target:
            return at
    return None
