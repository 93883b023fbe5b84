"""The strokes charts are made of: pure functions that return SVG text; x in percent, y in px, every text escaped."""

from html import escape
from math import ceil, floor, log10

from django.utils.safestring import SafeString, mark_safe


def drawing(css: str, height: int, label: str, marks: list[str], role: str = "img") -> SafeString:
    """The finished picture; `label` states the finding for those who do not see it."""
    shape = f'class="{css}" width="100%" height="{height}" role="{role}" aria-label="{escape(label)}"'
    return safe(f"<svg {shape}>{''.join(marks)}</svg>")


def safe(svg: str) -> SafeString:
    """Marks as markup what the functions of this module made; they escape every text they are given."""
    return mark_safe(svg)  # noqa: S308


def nice_ticks(lowest: float, highest: float, *, steps=5, whole=False) -> list[float]:
    """Round values that cover lowest to highest in about `steps` steps of 1, 2 or 5 times a power of ten."""
    span = highest - lowest or (1 if whole else 0.1)
    rough = span / steps
    power = 10 ** floor(log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999)
    if whole:
        step = max(1, ceil(step))
    first, last = floor(lowest / step + 1e-9), ceil((lowest + span) / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def pc(share: float) -> str:
    return f"{share:.2f}".rstrip("0").rstrip(".") + "%"


def px(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")


def fill(category: str) -> str:
    """The category's colour and pattern as attributes."""
    return 'class="seg f-fit"' if category == "fit" else f'class="seg" fill="url(#pat-{escape(category)})"'


def text(x: str, y: float, content: str, css: str = "") -> str:
    return f'<text x="{x}" y="{px(y)}"{f' class="{css}"' if css else ""}>{escape(content)}</text>'


def line(x1: str, y1: float, x2: str, y2: float, css: str) -> str:
    return f'<line x1="{x1}" y1="{px(y1)}" x2="{x2}" y2="{px(y2)}" class="{css}"/>'


def rect(x: str, y: float, width: str, height: float, attributes: str) -> str:
    return f'<rect x="{x}" y="{px(y)}" width="{width}" height="{px(height)}" {attributes}/>'


def linked(mark: str, href: str, title: str) -> str:
    """The mark as a link that says where it leads."""
    title = escape(title)
    return f'<a href="{escape(href)}" aria-label="{title}"><title>{title}</title>{mark}</a>'


def circle(x: str, y: float, radius: float, css: str) -> str:
    return f'<circle cx="{x}" cy="{px(y)}" r="{radius}" class="{css}"/>'
