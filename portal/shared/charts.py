"""Charts as SVG from the server: pure functions, no script, no style attribute; see `static/css/charts.css`.

x positions are percentages of the plot and y positions px, so text keeps its size at any width. Rates are shares of 1.
`label` is the sentence that states the finding, for those who do not see the chart; every text is escaped here.
Patterns (`#pat-timing` …) stand once a page in `shared/defs.html`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise
from math import ceil

from django.utils.safestring import SafeString

from portal.shared import text as words
from portal.shared import time
from portal.shared.plot import MonthRate, grid, joined, month_name, month_point, plotted, scale
from portal.shared.svg import circle, drawing, fill, line, linked, nice_ticks, pc, rect, safe, text

CATEGORIES = {"fit": "Bad fit", "timing": "Bad timing", "data": "Bad data", "scoring": "Bad scoring"}
STACK = ("scoring", "data", "timing", "fit")  # from the baseline up, in every chart


@dataclass(frozen=True)
class MonthReasons:
    """One month's rejected leads by category; a category that is missing counts none.

    `name`: what a stretch of days is called that begins on `month` and is no month.
    """

    month: date
    counts: Mapping[str, int]
    name: str = ""

    @property
    def total(self):
        return sum(self.counts.get(category, 0) for category in STACK)


def reasons_by_month(
    months: Sequence[MonthReasons], *, label: str, href: Callable[[date, str], str] | None = None, names=CATEGORIES
) -> SafeString:
    """Stacked bars of rejected leads; `href(month, category)` makes each segment a link to its leads."""
    top, bottom = 18, 204
    ticks = nice_ticks(0, max((month.total for month in months), default=0), whole=True)
    y = scale(ticks, top, bottom)
    axis, plot = grid(ticks, y, words.thousands)
    step = 100 / max(len(months), 1)
    width = step * 0.66
    for i, month in enumerate(months):
        x, base, strong = i * step + (step - width) / 2, 0, " t-strong" if i == len(months) - 1 else ""
        for category in STACK:
            if count := month.counts.get(category, 0):
                bar = rect(pc(x), y(base + count), pc(width), y(base) - y(base + count), fill(category))
                plot.append(_segment(bar, month, category, count, names, href))
                base += count
        plot.append(text(pc(x + width / 2), y(base) - 6, words.thousands(base), f"t-mid{strong}"))
        plot += month_name(months, i, x + width / 2, bottom + 17, strong)
    if not any(month.total for month in months):
        plot.append(text("50%", (top + bottom) / 2, "no rejected leads in these months", "t-mid"))
    return plotted(240, label, axis, plot, role="group" if href else "img")


def trend(
    months: Sequence[MonthRate],
    *,
    label: str,
    marks: Sequence[tuple[int, str]] = (),
    limits: Sequence[tuple[float, float, float] | None] = (),
    height=240,
) -> SafeString:
    """A rate by month with its whiskers; a month without leads breaks the line, one with few is drawn faint.

    `marks` are (index of the first month, words): a definition version that began there. `limits` are each month's
    (average, low, high), or None.
    """
    top, bottom = 16, height - 36
    known = [month for month in months if month.value is not None]
    spread = [bound for month in known for bound in (month.low, month.high)] or [0, 1]
    spread += [bound for limit in limits if limit for bound in limit[1:]]
    ticks = nice_ticks(min(spread), max(spread))
    y = scale(ticks, top, bottom)
    axis, plot = grid(ticks, y, lambda share: words.percent(share, 0))
    step = 100 / max(len(months), 1)
    for i, limit in enumerate(limits):
        styles = zip(limit or (), ("mean-line", "limit-line", "limit-line"), strict=False)
        plot += [line(pc(i * step), y(value), pc((i + 1) * step), y(value), css) for value, css in styles]
    for index, name in marks:
        plot.append(line(pc(index * step), top - 8, pc(index * step), bottom, "mark-line"))
        plot.append(text(pc(index * step + 1), top, name, "t-strong"))
    plot += joined([(pc((i + 0.5) * step), None if m.value is None else y(m.value)) for i, m in enumerate(months)])
    for i, month in enumerate(months):
        last = i == len(months) - 1
        if month.value is not None:
            plot.append(month_point(pc((i + 0.5) * step), month, y, last))
        plot += month_name(months, i, (i + 0.5) * step, bottom + 17, " t-strong" if last else "")
    if not known:
        plot.append(text("50%", (top + bottom) / 2, "no leads in these months", "t-mid"))
    return plotted(height, label, axis, plot)


def ruler(
    value: float | None, low: float, high: float, tiers: Sequence[tuple[float, float | None, str]], *, label: str
) -> SafeString:
    """A rate and its interval on the benchmark scale; `tiers` are (from, to or None for no end, name).

    Every tier that the interval touches is set off: where it crosses a boundary the tier is a range.
    """
    top = max(tiers[-1][0] + 0.10, ceil(high * 10) / 10 if value is not None else 0)

    def x(share):
        return pc(max(0, min(share, top)) / top * 100)

    out = []
    for start, end, name in tiers:
        end = top if end is None else end
        touched = value is not None and low < end and high >= start
        ground = "bar-quiet" if touched else "pause"
        left, width = start / top * 100 + 0.25, (end - start) / top * 100 - 0.5
        out.append(rect(pc(left), 36, pc(width), 8, f'class="{ground}"'))
        style = "t-mid t-strong" if touched else "t-mid t-roomy" if width < 12 else "t-mid"
        out.append(text(x((start + end) / 2), 61, name, style))
        if start:
            out.append(text(x(start), 75, words.percent(start, 0), "t-mid"))
    if value is not None:
        out.append(line(x(low), 28, x(high), 28, "whisker is-now"))
        out += [line(x(bound), 24, x(bound), 32, "whisker is-now") for bound in (low, high)]
        out.append(circle(x(value), 28, 5.5, "dot is-now"))
        out.append(text(x(value), 14, words.percent(value), "t-mid t-accent t-large"))
    return drawing("chart-svg", 78, label, out)


def interval(
    value: float | None, low: float, high: float, *, label: str, target: float | None = None, lo=0.0, hi=1.0
) -> SafeString:
    """A rate's range for a table cell, between `lo` and `hi`, with its target as a mark."""

    def x(share):
        return pc(max(0, min(100, (share - lo) / (hi - lo) * 100)))

    out = [rect("0", 8, "100%", 2, 'class="pause"')]
    if target is not None:
        out.append(line(x(target), 1, x(target), 17, "mark-line"))
    if value is not None:
        out += [line(x(low), 9, x(high), 9, "whisker is-now"), circle(x(value), 9, 4, "dot is-now")]
    return drawing("mini-svg", 18, label, out)


def sweep(
    points: Sequence[tuple[int, int, int]], now: int, *, label: str, tier: str = "the lowest tier"
) -> SafeString:
    """Counts against a threshold: (threshold, all, those accepted), rising; `now` is where the definition stands."""
    top, bottom, last = 16, 190, max(len(points) - 1, 1)
    ticks = nice_ticks(0, max((count for _, count, _ in points), default=0), whole=True)
    y = scale(ticks, top, bottom)
    axis, plot = grid(ticks, y, words.thousands)
    for place, css in ((1, ""), (2, " is-now")):
        spots = [(pc(100 * i / last), y(point[place]), point) for i, point in enumerate(points)]
        plot += [line(x1, y1, x2, y2, f"data-line{css}") for (x1, y1, _), (x2, y2, _) in pairwise(spots)]
        for x, height, point in spots:
            size = 5.5 if point[0] == now else 2.5
            title = f"from {point[0]}: {words.thousands(point[1])} MQLs, {words.thousands(point[2])} accepted"
            plot.append(f"<g><title>{escape(title)}</title>{circle(x, height, size, f'dot{css}')}</g>")
    for i, (threshold, _, _) in enumerate(points):
        strong = " t-strong" if threshold == now else ""
        if strong:
            plot.append(line(pc(100 * i / last), top - 8, pc(100 * i / last), bottom, "mark-line"))
        if strong or i in (0, len(points) - 1):
            plot.append(text(pc(100 * i / last), bottom + 17, words.thousands(threshold), f"t-mid{strong}"))
    plot.append(text("50%", bottom + 33, f"points that {tier} asks for", "t-mid"))
    return plotted(232, label, axis, plot)


def share_bar(value: float, total: float, category: str | None = None) -> SafeString:
    """A bar beside a number that says the same (so it is hidden from screen readers); category gives its pattern."""
    share = max(0, min(100, 100 * value / total)) if total else 0
    paint = fill(category) if category else 'class="bar"'
    return safe(
        f'<svg class="inline-bar" aria-hidden="true">{rect("0", 0, "100%", 10, 'class="bar-rest"')}'
        f"{rect('0', 0, pc(share), 10, paint)}</svg>"
    )


def score_bar(fit: int, behaviour: int, tiers: Sequence[tuple[str, int]], top: int | None = None) -> SafeString:
    """Points of a lead, fit then behaviour; `tiers` are (name, from) as ("Standard", 50), ("Hot", 80)."""
    total = fit + behaviour
    highest = max([total, *(start for _, start in tiers)])
    top = top or max(nice_ticks(0, highest * 1.2, whole=True)[-1], 1)

    def x(points):
        return max(0, min(points, top)) / top * 100

    steps = ", ".join(f"{name} from {start}" for name, start in tiers)
    ends_fit, ends = x(fit), x(total)
    out = [
        rect("0", 14, "100%", 9, 'class="bar-rest"'),
        rect("0", 14, pc(min(ends_fit, ends)), 9, 'class="bar"'),
        rect(pc(ends_fit), 14, pc(max(ends - ends_fit, 0)), 9, 'class="bar-quiet"'),
    ]
    for name, start in tiers:
        out.append(line(pc(x(start)), 11, pc(x(start)), 26, "mark-line"))
        out.append(text(pc(x(start)), 37, f"{name} {start}", "t-end" if x(start) > 90 else "t-mid"))
    out.append(text("0", 9, f"fit {words.thousands(fit)}"))
    out.append(text(pc(min(max(ends_fit + 0.8, 16), 70)), 9, f"behaviour {words.thousands(behaviour)}"))
    parts = f"{words.thousands(fit)} for fit and {words.thousands(behaviour)} for behaviour"
    label = f"{words.thousands(total)} points: {parts}. {steps}."
    return drawing("score-bar", 38, label, out)


def ring(percent: float) -> SafeString:
    """The ring of a countdown chip: how much of the time is left, 0 to 100; the chip's words say it too."""
    left = f"{max(0, min(100, percent)):.0f}"
    return safe(
        '<svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6"/>'
        f'<circle class="left" cx="8" cy="8" r="6" pathLength="100" stroke-dasharray="{left} 100"/></svg>'
    )


def track(
    used: float, ticks: Sequence[tuple[float, str]] = (), pauses: Sequence[tuple[float, float]] = (), *, label: str
) -> SafeString:
    """A clock from start (0) to due (100): how much is used, named ticks, and where it was paused."""
    used = max(0, min(100, used))
    out = [rect("0", 6, "100%", 6, 'class="rail-line"'), rect("0", 6, pc(used), 6, 'class="used"')]
    out += [rect(pc(a), 6, pc(b - a), 6, 'fill="url(#pat-pause)"') for a, b in pauses]
    for at, name in ticks:
        place = "t-end" if at > 92 else "t-mid" if at > 15 else "" if at else "t-first"
        out += [line(pc(at), 3, pc(at), 15, "tick"), text(pc(at), 27, name, place)]
    if used < 100:
        out.append(f'<rect x="{pc(used)}" y="1" width="2" height="16" class="needle"/>')
    return drawing("track", 30, label, out)


def sparkline(values: Sequence[float | None], *, label: str, marks: Sequence[int] = ()) -> SafeString:
    """A small line without scales beside its words; the last known value carries the dot."""
    known = [value for value in values if value is not None]
    lowest, highest = (min(known), max(known)) if known else (0, 0)
    step = 100 / max(len(values), 1)

    def y(value):
        return 20 if highest == lowest else 36 - (value - lowest) / (highest - lowest) * 32

    places = [(pc((i + 0.5) * step), None if value is None else y(value)) for i, value in enumerate(values)]
    out = [line(pc(index * step), 0, pc(index * step), 40, "mark-line") for index in marks] + joined(places)
    if known:
        x, height = next(place for place in reversed(places) if place[1] is not None)
        out.append(circle(x, height, 4.5, "dot is-now"))
    return drawing("sparkline", 40, label, out)


def _segment(bar, month, category, count, names, href):
    title = f"{month.name or time.month(month.month)}, {names[category]}: {words.leads(count)}"
    if href is None:
        return bar.replace("/>", f"><title>{escape(title)}</title></rect>")
    return linked(bar, href(month.month, category), title)
