"""Documents as PDF: a typst template draws plain values; the same values are the same bytes, tagged for readers."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import typst

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
CHART_WIDTH = 640  # px of a chart on paper, before it is scaled: as wide as on a page of the portal
PLOT_EDGE = 34  # px left of a plot, for its scale (static/css/charts.css)
INK, QUIET, RULE, EDGE = "#1c2227", "#5f686f", "#dddbd3", "#7d868c"
ACCENT, ACCENT_MID = "#0b5a64", "#7fb0b5"
REASONS = {"fit": "#2b63b5", "timing": "#b5800b", "data": "#3b98b4", "scoring": "#861a4a"}
# what static/css/charts.css says of a light page, without what a drawing on paper cannot know
STYLE = f"""
text {{ font-family: "Libertinus Serif"; font-size: 12px; fill: {QUIET}; }}
.t-strong {{ fill: {INK}; font-weight: 600; }} .t-accent {{ fill: {ACCENT}; font-weight: 600; }}
.t-large {{ font-size: 14px; }} .t-mid {{ text-anchor: middle; }} .t-end {{ text-anchor: end; }}
.grid-line {{ stroke: {RULE}; }} .base-line {{ stroke: {EDGE}; }}
.mark-line {{ stroke: {INK}; stroke-dasharray: 2 3; }}
.limit-line {{ stroke: {QUIET}; stroke-dasharray: 4 3; }} .mean-line {{ stroke: {QUIET}; }}
.data-line, .whisker {{ stroke: {QUIET}; stroke-width: 1.5; }}
.dot {{ fill: #ffffff; stroke: {QUIET}; stroke-width: 1.5; }}
.few .dot, .few .whisker {{ stroke-dasharray: 2 2; }}
.data-line.is-now, .whisker.is-now {{ stroke: {ACCENT}; stroke-width: 2; }}
.dot.is-now {{ fill: {ACCENT}; stroke: #ffffff; stroke-width: 2; }}
.bar {{ fill: {ACCENT}; }} .bar-quiet {{ fill: {ACCENT_MID}; }} .bar-rest {{ fill: #edece6; }}
.pause {{ fill: {RULE}; }}
.seg {{ stroke: #ffffff; }} .f-fit {{ fill: {REASONS["fit"]}; }}
"""
PATTERN = '<pattern id="pat-{0}" width="5" height="5" patternUnits="userSpaceOnUse"{1}>{2}</pattern>'
GROUND = '<rect width="5" height="5" fill="{0}"/>'
STROKE = '<path d="{0}" stroke="#ffffff" stroke-width="1.5" opacity="0.6"/>'
HATCHES = {
    "timing": (' patternTransform="rotate(45)"', STROKE.format("M0 0V5")),
    "data": ("", '<circle cx="1.7" cy="1.7" r="1" fill="#ffffff" opacity="0.75"/>'),
    "scoring": ("", STROKE.format("M0 1H5")),
}
PATTERNS = "".join(
    PATTERN.format(name, turned, GROUND.format(REASONS[name]) + hatch) for name, (turned, hatch) in HATCHES.items()
)
SIDEWAYS = ("x", "x1", "x2", "cx", "width")


def pdf(template: str, values: dict) -> bytes:
    """The PDF/UA-1 of a template below templates/, which finds `values` (plain, as JSON) in sys.inputs.paper."""
    return typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        format="pdf",
        sys_inputs={"paper": json.dumps(values)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
    )


def chart(svg: str, width: int = CHART_WIDTH) -> dict:
    """A chart of portal.shared.charts for a template: {"svg": a drawing by itself, "alt": what it says}."""
    root = Xml.fromstring(svg)  # noqa: S314 (our own charts)
    alt, height = root.get("aria-label", ""), root.get("height")
    _fix(root, width)
    inside = "".join(Xml.tostring(child, encoding="unicode") for child in root)
    shape = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return {"svg": f"<svg {shape}><style>{STYLE}</style><defs>{PATTERNS}</defs>{inside}</svg>", "alt": alt}


def _fix(element, width):
    """Percentages become px of what the element lies in; a plot begins right of its scale."""
    for child in element:
        if child.tag == "svg":
            child.set("width", f"{width - PLOT_EDGE}")
            child.set("viewBox", f"0 0 {width - PLOT_EDGE} {child.get('height')}")
            child.set("overflow", "visible")
        for name in SIDEWAYS:
            if (value := child.get(name, "")).endswith("%"):
                child.set(name, f"{float(value[:-1]) * width / 100:.2f}")
        _fix(child, width - PLOT_EDGE if child.tag == "svg" else width)
