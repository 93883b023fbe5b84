"""The heat table: any two dimensions of the month, each cell with the way to exactly the leads that it counts."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from leads import figures, figures_pairs
from leads.audit.links import Figure, leads_url, query
from leads.figures_pairs import OTHERS, Pair
from portal.shared import charts

STEPS = (3, 6, 12, 25, 45)  # a cell of rejections: its shade rises at these numbers of leads
SMALL = STEPS[0]  # under it a number of rejections is grey
NAMES = {"reason": "Reason", "category": "Category"}


def name(dimension):
    """ "Segment" """
    return NAMES.get(dimension, dimension.capitalize())


@dataclass(frozen=True)
class Cell:
    """`figure`: rejections, else MQLs with `sqls` of them and their `rate`; `shade` 0 to 5, None: too few."""

    label: str
    figure: Figure
    sqls: Figure | None = None
    rate: figures.Rate | None = None
    shade: int | None = None


@dataclass(frozen=True)
class Heat:
    """A figures_pairs.Pair of a month on a basis, as the page shows it."""

    pair: Pair
    month: figures.Month
    basis: str

    @property
    def is_of_reasons(self):
        return self.pair.is_of_reasons

    @property
    def rows_name(self):
        return name(self.pair.rows)

    @property
    def columns_name(self):
        return name(self.pair.columns)

    @cached_property
    def heads(self):
        return [_label(head, self.pair.columns) for head in self.pair.heads]

    @cached_property
    def _columns(self):
        """(label, what of an address selects it) of each column."""
        return [(label, query(head.filters)) for label, head in zip(self.heads, self.pair.heads, strict=True)]

    @cached_property
    def _counted(self):
        return {what: figures.counted(what, self.month, self.basis) for what in ("mqls", "sqls", "rejected")}

    def _figure(self, what, counts, *filters):
        wanted = {key: value for each in filters for key, value in each.items()}
        return Figure.of(getattr(counts, what), self._counted[what], **wanted)

    # --- reasons ----------------------------------------------------------------------------------------

    @property
    def groups(self):
        """By category: its line of sums (where reasons are told apart) and a line of cells for each reason."""
        found = {}
        for place, line in enumerate(self.pair.lines):
            found.setdefault(line.key[0], []).append((place, line))
        return [self._group(category, lines) for category, lines in found.items()]

    def _group(self, category, lines):
        rows = [self._reason(place, line) for place, line in lines]
        if self.pair.rows == figures_pairs.CATEGORY:
            return {"category": category, "rows": rows}
        sums = Counter()
        for place, _ in lines:
            for head in range(len(self.pair.heads)):
                sums[head] += self.pair.cell(place, head).rejected
        counts = [figures.Counts(rejected=sums[head]) for head in range(len(self.pair.heads))]
        total = figures.Counts(rejected=sum(line.counts.rejected for _, line in lines))
        line = figures_pairs.Line((category, ""), charts.CATEGORIES[category], {"category": category}, total)
        row = self._row(line, counts)
        return {"category": category, "all": row, "sums": [cell.figure for cell in row["cells"]], "rows": rows}

    def _reason(self, place, line):
        return self._row(line, [self.pair.cell(place, head) for head in range(len(self.pair.heads))])

    def _row(self, line, counts):
        url = leads_url(self._counted["rejected"], **line.filters)
        cells = [
            Cell(label, Figure(n, f"{url}&{wanted}" if n else ""), shade=_shade(n))
            for (label, wanted), n in zip(self._columns, (each.rejected for each in counts), strict=True)
        ]
        return {
            "label": line.label,
            "cells": cells,
            "total": self._figure("rejected", line.counts, line.filters),
        }

    # --- two dimensions -----------------------------------------------------------------------------------

    @property
    def lines(self):
        return [
            {
                "label": _label(line, self.pair.rows),
                "cells": [self._cell(place, line, at) for at in range(len(self.pair.heads))],
                "total": self._rated("", line.counts, line.filters),
            }
            for place, line in enumerate(self.pair.lines)
        ]

    def _cell(self, place, line, at):
        return self._rated(self.heads[at], self.pair.cell(place, at), line.filters, self.pair.heads[at].filters)

    def _rated(self, label, counts, *filters):
        rate = figures.rate(counts)
        figure, sqls = (self._figure(what, counts, *filters) for what in ("mqls", "sqls"))
        shade = None if rate is None or rate.few else sum(b.begins_by(rate.value) for b in figures.BENCHMARKS) - 1
        return Cell(label, figure, sqls, rate, shade)

    # --- both ---------------------------------------------------------------------------------------------

    @property
    def foot(self):
        """Of each column and of all: MQLs, SQLs, and the rate."""
        columns = [self._rated(label, head.counts, head.filters) for label, head in zip(
            self.heads, self.pair.heads, strict=True)]  # fmt: skip
        return [*columns, self._rated("All", self.pair.total)]


def heat_of(page, rows, columns):
    """The Heat of two dimensions of a page.Page; None for one against itself.

    Reasons by source are in the page's figures already; other pairs take one query.
    """
    if rows == columns:
        return None
    last = page.series[-1]
    if columns == "source" and rows in (figures_pairs.REASON, figures_pairs.CATEGORY):
        pair = figures_pairs.of_slices(page.cut, last.labels, rows, last.counts)
    else:
        pair = figures_pairs.pair(
            page.month, rows, columns, basis=page.basis, as_of=page.as_of, zone=page.zone
        )  # fmt: skip
    return Heat(pair, page.month, page.basis)


def _shade(n):
    return sum(n >= step for step in STEPS) if n else None


def _label(line, dimension):
    if line.key == OTHERS:
        return f"Other {_many(dimension)} ({line.label.split(' ')[0]})"
    return line.label or f"No {dimension}"


def _many(dimension):
    return f"{dimension}s" if dimension != "industry" else "industries"
