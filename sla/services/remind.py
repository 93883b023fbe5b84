"""Reminders while a signature is missing: one a person and day, on working days, from the day after the proposal."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from portal.outbox.services import tell
from sla.models.state import standings
from sla.services._steps import signers

FROM_HOUR, UNTIL_HOUR = 8, 18
SATURDAY = 5


@transaction.atomic(durable=True)
def remind_signatories(*, at):
    """Tell whoever has to sign a proposal that waits since yesterday or longer. Returns how many were told.

    Run again on the same day it tells nobody twice; at night and on weekends nobody.
    """
    local = at.astimezone(timezone.get_default_timezone())
    if local.weekday() >= SATURDAY or not FROM_HOUR <= local.hour < UNTIL_HOUR:
        return 0
    told = 0
    for stands in standings(at=at):
        if not stands.waits or at - stands.version.proposed_at < dt.timedelta(hours=16):
            continue
        for party in stands.missing:
            for person, _ in signers(stands.version, party, at=at):
                _remind(stands.version, party, person, local.date(), at)
                told += 1
    return told


def _remind(version, party, person, day, at):
    said = {"version": version.number, "party": party}
    tell("agreement.signature_missing", key=f"{version.pk}:{party}:{person.pk}:{day}", at=at, to=person, payload=said)
