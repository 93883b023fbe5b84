"""The agreement to read, each version at its own address."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.permissions import May, require
from sla import words
from sla.models import Category, Commitment, Party, Signature, SLAVersion

MEASURES = {  # kind: (commitment, how it is measured)
    "mqls": ("Volume", "MQLs delivered in a month"),
    "acceptance": ("Acceptance", "Share of the month’s MQLs that sales accepts"),
    "complete_facts": ("Complete facts", "Share of MQLs that arrive with every fact that the definition reads"),
    "share_kept": ("Reliability", "Share of clocks that stop in time"),
}


@require_GET
def agreement(request):
    """The version in force, or how to get one where there is none."""
    require(request.user, May.READ_AGREEMENT)
    return _agreement(request, _versions().in_force(at=timezone.now()))


@require_GET
def agreement_version(request, number):
    require(request.user, May.READ_AGREEMENT)
    return _agreement(request, get_object_or_404(_versions(), number=number))


def _versions():
    return SLAVersion.objects.select_related("definition", "calendar", "predecessor", "proposed_by")


def _agreement(request, version):
    now = timezone.now()
    context = {"version": version, "now": now, "versions": _history(now)}
    if version:
        context |= _content(version, now)
    return render(request, "sla/agreement.html", context)


def _content(version, now):
    """What the contract says, section by section."""
    business = version.clock_basis == SLAVersion.ClockBasis.CALENDAR
    commitments = list(version.commitments.select_related("tier"))
    tiers = list(version.definition.tiers.all())
    reasons = list(version.reasons.all())
    return {
        "status": _status(version, now),
        "tiers": [{"name": tier.name, "key": tier.key, "words": words.tier(tier)} for tier in tiers],
        "lowest": min((tier.total for tier in tiers), default=0),
        "marketing": [_measured(c) for c in commitments if c.party == Party.MARKETING],
        "reliability": [_measured(c) for c in commitments if c.kind == Commitment.Kind.SHARE_KEPT],
        "times": _times(commitments, tiers, business),
        "clock": _clock(version, business),
        "undo": words.span(version.undo_within),
        "cool_off": words.span(version.cool_off),
        "reasons": [(c.value, c.label, [r for r in reasons if r.category == c and not r.retired]) for c in Category],
        "retired": [reason for reason in reasons if reason.retired],
        "signatures": _signatures(version),
    }


def _status(version, now):
    """One word for a machine, one for a person: draft, proposed, in force, replaced, not yet."""
    if not version.proposed_at:
        return "draft", "Draft"
    in_force = SLAVersion.objects.in_force(at=now)
    if version == in_force:
        return "in_force", "In force"
    if not SLAVersion.objects.signed().filter(pk=version.pk).exists():
        return "proposed", "Waiting for signatures"
    if version.effective_from > now:
        return "signed", "Signed, begins later"
    return "replaced", "Replaced"


def _measured(commitment):
    name, measure = MEASURES[commitment.kind]
    target = words.target(commitment.kind, commitment.at_least, commitment.at_most)
    return {"name": name, "measure": measure, "target": target}


def _times(commitments, tiers, business):
    """Sales’s times: a row a kind, a cell a tier."""
    within = {(c.kind, c.tier_id): c.within for c in commitments if c.within is not None}
    rows = ((Commitment.Kind.FIRST_CONTACT, "First contact"), (Commitment.Kind.DECISION, "Decision"))
    return [
        {"name": name, "cells": [(tier.name, words.span(within[kind, tier.pk], business=business)) for tier in tiers]}
        for kind, name in rows
    ]


def _clock(version, business):
    if not business:
        return "Clocks run around the clock, on every day of the week."
    return f"Clocks run {words.week(version.calendar.week, version.calendar.zone)}, and stop on the agreed holidays."


def _signatures(version):
    """Both sides in order; an open place where nobody has signed."""
    signed = {signature.party: signature for signature in version.signatures.all()}
    return [(party.label, signed.get(party.value)) for party in Party]


def _history(now):
    """All versions, the newest first, each with its state in words."""
    signed = Signature.objects.values_list("version", "party")
    parties = {}
    for version, party in signed:
        parties.setdefault(version, set()).add(party)
    versions = list(SLAVersion.objects.select_related("definition").order_by("-number"))
    begun = [v for v in versions if len(parties.get(v.pk, ())) == len(Party) and v.effective_from <= now]
    in_force = max(begun, key=lambda version: version.effective_from, default=None)
    return [
        {"version": v, "in_force": v is in_force, "signed": len(parties.get(v.pk, ())) == len(Party)} for v in versions
    ]
