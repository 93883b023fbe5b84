"""Verbs of deputies: a signatory appoints somebody who signs in their place for a time, or takes that back."""

import datetime as dt

from django.db import transaction

from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted
from sla.models import Deputy, Party
from sla.models.party import LEADER
from sla.services.refusals import BadDeputy

LONGEST = dt.timedelta(days=366)


@transaction.atomic(durable=True)
def appoint_deputy(*, party, deputy, begins_at, ends_at, by, at):
    """`by` lets `deputy` sign for `party` in their place from begins_at to ends_at (half-open). Returns the Deputy.

    Refuses: NotPermitted (only a leader of that side), BadDeputy.
    """
    _check_leads(party, by)
    if not deputy or not deputy.is_active or deputy.pk == by.pk or deputy.holds(LEADER[Party(party).other]):
        raise BadDeputy
    if not at < ends_at <= begins_at + LONGEST or begins_at >= ends_at:
        raise BadDeputy("A deputy’s time ends after today and lasts a year at most.", field="ends_on")
    row = Deputy.objects.create(
        party=party, deputy=deputy, appointed_by=by, appointed_at=at, begins_at=begins_at, ends_at=ends_at
    )
    said = {"party": party, "by": by.name, "ends_at": ends_at.isoformat()}
    tell("agreement.deputy", key=row.pk, at=at, to=deputy, payload=said)
    return row


@transaction.atomic(durable=True)
def dismiss_deputy(*, party, by, at):
    """Nobody signs in `by`'s place for `party` any more. Returns the Deputy row saying so. Refuses: NotPermitted."""
    _check_leads(party, by)
    return Deputy.objects.create(party=party, deputy=None, appointed_by=by, appointed_at=at)


def _check_leads(party, by):
    require(by, May.RETURN_AGREEMENT)
    if not by.holds(LEADER[Party(party)]):
        raise NotPermitted("A signatory appoints a deputy for their own side only.")
