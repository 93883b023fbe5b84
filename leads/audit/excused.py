"""What was excused by an instant: late clocks of handoffs, and commitments of a month."""

from collections import Counter

from django.db.models import Count

from leads.audit.models import Excuse


def excused_late(handoffs, clock, *, as_of):
    """Of a queryset of handoffs those with a late `clock` whose breach the other side excused."""
    agreed = Excuse.objects.agreed(as_of=as_of).filter(breach__clock=clock).values("breach__handoff")
    late = handoffs.filter(pk__in=agreed).with_clock_states(at=as_of).order_by()
    return late.filter(**{f"{clock}_state": "late"})


def excused_counts(handoffs, clock, group, *, as_of):
    """Counter of these by the names of `group`, in order."""
    found = excused_late(handoffs, clock, as_of=as_of).values_list(*group).annotate(n=Count("pk"))
    return Counter({tuple(key): n for *key, n in found})


def excused_commitments(month, *, as_of):
    """The ids of the commitments whose breach in a figures.Month was excused as a whole."""
    found = Excuse.objects.agreed(as_of=as_of).filter(month=month.first)
    return set(found.values_list("commitment", flat=True))
