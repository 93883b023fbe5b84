"""The door for what became of a lead in the end: deals, by the verb of the pages."""

from decimal import Decimal

from django.utils import timezone

from leads.api.capture import named
from leads.api.router import router
from leads.api.shapes import DealIn, DealSaid, happened_at
from leads.models.via import Via
from leads.services import deal as verb
from portal.accounts.permissions import May, require
from portal.keys.auth import Bearer
from portal.keys.once import once
from portal.keys.problem import answered_with
from portal.keys.scopes import DEALS_WRITE

answered_with(409, verb.DealOvertaken)
answered_with(422, verb.DealNotTold, verb.DealDates, verb.DealAmount, verb.NothingToCorrect)


@router.post(
    "/deals", response={200: DealSaid, 201: DealSaid}, auth=Bearer(DEALS_WRITE), url_name="api_deals",
    summary="Record a deal", tags=["Deals"],
)  # fmt: skip
def post_deal(request, deal: DealIn):
    """What was won, lost or is open: told apart by your `id`, else by the handoff. What is new of it supersedes what
    was said before; the same again changes nothing. What is left out is told as not known.

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
        done = do(
            verb.record_deal, lead_id=named(deal.lead), handoff_id=deal.handoff, external_id=deal.id,
            amount=deal.amount and Decimal(deal.amount), by=request.user, at=now, via=Via.API, **told, **moments,
        )  # fmt: skip
        said = DealSaid.of(done.deal, done.change).model_dump(mode="json")
        return (201 if done.change == "new" else 200), said

    return once(request, work)
