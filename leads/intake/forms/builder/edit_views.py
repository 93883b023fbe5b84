"""The doors of the builder: open a panel, keep what it says, and the acts that change the order of things."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_POST

from leads.intake.forms.builder import changes, edit, mapping, panels, present
from leads.intake.forms.models import Form
from leads.intake.forms.services.build import publish_version, save_draft
from leads.intake.forms.services.refusals import DraftMoved, HasFaults, NothingNew
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "intake/form_builder.html"
SHOWS_FRAMES = csp_override(settings.SECURE_CSP | {"frame-src": [CSP.SELF]})
LIVING = ("outline", "faults", "preview")  # what follows every change


def of_draft(view):
    """A door to a form's draft: for those who build; without a draft, back to the form's page."""

    @wraps(view)
    def with_draft(request, slug, **kwargs):
        require(request.user, May.BUILD_FORMS)
        form = get_object_or_404(Form, slug=slug)
        draft = None if form.is_retired else form.versions.draft()
        if draft is None:
            messages.info(request, "No draft of this form is open. Begin one from a version.")
            return redirect("form", slug)
        try:
            return view(request, form, draft, **kwargs)
        except LookupError:
            raise Http404("The draft has no such part.") from None

    return with_draft


@require_http_methods(["GET", "HEAD"])
@SHOWS_FRAMES
@of_draft
def form_edit(request, form, draft):
    """The builder, with the first question open."""
    return _show(request, form, draft, panels.QUESTION if edit.questions_of(draft.content) else panels.PAGE, "1")


@require_http_methods(["GET", "HEAD", "POST"])
@SHOWS_FRAMES
@of_draft
def form_edit_part(request, form, draft, part, key):
    """One panel of the builder: a question, its conditions, a page, a skip, the thank-yous or the form's own texts."""
    if part not in panels.PARTS:
        raise Http404("The draft has no such part.")
    if request.method != "POST":
        return _show(request, form, draft, part, key)
    change = changes.read(request.POST, form, draft.content, part, key)
    if change.lacks:
        return _unsaved(request, form, draft, change)
    return _keep(request, form, change)


@require_POST
@of_draft
def form_edit_act(request, form, draft):
    """Add, move, copy or delete a question or a page; the whole builder is drawn again."""
    change = changes.act(request.POST, draft.content)
    return _keep(request, form, change, builder=True)


@require_POST
@SHOWS_FRAMES
@of_draft
def form_publish(request, form, draft):
    """Publish the draft: visitors are given it from now on."""
    try:
        version = publish_version(form_id=form.pk, by=request.user, at=timezone.now(), expects=_seen(request))
    except NotPermitted:
        raise
    except DraftMoved as refusal:
        return overtaken(request, PAGE, _context(request, form, draft, panels.TEXT, "form") | {"refusal": refusal})
    except (HasFaults, NothingNew, Refusal) as refusal:
        return invalid(request, PAGE, _context(request, form, draft, panels.TEXT, "form") | {"refusal": refusal})
    messages.success(request, f"Version {version.number} is published: visitors are given it from now on.")
    return redirect("form", form.slug)


def _keep(request, form, change, *, builder=False):
    """Save the draft, and answer with what follows from it."""
    try:
        draft = save_draft(
            form_id=form.pk, document=change.document, by=request.user, at=timezone.now(),
            expects=_seen(request),
        )  # fmt: skip
    except NotPermitted:
        raise
    except DraftMoved as refusal:
        return _moved(request, form, refusal)
    except Refusal as refusal:
        return _refused(request, form, refusal, change)
    if not wants_part(request):
        return redirect(panels.address(form, change.part, change.key))
    context = _context(request, form, draft, change.part, change.key) | {"saved": True, "fresh": change.fresh}
    if builder:
        return answer(request, PAGE, context, part="builder", push_url=context["here"])
    if change.whole:
        also = ("saved", *LIVING)
        retarget = {"HX_Retarget": "#panel", "HX_Reswap": "outerHTML"}
        return answer(request, PAGE, context, part="panel", also=also, push_url=context["here"], **retarget)
    return answer(request, PAGE, context, part="saved", also=LIVING)


def _show(request, form, draft, part, key):
    context = _context(request, form, draft, part, key)
    return answer(request, PAGE, context, part="panel", also=LIVING, push_url=context["here"])


def _moved(request, form, refusal):
    """409: somebody else changed the draft; the builder as it is now."""
    draft = form.versions.draft()
    part, key = (panels.QUESTION, "1") if edit.questions_of(draft.content) else (panels.PAGE, "1")
    context = _context(request, form, draft, part, key) | {"refusal": refusal}
    return overtaken(request, PAGE, context, part="builder", HX_Retarget="#builder", HX_Reswap="outerHTML")


def _refused(request, form, refusal, change):
    """422: what was typed cannot be kept; it stays on the page as it was typed."""
    draft = form.versions.draft()
    context = _context(request, form, draft, change.part, change.was) | {"refusal": refusal, "wrong": _field(refusal)}
    return invalid(request, PAGE, context, part="saved")


def _unsaved(request, form, draft, change):
    """200: a condition that still lacks what to compare with, drawn and not kept."""
    context = _context(request, form, draft, change.part, change.was)
    context["panel"] |= {"tree": change.lacks, "lacks": True}
    retarget = {"HX_Retarget": "#panel", "HX_Reswap": "outerHTML"}
    return answer(request, PAGE, context, part="panel", **retarget)


def _context(request, form, draft, part, key):
    now = timezone.now()
    known = mapping.terms(at=now)
    return present.builder(form, draft, known=known, part=part, key=key, at=now) | {
        "now": now,
        "has_published": form.versions.published().exists(),
    }


def _seen(request):
    """The fingerprint of the draft that the page showed; what htmx swapped in may hold an older one as `seen`."""
    return request.POST.get("expects") or request.POST.get("seen", "")


def _field(refusal):
    """The name of the input at fault: the last part of its place in the document."""
    return (refusal.field or "").rpartition(".")[2]
