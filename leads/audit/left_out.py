"""What the audit's figures leave out, in words: how many leads, why, and the way to them."""

from leads import figures_left_out
from leads.audit.links import Figure
from leads.figures import PERIOD
from portal.shared import time

WHY = {
    figures_left_out.WITHDRAWN: ("withdrawn", "they stay among the MQLs, neither accepted nor rejected"),
    figures_left_out.AMENDED: (
        "amended in {month}", "a decision that was taken back or replaced counts nowhere, the one that stands does"
    ),
    figures_left_out.EXPLORED: (
        "exploration", "below the threshold and drawn by chance: in no rate and no promise, they show what lies there"
    ),
    figures_left_out.IMPORTED: (
        "imported history", "they count here, and in nothing about clocks, promises or routing, which they never had"
    ),
}  # fmt: skip
APART = {
    True: ("decided in another month", "their decisions count in the month in which they were made"),
    False: ("decided in {month}, delivered in another month", "they count in the month in which they were delivered"),
}


def in_words(found, month, basis):
    """[(Figure, which leads, why)] of figures_left_out.LeftOuts."""
    name, rows = time.MONTHS[month.first.month - 1], []
    for each in found:
        which, why = APART[basis == PERIOD] if each.kind == figures_left_out.APART else WHY[each.kind]
        rows.append((Figure.of(each.n, each.filters), which.format(month=name), why))
    return rows
