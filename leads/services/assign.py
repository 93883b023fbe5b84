"""Owners: who holds a handoff, and taking up one from imported history."""

from django.db import transaction

from leads.models import Assignment, Handoff
from leads.services._steps import check_works, give, lock
from leads.services.due import Terms
from leads.services.refusals import AlreadyDecided, CannotOwn
from portal.accounts.models import Role
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted


@transaction.atomic(durable=True)
def reassign_handoff(*, handoff_id, to, by, at, why=""):
    """Give an open handoff to another rep; the agreement's clocks go on. Returns the Assignment.

    A manager gives away the team's leads and those of the default queue.
    Refuses: NotPermitted, AlreadyDecided, CannotOwn.
    """
    require(by, May.REASSIGN_LEADS)
    handoff = lock(handoff_id)
    if not handoff.waits_in_queue:
        check_works(handoff, by)
    if not handoff.is_open:
        raise AlreadyDecided
    check_can_own(to)
    return give(handoff, to, by=by, at=at, why=why.strip() or f"Reassigned by {by.name}")


@transaction.atomic(durable=True)
def take_up_handoff(*, handoff_id, by, at):
    """Bring an undecided handoff of imported history into `by`'s inbox: its clocks start now. Returns the Handoff.

    It stays historical: out of compliance figures. Refuses: NotPermitted, AlreadyDecided.
    """
    require(by, May.WORK_INBOX)
    handoff = lock(handoff_id)
    if not Handoff.objects.visible_to(by).filter(pk=handoff.pk).exists():
        raise NotPermitted("This lead belongs to someone else.")
    if not handoff.is_open or handoff.clocks_run:
        raise AlreadyDecided("This lead is in an inbox already, or decided.")
    check_can_own(by)
    due = Terms(handoff.sla_version).due(tier_id=None, owner=by, at=at).as_fields()
    for name, value in due.items():
        setattr(handoff, name, value)
    handoff.owner = by
    handoff.save(update_fields=[*due, "owner"])
    Assignment.objects.create(
        handoff=handoff, owner=by, assigned_at=at, recorded_at=at, assigned_by=by, why="Taken up from imported history"
    )
    tell(
        "handoff.assigned", key=f"taken-up-{handoff.pk}", at=at, to=by, payload={"handoff": handoff.pk, "owner": by.pk}
    )
    return handoff


def check_can_own(user):
    if not (user.is_active and user.holds(Role.REP, Role.SALES_MANAGER)):
        raise CannotOwn
