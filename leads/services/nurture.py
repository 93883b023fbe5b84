"""What marketing does for a lead in nurture: move the day it comes back, have it evaluated at once."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.timezone import get_default_timezone, localdate

from leads.models import Lead, Place, RecycleChange
from leads.services._law import law_in_force
from leads.services.evaluate import evaluate_locked
from leads.services.refusals import NoVersionInForce
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal
from sla.models import SLAVersion

ELSEWHERE = (Place.Where.OPEN, Place.Where.ACCEPTED)


class NotInNurture(Refusal):
    code = "not_in_nurture"
    sentence = "This lead is not in nurture, so no day brings it back. Nothing was changed."


class WrongDay(Refusal):
    code = "wrong_day"
    sentence = "The day to come back lies after today. Nothing was changed."
    field = "recycle_on"


@transaction.atomic(durable=True)
def change_recycle_date(*, lead_id, recycle_on, by, at, why=""):
    """Set, move or (None) take away the day on which a lead in nurture is evaluated again. Returns the Lead.

    recycle_on: a date in the organisation's zone, within the time that the agreement lets a lead wait.
    Refuses: NotPermitted, NoVersionInForce, NotInNurture, WrongDay.
    """
    require(by, May.WORK_NURTURE)
    lead = get_object_or_404(Lead.objects.select_for_update(), pk=lead_id)
    version = SLAVersion.objects.in_force(at=at)
    if version is None:
        raise NoVersionInForce
    if not comes_back(lead):
        raise NotInNurture
    if recycle_on:
        _check_day(recycle_on, version, localdate(at, get_default_timezone()))
    if recycle_on == lead.recycle_on:
        return lead
    RecycleChange.objects.create(
        lead=lead, was=lead.recycle_on, recycle_on=recycle_on, changed_by=by, changed_at=at, why=why.strip()[:200]
    )
    lead.recycle_on, lead.updated_at = recycle_on, at
    lead.save(update_fields=["recycle_on", "updated_at"])
    return lead


@transaction.atomic(durable=True)
def evaluate_lead(*, lead_id, by, at):
    """Evaluate one lead now; what reaches a tier is handed over. Returns the outcome (leads.services.qualify).

    Refuses: NotPermitted, NoVersionInForce.
    """
    require(by, May.WORK_NURTURE)
    lead = get_object_or_404(Lead.objects.select_for_update(), pk=lead_id)
    law = law_in_force(at)
    if law is None:
        raise NoVersionInForce
    return evaluate_locked([lead], law, by=by, at=at)[0]


@transaction.atomic(durable=True)
def evaluate_reached(*, by, at):
    """Have the worker evaluate every lead that lacks no point any more and was never with sales. Returns how many.

    That happens when a definition comes into force under which leads reach a tier that did not before. Who came back
    from sales waits for a day or an event.
    Refuses: NotPermitted.
    """
    require(by, May.WORK_NURTURE)
    reached = Place.objects.filter(place=Place.Where.NURTURE, missing=0, handed_over=False).values("lead")
    return Lead.objects.filter(pk__in=reached, evaluate_from=None).update(evaluate_from=at)


def comes_back(lead):
    """Whether a day may bring the lead back: it is with sales no more, and not shut out for good."""
    place = Place.objects.filter(lead=lead).first()
    return not place or not (place.place in ELSEWHERE or (place.place == "disqualified" and not place.disqualified_by))


def _check_day(day, version, today):
    farthest = today + version.recycle_within
    if day <= today:
        raise WrongDay
    if day > farthest:
        raise WrongDay(
            f"The agreement lets a lead wait until {farthest:%-d %B %Y} at the latest. Nothing was changed."
        )
