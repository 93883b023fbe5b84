"""The audit's page: one month's result, why sales said no, and where."""

from dataclasses import replace
from datetime import timedelta

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures, figures_pairs, periods
from leads.audit.heat import SMALL, name
from leads.audit.signed import answers
from leads.figures import Month
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer

MONTHS_OFFERED = 120


@require_GET
def latest(request):
    """The month that was asked for by the month picker, else the last full month with data."""
    require(request.user, May.READ_AUDIT)
    zone, now = timezone.get_default_timezone(), timezone.now()
    if wanted := request.GET.get("month"):
        month = parse_month(wanted, Month.of(now, zone))
    else:
        month = _last_full(now, zone)
        if month is None:
            return answer(request, "audit/empty.html")
    keep = request.GET.copy()
    keep.pop("month", None)
    return redirect(reverse("audit", args=[str(month)]) + (f"?{keep.urlencode()}" if keep else ""))


@require_GET
def audit(request, month):
    """One month on one basis, along one dimension (`by`), and two against each other (`rows`, `columns`)."""
    require(request.user, May.READ_AUDIT)
    now, zone = timezone.now(), timezone.get_default_timezone()
    asked = asked_for(request, month)
    page, month = replace(asked.page, show_all="all" in request.GET), asked.period
    known = figures.months_with_data(as_of=now, zone=zone)
    context = {
        "asked": asked,
        "page": page,
        "heat": asked.heat,
        "rows": asked.rows,
        "columns": asked.columns,
        "row_choices": [(each, name(each)) for each in figures_pairs.ROWS],
        "column_choices": [(each, name(each)) for each in figures_pairs.COLUMNS],
        "months": _offered(known, month, Month.of(now, zone)),
        "previous": month.plus(-1),
        "next": month.plus(1) if month < Month.of(now, zone) else None,
        "bases": figures.BASES,
        "dimensions": figures.DIMENSIONS,
        "few_below": figures.FEW,
        "small": SMALL,
        "attainment": asked.card.attainment if asked.is_signed else None,
    }
    return answer(request, "audit/audit.html", context)


def asked_for(request, key, *, of_days=False):
    """What the address asks of a month, as of now or as it was signed; `of_days`: some days will do, too."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    given = request.POST if request.method == "POST" else request.GET
    return answers(
        parse_period(key, now, zone) if of_days else parse_month(key, Month.of(now, zone)),
        basis=one_of(given.get("basis") or figures.PERIOD, figures.BASES),
        by=one_of(given.get("by") or "source", figures.DIMENSIONS),
        rows=one_of(given.get("rows") or figures_pairs.REASON, figures_pairs.ROWS),
        columns=one_of(given.get("columns") or "source", figures_pairs.COLUMNS),
        as_of=now, zone=zone, person=request.user,
    )  # fmt: skip


def any_month(key):
    """The month of `key`; no page for what is none."""
    try:
        return Month.parse(key)
    except ValueError:
        raise Http404("There is no such month.") from None


def parse_month(key, current):
    """The month of `key`; no page for what is not a month, or lies ahead."""
    month = any_month(key)
    if month > current:
        raise Http404("This month is still to come.")
    return month


def parse_period(key, now, zone):
    """The Month or the Span of an address; no page for what is neither, or is still to come."""
    try:
        period = periods.parse(key)
    except ValueError:
        raise Http404("There is no such month, and no such days.") from None
    if isinstance(period, Month):
        return parse_month(key, Month.of(now, zone))
    if period.last > now.astimezone(zone).date():
        raise Http404("These days are still to come.")
    return period


def one_of(value, allowed):
    if value not in allowed:
        raise Http404("There is no such view of the audit.")
    return value


def _last_full(now, zone):
    """The last month with data that is over; else the current one with data; else None."""
    before = Month.of(now, zone).begins(zone) - timedelta.resolution
    known = figures.months_with_data(as_of=before, zone=zone) or figures.months_with_data(as_of=now, zone=zone)
    return known and known[1]


def _offered(known, shown, current):
    """Months to pick from, the newest first: from the first with data to this one, and the one shown."""
    first = min(known[0], shown) if known else shown
    return [current.plus(-i) for i in range(min(MONTHS_OFFERED, first.until(current) + 1))]
