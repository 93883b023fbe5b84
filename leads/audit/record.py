"""What a closing freezes: every answer of the audit on both bases as plain values, out of which its page is drawn.

Format 2; closings of the first releases hold the figures and breakdowns alone (`bases`, `breakdowns`), have no format,
and are as valid. What is kept tells of no lead. Read back by leads.audit.signed.
"""

from dataclasses import replace

from leads import figures, figures_pairs
from leads.audit import plain, plain_work
from leads.audit.asked import Asked
from leads.audit.speed import DRAWN, MARKS
from portal.shared import speed_charts

FORMAT = 2
PAIRS = [
    (rows, columns)
    for rows in figures_pairs.ROWS
    for columns in figures_pairs.COLUMNS
    if rows not in (columns, figures_pairs.CATEGORY)  # reasons add up to categories
]


def frozen(month, *, at, zone):
    """The plain values of a figures.Month at an instant; shares are floats, for the caller to make decimals."""
    asked = Asked(month, figures.PERIOD, "source", at, zone, None)
    minutes = [*speed_charts.times(DRAWN), *(at for at, _ in MARKS)]
    return {
        "bases": {basis: _of_basis(replace(asked, basis=basis)) for basis in figures.BASES},
        "contact": plain.contact(asked.contact),
        "began": plain.began(asked.trend.trend.began),
        "speed": plain.speed(asked.speed.speed, minutes),
        "in_bulk": [asked.in_bulk.decisions, asked.in_bulk.contacts],
        "card": plain_work.card(asked.card),
        "people": plain_work.people(asked.people),
        "flags": plain_work.flags(asked.flags),
        "one_reason": plain_work.one_reason(asked.one_reason),
        "agreement": plain_work.agreement(asked.agreement),
        "samples": plain_work.samples(asked.samples),
        "actions": plain_work.actions(asked.actions),
    }


def _of_basis(asked):
    found = figures_pairs.pairs(asked.period, PAIRS, **asked.how)
    return {
        "series": plain.months(asked.series),
        "cuts": {by: plain.rows(replace(asked, by=by).cut.rows) for by in figures.DIMENSIONS},
        "pairs": [plain.pair(found[each]) for each in PAIRS],
        "disputes": plain.disputes(asked.disputes.disputes),
        "left_out": plain.left_out(asked.left_out),
        "candidates": [
            {
                "reason": plain.reason(one.reason),
                "signs": plain.signs(one.signs),
                "faults": [list(each) for each in one.found_faults],
                "returns": one.found_returns,
                "proposal": plain.proposal(one.proposal),
            }
            for one in asked.candidates
        ],
    }
