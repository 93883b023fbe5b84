"""Charts: every number drawn to scale, every text escaped, and nothing breaks where there is nothing to show."""

import datetime as dt
from xml.etree import ElementTree

import pytest

from portal.shared import charts, svg

TIERS = [
    (0, 0.05, "broken"),
    (0.05, 0.13, "misaligned"),
    (0.13, 0.25, "average"),
    (0.25, 0.4, "good"),
    (0.4, None, "best"),
]
YEAR = [dt.date(2024 + (m + 10) // 12, (m + 10) % 12 + 1, 1) for m in range(12)]  # November 2024 to October 2025


def parsed(drawing):
    return ElementTree.fromstring(str(drawing))


REASONS = [
    charts.MonthReasons(month, {"fit": 10, "timing": 5 + i, "data": 0, "scoring": 20}) for i, month in enumerate(YEAR)
]
RATES = [charts.MonthRate(month, 0.2, 0.15, 0.26, 300) for month in YEAR]
EVIL = '"><script>alert(1)</script>'


def every_chart(label):
    named = {"label": label}
    return [
        charts.reasons_by_month(REASONS, **named, href=lambda month, category: f"/x/?a=1&b={label}"),
        charts.trend(RATES, **named, marks=[(6, label)]),
        charts.ruler(0.193, 0.164, 0.226, [*TIERS[:-1], (0.4, None, label)], **named),
        charts.interval(0.9, 0.8, 0.95, target=0.9, **named),
        charts.score_bar(40, 16, [(label, 50), ("Hot", 80)]),
        charts.track(30, [(0, label), (100, "due")], [(10, 20)], **named),
        charts.sparkline([0.2, None, 0.3], marks=[1], **named),
    ]


def test_every_chart_is_well_formed_and_escapes_what_people_wrote():
    for drawing in every_chart(EVIL):
        parsed(drawing)
        assert "<script>" not in drawing
        assert " style=" not in drawing
        assert EVIL in parsed(drawing).get("aria-label")


def test_charts_of_nothing_still_stand():
    nothing = [charts.MonthRate(month, None) for month in YEAR]
    empty = [
        charts.reasons_by_month([], label="-"),
        charts.reasons_by_month([charts.MonthReasons(YEAR[0], {})], label="-"),
        charts.trend([], label="-"),
        charts.trend(nothing, label="-"),
        charts.ruler(None, 0, 1, TIERS, label="-"),
        charts.interval(None, 0, 1, label="-"),
        charts.share_bar(0, 0),
        charts.score_bar(0, 0, []),
        charts.sparkline([], label="-"),
        charts.sparkline([None], label="-"),
        charts.ring(0),
    ]
    for drawing in empty:
        parsed(drawing)
    assert "no rejected leads" in empty[1]
    assert "no leads" in empty[3]


def test_every_segment_of_the_reasons_leads_to_its_leads_and_their_heights_add_up():
    drawing = parsed(charts.reasons_by_month(REASONS, label="-", href=lambda month, category: f"/{month}/{category}/"))
    links = drawing.findall(".//a")
    assert len(links) == 12 * 3  # no segment where there was no lead
    assert links[0].get("href") == "/2024-11-01/scoring/"
    assert links[0].find("title").text == "November 2024, Bad scoring: 20 leads"
    assert drawing.get("role") == "group"  # the links inside an image would be out of reach
    totals = [mark.text for mark in drawing.findall(".//text") if mark.get("y") and "t-mid" in mark.get("class", "")]
    assert "35" in totals
    assert "46" in totals
    heights = [float(link.find("rect").get("height")) for link in links]
    assert heights[2] == pytest.approx(heights[0] / 2, abs=0.1)  # 10 for fit, 20 for scoring


def test_the_ruler_sets_off_every_tier_the_interval_touches():
    def tiers_of(low, high):
        drawing = parsed(charts.ruler((low + high) / 2, low, high, TIERS, label="-"))
        return [mark.text for mark in drawing.findall("text") if mark.get("class") == "t-mid t-strong"]

    assert tiers_of(0.164, 0.226) == ["average"]
    assert tiers_of(0.22, 0.28) == ["average", "good"]
    assert tiers_of(0.5, 0.97) == ["best"]


def test_a_month_without_leads_breaks_the_line_and_one_with_few_is_faint():
    months = [RATES[0], charts.MonthRate(YEAR[1], None), RATES[2], charts.MonthRate(YEAR[3], 0.2, 0.05, 0.5, 39)]
    drawing = parsed(charts.trend(months, label="-"))
    assert len(drawing.findall(".//line[@class='data-line']")) == 1
    assert [group.get("class") for group in drawing.findall(".//g")] == ["pt", "pt", "pt few"]


def test_marks_stay_inside_their_track():
    assert 'width="100%" height="6" class="used"' in charts.track(140, label="-")
    assert "needle" not in charts.track(100, label="-")
    assert 'stroke-dasharray="100 100"' in charts.ring(140)
    assert 'width="100%" height="10" class="bar"' in charts.share_bar(30, 20)


@pytest.mark.parametrize(
    ("lowest", "highest", "whole", "ticks"),
    [(0, 468, True, [0, 100, 200, 300, 400, 500]), (0, 0, True, [0, 1]), (0, 3, True, [0, 1, 2, 3]),
     (0.15, 0.26, False, [0.15, 0.2, 0.25, 0.3])],
)  # fmt: skip
def test_scales_have_round_ticks_that_cover_the_data(lowest, highest, whole, ticks):
    assert svg.nice_ticks(lowest, highest, whole=whole) == ticks
