"""The acts on a version, a door each: begin a draft, propose, sign, withdraw, return, comment, appoint a deputy."""

import datetime as dt

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.accounts.again import wrong_password
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla import comparison
from sla.models import Party, SLAVersion
from sla.services.deputy import appoint_deputy, dismiss_deputy
from sla.services.refusals import AlreadyProposed, AlreadySigned, NoLongerWaiting
from sla.services.terms import discard_draft, draft_from
from sla.services.version import comment_version, propose_version, return_version, sign_version, withdraw_version
from sla.starter import draft_version
from sla.views import _version as shown
from sla.views.agreement import page

FASTER = (AlreadyProposed, AlreadySigned, NoLongerWaiting)
TEMPLATE = "sla/agreement.html"


@require_POST
def agreement_draft(request):
    """A new draft from the version named, or the first one of all from the starter terms."""
    require(request.user, May.DRAFT_AGREEMENT)
    now = timezone.now()
    source = SLAVersion.objects.filter(number=_whole(request.POST.get("start_from"))).first()
    if source:
        draft = draft_from(version_id=source.pk, by=request.user, at=now)
    elif SLAVersion.objects.exists():
        return redirect("agreement")
    else:
        draft = draft_version(by=request.user, at=now, summary="The first agreement")
    return go(request, "agreement_edit", draft.number)


@require_POST
def agreement_discard(request, number):
    version = _version(number, request.user, May.DRAFT_AGREEMENT)
    try:
        discard_draft(version_id=version.pk, by=request.user)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, version, refusal, "discard")
    messages.success(request, f"Draft v{number} was thrown away.")
    return go(request, "agreement")


@require_POST
def agreement_propose(request, number):
    """Freeze the draft as it stands; a beginning that is empty or past means: as soon as both have signed."""
    version, now = _version(number, request.user, May.DRAFT_AGREEMENT), timezone.now()
    begins = version.effective_from if version.effective_from and version.effective_from > now else now
    try:
        version = propose_version(version_id=version.pk, effective_from=begins, by=request.user, at=now)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, version, refusal, "propose")
    if version.number != number:
        messages.info(request, f"Another version was proposed meanwhile: draft v{number} became v{version.number}.")
    return go(request, "agreement_version", version.number)


@require_POST
def agreement_sign(request, number):
    """Sign for the side this person signs for: the fingerprint shown, the name typed, the password asked again."""
    version, now = _version(number, request.user, May.READ_AGREEMENT), timezone.now()
    given = request.POST
    wrong = _not_ready(request)
    if wrong:
        return _refused(request, version, Refusal(wrong[1], field=wrong[0]), "sign")
    try:
        sign_version(
            version_id=version.pk, party=_party(given), by=request.user, at=now,
            fingerprint=given.get("fingerprint", ""), typed_name=given.get("typed_name", ""),
            address=get_adapter(request).get_client_ip(request), user_agent=request.headers.get("user-agent", ""),
        )  # fmt: skip
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, version, refusal, "sign")
    messages.success(request, f"You signed agreement v{number} for {_party(given).label.lower()}.")
    return go(request, "agreement_version", number)


@require_POST
def agreement_withdraw(request, number):
    version = _version(number, request.user, May.READ_AGREEMENT)
    comment = request.POST.get("comment", "")
    return _end(request, version, "withdraw", lambda at: withdraw_version(
        version_id=version.pk, by=request.user, at=at, comment=comment))  # fmt: skip


@require_POST
def agreement_return(request, number):
    version = _version(number, request.user, May.READ_AGREEMENT)
    comment = request.POST.get("comment", "")
    return _end(request, version, "return", lambda at: return_version(
        version_id=version.pk, by=request.user, at=at, comment=comment))  # fmt: skip


@require_POST
def agreement_comment(request, number, section):
    """A remark on one section; htmx gets the section's remarks, a plain form the page at that place."""
    version, now = _version(number, request.user, May.DISCUSS_AGREEMENT), timezone.now()
    section = section if section in comparison.SECTIONS else "review"
    context = {"version": version, "now": now, "section": section, "may_comment": True}
    text, refusal = request.POST.get("text", ""), None
    try:
        comment_version(version_id=version.pk, section=section, text=text, by=request.user, at=now)
    except NotPermitted:
        raise
    except Refusal as found:
        refusal = found
    rows = version.comments.filter(section=section).select_related("commented_by")
    context |= {"section_comments": rows, "comment_refusal": refusal, "text": text if refusal else ""}
    if not request.htmx:
        if refusal:
            messages.error(request, refusal.sentence)
        return redirect(f"{_address(number)}#{section}")
    reply = (overtaken if isinstance(refusal, NoLongerWaiting) else invalid) if refusal else answer
    return reply(request, "sla/agreement_comments.html", context, part="comments")


@require_POST
def agreement_deputy(request):
    """Appoint somebody who signs in this leader's place until a day, or take that back."""
    require(request.user, May.RETURN_AGREEMENT)
    now, given = timezone.now(), request.POST
    side = (shown.deputies(request.user, at=now) or {}).get("party")
    try:
        if "dismiss" in given:
            dismiss_deputy(party=side, by=request.user, at=now)
            messages.success(request, "Nobody signs in your place any more.")
        else:
            row = appoint_deputy(
                party=side, deputy=User.objects.filter(pk=_whole(given.get("deputy"))).first(), begins_at=now,
                ends_at=_end_of(given.get("ends_on"), now), by=request.user, at=now,
            )  # fmt: skip
            messages.success(request, f"{row.deputy.name} may sign for {side.label.lower()} in your place.")
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, f"{refusal.sentence} Nothing was saved.")
    return redirect("agreement_history")


def _version(number, user, what):
    require(user, what)
    return get_object_or_404(SLAVersion.objects.select_related("definition", "calendar"), number=number)


def _end(request, version, act, verb):
    try:
        ended = verb(timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, version, refusal, act)
    messages.success(request, f"Agreement v{version.number} was {ended.get_kind_display().lower()}. It stays to read.")
    return go(request, "agreement_version", version.number)


def _refused(request, version, refusal, act):
    """The page again with what is wrong: 409 where somebody was faster, else 422; htmx gets the acts alone."""
    version = get_object_or_404(shown.versions(), pk=version.pk)
    context = page(request, version, at=timezone.now())
    context |= {"refusal": refusal, "act": act, "given": request.POST}
    reply = overtaken if isinstance(refusal, FASTER) else invalid
    return reply(request, TEMPLATE, context, part="acts")


def _not_ready(request):
    """(field, sentence) of what keeps a signature from being given, or None."""
    if "read" not in request.POST:
        return "read", "Say that you have read it. Nothing was signed."
    wrong = wrong_password(request)
    return ("password", wrong) if wrong else None


def _party(given):
    return Party(given["party"]) if given.get("party") in Party.values else Party.SALES


def _whole(text):
    return int(text) if (text or "").isdecimal() and len(text) < 10 else 0


def _end_of(text, now):
    """The end of the day named, in the organisation's zone; `now` where it is no day, which the verb refuses."""
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return now
    if day == dt.date.max:
        return now
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), timezone.get_default_timezone())


def _address(number):
    return reverse("agreement_version", args=[number])
