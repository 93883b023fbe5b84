"""How the audit writes a rate, its interval and a change; thin over portal.shared.text."""

from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from portal.shared import charts, text
from sla.words import event

register = template.Library()


@register.filter
def between(rate):
    """ "16.4–22.6" of anything with low and high; a change too."""
    return text.interval(rate.low, rate.high)


@register.filter
def between_whole(rate):
    return text.interval(rate.low, rate.high, 0)


@register.filter
def whole_percent(share):
    return text.percent(share, 0)


@register.filter
def category_name(category):
    return charts.CATEGORIES[category]


@register.filter
def two_places(number):
    return text.rounded(number, 2)


@register.filter
def words(kind):
    """An event's kind for people: "webinar_attended" → "Webinar attended"."""
    return capfirst(event(kind))


@register.simple_tag
def show_rate(rate):
    """A figures.Rate as `.rate`: grey where few, without an interval where there is none, a dash without MQLs."""
    if rate is None:
        return mark_safe('<span class="rate is-few">–<span class="visually-hidden"> no MQLs, no rate</span></span>')
    return _rate(rate.value, rate.low, rate.high, rate.few)


@register.simple_tag
def signed_rate(kept, n):
    """A rate out of a signed audit, whose shares are decimal text: {"value", "low", "high"} over `n` MQLs."""
    value, low, high = (None if kept[name] is None else float(kept[name]) for name in ("value", "low", "high"))
    return _rate(value, low, high, n < text.FEW)


def _rate(value, low, high, few):
    """Digits alone: nothing in them wants escaping."""
    ends = "" if low is None else f' <span class="ci">({text.interval(low, high)})</span>'
    return SafeString(f'<span class="rate{" is-few" if few else ""}"><b>{text.percent(value)}</b>{ends}</span>')


@register.filter
def cells(figures):
    """Figures as cells of a table's row."""
    return SafeString("".join(f'<td class="num">{figure}</td>' for figure in figures))


@register.filter
def named_cells(figures):
    """(name, Figure) as cells that say their column's name where the table is stacked."""
    return SafeString("".join(f'<td class="num" data-label="{name}">{figure}</td>' for name, figure in figures))


@register.filter
def month_cells(row):
    """A month of page.Page.month_rows as cells of the table behind the two charts."""
    rate = f'<td class="num">{show_rate(row["rate"])}</td>'
    return SafeString(f"{cells(row['delivered'])}{rate}{cells(row['others'])}")


@register.filter
def heat_cells(row):
    """The heat.Cells of a row of rejections: shaded, each number a link that says what it counts."""
    label = escape(row["label"])
    return SafeString("".join(_heat_cell(label, cell) for cell in row["cells"]))


def _heat_cell(row, cell):
    if not cell.figure.url:
        return '<td class="num quiet">0</td>'
    n, few = text.thousands(cell.figure.n), "" if cell.shade else ' class="is-few"'
    said = f"{n}: {row}, {escape(cell.label)}"
    link = f'<a href="{escape(cell.figure.url)}" aria-label="{said}">{n}</a>'
    return f'<td data-heat="{cell.shade}"{few}>{link}</td>'
