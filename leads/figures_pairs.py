"""Any two dimensions of a month against each other: reasons by source, segments by owner; it only reads.

Reasons and their categories count rejections. Two dimensions count MQLs and what became of them, as the breakdown
does. The largest values have a line of their own, the others share one, so that a table has no more cells than a page.
"""

from dataclasses import dataclass

from django.db import connection

from leads import figures, lifecycle
from leads.figures import DIMENSIONS, STATUS, Counts
from sla.models.reasons import Category

REASON, CATEGORY = "reason", "category"
ROWS, COLUMNS = (REASON, CATEGORY, *DIMENSIONS), tuple(DIMENSIONS)
SHOWN = {"rows": 15, "columns": 8}  # lines of their own
OTHERS = "others"
NOTHING = Counts()


@dataclass(frozen=True)
class Line:
    """A row or a column: its label ("" where the value is not known), the filters that select it, and its Counts.

    key: the value; (category, code) of a reason, (category, "") of a category; OTHERS for the line that others share.
    """

    key: object
    label: str
    filters: dict
    counts: Counts


@dataclass(frozen=True)
class Pair:
    """`lines` against `heads`, the largest first; `cells`: {(place of a line, place of a head): Counts}, where not 0.

    Of a reason or a category only the rejected count; a head's Counts are of all its handoffs.
    """

    rows: str
    columns: str
    lines: tuple[Line, ...]
    heads: tuple[Line, ...]
    cells: dict
    total: Counts

    @property
    def is_of_reasons(self):
        return self.rows in (REASON, CATEGORY)

    def cell(self, line, head):
        return self.cells.get((line, head), NOTHING)


REASONS = ("h.reason_id", "r.category || ' ' || r.code", "r.label", "LEFT JOIN sla_reasoncode r ON r.id = h.held")
PAIR = """
WITH counted AS (
    SELECT {row_held} AS line, {column_held} AS head, {status} AS status, {qualified} AS mql, {counted} AS judged,
        {version} AS version, count(*) AS n
    FROM leads_handoff h WHERE {where} GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT COALESCE({row_key}, ''), {row_label}, COALESCE({column_key}, ''), {column_label}, c.status, c.mql, c.judged, c.n
FROM counted c {row_joins} {column_joins} ORDER BY c.version
"""


def pair(month, rows, columns, *, basis, as_of, zone):
    """The Pair of a month: `rows` of ROWS against `columns` of COLUMNS, not the same. One query over the month.

    ValueError for a dimension against itself.
    """
    if rows == columns:
        raise ValueError("A dimension is not set against itself.")
    of_reasons = rows in (REASON, CATEGORY)
    row, column = _told("line", REASONS if of_reasons else DIMENSIONS[rows]), _told("head", DIMENSIONS[columns])
    sql = PAIR.format(
        row_held=row[0], row_key=row[1], row_label=row[2], row_joins=row[3], column_held=column[0],
        column_key=column[1], column_label=column[2], column_joins=column[3], status=STATUS,
        version="h.sla_version_id" if of_reasons else "NULL::bigint", **figures.sides(basis),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of})
        found = cursor.fetchall()
    table = _Table(rows, columns)
    for line, line_label, head, head_label, status, mql, judged, n in found:
        table.add((line, line_label or ""), (head, head_label or ""), _counts(status, mql, judged, n))
    return table.folded()


def of_slices(cut, labels, rows, total):
    """The Pair of reasons or categories (`rows`) by source out of a month's figures.Slices, without a query.

    labels: {(category, code): label} as MonthFigures has them.
    """
    table = _Table(rows, "source")
    for row in cut.sources:
        table.heads[row.key], table.labels["head", row.key] = row.counts, row.label
    for (source, category, code), n in cut.heat.items():
        key = table.reason(f"{category} {code}", labels[category, code])
        rejected = Counts(rejected=n)
        table.lines[key] = add(table.lines.get(key, NOTHING), rejected)
        table.cells[key, source] = add(table.cells.get((key, source), NOTHING), rejected)
    table.total = total
    return table.folded()


def add(a, b):
    """The sum of two Counts."""
    return Counts(*(x + y for x, y in zip(_parts(a), _parts(b), strict=True)))


def _parts(counts):
    return counts.mqls, counts.sqls, counts.rejected, counts.undecided, counts.withdrawn


def _told(name, dimension):
    """The SQL pieces of a dimension whose value is held in the column `name` of what was counted."""
    held, *rest = dimension[:4]
    return held, *(piece.replace("h.held", f"c.{name}") for piece in rest)


def _counts(status, mql, judged, n):
    return Counts(
        mqls=n if mql else 0,
        sqls=n if judged and status == lifecycle.ACCEPTED else 0,
        rejected=n if judged and status == lifecycle.REJECTED else 0,
        undecided=n if mql and status == lifecycle.OPEN else 0,
        withdrawn=n if mql and status == lifecycle.WITHDRAWN else 0,
    )


class _Table:
    """Every value of both dimensions, before the smaller ones are put together."""

    def __init__(self, rows, columns):
        self.rows, self.columns, self.of_reasons = rows, columns, rows in (REASON, CATEGORY)
        self.lines, self.heads, self.cells, self.labels, self.total = {}, {}, {}, {}, NOTHING

    def reason(self, key, label):
        category, code = key.split(" ")
        key = (category, "" if self.rows == CATEGORY else code)
        self.labels["line", key] = Category(category).label if self.rows == CATEGORY else label
        return key

    def add(self, line, head, counts):
        (line, line_label), (head, head_label) = line, head
        self.heads[head], self.labels["head", head] = add(self.heads.get(head, NOTHING), counts), head_label
        self.total = add(self.total, counts)
        if self.of_reasons:
            if not counts.rejected:
                return
            line, counts = self.reason(line, line_label), Counts(rejected=counts.rejected)
        else:
            self.labels["line", line] = line_label
        self.lines[line] = add(self.lines.get(line, NOTHING), counts)
        self.cells[line, head] = add(self.cells.get((line, head), NOTHING), counts)

    def folded(self):
        heads, head_of = self._fold("head", self.heads, self.columns, SHOWN["columns"])
        if self.of_reasons:
            order = list(Category.values)
            keys = sorted(self.lines, key=lambda key: (order.index(key[0]), key[1]))
            lines = tuple(Line(key, self.labels["line", key], _of_reason(key), self.lines[key]) for key in keys)
            line_of = {key: place for place, key in enumerate(keys)}
        else:
            lines, line_of = self._fold("line", self.lines, self.rows, SHOWN["rows"])
        cells = {}
        for (line, head), counts in self.cells.items():
            place = line_of[line], head_of[head]
            cells[place] = add(cells.get(place, NOTHING), counts)
        return Pair(self.rows, self.columns, lines, heads, cells, self.total)

    def _fold(self, side, found, dimension, shown):
        """The Lines, the largest first, and {key: place of its line}: those after the first `shown` share the last."""
        ranked = sorted(found, key=lambda key: (-found[key].mqls, -found[key].sqls, self.labels[side, key], key))
        shown = len(ranked) if len(ranked) == shown + 1 else shown  # one alone is no others
        own, rest = ranked[:shown], ranked[shown:]
        lines = [Line(key, self.labels[side, key], {dimension: key}, found[key]) for key in own]
        places = {key: place for place, key in enumerate(own)}
        if rest:
            both = NOTHING
            for key in rest:
                both, places[key] = add(both, found[key]), len(own)
            lines.append(Line(OTHERS, f"{len(rest)} others", {f"not_{dimension}": own}, both))
        return tuple(lines), places


def _of_reason(key):
    category, code = key
    return {"category": category} | ({"reason": code} if code else {})
