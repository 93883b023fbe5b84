"""Privacy for admins: find a person, give out or erase what is known of them, and say how long leads are kept."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.models import Erasure, Lead, Retention
from leads.services.privacy import retention as keeping
from leads.services.privacy.erase import NobodyKnown, erase_person, known
from leads.services.privacy.export import export_person, find
from leads.services.privacy.holders import HOLDERS
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal
from sla import words

PAGE, ONE = "leads/privacy.html", "leads/privacy_lead.html"
SHOWN, COUNTED = 50, 1000


@require_GET
def privacy(request):
    """Who was forgotten lately, how long leads are kept; `who` (an address or a number) leads to a person."""
    require(request.user, May.FORGET_PEOPLE)
    who = request.GET.get("who", "").strip()
    if not who:
        return answer(request, PAGE, _context())
    try:
        lead = find(**_asked(who))
        if lead is None:
            raise NobodyKnown(f"No lead has the address {who}. What else is left of it can be erased below.")
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"who": who, "refusal": refusal, "is_address": "@" in who})
    return redirect("privacy_lead", lead.pk)


@require_POST
def leftovers(request):
    """Erase what is left of an address that no lead has, typed twice."""
    who, typed = (request.POST.get(name, "").strip() for name in ("who", "typed"))
    require(request.user, May.FORGET_PEOPLE)
    try:
        if typed != who:
            raise NobodyKnown("The two addresses differ. Nothing was changed.")
        erased = erase_person(email=who, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"who": who, "refusal": refusal, "is_address": "@" in who})
    messages.success(request, f"What was left of the address was erased: {_in_words(erased)}.")
    return redirect("privacy")


@require_http_methods(["GET", "POST"])
def privacy_lead(request, pk):
    """What is known of a person, part by part; a POST with the typed address erases it."""
    require(request.user, May.FORGET_PEOPLE)
    lead = get_object_or_404(Lead, pk=pk)
    if request.method == "GET":
        return answer(request, ONE, _of(lead))
    try:
        typed = request.POST.get("typed", "")
        erased = erase_person(lead_id=pk, typed=typed, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, ONE, _of(lead) | {"refusal": refusal, "typed": typed})
    withdrawn = " Its open handoff was withdrawn." if erased.withdrawn else ""
    messages.success(request, f"Lead {pk} was erased: {_in_words(erased)}.{withdrawn}")
    return redirect("privacy_lead", pk)


@require_GET
def privacy_export(request):
    """Everything that is known of a person (`who`: an address or a number), as a JSON file."""
    require(request.user, May.FORGET_PEOPLE)
    who = request.GET.get("who", "").strip()
    try:
        text = export_person(**_asked(who), by=request.user, at=timezone.now())
    except NobodyKnown as refusal:
        return invalid(request, PAGE, _context() | {"who": who, "refusal": refusal})
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="person.json"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def retention(request):
    """How long leads that came to nothing are kept."""
    given = {name: request.POST.get(name, "").strip() for name in ("unsold_days", "rejected_days")}
    try:
        chosen = {name: _days(text) for name, text in given.items()}
        keeping.set_retention(by=request.user, at=timezone.now(), **chosen)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"wrong_days": refusal, "given": given})
    messages.success(request, "Saved. The worker looks once an hour." if any(chosen.values()) else "Leads are kept.")
    return redirect("privacy")


def _asked(who):
    """An address or a number as the arguments of the verbs."""
    return {"lead_id": int(who)} if who.isascii() and who.isdigit() and len(who) < 18 else {"email": who}


def _days(text):
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise keeping.WrongDays
    return int(text) if text else None


def _context():
    now, kept = timezone.now(), Retention.objects.select_related("changed_by").first()
    return {
        "now": now,
        "erasures": Erasure.objects.select_related("erased_by")[:SHOWN],
        "count": Erasure.objects.count(),
        "retention": kept,
        "given": {name: (kept and getattr(kept, name)) or "" for name in ("unsold_days", "rejected_days")},
        "due": keeping.due(at=now)[: COUNTED + 1].count(),
        "counted": COUNTED,
        "fewest": keeping.FEWEST_DAYS,
    }


def _of(lead):
    person = known(lead)
    held = [(holder.section, holder.give(person)) for holder in HOLDERS] if lead.erased_at is None else []
    return {
        "lead": lead,
        "erasure": Erasure.objects.select_related("erased_by").filter(lead=lead).first(),
        "facts": _facts(lead),
        "consents": next((told for section, told in held if section == "Consents"), []),
        "sections": [(section, len(told)) for section, told in held if told and section not in ("Facts", "Consents")],
        "to_type": lead.email or lead.external_id or lead.pk,
        "open": lead.handoffs.undecided().first(),
        "handoff": lead.handoffs.order_by("-qualified_at").first(),
        "now": timezone.now(),
    }


def _facts(lead):
    """(label, value) of what is known of the lead itself."""
    told = lead.facts()
    own = sorted(told.pop("attributes").items())
    return [(words.field(name), value) for name, value in told.items() if value not in (None, "")] + own


def _in_words(erased):
    return ", ".join(f"{section.lower()} {rows:,}" for section, rows in erased.rows.items()) or "nothing was left"
