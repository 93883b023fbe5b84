"""Promises of both sides in words, and whose clocks a person may see."""

from leads.audit import scorecard as score
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, may
from sla import words
from sla.models import Commitment, Party

NAMES = {
    Commitment.Kind.MQLS: "Volume",
    Commitment.Kind.ACCEPTANCE: "Acceptance",
    Commitment.Kind.COMPLETE_FACTS: "Complete facts",
    Commitment.Kind.SHARE_KEPT: "Share of clocks kept",
    Commitment.Kind.FIRST_CONTACT: "First contact",
    Commitment.Kind.DECISION: "Decision",
    score.COVERED: "Sources and campaigns covered",
    score.ATTEMPTS: "Attempts before “unable to reach”",
}


def name(promise):
    """ "First contact, Hot" """
    if promise.in_words:
        return promise.in_words[0]
    one = promise.commitment
    return NAMES[promise.kind] + (f", {one.tier.name}" if one and one.tier_id else "")


def terms(promise):
    """ "≥ 95% within 4 business hours" """
    if promise.in_words:
        return promise.in_words[1]
    one, version = promise.commitment, promise.version
    if promise.kind == score.COVERED:
        return "every MQL from an agreed source and campaign"
    if promise.kind == score.ATTEMPTS:
        return f"{version.attempts_before_unreachable} logged attempts or more"
    if promise.kind in score.CLOCKS:
        business = version.clock_basis != version.ClockBasis.ELAPSED
        return f"≥ {words.percent(promise.target)} within {words.span(one.within, business=business)}"
    said = words.target(one.kind, one.at_least, one.at_most)
    return f"{said} MQLs a month" if promise.is_volume else said


def kept_in_words(card, month):
    """The finding as a heading: how many promises each side kept."""
    if not card.promises:
        return f"No MQLs {month.within}, so no promises to keep"
    parts = []
    for party in Party:
        judged = [p.verdict for p in card.of(party) if p.verdict]
        kept = f"kept {judged.count(score.KEPT)} of {len(judged)} promises" if judged else "had nothing to keep"
        parts.append(f"{party.label.lower()} {kept}")
    said = ", ".join(parts)
    return said[0].upper() + said[1:]


def people_seen_by(user):
    """Whose clocks: everybody's, the team's, or one's own."""
    if may(user, May.SEE_ALL_HANDOFFS):
        return User.objects.all()
    if user.holds(Role.SALES_MANAGER) and user.team_id:
        return User.objects.filter(team=user.team_id)
    return User.objects.filter(pk=user.pk)
