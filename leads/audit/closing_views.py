"""Doors of the closing: the figures as they were signed, close, sign, ask to open again."""

from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.audit import closing as verbs
from leads.audit.models import Closing
from leads.audit.report import versions_of
from leads.audit.views import any_month
from leads.figures import BASES
from portal.accounts.again import wrong_password
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla.models import Party

PAGE = "audit/closing.html"
FASTER = (verbs.AlreadyClosed, verbs.AlreadySigned, verbs.AlreadyAsked, verbs.NotClosed, verbs.OtherFingerprint)


@require_GET
def audit_closing(request, month):
    """The month's closing: the signed figures and what changed since, or the way to close it."""
    require(request.user, May.READ_AUDIT)
    return answer(request, PAGE, _context(request, any_month(month)), part="signoff")


@require_POST
def audit_close(request, month):
    require(request.user, May.CLOSE_AUDIT)
    found, zone = any_month(month), timezone.get_default_timezone()
    return _act(request, found, lambda: verbs.close_audit(month=found, by=request.user, at=timezone.now(), zone=zone))


@require_POST
def audit_sign(request, month, pk):
    """Sign the fingerprint that was shown; the password is asked again."""
    require(request.user, May.CLOSE_AUDIT)
    found, given = any_month(month), request.POST
    if wrong := wrong_password(request):
        return invalid(request, PAGE, _context(request, found) | {"wrong": wrong}, part="signoff")
    return _act(
        request, found, lambda: verbs.sign_audit(
            closing_id=pk, party=_party(given), fingerprint=given.get("fingerprint", ""), by=request.user,
            at=timezone.now(),
        ),
    )  # fmt: skip


@require_POST
def audit_reopen(request, month, pk):
    require(request.user, May.CLOSE_AUDIT)
    found, given = any_month(month), request.POST
    return _act(
        request, found, lambda: verbs.ask_to_reopen(
            closing_id=pk, party=_party(given), why=given.get("why", "")[:2000], by=request.user, at=timezone.now()
        ),
    )  # fmt: skip


@require_GET
def audit_closed_json(request, month, number):
    """What was signed, as a file: content, fingerprint, signatures; for whoever recomputes it (docs/verify.md)."""
    require(request.user, May.READ_AUDIT)
    closing = get_object_or_404(Closing, month=any_month(month).first, number=number)
    rows = closing.signatures.all()
    said = ("party", "name", "role", "signed_at", "digest")
    response = JsonResponse(
        {
            "canonical": closing.canonical,
            "fingerprint": closing.fingerprint,
            "signatures": [{name: getattr(row, name) for name in said} for row in rows],
        },
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )
    response["Content-Disposition"] = f'attachment; filename="audit-{month}-{number}.json"'
    return response


def _act(request, month, verb):
    try:
        verb()
    except NotPermitted:
        raise
    except Refusal as refusal:
        reply = overtaken if isinstance(refusal, FASTER) else invalid
        return reply(request, PAGE, _context(request, month) | {"wrong": refusal.sentence}, part="signoff")
    if not request.htmx:
        return go(request, "audit_closing", str(month))
    return answer(request, PAGE, _context(request, month), part="signoff")


def _context(request, month):
    now, zone = timezone.now(), timezone.get_default_timezone()
    closing = Closing.objects.of(month)
    context = {
        "month": month,
        "now": now,
        "closing": closing,
        "over": month.ends(zone) <= now,
        "may_close": may(request.user, May.CLOSE_AUDIT),
        "earlier": Closing.objects.filter(month=month.first).exclude(pk=closing and closing.pk).order_by("number"),
        "bases": BASES,
        "versions": versions_of(month, zone=zone),
    }
    return context | (_of(closing, request.user, now, zone) if closing else {})


def _of(closing, user, now, zone):
    content = verbs.read(closing)
    signed = {row.party: row for row in closing.signatures.all()}
    asked = {row.party: row for row in closing.reopenings.all()}
    mine = verbs.sides(user)
    free = [party for party in mine if user.pk not in {row.signed_by_id for row in signed.values()}]
    return {
        "content": content,
        "tables": [content["bases"][basis] for basis in BASES],
        "since": verbs.since_closing(closing, at=now, zone=zone),
        "signatures": [(party, signed.get(party)) for party in Party],
        "may_sign": next((party for party in free if party not in signed), None),
        "asked": [asked[party] for party in Party if party in asked],
        "may_reopen": next((party for party in mine if party not in asked), None),
    }


def _party(given):
    return Party(given["party"]) if given.get("party") in Party.values else Party.SALES
