"""The manager's board: clocks that ran out, the load of each rep, who is away; it only reads."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist

from django.db.models import Count, F, OuterRef, Q, Subquery

from leads import figures
from leads.figures import PERIOD, Month
from leads.models import Assignment, Handoff, RoutingPlan
from portal.accounts.models import Absence, Role, User
from portal.accounts.permissions import May, may
from portal.shared import intervals

HOUR, FIVE_MINUTES = dt.timedelta(hours=1), dt.timedelta(minutes=5)
ROWS = 50  # of a list on the board; the headline counts all
TREND = 12


@dataclass(frozen=True)
class Load:
    """One rep: open leads, of them out of time and within the hour, room, absence, and last month's two rates.

    kept: Rate-like (value, low, high, n) of contact clocks kept; accepted: figures.Rate; both None without leads.
    """

    person: User
    open: int
    late: int
    soon: int
    most_open: int | None
    away_until: dt.date | None
    kept: tuple | None
    accepted: figures.Rate | None


def scope(user):
    """Open handoffs in inboxes that this person's board shows: the team's for a manager, all for a leader."""
    rows = Handoff.objects.in_inbox()
    if may(user, May.SEE_ALL_HANDOFFS):
        return rows
    return rows.filter(Q(owner__team=user.team_id) | Q(owner=user)) if user.team_id else rows.filter(owner=user)


def reps(user):
    """Active reps of the board, by name."""
    people = User.objects.reps().order_by("name")
    if may(user, May.SEE_ALL_HANDOFFS):
        return people
    return people.filter(team=user.team_id) if user.team_id else people.filter(pk=user.pk)


def numbers(rows, *, at):
    """{open, late, late_contact, late_decision, soon} of the scope. One query."""
    late = Q(next_due_at__lt=at, exploration=False)
    return rows.aggregate(
        open=Count("pk"),
        late=Count("pk", filter=late),
        late_contact=Count("pk", filter=late & contact_first()),
        late_decision=Count("pk", filter=late & ~contact_first()),
        soon=Count("pk", filter=Q(next_due_at__gte=at, next_due_at__lt=at + HOUR, exploration=False)),
    )


def contact_first():
    """True of handoffs whose contact clock is the one that runs out first."""
    return Q(first_touch_at=None, contact_due_at__isnull=False, contact_due_at=F("next_due_at"))


def bursting(rows, *, at, soon=False):
    """Handoffs out of time, the longest first; with `soon` also those of the next hour."""
    until = at + HOUR if soon else at
    found = rows.filter(next_due_at__lt=until, exploration=False).by_deadline().select_related("lead", "tier", "owner")
    return list(found.defer("breakdown", "lead__attributes")[:ROWS])


def waiting():
    """The default queue, the first to be claimed first, each with `why` it is there."""
    latest = Assignment.objects.filter(handoff=OuterRef("pk")).order_by("-pk").values("why")[:1]
    rows = Handoff.objects.in_queue().select_related("lead", "tier", "owner").annotate(why=Subquery(latest))
    return rows.defer("breakdown", "lead__attributes").order_by("queue_due_at", "pk")


def held(rows):
    """Counter {person's id: open leads} of these rows, without what waits in the queue."""
    return Counter(dict(rows.filter(queued_at=None).order_by().values_list("owner").annotate(Count("pk"))))


def loads(user, rows, *, at, zone):
    """A Load for each rep of the board, in four queries."""
    late = Counter(dict(_by_owner(rows.filter(next_due_at__lt=at))))
    soon = Counter(dict(_by_owner(rows.filter(next_due_at__gte=at, next_due_at__lt=at + HOUR))))
    plan, count, month = RoutingPlan.objects.in_force(at=at), held(rows), Month.of(at, zone).plus(-1)
    rooms = dict(plan.capacities.values_list("person", "most_open")) if plan else {}
    kept = _kept(month, at=at, zone=zone)
    accepted = {row.key: row.rate for row in figures.slices(month, "owner", basis=PERIOD, as_of=at, zone=zone).rows}
    away = {absence.person_id: absence.until for absence in Absence.objects.on(at)}
    return [
        Load(
            person, count[person.pk], late[person.pk], soon[person.pk],
            rooms.get(person.pk, plan and plan.most_open), away.get(person.pk), kept.get(person.pk),
            accepted.get(str(person.pk)),
        )
        for person in reps(user)
    ]  # fmt: skip


def _by_owner(rows):
    return rows.filter(queued_at=None).order_by().values_list("owner").annotate(Count("pk"))


def _kept(month, *, at, zone):
    """{owner: (share, low, high, n)}: contact clocks stopped in time of those that stopped or ran out."""
    judged = Q(first_touch_at__isnull=False) | Q(contact_due_at__lt=at)
    rows = Handoff.objects.filter(
        judged,
        qualified_at__gte=month.begins(zone),
        qualified_at__lt=month.ends(zone),
        is_historical=False,
        exploration=False,
    )
    in_time = Count("pk", filter=Q(first_touch_at__lte=F("contact_due_at")))
    counted = rows.order_by().values("owner").annotate(n=Count("pk"), kept=in_time).values_list("owner", "n", "kept")
    return {owner: (k / n, *intervals.wilson(k, n), n) for owner, n, k in counted}


def outlier(found):
    """The Load whose contacts are kept less than everybody else's together, beyond noise; None where nobody's are.

    Each is compared with the rest at 5 % divided by the number of reps (Bonferroni).
    """
    known = [one for one in found if one.kept]
    if len(known) < 2:
        return None
    z = NormalDist().inv_cdf(1 - 0.025 / len(known))
    for one in sorted(known, key=lambda one: one.kept[0]):
        k, n = _counts(one)
        others = [_counts(other) for other in known if other is not one]
        if intervals.newcombe(k, n, *map(sum, zip(*others, strict=True)), z).low > 0:
            return one
    return None


def _counts(load):
    value, _, _, n = load.kept
    return round(value * n), n


def arrived(user, *, since, until):
    """Handoffs of the board's people that were qualified in between, history apart."""
    within = {"qualified_at__gte": since, "qualified_at__lte": until}
    rows = Handoff.objects.filter(**within, is_historical=False, exploration=False)
    if may(user, May.SEE_ALL_HANDOFFS):
        return rows
    return rows.filter(Q(owner__team=user.team_id) | Q(owner=user)) if user.team_id else rows.filter(owner=user)


def five_minutes(rows_of_today):
    """(contacted within five minutes, all) of handoffs qualified today. One query."""
    quick = Count("pk", filter=Q(first_touch_at__lte=F("qualified_at") + FIVE_MINUTES))
    told = rows_of_today.aggregate(n=Count("pk"), quick=quick)
    return told["quick"], told["n"]


def absences(user, *, at, day, days=7):
    """Absences of the board's people that run on `day` or begin within `days`, with their open leads."""
    people = User.objects.active().filter(roles__overlap=[Role.REP, Role.SALES_MANAGER])
    if not may(user, May.SEE_ALL_HANDOFFS):
        people = people.filter(team=user.team_id) if user.team_id else people.filter(pk=user.pk)
    found = Absence.objects.not_over(on=day).filter(person__in=people, first_day__lte=day + dt.timedelta(days=days))
    counted = held(Handoff.objects.in_inbox())
    return [(absence, counted[absence.person_id]) for absence in found.select_related("person")]
