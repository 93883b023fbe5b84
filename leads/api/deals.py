"""Doors for what became of a lead in the end: deals, by the verb and the sight of the pages."""

from decimal import Decimal
from typing import Literal

from django.utils import timezone
from ninja import Query
from pydantic import Field

from leads.api.capture import named
from leads.api.lists import Paged, visible_leads
from leads.api.router import router
from leads.api.shapes import DealIn, DealKept, DealPage, DealSaid, happened_at
from leads.models import Deal
from leads.models.deal import are_outcomes_kept
from leads.models.via import Via
from leads.services import deal as verb
from portal.accounts.permissions import May, may, require
from portal.keys.auth import Bearer
from portal.keys.once import once
from portal.keys.problem import answered_with
from portal.keys.scopes import DEALS_READ, DEALS_WRITE
from portal.keys.shapes import IdInAddress, Moment, text

TAGS = ["Deals"]
answered_with(409, verb.DealOvertaken)
answered_with(422, verb.DealNotTold, verb.DealDates, verb.DealAmount, verb.NothingToCorrect)


class Deals(Paged):
    lead: IdInAddress | None = None
    handoff: IdInAddress | None = None
    id: text(120, least=1) | None = Field(None, description="your own, as you recorded it")
    outcome: Literal["won", "lost", "open"] | None = None
    closed_from: Moment | None = None
    closed_before: Moment | None = None
    recorded_from: Moment | None = None


@router.get(
    "/deals", response=DealPage, auth=Bearer(DEALS_READ), url_name="api_deals", summary="List deals", tags=TAGS
)  # fmt: skip
def get_deals(request, query: Query[Deals]):
    """Those that the key's person may see, each as it stands now, in the order in which they were told. A page after
    another shows each once, whatever is written meanwhile; one that is corrected stands at the end anew, also for who
    comes back with `resume_cursor`; one that was taken back is gone."""
    require(request.user, May.SEE_DEALS)
    wanted = {
        "lead": query.lead, "handoff": query.handoff, "external_id": query.id, "outcome": query.outcome,
        "closed_at__gte": query.closed_from, "closed_at__lt": query.closed_before,
        "recorded_at__gte": query.recorded_from,
    }  # fmt: skip
    found = Deal.objects.standing().visible_to(request.user)
    found = found.filter(**{look: value for look, value in wanted.items() if value is not None})
    sees_all = may(request.user, May.SEE_ALL_HANDOFFS) and not are_outcomes_kept(request.user)
    return query.page(found, DealPage, DealKept.of, sees_all=sees_all)


@router.post(
    "/deals", response={200: DealSaid, 201: DealSaid}, auth=Bearer(DEALS_WRITE), url_name="api_deals",
    summary="Record a deal", tags=TAGS,
)  # fmt: skip
def post_deal(request, deal: DealIn):
    """What was won, lost or is open: told apart by your `id`, else by the handoff. What is new of it supersedes what
    was said before; the same again changes nothing. What is left out is told as not known. A lead that is
    none of the key's person's is answered like one that there is not.

    201 when the deal is new, else 200.
    """
    require(request.user, May.RECORD_DEALS)
    now = timezone.now()

    def work(do):
        told = deal.model_dump(include={"outcome", "currency", "product", "loss_reason", "note"})
        moments = {
            name: when and min(happened_at(when, now), now)
            for name, when in (("opened_at", deal.opened_at), ("closed_at", deal.closed_at))
        }
        lead_id = named(deal.lead, visible_leads(request.user))
        done = do(
            verb.record_deal, lead_id=lead_id, handoff_id=deal.handoff, external_id=deal.id,
            amount=deal.amount and Decimal(deal.amount), by=request.user, at=now, via=Via.API, **told, **moments,
        )  # fmt: skip
        said = DealSaid(change=done.change, **DealKept.of(done.deal).model_dump()).model_dump(mode="json")
        return (201 if done.change == "new" else 200), said

    return once(request, work)
