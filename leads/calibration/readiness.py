"""What two people's marks of won and lost deals say: whether they agree, and what tells won from lost; no Django.

Agreement is Cohen's kappa of the marks as they stood when the second of the two was done: what they change after they
talked does not make them agree. What tells won from lost is counted on what stands now, by Newcombe's difference.
Several things are compared at once, so each interval is taken at 5 % divided by their number (Bonferroni); what keeps
0 out of such an interval is called real.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from portal.shared import intervals, kappa

YES, NO, UNKNOWN = ANSWERS = ("yes", "no", "unknown")
WON, LOST = "won", "lost"
READINESS, FIT = "readiness", "fit"
FEWEST = 5  # items on which somebody has to have named a tag before it is compared


@dataclass(frozen=True)
class Said:
    """One person's mark of one item."""

    answers: Mapping[str, str]
    signals: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Item:
    """A deal that both have marked: as they stood before the two talked, and as they stand now."""

    position: int
    outcome: str
    bad_timing: bool
    before: tuple[Said, Said]
    now: tuple[Said, Said]


@dataclass(frozen=True)
class Difference:
    """How often something was said of won and of lost deals; `change` is won minus lost, at the corrected level."""

    key: str
    won: int
    of_won: int
    lost: int
    of_lost: int
    change: intervals.Change

    @property
    def is_real(self) -> bool:
        return not self.change.is_noise


@dataclass(frozen=True)
class Disagreement:
    """A question that the two answered otherwise, and whether they say the same by now."""

    position: int
    key: str
    first: str
    second: str
    settled: bool


def agreement(items: Sequence[Item], key: str) -> kappa.Kappa | None:
    """Kappa of one question; None where it has no meaning."""
    pairs = [(first.answers[key], second.answers[key]) for first, second in (item.before for item in items)]
    return kappa.cohen(kappa.table(pairs, ANSWERS))


def disagreements(items: Sequence[Item], keys: Sequence[str]) -> list[Disagreement]:
    """Where the two were not of one mind, item by item."""
    found = []
    for item in items:
        (first, second), (now, then) = item.before, item.now
        found += [
            Disagreement(item.position, key, first.answers[key], second.answers[key],
                         now.answers[key] == then.answers[key])
            for key in keys if first.answers[key] != second.answers[key]
        ]  # fmt: skip
    return found


def tell_apart(items: Sequence[Item], questions: Mapping[str, str]) -> list[Difference]:
    """What was said of won and of lost deals, each compared at the level corrected for all of them; the largest first.

    questions: {key: READINESS or FIT}. A question counts where both say the same and know it; a deal lost for bad
    timing says nothing against fit, so questions of fit leave it out. A signal ("signal:…") or tag ("tag:…") counts
    for an item where either of the two named it, and is compared where it was named for FEWEST items.
    """
    counted = [(key, _answered(items, key, about)) for key, about in questions.items()]
    counted += [(key, _named(items, key)) for key in _names(items)]
    counted = [(key, counts) for key, counts in counted if counts[1] and counts[3]]
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, len(counted)))
    found = [Difference(key, *counts, intervals.newcombe(counts[2], counts[3], counts[0], counts[1], z))
             for key, counts in counted]  # fmt: skip
    return sorted(found, key=lambda each: (not each.is_real, -abs(each.change.difference), each.key))


def level(compared: int) -> float:
    """The confidence of each interval, so that 95 % hold for all of them."""
    return 1 - 0.05 / max(1, compared)


def _answered(items, key, about):
    """(won and yes, won, lost and yes, lost) of the items where both know, and say the same."""
    said = Counter(
        (item.outcome, item.now[0].answers[key])
        for item in items
        if item.now[0].answers[key] == item.now[1].answers[key] != UNKNOWN and not (about == FIT and item.bad_timing)
    )
    yes = {outcome: said[outcome, YES] for outcome in (WON, LOST)}
    return yes[WON], yes[WON] + said[WON, NO], yes[LOST], yes[LOST] + said[LOST, NO]


def _named(items, name):
    which = Counter((item.outcome, name in _said_of(item)) for item in items)
    won, lost = which[WON, True], which[LOST, True]
    return won, won + which[WON, False], lost, lost + which[LOST, False]


def _names(items):
    often = Counter(name for item in items for name in _said_of(item))
    return sorted(name for name, n in often.items() if n >= FEWEST)


def _said_of(item):
    first, second = item.now
    return {f"signal:{s}" for s in first.signals | second.signals} | {f"tag:{t}" for t in first.tags | second.tags}
