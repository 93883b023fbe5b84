"""The deals: what was won, lost or is open, by outcome, closing month, reason and origin; open ones first."""

import datetime as dt
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures
from leads.models import Deal
from leads.models.deal import LOSS_REASONS, are_outcomes_kept
from leads.periods import Month
from leads.views import leads as lists
from portal.accounts.permissions import May, may, require
from portal.shared import sheets
from portal.shared.htmx import answer

PAGE, COUNTED, MONTHS, READ_AT_ONCE = 50, 1000, 24, 2000
OUTCOMES = {name: label for name, label in Deal.Outcome.choices if name != Deal.Outcome.VOID}
OF_DEAL = ("outcome", "closed_month", "loss_reason", "product", "handoff")
OF_HANDOFF = ("qualified_month", *figures.DIMENSIONS)
NAMES = {"loss_reason": "Reason", "product": "Product", "handoff": "Handoff", "qualified_month": "Qualified"}
HANDOFF = {"none": "none", "undecided": "not accepted by sales", "accepted": "accepted by sales"}
HEAD = (
    "Deal", "Outside ID", "Lead", "Company", "Outcome", "Amount", "Currency", "Product", "Loss reason", "Opened",
    "Closed", "Handoff", "Source", "Campaign", "Tier", "Owner", "Recorded", "Recorded by", "Note",
)  # fmt: skip


@require_GET
def deals(request):
    """The deals that the address selects, of those this person may see."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    filters, found = _selected(request, now, zone)
    page = _page(found, request.GET.get("after", ""))
    shown = {"outcome", "closed_month", "loss_reason"}
    context = {
        "deals": page[:PAGE],
        "count": found.order_by()[: COUNTED + 1].count(),
        "counted": COUNTED,
        "title": _title(filters),
        "named": [(name, value, _url(filters, without=key)) for key, name, value in _describe(filters)],
        "all_url": _url(filters),
        "next_url": _url(filters, after=_cursor_of(page[PAGE - 1])) if len(page) > PAGE else None,
        "is_first": "after" not in request.GET,
        "left_out": may(request.user, May.ANNOTATE) and are_outcomes_kept(request.user),
        "limited": not may(request.user, May.SEE_ALL_HANDOFFS) and May.SEE_ALL_HANDOFFS.refusal,
        "filters": filters,
        "kept": [(key, value) for key, value in _pairs(filters) if key not in shown],
        "months": [Month.of(now, zone).plus(-i) for i in range(MONTHS)],
        "outcomes": OUTCOMES,
        "loss_reasons": _loss_reasons(filters),
        "figures": may(request.user, May.READ_AUDIT),
        "now": now,
    }
    return answer(request, "leads/deals.html", context)


@require_GET
def deals_export(request, form):
    """CSV or XLSX of the whole list, in the page's order."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    _, found = _selected(request, now, zone)
    return sheets.download(form, f"deals-{now.astimezone(zone):%Y-%m-%d}", HEAD, _rows(found, zone))


def narrowed(found, filters, *, as_of, zone):
    """Of a queryset of standing deals those that the filters select: the very deals behind a figure."""
    if outcome := filters.get("outcome"):
        found = found.filter(outcome=outcome)
    if month := filters.get("closed_month"):
        found = found.filter(closed_at__gte=month.begins(zone), closed_at__lt=month.ends(zone))
    for name in ("loss_reason", "product"):
        if name in filters:
            found = found.filter(**{name: filters[name]})
    if which := filters.get("handoff"):
        taken = Q(handoff__status="accepted")
        of = {"none": Q(handoff=None), "accepted": taken, "undecided": Q(handoff__isnull=False) & ~taken}
        found = found.filter(of[which])
    of_handoff = {name: filters[name] for name in OF_HANDOFF if name in filters}
    if of_handoff:
        found = found.filter(handoff__in=figures.rows(of_handoff, as_of=as_of, zone=zone))
    return found


def _selected(request, now, zone):
    require(request.user, May.SEE_DEALS)
    filters = _parse(request.GET)
    found = narrowed(Deal.objects.standing().visible_to(request.user), filters, as_of=now, zone=zone)
    return filters, found.order_by(models.F("closed_at").desc(nulls_first=True), "-pk")


def _parse(query):
    """The filters of an address; an empty choice is none. No page for other values."""
    filters = lists.parse({name: query[name] for name in OF_HANDOFF if name in query})
    for name in OF_DEAL:
        if value := query.get(name):
            filters[name] = lists.month_of(value) if name == "closed_month" else value
    wrong = (
        filters.get("outcome", "won") not in OUTCOMES
        or filters.get("handoff", "none") not in HANDOFF
        or any("\0" in str(value) for value in filters.values())
    )
    if wrong:
        raise Http404("There is no such list of deals.")
    return filters


def _describe(filters):
    """[(key, its name, its value in words)] of the filters that the title does not say."""
    said = []
    for key in ("loss_reason", "product", "handoff", "qualified_month"):
        if value := filters.get(key):
            words = {
                "loss_reason": lambda v: Deal(loss_reason=v).loss_reason_words,
                "handoff": HANDOFF.get,
                "qualified_month": lambda v: v.title,
            }
            said.append((key, NAMES[key], words.get(key, str)(value)))
    return said + lists.describe({k: v for k, v in filters.items() if k in figures.DIMENSIONS})


def _title(filters):
    words = [f"{OUTCOMES[filters['outcome']]} deals" if filters.get("outcome") else "Deals"]
    if month := filters.get("closed_month"):
        words.append(f"closed {month.when}")
    return ", ".join(words)


def _loss_reasons(filters):
    """{code: label} of the select: the codes of the house, and the one chosen."""
    chosen = filters.get("loss_reason")
    return LOSS_REASONS | ({chosen: Deal(loss_reason=chosen).loss_reason_words} if chosen else {})


def _joined(found):
    joined = found.select_related("lead", "handoff__owner", "handoff__tier", "recorded_by")
    return joined.defer("lead__attributes", "handoff__breakdown").fetch_mode(models.FETCH_RAISE)


def _page(found, after):
    """One row more than a page of the list, from behind `after` (as `_cursor_of` wrote it)."""
    if after:
        at, pk = _cursor(after)
        if at is None:
            found = found.filter(Q(closed_at=None, pk__lt=pk) | Q(closed_at__isnull=False))
        else:
            found = found.filter(Q(closed_at__lt=at) | Q(closed_at=at, pk__lt=pk), closed_at__lte=at)
    return list(_joined(found)[: PAGE + 1])


def _cursor(after):
    try:
        at, _, pk = after.rpartition("_")
        return (None if at == "open" else dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)), int(pk[:18])
    except ValueError:
        raise Http404("There is no such page of the list.") from None


def _cursor_of(deal):
    at = deal.closed_at
    return f"{at.astimezone(dt.UTC).replace(tzinfo=None).isoformat() if at else 'open'}_{deal.pk}"


def _rows(found, zone):
    local = lambda moment: moment and moment.astimezone(zone)  # noqa: E731
    for deal in _joined(found).iterator(chunk_size=READ_AT_ONCE):
        handoff = deal.handoff
        yield (
            deal.pk, deal.external_id, deal.lead.name, deal.lead.company, deal.get_outcome_display(), deal.amount,
            deal.currency, deal.product, deal.loss_reason, local(deal.opened_at), local(deal.closed_at),
            handoff and handoff.pk, handoff and handoff.source, handoff and handoff.campaign,
            handoff and handoff.tier and handoff.tier.name, handoff and handoff.owner and handoff.owner.name,
            local(deal.recorded_at), deal.recorded_by and deal.recorded_by.name, deal.note,
        )  # fmt: skip


def _pairs(filters):
    return [(key, str(value)) for key, value in filters.items()]


def _url(filters, without=None, **more):
    return f"?{urlencode([*((k, v) for k, v in _pairs(filters) if k != without), *more.items()])}"
