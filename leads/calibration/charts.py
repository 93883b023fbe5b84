"""Charts of calibration as SVG from the server, in the manner of portal.shared.charts: pure functions."""

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString

from leads.calibration.validation import Group
from portal.shared import text as words
from portal.shared.plot import grid, plotted, scale
from portal.shared.svg import circle, line, pc, text

ENDS = (0.2, 0.4, 1.0)


def calibration_curve(new: Sequence[Group], old: Sequence[Group], *, label: str) -> SafeString:
    """What points promised against what came, with whiskers; on the diagonal both are equal. `new` is set off.

    Both axes end at the least of ENDS that holds all: few are won, so most would sit in a corner.
    """
    top, bottom = 12, 204
    most = max((max(group.promised, group.high) for group in (*new, *old)), default=1.0)
    end = next((end for end in ENDS if end >= most), 1.0)
    y, shares = scale((0.0, end), top, bottom), [end * place / 4 for place in range(5)]
    axis, plot = grid(shares, y, lambda share: words.percent(share, 0))
    plot.append(line("0%", y(0), "100%", y(end), "mark-line"))
    for groups, css, name in ((old, "", "definition in force"), (new, " is-now", "fitted points")):
        for group in groups:
            x = pc(100 * group.promised / end)
            title = (
                f"{name}: {words.percent(group.promised, 0)} promised, {words.percent(group.seen)}"
                f" ({words.interval(group.low, group.high)}) of {words.thousands(group.n)} leads came"
            )
            marks = line(x, y(group.low), x, y(group.high), f"whisker{css}")
            marks += circle(x, y(group.seen), 4.5, f"dot{css}")
            plot.append(f"<g><title>{escape(title)}</title>{marks}</g>")
    for share in shares:
        anchor = "t-end" if share == end else "t-mid" if share else ""
        plot.append(text(pc(100 * share / end), bottom + 17, words.percent(share, 0), anchor))
    plot.append(text("50%", bottom + 33, "chance that the points promise", "t-mid"))
    return plotted(246, label, axis, plot)
