"""Doors of a month's breaches: what ran out and which promises were not kept, propose and co-sign excuses."""

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.audit import excuses as verbs
from leads.audit import promises
from leads.audit import scorecard as score
from leads.audit.closed import MonthClosed
from leads.audit.closing import sides as led_by
from leads.audit.models import Closing, Excuse
from leads.audit.views import any_month
from leads.models import Breach
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla.models import EscalationStep, Party

PAGE = "audit/breaches.html"
SHOWN = verbs.MOST
FASTER = (verbs.AlreadyProposed, verbs.AlreadyAnswered, MonthClosed)
LONGEST = 2000


@require_GET
def audit_breaches(request, month):
    """The month's breaches that this person may see, and what became of proposals to excuse them."""
    require(request.user, May.SEE_SCORECARD)
    return answer(request, PAGE, _context(request, any_month(month)), part="breaches")


@require_POST
def audit_excuse(request, month):
    """Propose that the chosen breaches of clocks, or the one commitment, be excused."""
    require(request.user, May.PROPOSE_EXCUSES)
    found, given = any_month(month), request.POST
    party = _party(given, verbs.sides(request.user))
    said = {"party": party, "why": given.get("why", "")[:LONGEST], "by": request.user, "at": timezone.now()}

    def propose():
        if commitment := _number(given.get("commitment")):
            return verbs.propose_commitment(commitment_id=commitment, month=found, **said)
        seen = set(_breaches(request.user, found).values_list("pk", flat=True))
        chosen = [pk for pk in _numbers(given.getlist("breach")) if pk in seen]
        return verbs.propose_excuses(breach_ids=chosen, zone=timezone.get_default_timezone(), **said)

    return _act(request, found, propose)


@require_POST
def audit_excuse_answer(request, month):
    """Co-sign the chosen proposals of the other side, or decline them."""
    require(request.user, May.ANSWER_EXCUSES)
    found, given = any_month(month), request.POST
    agreed = {"co-sign": True, "decline": False}.get(given.get("answer"))
    if agreed is None:
        raise Http404("There is no such answer.")
    return _act(
        request, found, lambda: verbs.answer_excuses(
            excuse_ids=_numbers(given.getlist("excuse")), party=_party(given, led_by(request.user)), agreed=agreed,
            note=given.get("note", "")[:LONGEST], by=request.user, at=timezone.now(),
            zone=timezone.get_default_timezone(),
        ),
    )  # fmt: skip


def _act(request, month, verb):
    try:
        verb()
    except NotPermitted:
        raise
    except Refusal as refusal:
        how = overtaken if isinstance(refusal, FASTER) else invalid
        context = _context(request, month) | {"wrong": refusal.sentence, "typed": request.POST.get("why", "")}
        return how(request, PAGE, context, part="breaches")
    if not request.htmx:
        return go(request, "audit_breaches", str(month))
    return answer(request, PAGE, _context(request, month) | {"saved": True}, part="breaches")


def _context(request, month):
    now, zone, user = timezone.now(), timezone.get_default_timezone(), request.user
    reads, closing = may(user, May.READ_AUDIT), Closing.objects.of(month)
    rows = _after(_breaches(user, month), request.GET.get("after"))
    rows = list(rows.select_related("handoff__lead", "handoff__tier", "owner")[: SHOWN + 1])
    states = _states(Excuse.objects.filter(breach__in=rows))
    kept = _kept_promises(month, now, zone) if reads else []
    of_promises = _states(Excuse.objects.filter(month=month.first)) if reads else {}
    parties = verbs.sides(user) if not closing else []
    waiting = _waiting(user, month, zone) if reads else []
    return {
        "month": month,
        "now": now,
        "reads": reads,
        "closing": closing,
        "rows": [(row, states.get(row.pk)) for row in rows[:SHOWN]],
        "after": rows[SHOWN - 1].pk if len(rows) > SHOWN else None,
        "is_first": "after" not in request.GET,
        "promises": [
            (name, terms, promise, of_promises.get(("commitment", promise.commitment.pk)))
            for name, terms, promise in kept
        ],
        "parties": parties,
        "waiting": [(each, _what(each)) for each in waiting],
        "answering": _answering(user, waiting) if not closing else None,
        "clocks": dict(EscalationStep.Clock.choices),
        "typed": "",
    }


def _breaches(user, month):
    """Breaches that stand, of leads handed over in the month, of the people whose clocks this person sees."""
    zone = timezone.get_default_timezone()
    found = Breach.objects.standing().filter(
        handoff__qualified_at__gte=month.begins(zone), handoff__qualified_at__lt=month.ends(zone)
    )
    if not may(user, May.SEE_ALL_HANDOFFS):
        found = found.filter(owner__in=promises.people_seen_by(user))
    return found.order_by("due_at", "pk")


def _after(breaches, pk):
    """Those behind one of them, in their order; all where there is none such."""
    last = breaches.filter(pk=_number(pk)).first() if pk else None
    if last is None:
        return breaches
    return breaches.filter(Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, pk__gt=last.pk))


def _states(excuses):
    """{breach id, or ("commitment", id): its newest Excuse with its answer}"""
    found = {}
    for each in excuses.select_related("answer", "proposed_by").order_by("number"):
        found[each.breach_id or ("commitment", each.commitment_id)] = each
    return found


def _kept_promises(month, now, zone):
    """(name, terms, Promise) of the promises that a commitment made and that were not, or not clearly, kept."""
    card = score.scorecard(month, as_of=now, zone=zone)
    broken = (p for p in card.promises if p.commitment and p.verdict in (score.BREACHED, score.UNCLEAR))
    return [(promises.name(p), promises.terms(p), p) for p in broken]


def _waiting(user, month, zone):
    """Proposals of the month that wait for an answer, of the breaches this person sees."""
    rows = Excuse.objects.waiting().select_related("proposed_by", "breach__handoff__lead", "commitment__tier")
    of_clocks = rows.filter(breach__in=_breaches(user, month))
    return [*rows.filter(month=month.first), *of_clocks[: SHOWN - 1]]


def _what(excuse):
    """ "First contact of Henrike Solvang", or the commitment's name"""
    if excuse.breach_id:
        return f"{excuse.breach.get_clock_display()} of {excuse.breach.handoff.lead.name}"
    one = excuse.commitment
    return promises.NAMES[one.kind] + (f", {one.tier.name}" if one.tier_id else "")


def _answering(user, waiting):
    """The party for which this person may answer some of these; None for none."""
    free = [each for each in waiting if each.proposed_by_id != user.pk]
    return next(
        (party for party in led_by(user) if any(each.party != party for each in free)), None
    )  # fmt: skip


def _party(given, own):
    """The party that was named, else the first of the person's own."""
    return Party(given["party"]) if given.get("party") in Party.values else own[0]


def _number(value):
    return int(value) if value and value.isdecimal() and len(value) < 16 else None


def _numbers(values):
    return [number for value in values if (number := _number(value)) is not None]
