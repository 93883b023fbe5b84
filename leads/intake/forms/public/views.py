"""What visitors see of a form: page by page, unfolding in place with htmx, in a frame, and the thank-you."""

from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leads.intake.forms.models import Form, Submission
from leads.intake.forms.public import limits, present, tokens, visit
from leads.intake.forms.services.build import may_send_to
from leads.intake.forms.services.progress import note_progress
from leads.intake.forms.services.refusals import AlreadySent, AnswersIncomplete, FormRetired
from leads.intake.forms.services.submit import Sent, submit_form
from leads.intake.forms.services.thanks import thanks_of
from leads.visitors import known_at, sender_token, visitor_token
from portal.shared.htmx import answer, go, invalid, nothing, overtaken, wants_part
from portal.shared.middleware import at_most

PAGE = "intake/form_public.html"
MOST_BYTES = 256 * 1024
HONEYPOT = "homepage_url"
HOSTED, IFRAME, SNIPPET = Submission.Via
RULE = Submission.Rule
TOO_OLD = "This page was open for more than a day. Please look at your answers once more and send them again."
NOT_OURS = "We could not tell where this page came from. Please look at your answers once more and send them again."
OPENED = "One of your answers opened another question."
CHECK_MAIL = "Please check your e-mail address. If it is right, just go on."
FROM_ELSEWHERE = "Please look at your answers once more, then send them."


def public(view):
    """A door without a session: no sign-in, no CSRF cookie (the page's signed token stands for it), small bodies."""
    return login_not_required(csrf_exempt(at_most(MOST_BYTES)(never_cache(_with_policy(view)))))


def _with_policy(view):
    """The form's own content policy: whom it lets frame it, and where its thank-you may send people."""

    @wraps(view)
    def with_policy(request, slug, **kwargs):
        form = get_object_or_404(Form, slug=slug)
        framed = view.__name__.startswith("form_embed")
        return csp_override(policy(form, framed=framed))(view)(request, form=form, **kwargs)

    return with_policy


def policy(form, *, framed):
    """The Content-Security-Policy of the form's pages as Django has it. framed: the pages that others may frame."""
    ancestors = [_source(host) for host in form.embed_hosts] if framed else []
    return settings.SECURE_CSP | {
        "form-action": [*settings.SECURE_CSP["form-action"], *map(_source, form.redirect_hosts)],
        "frame-ancestors": ancestors or settings.SECURE_CSP["frame-ancestors"],
    }


def _source(host):
    """The host as a source; a page being tried out on the same machine has no certificate."""
    return f"{'http' if host.partition(':')[0] in ('localhost', '127.0.0.1') else 'https'}://{host}"


@public
@require_http_methods(["GET", "HEAD", "POST"])
def form_public(request, form):
    """The form's own page."""
    return _form(request, form, HOSTED)


@public
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form_embed(request, form):
    """The form in a frame of the pages that may show it."""
    return _form(request, form, IFRAME)


@public
@require_POST
def form_embed_send(request, form):
    """Where a plain form on another page is sent: taken in at once from a page on the list, else looked at here."""
    if gone := _gone(request, form, SNIPPET):
        return gone
    now = timezone.now()
    number = tokens.read_snippet(request.POST.get("_token", ""), form)
    version = form.versions.published().filter(number=number).select_related("form").first()
    here = visit.from_elsewhere(request, version or _current(form), HOSTED, at=now)
    walked = here.walk()
    opened = [page for page in walked.pages if visit.unseen(request, here, walked, page)]
    trusted = version and visit.comes_from(request, form.embed_hosts)
    if trusted and walked.is_complete and not opened:
        return _send(request, here, via=SNIPPET, token=visit.fingerprint_of(here, at=now), started_at=None, at=now)
    wrong = visit.first_wrong(walked)
    page = wrong or next(iter(opened), here.content.pages[0].key)
    return _show(request, here, page, errors=bool(wrong), notice=FROM_ELSEWHERE, answers=invalid)


@public
@require_POST
def form_public_part(request, form):
    """htmx: the questions that the answer just given opens or shuts; how far the visit came is noted."""
    now, here = timezone.now(), visit.resume(request, form, HOSTED)
    if here is None or form.is_retired:
        return nothing(request)
    walked, page = here.walk(), visit.page_asked(request, here)
    at = request.GET.get("at", "")
    if at in here.content.by_key and limits.count("part", request, at=now) <= limits.MOST_PARTS:
        _note(here, walked, at, now)
    fields = present.changed(here.content, walked, here.posted, page, request.POST.getlist("_shown"))
    context = {
        **_addresses(here.form, here.via), "fields": fields, "opened": [field for field in fields if field.asked],
        "mail": present.mail(here.content, walked, here.posted, at), "sent": present.sent(here.content), "oob": True,
    }  # fmt: skip
    return answer(request, f"{PAGE}#slots", context)


@public
@require_safe
def form_public_thanks(request, form):
    """What a visitor reads who sent the form."""
    return _thanks_page(request, form, HOSTED)


@public
@xframe_options_exempt
@require_safe
def form_embed_thanks(request, form):
    """The same, in a frame."""
    return _thanks_page(request, form, IFRAME)


# --- a page of the form -----------------------------------------------------------------------------
def _form(request, form, via):
    if gone := _gone(request, form, via):
        return gone
    now = timezone.now()
    if request.method != "POST":
        here = visit.begin(request, _current(form), via, at=now)
        return _show(request, here, here.content.pages[0].key)
    if limits.count("page", request, at=now) > limits.MOST_PARTS:
        return _message(request, form, HTTPStatus.TOO_MANY_REQUESTS)
    here = visit.resume(request, form, via)
    if here is None or here.ticket.is_stale:
        notice = TOO_OLD if here else NOT_OURS
        here = visit.anew(here) if here else visit.from_elsewhere(request, _current(form), via, at=now)
        return _show(request, here, visit.page_asked(request, here), notice=notice, answers=invalid)
    return _next(request, here, now)


def _next(request, here, now):
    """What follows a page that was sent: it again, the one before, the next one, or the end."""
    page = visit.page_asked(request, here)
    walked = here.walk(until=page)
    page = page if page in walked.pages else walked.pages[-1]
    if request.POST.get("_go") == "back":
        before = walked.pages[max(walked.pages.index(page) - 1, 0)]
        return _show(request, here, before, moved=True)
    if opened := visit.unseen(request, here, walked, page):
        said = any(key in walked.errors for key in walked.asked if key not in opened)
        return _show(request, here, page, errors=said, notice=OPENED, focus=opened[0])
    if wrong := visit.first_wrong(walked):
        return _show(request, here, wrong, errors=True, answers=invalid)
    if visit.doubtful(request, here, walked, page):
        return _show(request, here, page, notice=CHECK_MAIL)
    if walked.next_page:
        _note(here, here.walk(), walked.asked_of[page][-1] if walked.asked_of[page] else "", now)
        return _show(request, here, walked.next_page, moved=True)
    return _send(request, here, via=here.via, token=here.ticket.visit, started_at=here.ticket.started_at, at=now)


def _show(request, here, page, *, errors=False, notice="", moved=False, focus="", answers=answer):
    """The page with this key, as it is after what was posted."""
    walked = here.walk()
    step = present.step(here.content, walked, here.posted, page, errors=errors)
    context = {
        **_addresses(here.form, here.via), "content": here.content, "step": step, "token": here.ticket.signed(),
        "notice": notice, "moved": moved, "focus": focus, "knows": bool(walked.known),
    }  # fmt: skip
    return answers(request, PAGE, context, part="form")


def _send(request, here, *, via, token, started_at, at):
    """Take the form in, and thank."""
    form = here.form
    often = limits.count(f"send:{form.slug}", request, at=at)
    if often > form.most_per_address * limits.REFUSED_FROM:
        return _message(request, form, HTTPStatus.TOO_MANY_REQUESTS)
    rule = RULE.ADDRESS if often > form.most_per_address else ""
    sent = Sent(here.posted, token, started_at, via, here.lead, RULE.HONEYPOT if request.POST.get(HONEYPOT) else rule)
    try:
        submission = submit_form(version=here.version, sent=sent, at=at, evaluate=not limits.under_load(at=at))
    except AlreadySent as refusal:
        again = visit.anew(here)
        return _show(request, again, here.content.pages[0].key, notice=refusal.sentence, answers=overtaken)
    except AnswersIncomplete as refusal:  # what was known of the lead changed meanwhile, and is asked now
        return _show(request, here, visit.first_wrong(refusal.walk), errors=True, answers=invalid)
    except FormRetired:
        return _message(request, form, HTTPStatus.GONE)
    return _thank(request, submission, via)


def _thank(request, submission, via):
    """The thank-you that fits what became of it: here, or where the form sends people."""
    form, thanks = submission.version.form, thanks_of(submission)
    if thanks.redirect and via != IFRAME and may_send_to(form, thanks.redirect):
        token = visitor_token(submission.lead_id) if submission.known else sender_token(submission.pk)
        return go(request, known_at(thanks.redirect, token) if submission.lead_id else thanks.redirect)
    if wants_part(request):
        return answer(request, PAGE, _thanks(submission.version, thanks, via), part="thanks")
    name = "form_embed_thanks" if via == IFRAME else "form_public_thanks"
    return redirect(f"{reverse(name, args=[form.slug])}?s={tokens.sign_submission(submission)}")


def _thanks_page(request, form, via):
    mine = Submission.objects.filter(version__form=form).select_related("version__form")
    submission = mine.filter(pk=tokens.read_submission(request.GET.get("s", ""))).first()
    version = submission.version if submission else _current(form)
    thanks = thanks_of(submission) if submission else version.as_content().thanks_for("", None)
    return answer(request, PAGE, _thanks(version, thanks, via))


def _thanks(version, thanks, via):
    return _addresses(version.form, via) | {"content": version.as_content(), "thanks": thanks}


def _note(here, walked, answered, at):
    note_progress(
        version=here.version, content=here.content, visit=here.ticket.visit, walked=walked, answered=answered,
        started_at=here.ticket.started_at, at=at,
    )  # fmt: skip


def _addresses(form, via):
    framed = via == IFRAME
    return {
        "form": form,
        "action": reverse("form_embed" if framed else "form_public", args=[form.slug]),
        "part_url": reverse("form_public_part", args=[form.slug]),
        "framed": framed,
    }


def _current(form):
    """The version that visitors are given; a form without one is not there."""
    version = form.versions.select_related("form").current()
    if version is None:
        raise Http404
    return version


def _gone(request, form, via):
    """The answer of a form that is closed, None while it is open. Nobody finds one in a frame that may be in none."""
    if form.is_retired:
        return _message(request, form, HTTPStatus.GONE)
    if via == IFRAME and not form.embed_hosts:
        raise Http404
    return None


def _message(request, form, status):
    return answer(request, "intake/form_message.html", {"form": form, "status": int(status)}, status=status)
