"""What the cases say of the agreement, for its pages: handoffs that stay on a version, the rate over the versions."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures
from leads.models import Handoff
from portal.accounts.permissions import May, require
from portal.shared import charts, text
from portal.shared.htmx import answer
from sla.models import SLAVersion
from sla.models.state import standings

MONTHS = 13


@require_GET
def agreement_open(request, number):
    """How many open handoffs keep the terms of this version, whatever comes into force."""
    require(request.user, May.READ_AGREEMENT)
    version = get_object_or_404(SLAVersion, number=number)
    count = Handoff.objects.undecided().filter(sla_version=version).count()
    context = {"version": version, "count": count}
    return answer(request, "leads/agreement_open.html", context, part="stay")


@require_GET
def agreement_trend(request):
    """The rate by month with each version drawn where it began, and the numbers beside it."""
    require(request.user, May.READ_AUDIT)
    now, zone = timezone.now(), timezone.get_default_timezone()
    known = figures.months_with_data(as_of=now, zone=zone)
    context = {"months": [], "chart": None}
    if known:
        last = known[1]
        shown = min(MONTHS, known[0].until(last) + 1)
        series = figures.series(last, shown, basis="period", as_of=now, zone=zone)
        begun = _beginnings(now, zone, series)
        context = {"months": [(one, begun.get(i)) for i, one in enumerate(series)], "chart": _chart(series, begun)}
    return answer(request, "leads/agreement_trend.html", context, part="trend")


def _beginnings(now, zone, series):
    """{index of the month: "v3"} of the versions that began in one of the months."""
    begun, first = {}, series[0].month
    for stands in reversed(standings(at=now)):
        if stands.begins_at and stands.begins_at <= now:
            place = first.until(figures.Month.of(stands.begins_at, zone))
            if 0 <= place < len(series):
                begun[place] = ", ".join(filter(None, [begun.get(place), f"v{stands.version.number}"]))
    return begun


def _chart(series, begun):
    months = [_month(one) for one in series]
    rate = series[-1].rate
    said = f"{text.percent(rate.value)} in the last month" if rate else "no rate in the last month"
    versions = f" Versions that began: {', '.join(begun.values())}." if begun else ""
    label = f"Share of MQLs accepted by month, with 95 % intervals: {said}.{versions}"
    return charts.trend(months, label=label, marks=sorted(begun.items()))


def _month(one):
    rate = one.rate
    if rate is None or rate.low is None:
        return charts.MonthRate(one.month.first, None)
    return charts.MonthRate(one.month.first, rate.value, rate.low, rate.high, rate.n)
