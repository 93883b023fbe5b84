"""The steps that charts over a plot share: its scale, grid, months and dots; pure functions, see charts.py."""

from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise

from portal.shared import text as words
from portal.shared import time
from portal.shared.svg import circle, drawing, line, pc, text


@dataclass(frozen=True)
class MonthRate:
    """One month's rate with its interval, shares of 1; `value` is None where there were no leads.

    `name`: what a stretch of days is called that begins on `month` and is no month.
    """

    month: date
    value: float | None
    low: float = 0.0
    high: float = 1.0
    n: int = 0
    name: str = ""


def scale(ticks, top, bottom):
    span = ticks[-1] - ticks[0]
    return lambda value: bottom - (bottom - top) * (value - ticks[0]) / span


def grid(ticks, y, written):
    axis = [text("26", y(tick) + 4, written(tick), "t-end") for tick in ticks]
    return axis, [line("0", y(t), "100%", y(t), "grid-line" if i else "base-line") for i, t in enumerate(ticks)]


def month_name(months, i, x, y, strong):
    month = months[i].month
    if months[i].name:
        return [text(pc(x), y, f"{month.day} {time.MONTHS[month.month - 1][:3]}", f"t-mid{strong}")]
    names = [text(pc(x), y, time.MONTHS[month.month - 1][:3], f"t-mid{strong}")]
    return [*names, text(pc(x), y + 14, str(month.year), "t-mid")] if i == 0 or month.month == 1 else names


def joined(places):
    return [
        line(x1, y1, x2, y2, "data-line")
        for (x1, y1), (x2, y2) in pairwise(places)
        if y1 is not None and y2 is not None
    ]


def month_point(x, month, y, last):
    now = " is-now" if last else ""
    marks = line(x, y(month.low), x, y(month.high), f"whisker{now}")
    marks += circle(x, y(month.value), 5.5 if last else 3.5, f"dot{now}")
    if last:
        marks += text(x, y(month.high) - 6, words.percent(month.value), "t-mid t-accent t-large")
    when = month.name or time.month(month.month)
    title = f"{when}: {words.percent(month.value)} ({words.interval(month.low, month.high)})"
    return f'<g class="pt{" few" if month.n < words.FEW else ""}"><title>{escape(title)}</title>{marks}</g>'


def plotted(height, label, axis, plot, role="img"):
    plot = f'<svg class="plot" x="34" width="100%" height="{height}">{"".join(plot)}</svg>'
    return drawing("chart-svg", height, label, [*axis, plot], role)
