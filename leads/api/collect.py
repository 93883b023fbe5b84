"""The one door for browsers: pages of a website tell of visits of leads that a signed token names.

The website's key is public and opens nothing else. Pages of other origins are refused; nobody writes another lead's
events by guessing ids, as a token cannot be made without the portal's secret. Points are given later, by the worker.
"""

from dataclasses import replace
from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Status
from pydantic import Field

from leads.api.router import router
from leads.bots import UNPROVEN, Signals
from leads.intake.forms.models import Submission
from leads.models import Lead
from leads.services.capture import Happened, take_in_events
from leads.services.refusals import PersonForgotten
from leads.services.track import marked
from leads.visitors import LONGEST, lead_of, submission_of
from portal.keys import limits, problem
from portal.keys.models import Website
from portal.keys.shapes import Said, Strict, text
from portal.shared.refusal import Refusal

MOST, MOST_BYTES = 10, 16 * 1024
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
CORS = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "86400"}  # fmt: skip


class VisitorUnknown(Refusal):
    code = "visitor_unknown"
    sentence = "This visitor's token is not ours, is too old, or names nobody any more. Nothing was saved."
    field = "visitor"


problem.answered_with(422, VisitorUnknown)


class VisitIn(Strict):
    """A page that was viewed, or a sign-up. When it happened is the portal's own clock."""

    kind: Literal["page_viewed", "signed_up"]
    id: text(64, least=8, pattern=r"^[A-Za-z0-9-]+$") = Field(
        description="of the page's choice: told twice, known once"
    )
    path: text(500) = Field("", description="of the page, without its query")
    title: text(200) = ""
    referrer: text(200) = Field("", description="the host that linked here")
    utm: Annotated[dict[Literal[UTM], text(200)], Field(max_length=len(UTM))] = {}


class VisitsIn(Strict):
    site: text(40, least=1)
    visitor: text(LONGEST, least=1)
    events: Annotated[list[VisitIn], Field(min_length=1, max_length=MOST)]


class CollectedSaid(Said):
    new_events: int


@router.post(
    "/collect", response={202: CollectedSaid}, auth=None, url_name="api_collect", summary="Tell of visits",
    tags=["Website"],
)  # fmt: skip
def post_visits(request, visits: VisitsIn):
    """What `static/js/track.js` sends. It needs no key, only the website's, and comes from one of its origins. The
    visit of a crawler, or one that was fetched ahead, is kept, marked, and gives no points."""
    now = timezone.now()
    site = _site(request, visits.site)
    request.cors = request.headers["Origin"]
    lead_id, is_proven = _whose(visits.visitor)
    _limit(request, site, lead_id, now)
    if lead_id is None:
        raise VisitorUnknown
    signals = signals_of(request)
    told = [(lead_id, _happened(one, site, lead_id, now), signals) for one in visits.events]
    events = marked(told)
    if not is_proven:
        events = [replace(event, suspected_by=event.suspected_by or UNPROVEN) for event in events]
    try:
        taken = take_in_events(lead_id=lead_id, events=events, at=now, evaluate=False)
    except (Lead.DoesNotExist, PersonForgotten):
        raise VisitorUnknown from None
    return Status(202, CollectedSaid(new_events=taken.new_events))


@router.api_operation(["OPTIONS"], "/collect", auth=None, url_name="api_collect", include_in_schema=False)
def options_visits(request):
    """A browser asks first whether pages of its origin may send."""
    origin = request.headers.get("Origin", "")
    if "\0" in origin or not Website.objects.filter(revoked_at=None, origins__contains=[origin]).exists():
        raise problem.OriginRefused
    request.cors = origin
    return HttpResponse(status=204, headers=CORS)


def signals_of(request):
    """What a browser's request tells of who asked."""
    ahead = "".join(request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    prefetch = any(word in ahead.lower() for word in ("prefetch", "prerender", "preview"))
    return Signals(request.headers.get("User-Agent", "")[:1000], prefetch, browser=True)


def _whose(token):
    """(the lead's id, or None; whether the visitor is that lead as far as we can tell)"""
    sent = submission_of(token)
    if sent is None:
        return lead_of(token), True
    submission = Submission.objects.filter(pk=sent, lead__isnull=False).select_related("lead").first()
    return (submission.lead_id, submission.proves_who_it_is()) if submission else (None, False)


def _site(request, key):
    """The live website of this key, if the page's origin is one of its own."""
    site = Website.objects.filter(key=key, revoked_at=None).first()
    if site is None or request.headers.get("Origin") not in site.origins:
        raise problem.OriginRefused
    return site


def _limit(request, site, lead_id, now):
    """By website, by network address and by visitor: whoever spends one of them waits."""
    limits.spend(f"site:{site.pk}", quota=settings.COLLECT_A_MINUTE, at=now)
    limits.spend(f"address:{limits.address_of(request)}", quota=settings.COLLECT_A_MINUTE_AND_ADDRESS, at=now)
    if lead_id:
        limits.spend(f"visitor:{lead_id}", quota=settings.COLLECT_A_MINUTE_AND_ADDRESS, at=now)


def _happened(visit, site, lead_id, now):
    told = {"path": visit.path, "title": visit.title, "referrer": visit.referrer} | visit.utm
    properties = {name: value for name, value in told.items() if value}
    return Happened(visit.kind, now, f"web/{site.pk}", f"{lead_id}:{visit.id}", properties)
