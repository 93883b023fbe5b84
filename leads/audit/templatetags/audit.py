"""How the audit writes a rate, its interval and a change; thin over portal.shared.text."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from portal.shared import charts, text

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
    return kind.replace("_", " ").capitalize()


@register.simple_tag
def show_rate(rate):
    """A figures.Rate as `.rate`: grey where few, without an interval where there is none, a dash without MQLs."""
    if rate is None:
        return mark_safe('<span class="rate is-few">–<span class="visually-hidden"> no MQLs, no rate</span></span>')
    few = " is-few" if rate.few else ""
    if rate.low is None:
        return format_html('<span class="rate{}"><b>{}</b></span>', few, text.percent(rate.value))
    ends = text.interval(rate.low, rate.high)
    return format_html(
        '<span class="rate{}"><b>{}</b> <span class="ci">({})</span></span>', few, text.percent(rate.value), ends
    )


@register.simple_tag
def signed_rate(kept, n):
    """A rate out of a signed audit, whose shares are decimal text: {"value", "low", "high"} over `n` MQLs."""
    value, low, high = (None if kept[name] is None else float(kept[name]) for name in ("value", "low", "high"))
    few = " is-few" if n < text.FEW else ""
    if low is None:
        return format_html('<span class="rate{}"><b>{}</b></span>', few, text.percent(value))
    ends = text.interval(low, high)
    return format_html(
        '<span class="rate{}"><b>{}</b> <span class="ci">({})</span></span>', few, text.percent(value), ends
    )


@register.simple_tag
def heat_cell(row, cell):
    """A heat.Cell of rejections as a table cell: shaded, its number a link that says what it counts."""
    if not cell.figure.url:
        return mark_safe('<td class="num quiet">0</td>')
    n, few = text.thousands(cell.figure.n), "" if cell.shade else mark_safe(' class="is-few"')
    return format_html(
        '<td data-heat="{}"{}><a href="{}" aria-label="{}: {}, {}">{}</a></td>',
        *(cell.shade, few, cell.figure.url, n, row, cell.label, n),
    )
