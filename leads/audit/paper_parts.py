"""Parts of the audit on paper: plain values that templates/audit/audit.typ draws; tables are those of the files."""

from itertools import islice

from leads.audit.tables import TABLES, Kind
from portal.shared import paper, text, time

BESIDE = 420  # px of a chart of which two stand beside each other
LEFT = (Kind.TEXT, Kind.DAY)


def said(words):
    return {"kind": "text", "text": words}


def note(words):
    return {"kind": "note", "text": words}


def listed(title, items):
    return {"kind": "list", "title": title, "items": items}


def stats(tiles):
    """Of (label, value, note, few)."""
    return {
        "kind": "stats",
        "items": [{"label": label, "value": value, "note": note, "few": few} for label, value, note, few in tiles],
    }


def chart(svg):
    """One chart by itself, as wide as the sheet."""
    return {"kind": "charts", "charts": [paper.chart(svg) | {"title": "", "note": ""}]}


def charts(*drawn):
    """Charts beside each other, each (svg, title, note)."""
    width = BESIDE if len(drawn) > 1 else paper.CHART_WIDTH
    return {
        "kind": "charts",
        "charts": [paper.chart(svg, width) | {"title": title, "note": words} for svg, title, words in drawn],
    }


def table(name, asked, most=None):
    """A table of leads.audit.tables, its first `most` rows; None without any."""
    return drawn(TABLES[name].make(asked), most)


def drawn(found, most=None):
    """A tables.Table; None without rows. Columns that only files have are left out."""
    columns = [(i, column) for i, column in enumerate(found.columns) if not column.only_file]
    rows = list(islice(found.rows, most and most + 1))
    if not rows:
        return None
    cells = [[_cell(row[i], column.kind) for i, column in columns] for row in rows[:most]]
    more = f"The first {most} rows; the file of the table has them all." if most and len(rows) > most else ""
    return {
        "kind": "table",
        "title": found.title,
        "head": [_head(column, [row[place] for row in cells]) for place, (_, column) in enumerate(columns)],
        "rows": cells,
        "more": more,
    }


def _head(column, cells):
    """A column's head; `weight`: how wide text is beside other text, as its longest, within bounds."""
    longest = max(len(column.name), *(len(cell["text"]) for cell in cells))
    return {"text": column.name, "left": column.kind in LEFT, "weight": min(max(longest, 9), 36)}


def _cell(value, kind):
    few = kind is Kind.SHARE and value is not None and value.n < text.FEW
    return {"text": _words(value, kind), "few": few, "left": kind in LEFT}


def _words(value, kind):
    if kind is Kind.WAIT:
        return "not reached" if value is None else time.duration(value) if value else "at once"
    if value is None:
        return "–"
    return WRITTEN[kind](value)


def _share(value):
    return text.percent(value.value) + _between(value)


def _between(value):
    return "" if value.low is None else f" ({text.interval(value.low, value.high)})"


def rated(rate):
    """A figures.Rate: "19.3% (16.4–22.6)", or a dash."""
    return "–" if rate is None else _share(rate)


def headline(page):
    """The result as one sentence, as the page has it."""
    rate = page.audit.rate
    if rate is None:
        return f"{page.headline}."
    standing = f", {page.standing}" if rate.low is not None and page.standing else ""
    return f"{page.headline}: {rated(rate)}{standing}; {page.aside}"


WRITTEN = {
    Kind.TEXT: str,
    Kind.COUNT: text.thousands,
    Kind.SHARE: _share,
    Kind.CHANGE: lambda value: text.points(value.value) + _between(value),
    Kind.DAY: lambda day: f"{day.day} {time.MONTHS[day.month - 1][:3]} {day.year}",
    Kind.PERCENT: text.percent,
    Kind.NUMBER: lambda number: text.rounded(number, 2),
}
