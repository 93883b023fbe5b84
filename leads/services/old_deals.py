"""Deals that imports once kept among the attributes of a lead become deals, where no rule reads them any more."""

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from leads.models import Deal, Lead, Place
from leads.services.deal import handoff_of

BATCH = 500
KEPT = ("outcome", "closed_at", "amount")  # the names under which a file's outcome was kept
OUTCOMES = (Deal.Outcome.WON, Deal.Outcome.LOST, Deal.Outcome.OPEN)
AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


@dataclass
class Converted:
    """recorded: deals made; known: leads of which a deal stood already, so that only the attributes went.

    left: [(lead's id, why)] whose attributes nobody can read as a deal; they stay as they are.
    """

    recorded: int = 0
    known: int = 0
    left: list = field(default_factory=list)

    @property
    def reasons(self):
        """[(why, how many leads)], the most frequent first."""
        return Counter(why for _, why in self.left).most_common()


def convert_old_deals(*, at, dry_run=False):
    """Make deals of what older imports kept among attributes. Returns Converted; run again it finds nothing new.

    A deal belongs to the lead's last handoff that was qualified by the day it closed. A lead of which a deal stands
    gets no second one: what was recorded since is newer. Nobody is told, as of any import of the past.
    """
    found, after = Converted(), 0
    while batch := _batch(after, found, at, dry_run):
        after = batch
    return found


@transaction.atomic(durable=True)
def _batch(after, found, at, dry_run):
    """Convert the next leads behind the id `after`; returns the last one's id, or None at the end."""
    rows = Lead.objects.filter(pk__gt=after, attributes__has_key="outcome", erased_at=None).order_by("pk")
    leads = list(rows.select_for_update()[:BATCH])
    known = set(Deal.objects.filter(lead__in=leads).values_list("lead_id", flat=True))
    made, cleared = [], []
    for lead in leads:
        told, why = _read(lead.attributes, at)
        if why:
            found.left.append((lead.pk, why))
            continue
        cleared.append(lead)
        if lead.pk in known:
            found.known += 1
        else:
            made.append(_deal(lead, told, at))
    found.recorded += len(made)
    if not dry_run:
        Deal.objects.bulk_create(made)
        _clear(cleared, at)
    return leads[-1].pk if leads else None


def _clear(leads, at):
    """Take the outcome out of the attributes; what was known of the leads in nurture is stale then."""
    for lead in leads:
        lead.attributes = {name: value for name, value in lead.attributes.items() if name not in KEPT}
        lead.updated_at = at
    Lead.objects.bulk_update(leads, ["attributes", "updated_at"])
    stale = Q(place__in=[Place.Where.NURTURE, Place.Where.SUSPECTED]) | ~Q(disqualified_by="")
    Place.objects.filter(stale, lead__in=leads).delete()


def _deal(lead, told, at):
    return Deal(
        lead=lead, handoff=handoff_of(lead, told["closed_at"] or at), via=Deal.Via.IMPORT, recorded_at=at, **told
    )


def _read(attributes, at):
    """(the fields of a deal, None), or (None, why they cannot be read)."""
    outcome, closed, amount = (str(attributes.get(name) or "").strip() for name in KEPT)
    outcome = outcome.casefold()
    if outcome not in OUTCOMES:
        return None, "the outcome is none of won, lost and open"
    if amount and not AMOUNT.fullmatch(amount):
        return None, "the amount is no number"
    try:
        closed = dt.datetime.fromisoformat(closed) if closed else None
    except ValueError:
        return None, "the day it closed is no date"
    if closed and (closed.tzinfo is None or closed > at):
        return None, "the day it closed has no time zone, or lies in the future"
    return {
        "outcome": outcome,
        "closed_at": None if outcome == Deal.Outcome.OPEN else closed,
        "amount": round(Decimal(amount), 2) if amount else None,
        "currency": settings.ORGANISATION_CURRENCY if amount else "",
    }, None
