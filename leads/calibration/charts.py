"""Charts of calibration as SVG from the server, in the manner of portal.shared.charts: pure functions."""

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString

from leads.calibration.validation import Group
from portal.shared import text as words
from portal.shared.plot import grid, plotted, scale
from portal.shared.svg import circle, line, pc, text


def calibration_curve(new: Sequence[Group], old: Sequence[Group], *, label: str) -> SafeString:
    """What points promised against what came, with whiskers; on the diagonal both are equal. `new` is set off."""
    top, bottom = 12, 204
    y = scale((0.0, 1.0), top, bottom)
    axis, plot = grid([0, 0.25, 0.5, 0.75, 1], y, lambda share: words.percent(share, 0))
    plot.append(line("0%", y(0), "100%", y(1), "mark-line"))
    for groups, css, name in ((old, "", "definition in force"), (new, " is-now", "fitted points")):
        for group in groups:
            x = pc(100 * group.promised)
            title = (
                f"{name}: {words.percent(group.promised, 0)} promised, {words.percent(group.seen)}"
                f" ({words.interval(group.low, group.high)}) of {words.thousands(group.n)} leads came"
            )
            marks = line(x, y(group.low), x, y(group.high), f"whisker{css}")
            marks += circle(x, y(group.seen), 4.5, f"dot{css}")
            plot.append(f"<g><title>{escape(title)}</title>{marks}</g>")
    for share in (0, 0.25, 0.5, 0.75, 1):
        anchor = "t-end" if share == 1 else "t-mid" if share else ""
        plot.append(text(pc(100 * share), bottom + 17, words.percent(share, 0), anchor))
    plot.append(text("50%", bottom + 33, "chance that the points promise", "t-mid"))
    return plotted(246, label, axis, plot)
