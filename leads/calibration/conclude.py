"""From labelled handoffs to what the page says: weights, points, and how well they do on leads held out; no Django.

The points are made of all leads; they are judged by points made of the earlier months alone, on the later ones. Where
all leads are of one month a third is drawn by chance instead, which is weaker, and the result says so.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from leads.calibration import fit, validation
from leads.calibration.load import Labelled
from leads.calibration.points import Weight, weigh
from leads.calibration.power import detectable_odds

LATER, DRAWN = "later", "drawn"
FEWEST = 10  # of each outcome that the held out leads need, for a curve and an area to say anything
OUT = 10**6  # whoever is disqualified has fewer points than everybody else


def concluded(found: Labelled, keys: Sequence[str], signs, *, most: int, seed: str) -> dict:
    """Plain JSON: yes, no, months, weights, detectable, validation (None where too few). Of `keys` a column each."""
    yes, no = int(found.labels.sum()), int((~found.labels).sum())
    about = {"yes": yes, "no": no, "from_files": found.from_files, "unknown": found.unknown}
    if not yes or not no:
        return about | {"weights": [], "months": [], "detectable": None, "validation": None}
    weights, _ = weigh(fit.aggregate(found.rows, found.labels), keys, signs, most=most)
    return about | {
        "months": [int(found.months.min()), int(found.months.max())],
        "weights": [asdict(weight) for weight in weights],
        "detectable": detectable_odds(len(found), yes, 0.5, tests=max(1, len(keys))),
        "validation": _validated(found, keys, signs, most, seed),
    }


def points_of(rows: np.ndarray, weights: Sequence[Weight]) -> np.ndarray:
    """The total points of leads, from their activations."""
    return rows.astype(np.int64) @ np.array([weight.points for weight in weights], dtype=np.int64) // fit.UNIT


def _validated(found, keys, signs, most, seed):
    held = validation.later(found.months)
    how = LATER if held is not None else DRAWN
    held = validation.drawn(found.handoffs.tolist(), seed) if held is None else held
    if min(_fewest(found.labels[held]), _fewest(found.labels[~held])) < FEWEST:
        return None
    weights, _ = weigh(fit.aggregate(found.rows[~held], found.labels[~held]), keys, signs, most=most)
    scores = {"new": points_of(found.rows, weights), "old": found.before - OUT * found.shut_out}
    areas = validation.compare(scores["new"][held], scores["old"][held], found.labels[held])
    return {
        "how": how,
        "first": int(found.months[held].min()),
        "n": int(held.sum()),
        "yes": int(found.labels[held].sum()),
        "points": {weight.key: weight.points for weight in weights},
        **{name: list(getattr(areas, name)) for name in ("new", "old", "difference")},
        "curves": {name: _curve(scores[name], found, held) for name in scores},
    }


def _curve(scores, found, held):
    """Groups of calibration on the leads held out; the points of whoever is shut out are the fewest of the others."""
    scores = np.maximum(scores, scores[~found.shut_out].min()) if not found.shut_out.all() else scores
    chance = validation.chance_of(scores[~held], found.labels[~held])
    return [list(group) for group in validation.calibration(chance(scores[held]), found.labels[held])]


def _fewest(labels):
    return min(int(labels.sum()), int((~labels).sum()))
