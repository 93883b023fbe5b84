"""The daily digest of reps and managers: what it says is read at delivery."""

import datetime as dt

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from leads.mail.kinds import DIGEST
from leads.models import Handoff
from portal.accounts.models import Role, User
from portal.outbox.mail import Mail, writes
from portal.shared.time import left

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
