"""Retention: leads that came to nothing are erased after the days that an admin chose; off until then."""

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import DateTimeField, Exists, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest

from leads.models import Deal, Erasure, Event, Handoff, Lead, Retention
from leads.services.privacy.erase import ErasedAlready, StillNeeded, erase_person
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal

log = structlog.get_logger(__name__)
FEWEST_DAYS, MOST_DAYS = 30, 3650
AT_ONCE = 500  # leads of one run; the beat comes again


class WrongDays(Refusal):
    code = "wrong_days"
    sentence = f"Give whole days from {FEWEST_DAYS} to {MOST_DAYS}, or leave the field empty. Nothing was changed."
    field = "days"


@transaction.atomic(durable=True)
def set_retention(*, unsold_days, rejected_days, by, at):
    """After how many days without a sign of life leads are erased; None: never. Returns the Retention.

    Refuses: NotPermitted, WrongDays.
    """
    require(by, May.FORGET_PEOPLE)
    for days in (unsold_days, rejected_days):
        if days is not None and not FEWEST_DAYS <= days <= MOST_DAYS:
            raise WrongDays
    chosen = {"unsold_days": unsold_days, "rejected_days": rejected_days, "changed_at": at, "changed_by": by}
    retention, _ = Retention.objects.update_or_create(pk=1, defaults=chosen)
    log.info("retention_set", unsold_days=unsold_days, rejected_days=rejected_days, by=by.pk)
    return retention


def due(*, at):
    """The leads that the retention erases at `at`, the oldest first; none while it is off."""
    retention = Retention.objects.first()
    if retention is None or not (retention.unsold_days or retention.rejected_days):
        return Lead.objects.none()
    mine = Handoff.objects.filter(lead=OuterRef("pk"))
    leads = Lead.objects.filter(erased_at=None).annotate(last=_last_sign_of_life(mine))
    asked = Q(pk=None)
    if retention.unsold_days:
        asked |= Q(~Exists(mine), last__lt=at - dt.timedelta(days=retention.unsold_days))
    if retention.rejected_days:
        kept = mine.filter(status__in=["open", "accepted"])
        in_vain = Q(Exists(mine)) & ~Exists(kept) & ~Exists(Deal.objects.filter(lead=OuterRef("pk")))
        asked |= in_vain & Q(last__lt=at - dt.timedelta(days=retention.rejected_days))
    return leads.filter(asked).filter(Q(recycle_on=None) | Q(recycle_on__lt=at.date())).order_by("pk")


def erase_due(*, at, most=AT_ONCE, dry_run=False):
    """Erase up to `most` leads that are due, each in a transaction of its own. Returns their numbers.

    dry_run: nothing is written. A lead that came to life meanwhile is kept.
    """
    found = list(due(at=at).values_list("pk", flat=True)[:most])
    return found if dry_run else [lead_id for lead_id in found if _erase(lead_id, at)]


def _erase(lead_id, at):
    try:
        erase_person(lead_id=lead_id, at=at, why=Erasure.Why.RETENTION, while_in=due(at=at))
    except (StillNeeded, ErasedAlready):
        return False
    return True


def _last_sign_of_life(handoffs):
    """When something was last learnt of the lead, done by it, or decided on it."""
    events = Event.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    ended = handoffs.order_by().values("lead").annotate(at=Max(Coalesce("decided_at", "withdrawn_at", "qualified_at")))
    happened = events.annotate(at=Max("recorded_at"))
    moments = [Subquery(rows.values("at"), output_field=DateTimeField()) for rows in (happened, ended)]
    return Greatest("updated_at", *(Coalesce(moment, "created_at") for moment in moments))
