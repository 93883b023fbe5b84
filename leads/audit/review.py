"""What a conversion review talks about: what waits for somebody, what moved beyond chance, and what is only noise."""

from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse

from leads import figures
from leads.audit.asked import SPANS_SHOWN
from leads.audit.links import leads_url
from leads.audit.models import ActionRevision
from leads.audit.page import Page
from leads.models import Breach, Dispute, Handoff
from leads.periods import Month
from portal.shared import intervals, text, time
from sla.models import EscalationStep

NOISE, REAL = "noise", "real"
OVER = {"clock": "over"}
WORST_SHOWN, NAMED = 10, 3
SURE = 0.05


@dataclass(frozen=True)
class Item:
    """One sentence; `links` are (words, path) of what it is about."""

    text: str
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Agenda:
    """`waits`: for somebody to act. `real` and `noise`: Items of what moved. `worst`: the handoffs longest past due.

    `overdue` counts all of those; `over_url` is their list.
    """

    waits: tuple[Item, ...]
    real: tuple[Item, ...]
    noise: tuple[Item, ...]
    worst: tuple[Handoff, ...]
    overdue: int

    @property
    def over_url(self):
        return leads_url(OVER)


def review(span, basis, *, as_of, zone):
    """The page.Page of a Span, by source, with the spans before it."""
    asked = {"as_of": as_of, "zone": zone}
    return Page(
        series=figures.series(span, SPANS_SHOWN, basis=basis, **asked),
        cut=figures.slices(span, "source", basis=basis, **asked),
        contact=figures.first_contact(span, **asked),
        basis=basis,
        by="source",
        show_all=False,
        **asked,
    )


def agenda(page, *, person):
    """The Agenda of a page.Page about some days, as of its cut-off, of the leads that the person sees."""
    at = page.as_of
    seen = Handoff.objects.visible_to(person)
    overdue = seen.overdue(at=at)
    n = overdue.count()
    worst = tuple(overdue.by_deadline().select_related("lead", "owner", "tier").defer("breakdown")[:WORST_SHOWN])
    found = [] if page.unfinished else [each for each in _findings(page) if each]
    return Agenda(
        waits=tuple(item for item in (*_disputes(person, at), *_actions(at, page.zone), *_over(n, worst, at)) if item),
        real=tuple(item for verdict, item in found if verdict == REAL),
        noise=tuple(item for verdict, item in found if verdict == NOISE),
        worst=worst,
        overdue=n,
    )


# --- what waits ---------------------------------------------------------------------------------------


def _disputes(person, at):
    waiting = Dispute.objects.visible_to(person).waiting().filter(disputed_at__lte=at)
    rows = list(waiting.select_related("decision__handoff__lead").order_by("due_at", "pk"))
    if not rows:
        return
    late = sum(row.due_at < at for row in rows)
    said = f"{_n(len(rows), 'dispute')} {'waits' if len(rows) == 1 else 'wait'} for a ruling"
    said += f", {text.thousands(late)} past the day on which it was due" if late else ""
    handoffs = [row.decision.handoff for row in rows[:NAMED]]
    named = ((each.lead.name, reverse("handoff", args=[each.pk])) for each in handoffs)
    yield Item(f"{said}.", (*named, ("All disputes", reverse("disputes"))))


def _actions(at, zone):
    """Actions of audits that are past their day, the oldest first."""
    today = at.astimezone(zone).date()
    last = (
        ActionRevision.objects.order_by("action_id", "-number").distinct("action_id").select_related("action", "owner")
    )
    late = sorted((row for row in last if not row.is_closed and row.due_on < today), key=lambda row: row.due_on)
    for row in late:
        days = (today - row.due_on).days
        said = f"The action “{row.text}” is {_n(days, 'day')} overdue, with {row.owner.name}."
        where = reverse("audit_actions", args=[str(Month(row.action.month))])
        yield Item(said, ((f"Actions of {time.month(row.action.month)}", where),))


def _over(n, worst, at):
    if n:
        said = f"{_n(n, 'open lead')} {'is' if n == 1 else 'are'} past a clock; the longest is"
        yield Item(f"{said} {worst_words(worst[0], at)}.", ((f"All {text.thousands(n)}", leads_url(OVER)),))


def worst_words(handoff, at):
    """ "Henrike Solvang, Corvane Foods: 6 days over, with Rena Rep", or "in the default queue" """
    company = f", {handoff.lead.company}" if handoff.lead.company else ""
    held = "in the default queue" if handoff.queued_at else f"with {handoff.owner.name}" if handoff.owner else ""
    return f"{handoff.lead.name}{company}: {time.left(handoff.next_due_at, at)}{held and f', {held}'}"


# --- what moved: each finding is its verdict and an Item, or None where nothing can be said -------------


def _findings(page):
    before, now = page.series[-2:]
    yield _counted("Marketing delivered", "MQL", now.counts.mqls, before.counts.mqls, page.month)
    yield _rate(page)
    yield from _reasons(page)
    yield _sources(page)
    yield _fast(page)
    yield from _breaches(page)


def _counted(did, what, n, earlier, period):
    """Two counts of days of equal length: were both equally likely, the sign test tells how odd the split is."""
    if not n + earlier:
        return None
    p = intervals.sign_test(max(n, earlier), min(n, earlier))
    said = f"{did} {_n(n, what)}, against {text.thousands(earlier)} in {period.before}"
    return (REAL if p <= SURE else NOISE), Item(f"{said}.")


def _rate(page):
    change = page.audit.change
    if change.verdict is None:
        return None
    rate = page.audit.rate
    said = f"Of the MQLs {text.percent(rate.value)} were accepted ({text.interval(rate.low, rate.high)})"
    moved = f"{text.points(change.value)} on {page.month.before} ({text.interval(change.low, change.high)})"
    return change.verdict, Item(f"{said}: {moved}.")


def _reasons(page):
    place = "one of two candidates for the top reason" if len(page.candidates) > 1 else "the top reason"
    rejected = _n(page.series[-1].counts.rejected, "rejection")
    for each in page.candidates:
        change, reason = each["change"], each["reason"]
        if change is None or change.verdict is None:
            continue
        said = f"“{reason.label}” is {place}: {text.thousands(reason.n)} of {rejected}"
        said += f", {text.points(change.value)} on {page.month.before} ({text.interval(change.low, change.high)})"
        yield change.verdict, Item(f"{said}.", (("Its leads", each["figure"].url),))


def _sources(page):
    """Which source is ahead; the two ends are compared at a level corrected for the number of pairs."""
    if len(page.cut.sources) < 2:
        return None
    ends = figures.ends(page.cut.sources)
    if ends is None:
        return NOISE, Item("No source with enough MQLs is accepted more often than another, beyond chance.")
    best, worst = ends
    rates = f"{text.percent(best.rate.value, 0)} against {text.percent(worst.rate.value, 0)}"
    return REAL, Item(
        f"{best.label or 'No source'} is accepted more often than {worst.label or 'no source'}: {rates}."
    )


def _fast(page):
    now, before = page.contact, figures.first_contact(page.month.plus(-1), as_of=page.as_of, zone=page.zone)
    if not (now.n and before.n):
        return None
    change = intervals.newcombe(before.within_5_min, before.n, now.within_5_min, now.n)
    said = f"{_n(now.within_5_min, 'MQL')} of {text.thousands(now.n)} met sales within five minutes"
    moved = f"{text.points(change.difference)} on {page.month.before} ({text.interval(change.low, change.high)})"
    return (NOISE if change.is_noise else REAL), Item(f"{said}: {moved}.")


def _breaches(page):
    now, before = (_ran_out(period, page.as_of, page.zone) for period in (page.month, page.month.plus(-1)))
    for clock, label in EscalationStep.Clock.choices:
        yield _counted(
            f"The {label.lower()} clock ran out on", "lead", now.get(clock, 0), before.get(clock, 0), page.month
        )


def _ran_out(period, as_of, zone):
    """{clock: how many ran out} in a Span; none of imported history, and none that an earlier contact corrected."""
    start, end = period.begins(zone), period.ends(zone)
    within = Breach.objects.standing().filter(due_at__gte=start, due_at__lt=end, due_at__lte=as_of)
    counts = within.filter(handoff__is_historical=False).order_by().values_list("clock").annotate(n=Count("pk"))
    return dict(counts)


def _n(n, what):
    return f"{text.thousands(n)} {what}{'' if n == 1 else 's'}"
