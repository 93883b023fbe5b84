"""Charts of waiting: every number is in them as text or title, and nothing is smoothed."""

import re

from portal.shared.speed_charts import Waited, by_wait, still_waiting

MARKS = ((1, "1 min"), (60, "1 h"), (1440, "24 h"))


def test_each_band_says_how_many_leads_and_which_share_was_accepted():
    bands = [Waited("≤ 5 min", 41, 0.37, 0.24, 0.52), Waited("no contact", 0, None)]
    drawn = by_wait(bands, label="Speed <and> acceptance", average=0.19)
    assert "≤ 5 min: 37.0% (24.0–52.0) accepted" in drawn
    assert 'aria-label="Speed &lt;and&gt; acceptance"' in drawn
    assert drawn.count('<g class="pt') == 1, "no leads, no rate"


def test_a_band_of_few_leads_is_drawn_faint():
    assert '<g class="pt few">' in by_wait([Waited("1–24 h", 39, 0.1, 0.0, 0.3)], label="x", average=None)


def test_the_waiting_curve_has_steps_and_no_slopes():
    drawn = still_waiting(lambda t: (1.0, 1.0, 1.0) if t < 60 else (0.4, 0.3, 0.5), MARKS, label="Waiting")
    lines = re.findall(r'<line x1="([^"]+)" y1="([^"]+)" x2="([^"]+)" y2="([^"]+)" class="data-line is-now"/>', drawn)
    assert lines
    assert all(x1 == x2 or y1 == y2 for x1, y1, x2, y2 in lines)
    assert sum(y1 != y2 for _, y1, _, y2 in lines) == 1
