"""The door of the impact preview: a proposed agreement over the last 90 days."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.backtest.impact import CLOCKS, Impact, a_month, impact
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer
from portal.shared.intervals import wilson
from sla import words
from sla.models import Commitment, SLAVersion

PAGE = "backtest/impact.html"
DECIDED = ("accepted", "rejected")
NAMES = {"contact": "First contact", "decision": "Decision"}


@require_GET
def agreement_impact(request, number):
    """What the last 90 days would have been under a version, beside the one in force."""
    require(request.user, May.BACKTEST_DEFINITION)
    at = timezone.now()
    rows = SLAVersion.objects.select_related("definition", "calendar")
    version, against = get_object_or_404(rows, number=number), rows.in_force(at=at)
    context = {"version": version, "against": against, "at": at}
    if against is not None and against != version:
        context |= _said(impact(version, against, at=at), version)
    return answer(request, PAGE, context, part="impact")


def _said(found: Impact, version):
    return {
        "found": found,
        "clocks": [_clock(found, clock) for clock in CLOCKS] if found.handoffs else [],
        "volume": _volume(found, version),
    }


def _clock(found, clock):
    rows = [
        (tier, _rate(found.was[clock, tier]), _rate(found.would[clock, tier]))
        for tier in sorted(found.tiers())
        if found.was[clock, tier].n or found.would[clock, tier].n
    ]
    return {
        "name": NAMES[clock],
        "rows": rows,
        "was": _rate(found.total("was", clock)),
        "would": _rate(found.total("would", clock)),
    }


def _rate(kept):
    low, high = kept.interval
    return {"value": kept.share, "low": low, "high": high, "n": kept.n, "missed": kept.missed}


def _volume(found, version):
    """MQLs a month and the rate of those decided, as they were and as they would have been; or only what is agreed."""
    promise = version.commitments.filter(kind=Commitment.Kind.MQLS).first()
    agreed = words.target("mqls", promise.at_least, promise.at_most) if promise else ""
    if found.moves is None:
        return {"agreed": agreed}
    count = found.moves.count
    was, kept, admitted = count("kept") + count("dropped"), count("kept"), count("admitted")
    return {
        "agreed": agreed,
        "was": a_month(was),
        "would": a_month(kept + admitted),
        "dropped": count("dropped"),
        "lost": count("dropped", "accepted"),
        "admitted": admitted,
        "unseen": count("admitted", "unseen"),
        "rate_was": _share(*(count("kept", o) + count("dropped", o) for o in DECIDED)),
        "rate_would": _share(*(count("kept", o) + count("admitted", o) for o in DECIDED)),
    }


def _share(accepted, rejected):
    n = accepted + rejected
    low, high = wilson(accepted, n) if n else (None, None)
    return {"value": accepted / n if n else None, "low": low, "high": high, "n": n}
