"""Someone leaves, or is away: their open leads go to others, in one transaction."""

import structlog
from django.db import transaction

from leads.models import Handoff
from leads.services._steps import give
from leads.services.assign import check_can_own
from leads.services.refusals import HoldsOpenHandoffs, NothingToHandOver
from leads.services.route import close_desk, open_desk
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.accounts.refusals import OwnAccount
from portal.shared.refusal import NotPermitted

log = structlog.get_logger(__name__)


@transaction.atomic(durable=True)
def deactivate_person(*, person_id, by, at, hand_over=False):
    """Close a person's sign-in. Returns the number of handoffs that went to others.

    hand_over: give the open handoffs to the least busy reps, of the same team where there is one, else to the
    default queue; clocks go on.
    Refuses: NotPermitted, OwnAccount, HoldsOpenHandoffs (when not handed over), NobodyToRoute.
    """
    require(by, May.MANAGE_PEOPLE)
    desk = open_desk(at=at, besides=person_id) if hand_over else None
    person = User.objects.select_for_update().get(pk=person_id)
    if person.pk == by.pk:
        raise OwnAccount
    held = _held(person)
    if held and not hand_over:
        raise HoldsOpenHandoffs(holds_sentence(person, len(held)))
    if desk:
        _pass_on(held, person, desk, by=by, at=at, why=f"{person.name} left")
    person.is_active = False
    person.save(update_fields=["is_active"])
    log.info("person_deactivated", person=person.pk, handed_over=len(held), by=by.pk)
    return len(held)


@transaction.atomic(durable=True)
def hand_over_leads(*, person_id, by, at, to=None):
    """Give all open leads of somebody of the manager's team, away or not, to `to`. Returns how many.

    to: None for the least busy present reps of the team, then of any team, then the default queue. What waits in the
    queue stays there. Refuses: NotPermitted, CannotOwn, NothingToHandOver.
    """
    require(by, May.REASSIGN_LEADS)
    desk = open_desk(at=at, besides=person_id)
    person = User.objects.get(pk=person_id)
    if person.pk != by.pk and not (by.team_id and person.team_id == by.team_id):
        raise NotPermitted("This person is not of your team.")
    if to is not None:
        check_can_own(to)
    held = [handoff for handoff in _held(person) if not handoff.waits_in_queue]
    if not held or to == person:
        raise NothingToHandOver
    if to is None:
        _pass_on(held, person, desk, by=by, at=at, why=f"Handed over by {by.name} for {person.name}")
    else:
        for handoff in held:
            give(handoff, to, by=by, at=at, why=f"Handed over by {by.name}, all of {person.name}’s")
    return len(held)


def open_count(person):
    """How many handoffs wait in the person's inbox."""
    return Handoff.objects.in_inbox().filter(owner=person).count()


def holds_sentence(person, count):
    """What stands in the way, and what to do about it."""
    leads = "1 open lead" if count == 1 else f"{count} open leads"
    return f"{person.name} holds {leads}. Hand them over to the least busy reps, or reassign them first."


def _held(person):
    rows = Handoff.objects.in_inbox().filter(owner=person).by_deadline()
    return list(rows.select_for_update(of=("self",)).select_related("lead"))


def _pass_on(held, person, desk, *, by, at, why):
    """Each to the least busy of the team, where it has a rep with room; the queue's go to who answers for it next."""
    for handoff in held:
        if handoff.waits_in_queue:
            place = desk.queue(why)
        else:
            place = desk.least_busy(f"{why}; fewest open leads", person.team_id)
        give(handoff, place.owner, by=by, at=at, why=place.why, claim_within=place.claim_within)
    close_desk(desk, at=at)
