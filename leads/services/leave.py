"""Someone leaves: their open leads go to others first, then the door closes, in one transaction."""

import structlog
from django.db import transaction

from leads.models import Assignment, Handoff
from leads.services.refusals import HoldsOpenHandoffs
from leads.services.route import NobodyToRoute, by_load
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.accounts.refusals import OwnAccount
from portal.outbox.services import tell

log = structlog.get_logger(__name__)


@transaction.atomic(durable=True)
def deactivate_person(*, person_id, by, at, hand_over=False):
    """Close a person's sign-in. Returns the number of handoffs that went to others.

    hand_over: give the open handoffs to the least loaded reps, of the same team where there is one; clocks go on.
    Refuses: NotPermitted, OwnAccount, HoldsOpenHandoffs (when not handed over), NobodyToRoute.
    """
    require(by, May.MANAGE_PEOPLE)
    person = User.objects.select_for_update().get(pk=person_id)
    if person.pk == by.pk:
        raise OwnAccount
    held = list(Handoff.objects.select_for_update().in_inbox().filter(owner=person).by_deadline())
    if held and not hand_over:
        raise HoldsOpenHandoffs(holds_sentence(person, len(held)))
    for handoff, owner in zip(held, _takers(person, len(held)), strict=True):
        _give(handoff, owner, by=by, at=at, why=f"{person.name} left; fewest open leads")
    person.is_active = False
    person.save(update_fields=["is_active"])
    log.info("person_deactivated", person=person.pk, handed_over=len(held), by=by.pk)
    return len(held)


def open_count(person):
    """How many handoffs wait in the person's inbox."""
    return Handoff.objects.in_inbox().filter(owner=person).count()


def holds_sentence(person, count):
    """What stands in the way, and what to do about it."""
    leads = "1 open lead" if count == 1 else f"{count} open leads"
    return f"{person.name} holds {leads}. Hand them over to the least busy reps, or reassign them first."


def _takers(person, count):
    """`count` new owners, each time the one with the fewest open leads."""
    if not count:
        return []
    reps = by_load().exclude(pk=person.pk)
    same_team = reps.filter(team=person.team_id) if person.team_id else reps.none()
    load = {rep: rep.open_count for rep in same_team or reps}
    if not load:
        raise NobodyToRoute
    takers = []
    for _ in range(count):
        rep = min(load, key=lambda one: (load[one], one.pk))
        load[rep] += 1
        takers.append(rep)
    return takers


def _give(handoff, owner, *, by, at, why):
    assignment = Assignment.objects.create(
        handoff=handoff, owner=owner, assigned_at=at, recorded_at=at, assigned_by=by, why=why
    )
    handoff.owner = owner
    handoff.save(update_fields=["owner"])
    tell("handoff.assigned", key=assignment.pk, at=at, to=owner, payload={"handoff": handoff.pk, "owner": owner.pk})
