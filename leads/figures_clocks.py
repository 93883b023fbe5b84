"""Whose clocks were kept or ran out: a breach is of whoever held the lead when its time ran out."""

from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from leads.models.breach import Breach

KEPT, LATE = "kept", "late"
CLOCKS = ("contact", "decision")


def at_fault(clock):
    """The expression of a handoff's person who answers for a late clock: of the breach, else its owner."""
    held = Breach.objects.filter(handoff=OuterRef("pk"), clock=clock).values("owner")[:1]
    return Coalesce(Subquery(held), F("owner_id"), output_field=BigIntegerField())


def among(query, clock, state, *, person=None, as_of):
    """Of a queryset of handoffs, exploration apart, those whose clock is in a state; with a person's id theirs."""
    query = query.filter(exploration=False).with_clock_states(at=as_of).filter(**{f"{clock}_state": state})
    if person is None:
        return query
    if state == KEPT:
        return query.filter(owner=person)
    return query.alias(at_fault=at_fault(clock)).filter(at_fault=person)
