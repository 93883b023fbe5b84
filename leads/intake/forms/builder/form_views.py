"""The list of forms, and what is done with a whole form: begin, settings, drafts, retire, compare."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.intake.forms.builder import compare, inputs
from leads.intake.forms.models import Form
from leads.intake.forms.services import build as verbs
from leads.intake.forms.services.refusals import SettingsWrong
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

LIST, SETTINGS = "intake/form_list.html", "intake/form_settings.html"
COUNTS = ("minimum_seconds", "most_per_address", "most_per_mailbox")


@require_POST
def form_new(request):
    """Begin a form; its builder opens."""
    require(request.user, May.BUILD_FORMS)
    try:
        form = verbs.create_form(name=request.POST.get("name", ""), by=request.user, at=timezone.now())
    except SettingsWrong as refusal:
        messages.error(request, refusal.sentence)
        return redirect("form_list")
    return redirect("form_edit", form.slug)


@require_POST
def form_draft(request, slug):
    """Begin a draft as the version `number`, or as the published one; an open draft is gone on with."""
    form, number = _form(request, slug), request.POST.get("number", "")
    start = int(number) if number.isdigit() and len(number) < 9 else None
    return _done(request, form, "form_edit", lambda who: verbs.start_draft(form_id=form.pk, start_from=start, **who))


@require_POST
def form_discard(request, slug):
    form = _form(request, slug)
    verb = lambda who: verbs.discard_draft(form_id=form.pk, by=who["by"])  # noqa: E731
    return _done(request, form, "form", verb, "The draft is gone; the published version is as it was.")


@require_POST
def form_retire(request, slug):
    form = _form(request, slug)
    verb = lambda who: verbs.retire_form(form_id=form.pk, **who)  # noqa: E731
    return _done(request, form, "form", verb, f"{form.name} is closed. What was sent stays.")


@require_POST
def form_reopen(request, slug):
    form = _form(request, slug)
    verb = lambda who: verbs.reopen_form(form_id=form.pk, by=who["by"])  # noqa: E731
    return _done(request, form, "form", verb, f"{form.name} is open again.")


@require_http_methods(["GET", "HEAD", "POST"])
def form_settings(request, slug):
    """What no version says: name, hosts, thresholds of suspicion."""
    form = _form(request, slug)
    given = request.POST if request.method == "POST" else None
    context = {"form": form, "values": _values(form, given)}
    if given is None:
        return answer(request, SETTINGS, context)
    try:
        verbs.change_settings(form_id=form.pk, settings=_settings(given), by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, SETTINGS, context | {"refusal": refusal})
    messages.success(request, "The settings are kept; they count at once.")
    return redirect("form", slug)


@require_GET
def form_compare(request, slug, number, other):
    """What version `other` says otherwise than version `number`."""
    require(request.user, May.SEE_FORMS)
    form = get_object_or_404(Form, slug=slug)
    old, new = (get_object_or_404(form.versions, number=each) for each in (number, other))
    numbers = list(form.versions.order_by("-number").values_list("number", flat=True))
    context = {
        "form": form, "old": old, "new": new, "numbers": numbers,
        "differences": compare.differences(old.content, new.content), "builds": may(request.user, May.BUILD_FORMS),
    }  # fmt: skip
    return answer(request, "intake/form_compare.html", context)


def _form(request, slug):
    require(request.user, May.BUILD_FORMS)
    return get_object_or_404(Form, slug=slug)


def _done(request, form, to, verb, said=None):
    """Call a verb and leave for a page; a refusal is said there."""
    try:
        verb({"by": request.user, "at": timezone.now()})
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
        return redirect("form", form.slug)
    if said:
        messages.success(request, said)
    return redirect(to, form.slug)


def _settings(post):
    counts = {name: int(text) if (text := post.get(name, "").strip()).isdigit() and len(text) < 9 else -1
              for name in COUNTS}  # fmt: skip
    hosts = {name: inputs.lines(post.get(name, "")) for name in ("embed_hosts", "redirect_hosts")}
    return verbs.FormSettings(name=post.get("name", "").strip(), **hosts, **counts)


def _values(form, post):
    """What stands in the fields: what was typed, else what is kept."""
    if post is not None:
        return {name: post.get(name, "") for name in ("name", "embed_hosts", "redirect_hosts", *COUNTS)}
    hosts = {name: "\n".join(getattr(form, name)) for name in ("embed_hosts", "redirect_hosts")}
    return {"name": form.name, **hosts, **{name: getattr(form, name) for name in COUNTS}}
