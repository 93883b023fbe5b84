"""Nurture for marketing: where every lead is, who is near the threshold and what lifts them, and what one can do."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from leads import places
from leads.models import Lead, Place
from leads.services import nurture as verbs
from leads.services.qualify import HANDED_OVER
from leads.views import nurture_rows as rows
from leads.views.nurture_lead import lead_page
from portal.accounts.permissions import May, may, require
from portal.shared import text
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted
from portal.shared.refusal import Refusal as Refused
from sla.models import SLAVersion

PAGE, LEAD = "leads/nurture.html", "leads/nurture_lead.html"
NEAR = (5, 10, 20)
COUNTED = 1000  # beyond it a count reads "1,000+"
TITLES = {
    places.NURTURE: "In nurture",
    rows.READY: "Lacks nothing, and waits",
    rows.RETURNS: "Coming back on a day",
    places.COOLING: "Cooling off",
    places.OPEN: "With sales",
    places.ACCEPTED: "Accepted",
    places.DISQUALIFIED: "Disqualified",
    places.SUSPECTED: "Suspected",
    places.ERASED: "Erased",
}
NOTES = {
    places.NURTURE: "below every tier",
    places.COOLING: "back from sales",
    places.OPEN: "not decided yet",
    places.ACCEPTED: "by sales",
    places.DISQUALIFIED: "not contacted again",
    places.SUSPECTED: "never scored",
    places.ERASED: "forgotten, and counted",
}


@require_GET
def nurture(request):
    """Every lead in its one place, and those of the place asked for (`?show=`)."""
    require(request.user, May.SEE_NURTURE)
    now = timezone.now()
    version = SLAVersion.objects.select_related("definition").in_force(at=now)
    cool_off = version.cool_off if version else places.NO_TIME
    show, filters = _asked(request.GET)
    found, cursor = rows.page(show, filters, request.GET.get("after", ""), at=now, version=version)
    counts = places.counts(at=now, cool_off=cool_off)
    kept = {"show": show, **filters}
    context = {
        "rows": found,
        "show": show,
        "title": TITLES[show],
        "filters": filters,
        "counts": counts,
        "tiles": [(TITLES[each], counts[each], NOTES[each], _url({"show": each}), each) for each in places.PLACES],
        "headline": _headline(counts),
        "reached": Place.objects.filter(place="nurture", missing=0, handed_over=False)[: COUNTED + 1].count(),
        "counted": COUNTED,
        "near": NEAR,
        "version": version,
        "works": may(request.user, May.WORK_NURTURE),
        "lists": [(TITLES[each], _url({"show": each}), each) for each in (places.NURTURE, rows.READY, rows.RETURNS)],
        "scored": show in rows.SCORED,
        "next_url": cursor and _url({**kept, "after": cursor}),
        "first_url": "after" in request.GET and _url(kept),
        "now": now,
    }
    return answer(request, PAGE, context)


@require_GET
def lead(request, pk):
    """One lead: where it is, what its evaluation came to rule by rule, what would lift it, when it comes back."""
    require(request.user, May.SEE_NURTURE)
    return answer(request, LEAD, lead_page(request, pk, timezone.now()))


@require_POST
def recycle(request, pk):
    """Move the day on which the lead comes back, or take it away."""
    require(request.user, May.WORK_NURTURE)
    now, given = timezone.now(), request.POST.get("recycle_on", "").strip()
    get_object_or_404(Lead, pk=pk)
    try:
        day = _day(given) if "clear" not in request.POST else None
        why = request.POST.get("why", "").replace("\0", "")
        lead = verbs.change_recycle_date(lead_id=pk, recycle_on=day, by=request.user, at=now, why=why)
    except NotPermitted:
        raise
    except Refused as refusal:
        return invalid(request, LEAD, lead_page(request, pk, now) | {"refusal": refusal, "given": given})
    said = f"comes back on {lead.recycle_on:%-d %B %Y}" if lead.recycle_on else "waits for its next event"
    messages.success(request, f"{lead.name} {said}.")
    return redirect("nurture_lead", pk)


@require_POST
def evaluate(request, pk):
    """Evaluate the lead now: what reaches a tier is with sales at once."""
    require(request.user, May.WORK_NURTURE)
    found, now = get_object_or_404(Lead, pk=pk), timezone.now()
    try:
        outcome = verbs.evaluate_lead(lead_id=pk, by=request.user, at=now)
    except NotPermitted:
        raise
    except Refused as refusal:
        return invalid(request, LEAD, lead_page(request, pk, now) | {"refusal": refusal})
    if outcome == HANDED_OVER:
        messages.success(request, f"{found.name} reached a tier and is with sales now.")
    else:
        messages.info(request, f"{found.name} was evaluated and stays where it is.")
    return redirect("nurture_lead", pk)


@require_POST
def evaluate_reached(request):
    """Hand over whoever lacks nothing any more."""
    count = verbs.evaluate_reached(by=request.user, at=timezone.now())
    leads = "1 lead is" if count == 1 else f"{text.thousands(count)} leads are"
    messages.success(request, f"{leads} being evaluated; those that reach a tier are with sales within seconds.")
    return redirect("nurture")


def _asked(query):
    """(the list asked for, its filters). No page for other values."""
    show = query.get("show") or places.NURTURE
    within = query.get("within", "")
    filters = {key: query[key].strip() for key in ("source", "q") if query.get(key, "").strip()}
    if within:
        filters["within"] = int(within) if within.isascii() and within.isdigit() and len(within) < 5 else None
    wrong = show not in TITLES or filters.get("within", 0) is None
    if wrong or any("\0" in str(value) or len(str(value)) > 200 for value in filters.values()):
        raise Http404("There is no such list of leads.")
    return show, filters


def _day(given):
    try:
        day = parse_date(given)
    except ValueError:
        day = None
    if day is None:
        raise verbs.WrongDay("Give the day as a date. Nothing was changed.")
    return day


def _headline(counts):
    near = Place.objects.filter(place="nurture", missing__range=(1, 10))[: COUNTED + 1].count()
    if not counts.all:
        return "No lead was captured yet"
    if not near:
        return "Nobody in nurture is near the threshold"
    many = f"{COUNTED:,}+" if near > COUNTED else text.in_words(near).capitalize()
    return f"{many} lead{' lacks' if near == 1 else 's lack'} ten points or fewer"


def _url(values):
    return f"?{urlencode(values)}"
