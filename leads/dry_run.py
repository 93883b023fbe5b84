"""A routing plan over last month's leads: who would have got what, beside what happened; it only reads.

Leads come in the order in which they were qualified. Absences are those of each day; a rep's load is what they held
then, of leads from before the month as it was, of the month's leads as this plan would have given them, until each was
decided. Facts of the leads and the teams are those of now.
"""

import heapq
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from leads.models import Assignment, Handoff
from leads.plan import domain_of, facts_of, law_of
from leads.routing import Desk, people_on
from portal.accounts.models import Absence

MOST = 5000  # of the month's first leads
QUEUE = "default queue"


@dataclass(frozen=True)
class Outcome:
    """One lead: who got it, who would have, and why."""

    handoff_id: int
    name: str
    company: str
    at: datetime
    had: str
    would: str
    why: str

    @property
    def same(self):
        return self.had == self.would


@dataclass(frozen=True)
class DryRun:
    """The month's Outcomes; people: [(name, leads they had, leads they would have had)], the queue last."""

    outcomes: tuple[Outcome, ...]
    people: tuple[tuple[str, int, int], ...]

    @property
    def moved(self):
        return [outcome for outcome in self.outcomes if not outcome.same]


def dry_run(plan, month, *, at, zone):
    """The DryRun of `plan` over the handoffs qualified in `month`, seen at `at`. Six queries, none of them writes."""
    arrived = list(_arrived(month.begins(zone), min(month.ends(zone), at)))
    desk = Desk(law_of(plan), people_on(at), loads=Counter())
    desk.learn({domain for row in arrived if (domain := domain_of(row.lead.facts()))})
    ends, away, today = _burden(desk, month.begins(zone)), _absences(month), None
    outcomes = []
    for row in arrived:
        while ends and ends[0][0] <= row.qualified_at:
            desk.open[heapq.heappop(ends)[1]] -= 1
        if today != (today := row.qualified_at.astimezone(zone).date()):
            _send_away(desk, away, today)
        route = desk.route(facts_of(row.lead, row.tier))
        ended = row.decided_at or row.withdrawn_at
        if ended and not route.to_queue:
            heapq.heappush(ends, (ended, route.owner.pk))
        would = QUEUE if route.to_queue else route.owner.name
        outcomes.append(
            Outcome(row.pk, row.lead.name, row.lead.company, row.qualified_at, row.had or "nobody", would, route.why)
        )
    return DryRun(tuple(outcomes), _people(outcomes))


def _arrived(start, end):
    first = Assignment.objects.filter(handoff=OuterRef("pk")).order_by("pk")
    rows = Handoff.objects.filter(qualified_at__gte=start, qualified_at__lt=end, lead__erased_at=None)
    rows = rows.select_related("lead", "tier")
    # written as the plan would: what went to the queue counts as the queue's, not as its owner's
    rows = rows.annotate(
        queued_first=Subquery(first.values("to_queue")[:1]), owner_first=Subquery(first.values("owner__name")[:1])
    )
    for row in rows.defer("breakdown").order_by("qualified_at", "pk")[:MOST]:
        row.had = QUEUE if row.queued_first else row.owner_first
        yield row


def _burden(desk, start):
    """Count what each held when the month began; returns the heap of (when it ends, whose)."""
    ended = Coalesce("decided_at", "withdrawn_at")
    held = Handoff.objects.annotate(ended=ended).filter(
        Q(ended=None) | Q(ended__gt=start), qualified_at__lt=start, decision_due_at__isnull=False, queued_at=None
    )
    ends = []
    for owner, until in held.values_list("owner", "ended"):
        desk.open[owner] += 1
        if until:
            ends.append((until, owner))
    heapq.heapify(ends)
    return ends


def _absences(month):
    """[(person's id, first day, last day)] of the month."""
    found = Absence.objects.filter(first_day__lt=month.plus(1).first, last_day__gte=month.first)
    return [(absence.person_id, absence.first_day, absence.until) for absence in found]


def _send_away(desk, absences, day):
    gone = {person for person, first, last in absences if first <= day <= last}
    desk.people = {pk: seat._replace(away=pk in gone) for pk, seat in desk.people.items()}


def _people(outcomes):
    had, would = (Counter(getattr(one, side) for one in outcomes) for side in ("had", "would"))
    names = sorted({*had, *would}, key=lambda name: (name == QUEUE, name))
    return tuple((name, had[name], would[name]) for name in names)
