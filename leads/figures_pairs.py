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
# The month's handoffs are read once, whatever is asked of them; a few groups are named afterwards.
PAIRS = """
WITH counted AS (
    SELECT {held}, {status} AS status, {qualified} AS mql, {counted} AS judged FROM leads_handoff h WHERE {where}
), g AS (
    SELECT GROUPING({names}) AS without, {names}, status, mql, judged, count(*) AS n FROM counted
    GROUP BY status, mql, judged, GROUPING SETS ({sets})
)
SELECT g.without, g.status, g.mql, g.judged, g.n, {told} FROM g {joins} ORDER BY {order}
"""


def pair(month, rows, columns, *, basis, as_of, zone):
    """The Pair of a month: `rows` of ROWS against `columns` of COLUMNS, not the same. One query over the month.

    ValueError for a dimension against itself.
    """
    return pairs(month, [(rows, columns)], basis=basis, as_of=as_of, zone=zone)[rows, columns]


def pairs(month, wanted, *, basis, as_of, zone):
    """{(rows, columns): Pair} of the wanted ones, as `pair` gives each. One query, however many."""
    if any(rows == columns for rows, columns in wanted):
        raise ValueError("A dimension is not set against itself.")
    names = sorted({name for each in wanted for name in _held(each)})
    tables = {each: _Table(*each) for each in wanted}
    of_mask = {}
    for each, table in tables.items():
        mask = sum(1 << (len(names) - 1 - at) for at, name in enumerate(names) if name not in _held(each))
        of_mask.setdefault(mask, []).append((table, *(names.index(name) for name in _held(each))))
    span = {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(_sql(names, {frozenset(_held(each)) for each in wanted}, basis), span)
        for mask, status, mql, judged, n, *told in cursor.fetchall():
            counts = _counts(status, mql, judged, n)
            for table, line, head in of_mask[mask]:
                table.add(_value(told, line), _value(told, head), counts)
    return {each: table.folded() for each, table in tables.items()}


def _held(wanted):
    """The two things that a handoff holds for a pair; a category is one of its reason."""
    rows, columns = wanted
    return (REASON if rows == CATEGORY else rows), columns


def _value(told, at):
    return told[2 * at] or "", told[2 * at + 1] or ""


def _sql(names, sets, basis):
    pieces = {name: REASONS if name == REASON else DIMENSIONS[name] for name in names}
    named = {name: [piece.replace("h.held", f"g.of_{name}") for piece in pieces[name][1:4]] for name in names}
    return PAIRS.format(
        held=", ".join(f"{pieces[name][0]} AS of_{name}" for name in names),
        names=", ".join(f"of_{name}" for name in names),
        sets=", ".join(f"({', '.join(f'of_{name}' for name in sorted(each))})" for each in sets),
        told=", ".join(f"{key}, {label}" for key, label, _ in named.values()),
        joins=" ".join(joins for *_, joins in named.values()),
        order="r.version_id" if REASON in names else "1",  # a reason carries the label of the newest agreement
        status=STATUS, **figures.sides(basis),
    )  # fmt: skip


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


def by_category(found):
    """The Pair of categories that a Pair of reasons adds up to."""
    table = _Table(CATEGORY, found.columns)
    table.total = found.total
    for head in found.heads:
        table.heads[head.key], table.labels["head", head.key] = head.counts, head.label
    for place, line in enumerate(found.lines):
        key = table.reason(" ".join(line.key), line.label)
        table.lines[key] = add(table.lines.get(key, NOTHING), line.counts)
        for at, head in enumerate(found.heads):
            if (place, at) in found.cells:
                table.cells[key, head.key] = add(table.cells.get((key, head.key), NOTHING), found.cells[place, at])
    lines, cells = table.folded().lines, {}
    line_of = {line.key: place for place, line in enumerate(lines)}
    head_of = {head.key: place for place, head in enumerate(found.heads)}
    for (key, head), counts in table.cells.items():
        cells[line_of[key], head_of[head]] = counts
    return Pair(CATEGORY, found.columns, lines, found.heads, cells, found.total)


def add(a, b):
    """The sum of two Counts."""
    return Counts(
        a.mqls + b.mqls, a.sqls + b.sqls, a.rejected + b.rejected, a.undecided + b.undecided, a.withdrawn + b.withdrawn
    )


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
