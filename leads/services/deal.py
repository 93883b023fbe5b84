"""Deals: record what was won, lost or is still open; a correction is a new row, and the last one stands."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from leads.models import Deal, Handoff, Lead
from portal.accounts.permissions import May, may, require
from portal.outbox.services import tell
from portal.shared.refusal import Refusal

TOLD = ("outcome", "amount", "currency", "product", "loss_reason", "opened_at", "closed_at", "note")
Outcome = Deal.Outcome


class DealNotTold(Refusal):
    code = "deal_not_told"
    sentence = "Say whether the deal was won or lost, or is open. Nothing was saved."
    field = "outcome"


class NothingToCorrect(Refusal):
    code = "nothing_to_correct"
    sentence = "No deal was recorded that this could take back. Nothing was saved."
    field = "outcome"


class DealDates(Refusal):
    code = "deal_dates"
    sentence = "A deal closes after it opened, and neither lies in the future. Nothing was saved."
    field = "closed_at"


class DealAmount(Refusal):
    code = "deal_amount"
    sentence = "An amount is a number with at most two decimals, its currency three letters. Nothing was saved."
    field = "amount"


class DealOvertaken(Refusal):
    code = "deal_overtaken"
    sentence = "Someone corrected this deal meanwhile. Nothing was saved."


@dataclass(frozen=True)
class Recorded:
    """The row that stands now, and whether this was "new", a "corrected" deal, or left "unchanged"."""

    deal: Deal
    change: str


@transaction.atomic(durable=True)
def record_deal(
    *, by, at, outcome, lead_id=None, handoff_id=None, external_id=None, amount=None, currency="", product="",
    loss_reason="", opened_at=None, closed_at=None, note="", via=Deal.Via.PAGE, corrects=None,
):  # fmt: skip
    """Record a deal of a lead or handoff, or what is new of it. Returns Recorded; the same again changes nothing.

    A deal is told apart by its outside id, else by its handoff; without one named it is the lead's last one that was
    qualified by the time it closed or opened (see handoff_of). amount: Decimal; currency: three letters, else the
    organisation's. corrects: id of the row that the writer saw standing; it says which deal, so nothing else has to.
    by: None for a system. Refuses: NotPermitted, DealNotTold, DealDates, DealAmount, NothingToCorrect, DealOvertaken.
    """
    if by is not None:
        require(by, May.RECORD_DEALS)
    told = _told(outcome, amount, currency, product, loss_reason, opened_at, closed_at, note, at)
    moment = closed_at or opened_at or at
    if corrects is None:
        lead, handoff = _whose(lead_id, handoff_id, by)
        handoff = handoff or handoff_of(lead, moment)
        before = _standing(lead, handoff, external_id)
        _check_sees(by, handoff, before and before.handoff)
    else:
        before = _corrected(corrects, by)
        lead, external_id = before.lead, before.external_id
        handoff = before.handoff or handoff_of(lead, moment)
    if before is None and outcome == Outcome.VOID:
        raise NothingToCorrect
    if before and before.handoff_id == (handoff and handoff.pk) and told == {k: getattr(before, k) for k in TOLD}:
        return Recorded(before, "unchanged")
    deal = Deal.objects.create(
        lead=lead, handoff=handoff, external_id=external_id or None, supersedes=before, via=via, recorded_at=at,
        recorded_by=by, **told,
    )  # fmt: skip
    tell("deal.recorded", key=deal.pk, at=at, payload={"deal": deal.pk, "lead": lead.pk, "outcome": deal.outcome})
    return Recorded(deal, "corrected" if before else "new")


def handoff_of(lead, moment):
    """The lead's last handoff that was qualified by the end of the moment's day, or None."""
    day = timezone.localdate(moment)
    found = lead.handoffs.filter(qualified_at__date__lte=day).exclude(status=Handoff.Status.WITHDRAWN)
    return found.order_by("-qualified_at").defer("breakdown").first()


def code_of(text):
    """A loss reason as a code: lower case, with underlines for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:40].strip("_")


def _told(outcome, amount, currency, product, loss_reason, opened_at, closed_at, note, at):
    """The fields of a row as they are kept."""
    if outcome not in Outcome.values:
        raise DealNotTold
    if outcome == Outcome.OPEN:
        closed_at = None
    if any(moment and moment > at for moment in (opened_at, closed_at)) or (
        opened_at and closed_at and closed_at < opened_at
    ):
        raise DealDates
    currency = "" if amount is None else (currency or settings.ORGANISATION_CURRENCY).strip().upper()
    if amount is not None and (not re.fullmatch("[A-Z]{3}", currency) or not _fits(amount)):
        raise DealAmount
    loss_reason = code_of(loss_reason) if outcome == Outcome.LOST else ""
    values = (outcome, amount, currency, product.strip(), loss_reason, opened_at, closed_at, note.strip())
    return dict(zip(TOLD, values, strict=True))


def _fits(amount):
    return amount.is_finite() and abs(amount) < 10**15 and amount == round(amount, 2)


def _whose(lead_id, handoff_id, by):
    """(the lead, locked; the handoff that was named, or None); what `by` may not see does not exist for them."""
    seen = Handoff.objects.all() if by is None else Handoff.objects.visible_to(by)
    handoff = get_object_or_404(seen.defer("breakdown"), pk=handoff_id) if handoff_id else None
    lead = get_object_or_404(Lead.objects.select_for_update(no_key=True), pk=lead_id or handoff.lead_id)
    if handoff and handoff.lead_id != lead.pk:
        raise Http404("This handoff is another lead's.")
    if handoff is None and by is not None and not (may(by, May.SEE_ALL_HANDOFFS) or seen.filter(lead=lead).exists()):
        raise Http404("This lead is none of yours.")
    return lead, handoff


def _check_sees(by, *handoffs):
    """A lead that was handed over again has handoffs of others: their deals are not this person's to tell of."""
    wanted = {handoff.pk for handoff in handoffs if handoff}
    if by is not None and Handoff.objects.visible_to(by).filter(pk__in=wanted).count() < len(wanted):
        raise Http404("This deal is none of yours.")


def _corrected(pk, by):
    """The row that is corrected, if it still stands; its lead is locked."""
    seen = Deal.objects.all() if by is None else Deal.objects.visible_to(by)
    row = get_object_or_404(seen.select_related("handoff"), pk=pk)
    row.lead = Lead.objects.select_for_update(no_key=True).get(pk=row.lead_id)
    if Deal.objects.filter(supersedes=row).exists():
        raise DealOvertaken
    return row


def _standing(lead, handoff, external_id):
    """The last row of the deal that is meant; one of no handoff yet is the one that gets it."""
    rows = lead.deals.filter(superseded_by=None, external_id=external_id or None).select_related("handoff")
    if external_id:
        return rows.first()
    return rows.filter(Q(handoff=handoff) | Q(handoff=None)).order_by("handoff_id").first()
