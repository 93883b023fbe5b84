"""The list behind any figure: handoffs by month, status, reason and origin, newest first."""

import datetime as dt
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures, periods, segments, selections
from leads.figures import Month
from leads.models import Handoff
from leads.models.deal import outcomes_known_to
from portal.accounts.models import User
from portal.accounts.permissions import May, may, require
from portal.shared import charts
from portal.shared.htmx import answer, wants_part
from sla.models import ReasonCode

PAGE = 50
DRILL = 10
COUNTED = 1000  # beyond it the count reads "1,000+"
STATUSES = ("undecided", "accepted", "rejected", "withdrawn")
WORDS = (
    *("qualified_month", "decided_month", "status", "category", "reason"), *figures.DIMENSIONS,
    *(f"not_{name}" for name in figures.DIMENSIONS), *selections.WORDS,
)  # fmt: skip
NUMBERED = ("owner", "definition", *selections.PEOPLE)  # words whose values are numbers


@require_GET
def leads(request):
    """The handoffs that the address selects, of those this person may see; the first few of them for a drill-down."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    filters, found = selected(request, now, zone)
    part = wants_part(request)
    page = _page(found, request.GET.get("after", ""), DRILL if part else PAGE)
    named = describe(filters)
    context = {
        "handoffs": page[: DRILL if part else PAGE],
        "count": found.order_by()[: COUNTED + 1].count(),
        "counted": COUNTED,
        "title": _title(filters),
        "named": [(name, value, _url(filters, without=key)) for key, name, value in named],
        "all_url": _url(filters),
        "next_url": None if part else _next(page, filters),
        "is_first": "after" not in request.GET,
        "limited": not may(request.user, May.SEE_ALL_HANDOFFS) and May.SEE_ALL_HANDOFFS.refusal,
        "filters": filters,
        "kept": [(key, value) for key, value in _pairs(filters) if key not in ("qualified_month", "status")],
        "months": [Month.of(now, zone).plus(-i) for i in range(24)],
        "statuses": STATUSES,
        "now": now,
    }
    return answer(request, "leads/leads.html", context, part="drill")


def selected(request, now, zone):
    """The filters of the address, and the handoffs they select of those this person may see."""
    if not may(request.user, May.WORK_INBOX):
        require(request.user, May.READ_AUDIT)
    filters = parse(request.GET)
    among = Handoff.objects.visible_to(request.user)
    if "deal" in filters:
        among = outcomes_known_to(request.user, among)
    found = figures.rows(filters, as_of=now, zone=zone, among=among)
    return filters, selections.narrow(found, filters, as_of=now, zone=zone)


def parse(query):
    """The filters (see figures.rows) of an address; an empty month or status is none. No page for other values."""
    filters = {}
    for key in WORDS:
        if key not in query:
            continue
        value = query[key]
        if key.endswith("_month"):
            filters |= {key: month_of(value)} if value else {}
        elif key in ("status", "category", "reason"):
            filters |= {key: value} if value else {}
        else:
            filters[key] = query.getlist(key) if key.startswith("not_") else value
    wrong = (
        filters.get("status", "accepted") not in STATUSES
        or filters.get("category", "fit") not in charts.CATEGORIES
        or not all(_is_number(value) for name in NUMBERED for value in _all(filters, name))
        or filters.get("definition") == ""
        or selections.is_wrong(filters)
        or any("\0" in str(value) for value in filters.values())
    )
    if wrong:
        raise Http404("There is no such list of leads.")
    return filters


def _all(filters, name):
    """The values of a dimension that the filters name, wanted or not."""
    return [*([filters[name]] if name in filters else []), *filters.get(f"not_{name}", [])]


def _is_number(value):
    return value == "" or (value.isdecimal() and len(value) <= 12)


def month_of(key):
    """The Month or Months or Span of days of an address; no page for what is none."""
    try:
        return periods.parse(key)
    except ValueError:
        raise Http404("There is no such month, and no such days.") from None


def describe(filters):
    """[(key, its name, its value in words)] of the filters that the title does not say."""
    said = []
    if category := filters.get("category"):
        said.append(("category", "Category", charts.CATEGORIES[category]))
    if code := filters.get("reason"):
        label = ReasonCode.objects.filter(code=code).order_by("-version_id").values_list("label", flat=True).first()
        said.append(("reason", "Reason", label or code))
    for key in figures.DIMENSIONS:
        if (value := filters.get(key)) is not None:
            said.append((key, key.capitalize(), _value(key, value)))
    for key in figures.DIMENSIONS:
        if others := filters.get(f"not_{key}"):
            said.append((f"not_{key}", key.capitalize(), f"none of the {len(others)} largest"))
    return said + selections.said(filters)


def _value(key, value):
    if value == "":
        return "none"
    if key == "owner":
        return User.objects.filter(pk=value).values_list("name", flat=True).first() or value
    if key == "segment":
        return segments.label(value)
    return f"v{value}" if key == "definition" else value


def _title(filters):
    status = filters.get("status")
    words = [f"{status.capitalize()} leads" if status else "Leads"]
    for key, verb in (("qualified_month", "qualified"), ("decided_month", "decided")):
        if month := filters.get(key):
            words.append(f"{verb} {month.when}")
    return ", ".join(words)


def _page(found, after, size):
    """One row more than `size` of the list, from behind `after` (as `_next` wrote it), newest first."""
    rows = found.select_related("lead", "owner", "tier", "reason", "standing_decision").defer(
        "breakdown", "lead__attributes"
    )
    if after:
        at, pk = _cursor(after)
        rows = rows.filter(Q(qualified_at__lt=at) | Q(qualified_at=at, pk__lt=pk), qualified_at__lte=at)
    return list(rows.order_by("-qualified_at", "-pk").fetch_mode(models.FETCH_RAISE)[: size + 1])


def _cursor(after):
    try:
        at, _, pk = after.rpartition("_")
        return dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC), int(pk)
    except ValueError:
        raise Http404("There is no such page of the list.") from None


def _next(page, filters):
    if len(page) <= PAGE:
        return None
    last = page[PAGE - 1]
    return _url(filters, after=f"{last.qualified_at.astimezone(dt.UTC).replace(tzinfo=None).isoformat()}_{last.pk}")


def _pairs(filters):
    return [
        (key, str(one)) for key, value in filters.items() for one in (value if isinstance(value, list) else [value])
    ]


def _url(filters, without=None, **more):
    return f"?{urlencode([*((k, v) for k, v in _pairs(filters) if k != without), *more.items()])}"
