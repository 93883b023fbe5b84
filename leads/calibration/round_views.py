"""Doors of the rounds: the list, drawing one, marking a deal after the other, and what both marks say."""

import secrets

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.calibration import annotation, as_known
from leads.calibration.models import Mark, Round
from leads.calibration.models.annotation import ANSWERS
from leads.calibration.offers import with_question
from leads.calibration.round_forms import RoundForm
from leads.calibration.round_page import Page
from leads.intake.forms.builder.panels import QUESTION, address
from leads.intake.forms.models import Form
from leads.intake.forms.services.build import save_draft, start_draft
from leads.intake.forms.services.refusals import DraftMoved
from leads.periods import Month, Months
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla.services.definition import draft_definition
from sla.services.draft_refusals import Unusable

LIST, PAGE, MARKER = "calibration/rounds.html", "calibration/round.html", "calibration/mark.html"
SHOWN = 50
CHOICES = (("yes", "Yes", "y"), ("no", "No", "n"), ("unknown", "Unknown", "u"))


@require_GET
def rounds(request):
    """The rounds with how far each is; the form to draw one for those who may."""
    require(request.user, May.READ_ROUNDS)
    return answer(request, LIST, _list(request, RoundForm()))


@require_POST
def round_start(request):
    """Draw a round. Nobody chooses the seed: it would choose the deals."""
    require(request.user, May.START_ROUNDS)
    form, zone, now = RoundForm(request.POST), timezone.get_default_timezone(), timezone.now()
    if not form.is_valid():
        return invalid(request, LIST, _list(request, form))
    months = Months.until(Month.of(now, zone), form.cleaned_data["months"])
    try:
        made = annotation.start_round(
            months=months, seed=secrets.token_hex(4), by=request.user, at=now, zone=zone, **form.arguments()
        )
    except NotPermitted:
        raise
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return invalid(request, LIST, _list(request, form))
    return go(request, "round", made.number)


@require_GET
def round(request, number):
    """What was drawn and who is how far; what it says once both are done."""
    require(request.user, May.READ_ROUNDS)
    return answer(request, PAGE, _page(request, _round(number)))


@require_GET
def round_mark(request, number):
    """The next deal for this person; where they left off, whenever they come back."""
    require(request.user, May.ANNOTATE)
    made = _round(number)
    item = annotation.waiting_for(request.user, made).select_related("handoff__lead").first()
    return answer(request, MARKER, _marker(request, made, item), part="marker")


@require_http_methods(["GET", "HEAD", "POST"])
def round_item(request, number, position):
    """One deal: to mark, or to correct what one said of it."""
    require(request.user, May.ANNOTATE)
    made = _round(number)
    if not made.annotators.filter(person=request.user).exists():
        raise NotPermitted("Only the two people who were named mark this round.")
    item = get_object_or_404(made.items.select_related("handoff__lead"), position=position)
    if request.method != "POST":
        return answer(request, MARKER, _marker(request, made, item), part="marker")
    given = _given(request.POST, made)
    was_marked = item.marks.filter(marked_by=request.user).exists()
    try:
        annotation.mark_item(number=number, position=position, by=request.user, at=timezone.now(), **given)
    except NotPermitted:
        raise
    except Refusal as refusal:
        context = _marker(request, made, item, given) | {"wrong": refusal.sentence}
        return invalid(request, MARKER, context, part="marker")
    if not request.htmx:
        return go(request, "round" if was_marked else "round_mark", number)
    following = annotation.waiting_for(request.user, made).select_related("handoff__lead").first()
    return answer(request, MARKER, _marker(request, made, following), part="marker")


@require_POST
def round_draft(request, number):
    """Make what tells won from lost a rule in a draft of the definition, and open it."""
    require(request.user, May.EDIT_DEFINITION)
    made = _round(number)
    context = _page(request, made)
    page = context["page"]
    found = page.finding(request.POST.get("key", ""))
    offer = found and page.offer(found)
    if not (offer and offer.rule):
        wrong = "The marks have moved meanwhile, and with them what they say. Nothing was drafted."
        return overtaken(request, PAGE, context | {"wrong": wrong})
    try:
        draft = draft_definition(
            start_from=page.definition, changes=[{"add_rule": offer.rule}], by=request.user, at=page.as_of,
            summary=f"{offer.rule['label']} (round {made.number})"[:200],
        )  # fmt: skip
    except Unusable as refusal:
        return invalid(request, PAGE, context | {"wrong": refusal.sentence})
    return go(request, "definition_edit", draft.number)


@require_POST
def round_ask(request, number):
    """Put the question that no form asks into the draft of one, and open it there."""
    require(request.user, May.BUILD_FORMS)
    made = _round(number)
    context = _page(request, made)
    page = context["page"]
    found = page.finding(request.POST.get("key", ""))
    offer = found and page.offer(found)
    form = get_object_or_404(Form.objects.live(), slug=request.POST.get("form", ""))
    if offer is None or offer.fact:
        wrong = "The marks have moved meanwhile, and with them what they say. Nothing was asked."
        return overtaken(request, PAGE, context | {"wrong": wrong})
    who = {"form_id": form.pk, "by": request.user, "at": page.as_of}
    draft = start_draft(**who)
    document, place = with_question(draft.content, offer)
    try:
        save_draft(document=document, expects=draft.fingerprint, **who)
    except DraftMoved as refusal:
        return overtaken(request, PAGE, context | {"wrong": refusal.sentence})
    return go(request, address(form, QUESTION, str(place)))


def _round(number):
    return get_object_or_404(Round.objects.select_related("drawn_by"), number=number)


def _list(request, form):
    found = list(Round.objects.select_related("drawn_by")[:SHOWN])
    now = timezone.now()
    return {
        "rounds": [(each, Page(each, now), annotation.waiting_for(request.user, each).count()) for each in found],
        "form": form,
        "may_start": may(request.user, May.START_ROUNDS),
        "now": now,
    }


def _page(request, made):
    now = timezone.now()
    return {
        "page": Page(made, now),
        "round": made,
        "waiting": annotation.waiting_for(request.user, made).count(),
        "is_mine": made.annotators.filter(person=request.user).exists(),
        "sees_all": may(request.user, May.SEE_ALL_HANDOFFS),
        "may_draft": may(request.user, May.EDIT_DEFINITION),
        "forms": Form.objects.live().order_by("name") if may(request.user, May.BUILD_FORMS) else (),
        "now": now,
    }


def _marker(request, made, item, given=None):
    """Context of the marker: the deal as it was at the handoff, one's own answers, and how far one is."""
    if not made.annotators.filter(person=request.user).exists():
        raise NotPermitted("Only the two people who were named mark this round.")
    mine = Mark.objects.filter(item__round=made, marked_by=request.user, superseded_by=None)
    context = {"round": made, "done": mine.count(), "item": item, "now": timezone.now()}
    if item is None:
        return context
    standing = mine.filter(item=item).first()
    given = given or {"answers": {}, "signals": [], "words": ""}
    if standing and not any(given["answers"].values()):
        given = {"answers": standing.answers, "signals": standing.signals, "words": ", ".join(standing.tags)}
    asked = [question | {"given": given["answers"].get(question["key"], "")} for question in made.questions]
    before = mine.exclude(item=item).order_by("-marked_at", "-pk").values_list("item__position", flat=True).first()
    own = sorted({tag for tags in mine.values_list("tags", flat=True) for tag in tags})
    item.round = made
    return context | {
        "given": given, "asked": asked, "standing": standing, "known": as_known.shown(item), "own_tags": own,
        "choices": CHOICES, "previous": before,
    }  # fmt: skip


def _given(post, made):
    answers = {question["key"]: post.get(f"answer-{question['key']}", "") for question in made.questions}
    if any(value not in ("", *ANSWERS) for value in answers.values()):
        raise Http404("There is no such answer.")
    return {"answers": answers, "signals": post.getlist("signal"), "words": post.get("words", "")[:2000]}
