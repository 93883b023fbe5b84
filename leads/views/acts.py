"""The acts on one lead: log a contact, accept, reject, undo, take up; each a form, each one call of a verb."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.forms import ContactForm, RejectForm, earliest_return
from leads.models import Handoff, Lead
from leads.models.lead import FACTS
from leads.plan import FREE_MAIL
from leads.services.assign import take_up_handoff
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.refusals import AlreadyDecided, NothingToUndo
from leads.services.touch import log_touch
from leads.views import inbox_list as left
from leads.views import inbox_pane as right
from leads.views.inbox import PAGE, chrome, listing, mine, page
from leads.views.inbox_rows import OOB, chip, due_words
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from portal.shared.templatetags.handoff import icon
from sla.models import Category, ReasonCode

TELLING = 4  # letters of a company's first word, from which on it says which company
CONTACT, REJECT = "leads/inbox_contact.html#panel", "leads/inbox_reject.html#panel"


@require_POST
def accept(request, pk):
    """Accept; the next lead comes by itself."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    try:
        decision = accept_handoff(handoff_id=pk, by=request.user, at=now, note=request.POST.get("note", "")[:2000])
    except Refusal as refusal:
        return _refused(request, pk, refusal, now)
    return _decided(request, decision, "Accepted.", "is now an SQL.", now)


@require_http_methods(["GET", "POST"])
def reject(request, pk):
    """GET: the palette of reasons. POST: reject with one of them."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    if request.method == "GET":
        handoff = mine(request, pk)
        context = page(request, now, handoff, **palette(request.user, handoff, RejectForm(), now))
        return answer(request, PAGE, context, part=REJECT)
    form = RejectForm(request.POST)
    try:
        if not form.is_valid():
            return _reject_again(request, pk, form, now)
        decision = reject_handoff(handoff_id=pk, by=request.user, at=now, **form.facts())
    except (AlreadyDecided, NotPermitted) as refusal:
        return _refused(request, pk, refusal, now)
    except Refusal as refusal:
        return _reject_again(request, pk, form, now, refusal)
    return _decided(request, decision, "Rejected.", f"went back to marketing: {decision.reason.label}.", now)


def _reject_again(request, pk, form, now, refusal=None):
    handoff = mine(request, pk)
    wrong = refusal.sentence if refusal else " ".join(e for errors in form.errors.values() for e in errors)
    more = palette(request.user, handoff, form, now) | {"wrong": wrong, "code": refusal.code if refusal else "invalid"}
    more["at_fault"] = refusal.field if refusal else next(iter(form.errors))
    return invalid(
        request, PAGE, page(request, now, handoff, **more), part=REJECT, HX_Retarget="#actions", HX_Reswap="outerHTML"
    )


def palette(user, handoff, form, now):
    """Context of the reject panel: the version's reasons by category and the choices of their details."""
    given = form.data if form.is_bound else {}
    reasons = list(ReasonCode.objects.offered().filter(version=handoff.sla_version_id).order_by("code"))
    known = [(name, name.replace("_", " ").capitalize()) for name in (*FACTS, *handoff.lead.attributes)]
    other = str(given.get("duplicate_of", ""))
    return {
        "panel": "reject",
        "form": form,
        "given": given,
        "categories": [
            (c, c.label, [reason for reason in reasons if reason.category == c], c.value) for c in Category
        ],
        "known_fields": known,
        "signals": right.fired(handoff),
        "attempts": handoff.attempts_before_unreachable,
        "earliest": earliest_return(now).isoformat(),
        "matches": _matches(user, handoff, given.get("q", "")) if other or given.get("q") else [],
    }


@require_GET
def duplicates(request, pk):
    """Records this lead might duplicate: of the same words, the newest first; see _matches."""
    require(request.user, May.WORK_INBOX)
    handoff = mine(request, pk)
    found = _matches(request.user, handoff, request.GET.get("q", ""))
    context = {"handoff": handoff, "matches": found, "asked": True, "given": {}}
    return answer(request, "leads/inbox_reject.html#matches", context)


def _matches(user, handoff, words):
    """Leads with these words, of those that the person sees, or that look like this one: no book of addresses."""
    words = words.strip().replace("\0", "")[:120]
    if len(words) < 2:
        return []
    found = Q(company__icontains=words) | Q(email__icontains=words) | Q(external_id=words)
    for part in words.split()[:3]:
        found |= Q(first_name__iexact=part) | Q(last_name__istartswith=part)
    if words.isascii() and words.isdigit() and len(words) < 19:
        found |= Q(pk=int(words))
    rows = Lead.objects.filter(found).exclude(pk=handoff.lead_id)
    if not may(user, May.SEE_ALL_HANDOFFS):
        rows = rows.filter(_alike(handoff.lead) | Q(pk__in=Handoff.objects.visible_to(user).values("lead")))
    return list(rows.order_by("-pk")[:8])


def _alike(lead):
    """Leads of the same last name, phone or website, or of the same company by its first word or its mail."""
    found, host = Q(pk=None), (lead.email or "").rpartition("@")[2].lower()
    for name in ("last_name", "phone", "domain"):
        if value := getattr(lead, name):
            found |= Q(**{f"{name}__iexact": value})
    if lead.company.strip():
        first = lead.company.split()[0]
        found |= Q(company__istartswith=first) if len(first) >= TELLING else Q(company__iexact=lead.company)
    return found | Q(email__iendswith=f"@{host}") if host and host not in FREE_MAIL else found


@require_http_methods(["GET", "POST"])
def contact(request, pk):
    """GET: the small form. POST: log the attempt; the lead stays, its clock stands still."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    if request.method == "GET":
        context = page(request, now, mine(request, pk), panel="contact", form=ContactForm())
        return answer(request, PAGE, context, part=CONTACT)
    form = ContactForm(request.POST)
    try:
        if not form.is_valid():
            return _contact_again(request, pk, form, now, "Correct what is marked. Nothing was saved.", "invalid")
        log_touch(handoff_id=pk, by=request.user, at=now, **form.facts())
    except (AlreadyDecided, NotPermitted) as refusal:
        return _refused(request, pk, refusal, now)
    except Refusal as refusal:
        return _contact_again(request, pk, form, now, refusal.sentence, refusal.code)
    return _contacted(request, pk, now)


def _contact_again(request, pk, form, now, wrong, code):
    context = page(request, now, mine(request, pk), panel="contact", form=form, wrong=wrong, code=code)
    return invalid(request, PAGE, context, part=CONTACT, HX_Retarget="#actions", HX_Reswap="outerHTML")


def _contacted(request, pk, now):
    if not wants_part(request):
        messages.success(request, "Contact logged.")
        return redirect(_here(request, pk))
    handoff = mine(request, pk)
    context = page(request, now, handoff, **_around(request, now)) | {
        "toast": {"title": "Contact logged.", "text": f"{handoff.lead.name}: the contact clock stands still."},
        "touched": handoff,
        "touched_chip": chip(pk, "ok", icon("check"), "contacted", OOB),
        "due_words": due_words("decide", handoff.next_due_at, now, timezone.get_default_timezone()),
    }
    return answer(
        request, PAGE, context, part="lead", also=("counts", "touched_row", "leads/inbox_toast.html#toasts"),
        push_url=_here(request, pk),
    )  # fmt: skip


@require_GET
def actions(request, pk):
    """The bar of acts again, when a panel is closed."""
    require(request.user, May.WORK_INBOX)
    context = page(request, timezone.now()) | {"handoff": mine(request, pk)}
    if not wants_part(request):
        return redirect(_here(request, pk))
    return answer(request, PAGE, context, part="actions")


@require_POST
def undo(request, pk):
    """Take the standing decision back within the agreement's window; the lead is in the inbox again."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    try:
        reopen_handoff(handoff_id=pk, by=request.user, at=now)
    except Refusal as refusal:
        return _refused(request, pk, refusal, now)
    if not wants_part(request):
        messages.success(request, "Undone: the lead is open again.")
        return redirect(_here(request, pk))
    context = page(request, now, mine(request, pk)) | listing(request, now, current=pk) | {"opened": True}
    return answer(
        request,
        PAGE,
        context,
        part="lead",
        also=("list", "leads/inbox_toast.html#toasts"),
        push_url=_here(request, pk),
    )


@require_POST
def take_up(request, pk):
    """Bring undecided imported history into one's own inbox; its clocks start now."""
    require(request.user, May.WORK_INBOX)
    get_object_or_404(Handoff.objects.visible_to(request.user), pk=pk)
    try:
        take_up_handoff(handoff_id=pk, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
        return go(request, "handoff", pk=pk)
    messages.success(request, "Taken up: its clocks run from now.")
    return go(request, "inbox_lead", pk=pk)


def _here(request, pk):
    return reverse("inbox_lead", args=[pk]) + left.Filters.of(request.GET).query()


def _around(request, now):
    """The counts and the sentence as they are now: one query."""
    asked = left.Filters.of(request.GET)
    return chrome(request, asked, left.counts(request.user, asked, now), now)


def _decided(request, decision, title, words, now):
    """The next lead, the row gone, new counts, and the toast that undoes it."""
    handoff = decision.handoff
    asked = left.Filters.of(request.GET)
    following, numbers = left.following(request.user, asked, now, (handoff.next_due_at, handoff.pk))
    around = chrome(request, asked, numbers, now)
    url = reverse("inbox_lead", args=[following.pk]) if following else reverse("inbox")
    url += around["query"]
    if not wants_part(request):
        said = '{} {} {} <a href="{}">Open it to undo this.</a>'
        messages.success(request, format_html(said, title, handoff.lead.name, words, _here(request, handoff.pk)))
        return redirect(url)
    toast = {
        "title": title,
        "text": f"{handoff.lead.name} {words}",
        "undo_url": reverse("inbox_undo", args=[handoff.pk]) + around["query"],
        "undo_target": "#lead",
    }
    context = page(request, now, following, **around) | {"gone": handoff.pk, "toast": toast}
    return answer(
        request, PAGE, context, part="lead", also=("counts", "gone_row", "leads/inbox_toast.html#toasts"), push_url=url
    )


def _refused(request, pk, refusal, now):
    """Someone else's lead does not exist for this person; decided meanwhile is 409 with the lead as it now is."""
    handoff = right.with_pane(Handoff.objects.workable_by(request.user)).filter(pk=pk).first()
    if handoff is None:
        raise Http404
    if isinstance(refusal, NotPermitted):
        raise refusal
    faster = isinstance(refusal, (AlreadyDecided, NothingToUndo))
    context = page(request, now, handoff, wrong=refusal.sentence, code=refusal.code, **_around(request, now))
    if not wants_part(request):
        context |= listing(request, now)
    also = ("counts",) if handoff.is_open else ("counts", "gone_row")
    say = overtaken if faster else invalid
    return say(
        request, PAGE, context | {"gone": pk}, part="lead", also=also, HX_Retarget="#lead", HX_Reswap="outerHTML"
    )
