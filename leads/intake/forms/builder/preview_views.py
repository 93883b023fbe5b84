"""A version tried out: the very pages that visitors get, and at the end what the answers are worth; never kept."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.intake.forms.builder import mapping
from leads.intake.forms.builder.edit_views import SHOWS_FRAMES
from leads.intake.forms.models import Form, Submission
from leads.intake.forms.public import present, visit
from leads.intake.forms.public.views import OPENED, PAGE
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid

END = "intake/form_preview_end.html"
IN_FRAME = csp_override(settings.SECURE_CSP | {"frame-ancestors": [CSP.SELF]})


@require_GET
@SHOWS_FRAMES
def form_preview(request, slug, number):
    """The version on a phone and on a desk, side by side."""
    require(request.user, May.SEE_FORMS)
    version = _version(slug, number)
    return answer(request, "intake/form_preview.html", {"form": version.form, "version": version})


@csrf_exempt  # nothing is written, and a frame's page looks as visitors see it
@xframe_options_sameorigin
@IN_FRAME
@require_http_methods(["GET", "POST"])
def form_preview_frame(request, slug, number):
    """A page of the version (`?page=` its key); what is sent brings the next page, or what it would come to."""
    require(request.user, May.SEE_FORMS)
    version = _version(slug, number)
    here = _visit(request, version)
    if request.method != "POST":
        return _show(request, here, request.GET.get("page", ""))
    page = visit.page_asked(request, here)
    walked = here.walk(until=page)
    page = page if page in walked.pages else walked.pages[-1]
    if request.POST.get("_go") == "back":
        return _show(request, here, walked.pages[max(walked.pages.index(page) - 1, 0)])
    if opened := visit.unseen(request, here, walked, page):
        return _show(request, here, page, notice=OPENED, focus=opened[0])
    if wrong := visit.first_wrong(walked):
        return _show(request, here, wrong, errors=True, answers=invalid)
    if walked.next_page:
        return _show(request, here, walked.next_page)
    return _end(request, here, walked)


@csrf_exempt
@require_POST
def form_preview_part(request, slug, number):
    """htmx: the questions that the answer just given opens or shuts."""
    require(request.user, May.SEE_FORMS)
    here = _visit(request, _version(slug, number))
    walked, page = here.walk(), visit.page_asked(request, here)
    fields = present.changed(here.content, walked, here.posted, page, request.POST.getlist("_shown"))
    context = {
        **_addresses(here), "fields": fields, "opened": [field for field in fields if field.asked],
        "mail": present.mail(here.content, walked, here.posted, request.GET.get("at", "")),
        "sent": present.sent(here.content), "oob": True,
    }  # fmt: skip
    return answer(request, f"{PAGE}#slots", context)


def _version(slug, number):
    form = get_object_or_404(Form, slug=slug)
    return get_object_or_404(form.versions.select_related("form"), number=number)


def _visit(request, version):
    content = version.as_content()
    return visit.Visit(version, content, None, Submission.Via.HOSTED, visit.texts_of(request, content))


def _show(request, here, page, *, errors=False, notice="", focus="", answers=answer):
    walked = here.walk()
    page = page if page in walked.pages else walked.pages[0]
    step = present.step(here.content, walked, here.posted, page, errors=errors)
    context = {**_addresses(here), "content": here.content, "step": step, "notice": notice, "focus": focus}
    return answers(request, PAGE, context, part="form")


def _end(request, here, walked):
    """What a visitor would read, and what the answers would be worth; nothing was taken in."""
    now, version = timezone.now(), here.version
    known = mapping.terms(at=now)
    scored = mapping.score(known, here.content, walked.kept, slug=version.form.slug, number=version.number, at=now)
    outcome, tier = (scored.outcome, scored.tier) if scored else ("nurture", None)
    context = {
        **_addresses(here), "content": here.content, "thanks": here.content.thanks_for(outcome, tier),
        "scored": scored, "known": known, "fired": [r for r in scored.evaluation.rules if r.fired] if scored else [],
    }  # fmt: skip
    return answer(request, END, context, part="end")


def _addresses(here):
    of = [here.form.slug, here.version.number]
    return {
        "form": here.form,
        "action": reverse("form_preview_frame", args=of),
        "part_url": reverse("form_preview_part", args=of),
        "framed": True,
    }
