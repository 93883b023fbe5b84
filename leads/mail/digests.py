"""The daily digest of reps and managers, and the leaders' review of the week: what they say is read at delivery."""

import datetime as dt
from collections import Counter

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from leads import figures
from leads.mail.kinds import DIGEST, REVIEW
from leads.models import Breach, Handoff
from leads.weeks import Week
from portal.accounts.models import Role, User
from portal.outbox.mail import Mail, writes
from portal.shared.text import interval, percent, points
from portal.shared.time import day, left
from sla.models import EscalationStep

FIRST = 5  # leads that a digest names
DAY = dt.timedelta(days=1)


@writes("digest.day", DIGEST)
def daily(payload):
    """What waits for a rep or a manager; None where nothing does."""
    person, at = User.objects.get(pk=payload["person"]), dt.datetime.fromisoformat(payload["at"])
    zone = timezone.get_current_timezone()
    mine = Handoff.objects.in_inbox().workable_by(person)
    midnight = dt.datetime.combine(at.astimezone(zone).date() + DAY, dt.time(), tzinfo=zone)
    counts = mine.aggregate(
        all=Count("pk"),
        overdue=Count("pk", filter=Q(next_due_at__lt=at)),
        today=Count("pk", filter=Q(next_due_at__gte=at, next_due_at__lt=midnight)),
        new=Count("pk", filter=Q(qualified_at__gte=at - DAY)),
    )
    if not counts["all"]:
        return None
    lines = [f"{counts['new']} came in the last 24 hours; {counts['all']} are open.", "", "First in line:"]
    rows = mine.by_deadline().select_related("lead", "owner")[:FIRST]
    lines += [f"- {_name(row)}: {left(row.next_due_at, at)}{_held(row, person)}" for row in rows]
    if person.holds(Role.SALES_MANAGER):
        lines += ["", *_of_the_team(mine, at)]
    subject = f"Today: {counts['overdue']} overdue, {counts['today']} due, {counts['all']} open"
    return Mail(subject, "\n".join(lines), reverse("inbox"), "Open the inbox")


def _of_the_team(mine, at):
    """Load by rep, and what waits in the queue."""
    overdue = Count("pk", filter=Q(next_due_at__lt=at))
    held = mine.filter(queued_at=None).order_by().values("owner__name").annotate(n=Count("pk"), late=overdue)
    yield "By rep:"
    for row in held.order_by("-n", "owner__name"):
        yield f"- {row['owner__name']}: {row['n']} open, {row['late']} overdue"
    yield f"In the default queue: {Handoff.objects.in_queue().count()}."


def _name(handoff):
    return f"{handoff.lead.name}, {handoff.lead.company}" if handoff.lead.company else handoff.lead.name


def _held(handoff, person):
    return f" (with {handoff.owner.name})" if handoff.owner and handoff.owner != person else ""


@writes("digest.week", REVIEW)
def weekly(payload):
    """How the week that ended went; None where nothing was delivered or decided in it."""
    week, at = Week(dt.date.fromisoformat(payload["week"])), dt.datetime.fromisoformat(payload["at"])
    zone = timezone.get_default_timezone()  # the figures' zone is the organisation's, whoever reads
    before, now = figures.series(week, 2, basis=figures.PERIOD, as_of=at, zone=zone)
    if not (now.counts.mqls or now.counts.sqls or now.counts.rejected):
        return None
    counts = now.counts
    lines = [
        f"Delivered: {counts.mqls} MQLs, {counts.undecided} of them undecided. Accepted: {counts.sqls}."
        f" Rejected: {counts.rejected}.",
        *_rate_lines(before, now),
        *_reason_lines(now),
        *_clock_lines(week, zone, at),
    ]
    span = f"{day(week.first, at, zone)} to {day(week.first + 6 * DAY, at, zone)}"
    subject = f"Your week, {span}: {counts.sqls} accepted of {counts.mqls} MQLs"
    return Mail(subject, "\n".join(lines), reverse("audit_latest"), "Open the audit")


def _rate_lines(before, now):
    rate = now.rate
    if rate is None:
        return ["No MQL was delivered, so there is no rate."]
    if rate.low is None:
        return [
            f"Accepted ÷ delivered: {percent(rate.value)}; more were accepted than delivered, so without interval."
        ]
    few = " Too few MQLs to lean on." if rate.few else ""
    lines = [f"Accepted ÷ delivered: {percent(rate.value)} ({interval(rate.low, rate.high)}).{few}"]
    change = figures.change(before, now)
    if change.value is not None:
        verdict = {"noise": ", within noise", "real": ", beyond noise"}.get(change.verdict, "")
        lines.append(f"The week before: {percent(before.rate.value)}, so {points(change.value)}{verdict}.")
    return lines


def _reason_lines(now):
    top = figures.top_reasons(now)
    if not top:
        return []
    said = " or ".join(f"“{reason.label}” ({reason.n} of {now.rejections.total()})" for reason in top)
    return [f"Top reason: {said}." if len(top) == 1 else f"Two candidates for the top reason: {said}."]


def _clock_lines(week, zone, at):
    """Clocks that ran out in the week, and what is overdue now."""
    within = Breach.objects.standing().filter(due_at__gte=week.begins(zone), due_at__lt=week.ends(zone))
    ran_out = Counter(within.filter(handoff__is_historical=False).values_list("clock", flat=True))
    said = ", ".join(f"{label.lower()} {ran_out[clock]}" for clock, label in EscalationStep.Clock.choices)
    overdue = Handoff.objects.overdue(at=at).count()
    return [f"Clocks that ran out: {said}. Overdue now: {overdue}."]
