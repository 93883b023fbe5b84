"""What a draft would have done to the leads, counted: moves with known outcomes, rules, tiers, the sweep; no Django.

Tallies of disjoint leads add up, so that the worker can count in steps what the page counts at once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from leads.backtest.columns import Scores

# the outcome of a lead's handoff; of those never shown to sales it is unknown and never guessed
UNSEEN, UNDECIDED, ACCEPTED, REJECTED, WITHDRAWN = range(5)
OUTCOMES = ("unseen", "undecided", "accepted", "rejected", "withdrawn")
MOVES = ("kept", "dropped", "admitted", "nurture")
MOST_LISTED = 200


@dataclass
class Tally:
    """Counts by name. `curve`: by total points of whom the total alone decides, [leads, accepted, decided, unseen]."""

    leads: int = 0
    moves: Counter = field(default_factory=Counter)  # "kept accepted"
    rules: Counter = field(
        default_factory=Counter
    )  # "key fired", "key decided", "key accepted"; "decided", "accepted"
    tiers: Counter = field(default_factory=Counter)  # "draft hot mqls", "before hot accepted"
    curve: dict = field(default_factory=dict)
    curve_before: dict = field(default_factory=dict)
    lost: list = field(default_factory=list)  # [handoff, points before, points under the draft]

    def __add__(self, other: "Tally") -> "Tally":
        def joined(name):
            a, b = getattr(self, name), getattr(other, name)
            if name.startswith("curve"):
                return {key: [x + y for x, y in zip(a.get(key, NONE), b.get(key, NONE), strict=True)] for key in a | b}
            return sorted(a + b, key=_by_points)[:MOST_LISTED] if name == "lost" else a + b

        return Tally(**{each.name: joined(each.name) for each in fields(self)})

    def count(self, move: str, outcome: str | None = None) -> int:
        """How many leads of a move, of all outcomes or of one."""
        return sum(self.moves[f"{move} {each}"] for each in ([outcome] if outcome else OUTCOMES))

    def as_json(self) -> dict:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, document: Mapping) -> "Tally":
        counters = {name: Counter(document[name]) for name in ("moves", "rules", "tiers")}
        curves = {n: {int(key): row for key, row in document[n].items()} for n in ("curve", "curve_before")}
        return cls(**{**document, **counters, **curves})


NONE = (0, 0, 0, 0)


def tally(draft: Scores, before: Scores, outcomes: np.ndarray, handoffs: np.ndarray) -> Tally:
    """Count leads scored under the draft and the definition it is compared with; outcomes as the constants above."""
    was, now = before.qualified, draft.qualified
    moved = np.where(was, np.where(now, 0, 1), np.where(now, 2, 3))
    pairs = np.bincount(moved * len(OUTCOMES) + outcomes, minlength=len(MOVES) * len(OUTCOMES)).tolist()
    names = [f"{move} {outcome}" for move in MOVES for outcome in OUTCOMES]
    return Tally(
        leads=len(outcomes),
        moves=Counter(dict(zip(names, pairs, strict=True))),
        rules=_rules(draft, outcomes),
        tiers=_tiers("draft", draft, outcomes) + _tiers("before", before, outcomes),
        curve=curve(draft.total, draft.eligible, outcomes),
        curve_before=curve(before.total, before.eligible, outcomes),
        lost=_lost(was & ~now & (outcomes == ACCEPTED), before, draft, handoffs),
    )


def at_threshold(curve: Mapping[int, list[int]], threshold: int) -> tuple[int, int, int, int]:
    """(MQLs, accepted, decided, never shown) if the lowest tier began at `threshold`: a subset for a higher one."""
    found = [row for total, row in curve.items() if total >= threshold]
    return tuple(sum(column) for column in zip(*found, strict=True)) if found else NONE


def _rules(scores: Scores, outcomes) -> Counter:
    """For matches: all leads a rule fires on. For lift: decided handoffs with and without it."""
    accepted, decided = outcomes == ACCEPTED, np.isin(outcomes, (ACCEPTED, REJECTED))
    counts = Counter({"decided": int(decided.sum()), "accepted": int(accepted.sum())})
    for key, fired in scores.fired.items():
        parts = (("fired", fired), ("decided", fired & decided), ("accepted", fired & accepted))
        counts.update({f"{key} {name}": int(mask.sum()) for name, mask in parts})
    return counts


def _tiers(which: str, scores: Scores, outcomes) -> Counter:
    decided, counts = np.isin(outcomes, (ACCEPTED, REJECTED)), Counter()
    for place, key in enumerate(scores.names):
        own = scores.tiers == place
        parts = (("mqls", own), ("decided", own & decided), ("accepted", own & (outcomes == ACCEPTED)))
        counts.update({f"{which} {key} {name}": int(mask.sum()) for name, mask in parts})
    return counts


def curve(total, own, outcomes) -> dict[int, list[int]]:
    """By total points, of the leads `own`: leads, accepted, decided, never shown to sales."""
    totals, places = np.unique(total[own], return_inverse=True)
    outcomes = outcomes[own]
    masks = (outcomes >= 0, outcomes == ACCEPTED, np.isin(outcomes, (ACCEPTED, REJECTED)), outcomes == UNSEEN)
    counted = [np.bincount(places, weights=mask, minlength=len(totals)).astype(int).tolist() for mask in masks]
    return {total: list(row) for total, *row in zip(totals.tolist(), *counted, strict=True)}


def _lost(mask, before: Scores, draft: Scores, handoffs) -> list[list[int]]:
    rows = np.stack([handoffs[mask], before.total[mask], draft.total[mask]], axis=1).tolist()
    return sorted(rows, key=_by_points)[:MOST_LISTED]


def _by_points(row):
    return -row[1], row[0]
