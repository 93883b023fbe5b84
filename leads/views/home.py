"""Home: the manager's board, and for everybody else the page their work is on."""

from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import board, clocks, figures
from leads.figures import PERIOD, Month
from leads.models import Dispute
from leads.views.clock_panel import hours_of
from leads.views.inbox_list import midnight
from portal.accounts.permissions import May, may, require
from portal.shared import charts, text, time
from portal.shared.htmx import answer
from sla.models import Party, SLAVersion

PAGE = "leads/home.html"
ELSEWHERE = ((May.WORK_INBOX, "inbox"), (May.READ_AUDIT, "audit_latest"), (May.MANAGE_PEOPLE, "people"))


@require_GET
def home(request):
    """The board for who manages or leads sales; others start where their work is."""
    if not may(request.user, May.SEE_BOARD):
        return redirect(next((page for what, page in ELSEWHERE if may(request.user, what)), "me"))
    now, zone = timezone.now(), timezone.get_default_timezone()
    rows = board.scope(request.user)
    loads = board.loads(request.user, rows, at=now, zone=zone)
    context = _breaching(request, now, rows) | {
        "team": "all teams" if may(request.user, May.SEE_ALL_HANDOFFS) else request.user.team or "own leads",
        "loads": loads,
        "longest": max((load.open for load in loads), default=0),
        "spread": _spread(loads),
        "outlier": board.outlier(loads),
        "totals": {key: sum(getattr(load, key) for load in loads) for key in ("open", "late", "soon")},
        "queue": list(board.waiting()[:5]),
        "absences": board.absences(request.user, at=now, day=timezone.localdate(now, zone)),
        "last_month": Month.of(now, zone).plus(-1).first,
        "today": timezone.localdate(now, zone),
        **_today(request, now),
        **_months(now, zone),
        "disputed": Dispute.objects.rulable_by(request.user).waiting().count(),
        **_to_sign(),
    }
    return answer(request, PAGE, context)


@require_GET
def breaching(request):
    """The table of clocks that ran out; asked for every half minute."""
    require(request.user, May.SEE_BOARD)
    return breaching_part(request, timezone.now())


def breaching_part(request, now, **said):
    """The table alone for htmx (`said` or `wrong` above it); the whole board is another address."""
    context = _breaching(request, now, board.scope(request.user)) | said
    return answer(request, f"{PAGE}#breaching", context)


def _breaching(request, now, rows):
    soon = request.GET.get("soon") == "1"
    numbers, found = board.numbers(rows, at=now), board.bursting(rows, at=now, soon=soon)
    counted = board.held(rows)
    return {
        "numbers": numbers,
        "rows": [_row(handoff, now, counted[handoff.owner_id]) for handoff in found],
        "more": numbers["late"] + (numbers["soon"] if soon else 0) - len(found),
        "soon": soon,
        "reassigns": may(request.user, May.REASSIGN_LEADS),
        "address": reverse("home") + ("" if soon else "?soon=1"),
        "poll": reverse("home_breaching") + ("?soon=1" if soon else ""),
        "headline": _headline(numbers, found, now),
        "now": now,
    }


def _row(handoff, now, count):
    contact = handoff.first_touch_at is None and handoff.contact_due_at == handoff.next_due_at
    late = handoff.next_due_at < now
    return {
        "handoff": handoff,
        "clock": "First contact" if contact else "Decision",
        "state": "late" if late else "warn",
        "over": clocks.left(handoff.next_due_at, now, hours_of(handoff)),
        "open": count,
        "queued": handoff.waits_in_queue,
    }


def _headline(numbers, found, now):
    """The finding, and an aside: (what ran out and what will, whose it is when most is one person's)."""
    late, soon = numbers["late"], numbers["soon"]
    if not late and not soon:
        return "No clock has run out, and none runs out within the hour.", ""
    first = f"{text.in_words(late).capitalize()} clock{' has' if late == 1 else 's have'} run out"
    first = first if late else "No clock has run out"
    then = f" and {text.in_words(soon)} run{'s' if soon == 1 else ''} out within the hour" if soon else ""
    owners = [handoff.owner.name for handoff in found if handoff.next_due_at < now]
    top = max(set(owners), key=owners.count, default=None)
    n = owners.count(top) if top else 0
    if late > 2 and n * 2 > late and n == len(owners):
        return f"{first}{then};", "all of them are in one inbox."
    if late > 2 and n * 2 > late:
        return f"{first}{then};", f"{text.in_words(n)} of the {text.in_words(late)} are in one inbox."
    return f"{first}{then}.", ""


def _spread(loads):
    """ "six reps, 9 to 18 each"."""
    if not loads:
        return "no rep yet"
    low, high = min(load.open for load in loads), max(load.open for load in loads)
    people = f"{text.in_words(len(loads))} rep{'' if len(loads) == 1 else 's'}"
    return f"{people}, {low} each" if low == high else f"{people}, {low} to {high} each"


def _today(request, now):
    begins = midnight(now) - time.DAY
    quick, arrived = board.five_minutes(board.arrived(request.user, since=begins, until=now))
    return {"quick": quick, "arrived": arrived}


def _months(now, zone):
    """This month so far, the last one, and the trend of a year, all teams."""
    found = figures.series(Month.of(now, zone), board.TREND + 1, basis=PERIOD, as_of=now, zone=zone)
    closed, current = found[:-1], found[-1]
    known = [one for one in closed if one.rate]
    return {
        "month": current,
        "closed": closed[-1],
        "tier": figures.tier(closed[-1].rate),
        "sparkline": charts.sparkline(
            [one.rate.value if one.rate else None for one in closed], label="MQL to SQL rate, 12 months"
        ),
        "trend_ends": (known[0], known[-1]) if len(known) > 1 else None,
        "trend_change": figures.change(known[0], known[-1]) if len(known) > 1 else None,
    }


def _to_sign():
    """Versions of the agreement that wait for the signature of sales."""
    return {"to_sign": list(SLAVersion.objects.waiting().exclude(signatures__party=Party.SALES))}
