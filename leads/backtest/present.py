"""What the backtest's page says of a tally: sentences, tables, the sweep; wording only."""

from leads.backtest.tally import Tally, at_threshold
from leads.models import Handoff
from portal.shared import charts, text
from portal.shared.intervals import log_ratio, wilson
from portal.shared.svg import nice_ticks
from sla.models import MQLDefinition

LISTED = 10
MOVES = (
    ("kept", "Kept", "MQLs under both"),
    ("dropped", "Dropped", "no longer MQLs"),
    ("admitted", "Newly admitted", "MQLs only under the draft"),
)
OUTCOMES = (
    ("accepted", "Accepted"),
    ("rejected", "Rejected"),
    ("undecided", "Undecided"),
    ("withdrawn", "Withdrawn"),
    ("unseen", "Never shown to sales: unknown"),
)
STEPS = 14


def result(found: Tally, draft: MQLDefinition, against: MQLDefinition) -> dict:
    """The context of the result's part: figures of the draft beside those of `against`."""
    definition, before = draft.as_definition(), against.as_definition()
    rows, curve = moves(found), _curve(found, definition)
    return {
        "definition": draft,
        "against": against,
        "leads": found.leads,
        "now": side(found, "kept", "admitted"),
        "was": side(found, "kept", "dropped"),
        "moves": rows,
        "lost_count": found.count("dropped", "accepted"),
        "lost": lost(found),
        "admitted_unseen": found.count("admitted", "unseen"),
        "admitted": found.count("admitted"),
        **curve,
        "rules": _rules(found, draft),
        "tiers": _tiers(found, draft, {tier.key for tier in before.tiers}),
    }


def side(found, *moves):
    """MQLs of one definition and the rate of those decided."""
    accepted, rejected = (sum(found.count(move, what) for move in moves) for what in ("accepted", "rejected"))
    return {"mqls": sum(found.count(move) for move in moves), **rate_of(accepted, accepted + rejected)}


def rate_of(k, n):
    low, high = wilson(k, n) if n else (0, 1)
    return {"value": k / n if n else None, "low": low, "high": high, "decided": n, "accepted": k}


def moves(found):
    """Rows of outcomes, a cell a move; the first row is all of them."""
    heads = [{"move": move, "name": name, "note": note, "count": found.count(move)} for move, name, note in MOVES]
    rows = [
        {"name": name, "cells": [found.count(move, outcome) for move, _, _ in MOVES]} for outcome, name in OUTCOMES
    ]
    return {"heads": heads, "rows": rows}


def lost(found):
    """The accepted leads that the draft would not have handed over, those with most points first."""
    points = {handoff: (before, after) for handoff, before, after in found.lost}
    rows = Handoff.objects.filter(pk__in=points).select_related("lead").defer("breakdown", "lead__attributes")
    named = sorted(((row, *points[row.pk]) for row in rows), key=lambda found: (-found[1], found[0].pk))
    return [{"handoff": row, "before": before, "after": after} for row, before, after in named]


def _curve(found, definition):
    """The sweep over the lowest tier's threshold: MQLs and accepted at each."""
    entry = min(tier.total for tier in definition.tiers)
    thresholds = thresholds_around(found.curve, entry)
    points = [(at, *at_threshold(found.curve, at)) for at in thresholds]
    mqls, accepted, _, _ = at_threshold(found.curve, entry)
    label = (
        f"MQLs and accepted leads against the threshold. At {entry} points {text.thousands(mqls)} MQLs, of whom"
        f" {text.thousands(accepted)} were accepted; a higher threshold never gives more of either."
    )
    return {
        "entry": entry,
        "chart": charts.sweep([(at, mqls, accepted) for at, mqls, accepted, _, _ in points], entry, label=label),
        "points": [
            {"threshold": at, "mqls": mqls, "unseen": unseen, **rate_of(accepted, decided), "is_entry": at == entry}
            for at, mqls, accepted, decided, unseen in points
        ],
    }


def thresholds_around(curve, entry):
    """Round thresholds around the one that the definition has, and that one."""
    highest = max([*curve, entry + 1])
    lowest = max(min([*curve, entry]), entry - max(highest - entry, 1) // 2)
    ticks = (int(tick) for tick in nice_ticks(lowest, highest, steps=STEPS, whole=True))
    return sorted({entry, *(tick for tick in ticks if lowest <= tick <= highest)})


def _rules(found, draft):
    """Matches and lift of each rule, by its row on the editor's page."""
    counts, shown = found.rules, []
    for rule in draft.rules.all():
        with_it, accepted = counts[f"{rule.key} decided"], counts[f"{rule.key} accepted"]
        without, others = counts["decided"] - with_it, counts["accepted"] - accepted
        lift = log_ratio(accepted, with_it, others, without) if with_it and without else None
        said = lift and {
            "ratio": f"{text.rounded(lift.ratio)}×", "is_noise": lift.is_noise,
            "interval": f"({text.rounded(lift.low)}–{text.rounded(lift.high)})",
        }  # fmt: skip
        shown.append({"pk": rule.pk, "fired": counts[f"{rule.key} fired"], "lift": said})
    return shown


def _tiers(found, draft, known):
    counts = found.tiers
    return [
        {"pk": tier.pk, "mqls": counts[f"draft {tier.key} mqls"],
         "was": counts[f"before {tier.key} mqls"] if tier.key in known else None,
         **rate_of(counts[f"draft {tier.key} accepted"], counts[f"draft {tier.key} decided"])}
        for tier in draft.tiers.all()
    ]  # fmt: skip
