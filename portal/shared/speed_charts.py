"""Charts of waiting: leads and acceptance by how long they waited, and the share that still waits; see charts.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log10

from django.utils.safestring import SafeString

from portal.shared import text as words
from portal.shared.plot import grid, plotted, scale
from portal.shared.svg import circle, line, linked, nice_ticks, pc, rect, text

SPOTS = 60  # stretches of a curve


@dataclass(frozen=True)
class Waited:
    """Leads that waited so long (`name`), how many, and the share accepted with its interval; None without leads.

    href: the list of these leads, where the bar is to lead there.
    """

    name: str
    n: int
    value: float | None
    low: float = 0.0
    high: float = 1.0
    href: str = ""


def by_wait(bands: Sequence[Waited], *, label: str, average: float | None) -> SafeString:
    """Bars of leads above, their acceptance with whiskers below, on one time axis; `average`: of all leads."""
    leads = scale(most := nice_ticks(0, max((band.n for band in bands), default=0), whole=True), 20, 112)
    highest = max([0.05, *(band.high for band in bands if band.value is not None)])
    shares = scale(ticks := nice_ticks(0, highest), 160, 268)
    axis, plot = grid(most, leads, words.thousands)
    below = grid(ticks, shares, lambda share: words.percent(share, 0))
    axis, plot = [*axis, *below[0], text("0", 10, "leads"), text("0", 148, "accepted")], [*plot, *below[1]]
    if average is not None:
        plot.append(line("0", shares(average), "100%", shares(average), "mean-line"))
    step = 100 / max(len(bands), 1)
    for i, band in enumerate(bands):
        x, width = (i + 0.5) * step, step * 0.7
        tone = "bar" if i == 0 else "bar-quiet"
        bar = rect(pc(x - width / 2), leads(band.n), pc(width), leads(0) - leads(band.n), f'class="{tone}"')
        plot.append(linked(bar, band.href, f"{band.name}: {words.leads(band.n)}") if band.href and band.n else bar)
        plot.append(text(pc(x), leads(band.n) - 5, words.thousands(band.n), "t-mid t-strong"))
        plot.append(text(pc(x), 130, band.name, "t-mid"))
        if band.value is not None:
            plot.append(_accepted(pc(x), pc(x + 1.5), band, shares))
    return plotted(276, label, axis, plot, role="group" if any(band.href for band in bands) else "img")


def still_waiting(
    curve: Callable[[float], tuple[float, float, float]], marks: Sequence[tuple[float, str]], *, label: str
) -> SafeString:
    """The share still waiting after a time, on a logarithmic axis from the first mark to the last.

    `curve(time)` is (share, low, high); `marks` are (time, name), both in one unit.
    """
    first, span = _logarithmic(marks)
    y = scale(ticks := [0, 0.25, 0.5, 0.75, 1], 16, 204)
    axis, plot = grid(ticks, y, lambda share: words.percent(share, 0))
    for time, name in marks:
        at = 100 * log10(time / first) / span
        plot.append(line(pc(at), 16, pc(at), 204, "grid-line"))
        plot.append(text(pc(at), 221, name, "t-end" if at > 95 else "t-mid" if at > 5 else ""))
    spots = [(pc(100 * i / SPOTS), curve(time)) for i, time in enumerate(times(marks))]
    for place, css in ((1, "limit-line"), (2, "limit-line"), (0, "data-line is-now")):
        for (x1, a), (x2, b) in pairwise(spots):
            plot.append(line(x1, y(a[place]), x2, y(a[place]), css))  # a step, not a slope
            if a[place] != b[place]:
                plot.append(line(x2, y(a[place]), x2, y(b[place]), css))
    plot.append(line("0", y(0.5), "100%", y(0.5), "mean-line"))
    return plotted(228, label, axis, plot)


def times(marks: Sequence[tuple[float, str]]) -> list[float]:
    """The times at which `still_waiting` asks its curve: what it draws is known from these alone."""
    first, span = _logarithmic(marks)
    return [first * 10 ** (span * i / SPOTS) for i in range(SPOTS + 1)]


def _logarithmic(marks):
    first, last = marks[0][0], marks[-1][0]
    return first, log10(last / first)


def _accepted(x, beside, band, y):
    marks = line(x, y(band.low), x, y(band.high), "whisker") + circle(x, y(band.value), 4.5, "dot")
    marks += text(beside, y(band.value) - 6, words.percent(band.value, 0), "t-strong")
    title = f"{band.name}: {words.percent(band.value)} ({words.interval(band.low, band.high)}) accepted"
    return f'<g class="pt{" few" if band.n < words.FEW else ""}"><title>{escape(title)}</title>{marks}</g>'
