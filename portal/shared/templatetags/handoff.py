"""The words and marks every template uses (a builtin): icons, rates, counts, times. Thin: see text.py and time.py."""

from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from lucide.templatetags.lucide import lucide

from portal.shared import charts, text, time

register = template.Library()

register.filter("thousands", text.thousands)
register.filter("count", text.thousands)
register.filter("signed", text.signed)
register.filter("points", text.points)
register.filter("percent", text.percent)
register.filter("in_words", text.in_words)
register.filter("money", text.money)
register.filter("duration", time.duration)
register.filter("left", time.left)
register.filter("ago", time.ago)
register.filter("month", time.month)
register.simple_tag(charts.ring)
register.simple_tag(charts.track)
register.simple_tag(charts.share_bar)


@register.filter
def amount(value, currency=""):
    """An average of amounts, which nobody needs to the cent: "EUR 2,958"."""
    return text.money(round(value) if abs(value) >= 100 else value, currency)


@register.simple_tag
def icon(name, css="", label=""):
    """A lucide icon, hidden from screen readers unless `label` names it: `{% icon "check" %}`."""
    return _icon(name, css, label)


@lru_cache(maxsize=256)
def _icon(name, css, label):
    named = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    svg = lucide(name, **{"class": f"icon {css}".strip(), "data-icon": name}, **named)
    return mark_safe("".join(line.strip() for line in svg.splitlines()))  # noqa: S308 (lucide escaped it)


@register.simple_tag
def rate(value, low, high, n):
    """A rate with its interval, in shares of 1: "19.3% (16.4–22.6)"; grey below 40 leads, a dash over none at all."""
    if value is None or not n:
        return mark_safe('<span class="rate is-few">– <span class="visually-hidden">no leads, no rate</span></span>')
    few = " is-few" if n < text.FEW else ""
    return format_html(
        '<span class="rate{}"><b>{}</b> <span class="ci">({})</span></span>',
        few,
        text.percent(value),
        text.interval(low, high),
    )


@register.simple_tag
def when(moment, now):
    """A moment as `<time>`: short to read ("Today 09:51"), exact for machines and on pointing at it."""
    zone = timezone.get_default_timezone()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        time.full(moment, zone),
        time.moment(moment, now, zone),
    )


@register.filter
def local(moment, now):
    """ "Today 09:51", "Fri 09:15", "5 Nov 11:24" in the organisation's zone."""
    return time.moment(moment, now, timezone.get_default_timezone())


@register.filter
def local_in_text(moment, now):
    """As `local`, within a sentence: "claim by today 09:51"."""
    words = local(moment, now)
    return words[0].lower() + words[1:] if words.startswith(("Today", "Tomorrow", "Yesterday")) else words


@register.filter
def due(moment, now):
    """The text of a countdown chip: "6 min over", "9 min left", "2 h 23 min", "Fri 09:15"."""
    return time.due_chip(moment, now, timezone.get_default_timezone())


@register.filter
def day(moment, now):
    """ "5 Nov", "5 Nov 2024" in the organisation's zone."""
    return time.day(moment, now, timezone.get_default_timezone())


@register.filter
def full(moment):
    """ "Thursday 6 November 2025, 10:42" in the organisation's zone."""
    return time.full(moment, timezone.get_default_timezone())


@register.filter
def clock(moment):
    """ "09:51" in the organisation's zone."""
    return time.clock_time(moment, timezone.get_default_timezone())


@register.simple_tag
def swatch(category):
    """The colour and pattern of a reason category, beside its name: fit, timing, data or scoring."""
    return format_html('<span class="swatch" data-reason="{}" aria-hidden="true"></span>', category)


@register.simple_tag
def reason_tag(category, name):
    """A reason's name with its category's swatch."""
    return format_html(
        '<span class="reason-tag"><span class="swatch" data-reason="{}" aria-hidden="true"></span>{}</span>',
        category,
        name,
    )


@register.simple_tag
def control(field, **attrs):
    """A bound field's input without its placeholder (the label says it); `attrs` are set on it: `rows=3`."""
    named = {name.replace("_", "-"): value for name, value in attrs.items()}
    return field.as_widget(attrs={"placeholder": False, **named})
