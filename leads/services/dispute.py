"""Disputes: marketing objects to a rejection once, a sales manager upholds or overturns it."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads.models import Decision, Dispute, Handoff, Lead, Ruling
from leads.services._steps import lock, write_decision
from leads.services.refusals import AlreadyDecided
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted, Refusal


class NotARejection(Refusal):
    code = "not_a_rejection"
    sentence = "Only a rejection that stands can be disputed. Nothing was saved."


class AlreadyDisputed(Refusal):
    code = "already_disputed"
    sentence = "This rejection was disputed already; that is done once."


class DisputeWindowPassed(Refusal):
    code = "dispute_window_passed"
    sentence = "The agreement's time for disputing this rejection has passed."


class WhyDisputed(Refusal):
    code = "why_disputed"
    sentence = "Say why the rejection is wrong: the manager rules on it. Nothing was saved."
    field = "note"


class AlreadyRuled(Refusal):
    code = "already_ruled"
    sentence = "Somebody ruled on this dispute already. Nothing was changed."


class NothingToRule(Refusal):
    code = "nothing_to_rule"
    sentence = "The rejection was taken back meanwhile, so there is nothing to rule on."


@transaction.atomic(durable=True)
def dispute_rejection(*, handoff_id, by, at, note):
    """Marketing objects to the rejection that stands. Returns the Dispute; its ruling is due within the same window.

    Refuses: NotPermitted, NotARejection (imported history too), DisputeWindowPassed, AlreadyDisputed, WhyDisputed.
    """
    require(by, May.DISPUTE_REJECTIONS)
    handoff = lock(handoff_id)
    standing, window = handoff.standing_decision, handoff.sla_version.dispute_within
    if handoff.is_historical or standing is None or standing.outcome != Decision.Outcome.REJECTED:
        raise NotARejection
    if Dispute.objects.filter(decision=standing).exists():
        raise AlreadyDisputed
    if at - standing.decided_at > window:
        raise DisputeWindowPassed
    if not note.strip():
        raise WhyDisputed
    dispute = Dispute.objects.create(
        decision=standing, disputed_by=by, disputed_at=at, due_at=at + window, note=note.strip()
    )
    for person in _who_rule(handoff, standing):
        tell("dispute.opened", key=f"{dispute.pk}-{person.pk}", at=at, to=person, payload={"dispute": dispute.pk})
    return dispute


@transaction.atomic(durable=True)
def rule_on_dispute(*, dispute_id, outcome, by, at, note=""):
    """A sales manager upholds the rejection, or overturns it: then the lead is open again with its owner.

    Clocks are not set back: a late decision stays late. Returns the Ruling.
    Refuses: NotPermitted (another team's, one's own rejection or dispute), AlreadyRuled, NothingToRule, AlreadyDecided
    (the lead came back as a new handoff meanwhile).
    """
    require(by, May.RULE_ON_DISPUTES)
    dispute = get_object_or_404(Dispute.objects.select_related("decision", "disputed_by"), pk=dispute_id)
    handoff = lock(dispute.decision.handoff_id)
    if not Dispute.objects.rulable_by(by).filter(pk=dispute.pk).exclude(disputed_by=by).exists():
        raise NotPermitted("Only the manager of the owner's team or the sales leader rules, and never on their own.")
    if Ruling.objects.filter(dispute=dispute).exists():
        raise AlreadyRuled
    if handoff.standing_decision_id != dispute.decision_id:
        raise NothingToRule
    reopened = _reopen(handoff, by, at, note) if outcome == Ruling.Outcome.OVERTURNED else None
    ruling = Ruling.objects.create(
        dispute=dispute, outcome=outcome, ruled_by=by, ruled_at=at, note=note.strip(), reopened_by=reopened
    )
    told = {dispute.disputed_by, *([handoff.owner] if reopened and handoff.owner else [])}
    for person in told:
        tell("dispute.ruled", key=f"{ruling.pk}-{person.pk}", at=at, to=person, payload={"dispute": dispute.pk})
    return ruling


def _reopen(handoff, by, at, note):
    if handoff.lead.handoffs.undecided().exists():
        raise AlreadyDecided("The lead came back as a new handoff meanwhile.")
    Lead.objects.filter(pk=handoff.lead_id).update(recycle_on=None, updated_at=at)
    return write_decision(
        handoff, outcome=Decision.Outcome.REOPENED, decided_at=at, recorded_at=at, decided_by=by, note=note.strip()
    )


def _who_rule(handoff, decision):
    """The managers of the owner's team, else the sales leaders; without whoever rejected the lead."""
    others = User.objects.active().exclude(pk=decision.decided_by_id)
    team = handoff.owner.team_id if handoff.owner else None
    managers = list(others.holding(Role.SALES_MANAGER).filter(team=team)) if team else []
    return managers or list(others.holding(Role.SALES_LEADER))


def can_be_disputed(handoff: Handoff, at):
    """True while the rejection that stands may still be disputed: what a page asks before it offers the form."""
    standing = handoff.standing_decision
    return bool(
        standing
        and not handoff.is_historical
        and standing.outcome == Decision.Outcome.REJECTED
        and at - standing.decided_at <= handoff.sla_version.dispute_within
        and not Dispute.objects.filter(decision=standing).exists()
    )
