"""What people are written when a clock runs out or is about to."""

from django.urls import reverse
from django.utils import timezone

from leads.mail.kinds import BREACH, CLOCK_WARNING
from leads.models import Handoff
from portal.outbox.mail import Mail, writes
from portal.shared.time import full, left
from sla.models import EscalationStep

Clock = EscalationStep.Clock
DID = {
    "clock.warned": "runs out soon",
    "clock.reported": "ran out",
    "clock.ran_out": "ran out",
    "clock.moved": "ran out, now in the queue",
}


@writes("clock.warned", CLOCK_WARNING)
def warned(payload):
    """To the owner; None when the clock was stopped meanwhile, or the lead went on to someone else."""
    handoff = _handoff(payload)
    if _stopped(handoff, payload["clock"]) or handoff.owner_id != payload["owner"]:
        return None
    return _mail(handoff, payload["clock"], "runs out soon")


@writes("clock.reported", BREACH)
def reported(payload):
    """To the manager: who holds the lead, and what happened since."""
    return _mail(_handoff(payload), payload["clock"], "ran out")


@writes("clock.ran_out", BREACH, chat=True)
def ran_out(payload):
    """For chat rooms."""
    return _mail(_handoff(payload), payload["clock"], "ran out")


@writes("clock.moved", BREACH)
def moved(payload):
    """To the one who held the lead until it went to the queue."""
    return _mail(_handoff(payload), payload["clock"], "ran out, so the lead went to the queue")


@writes("clock.summary", BREACH, chat=True)
def summary(payload):
    """Instead of a storm: how many, and the first of them."""
    count, items = payload["count"], payload["items"]
    if count == 1:
        [[handoff, clock, topic]] = items
        return _mail(_handoff({"handoff": handoff}), clock, DID[topic])
    rows = Handoff.objects.select_related("lead", "owner").in_bulk([handoff for handoff, _, _ in items])
    lines = [_line(rows[handoff], clock, DID[topic]) for handoff, clock, topic in items]
    if count > len(items):
        lines.append(f"… and {count - len(items)} more.")
    return Mail(f"{count} clocks need you", "\n".join(lines), reverse("inbox"), "Open the inbox")


def _handoff(payload):
    return Handoff.objects.select_related("lead", "tier", "owner").get(pk=payload["handoff"])


def _stopped(handoff, clock):
    """When the clock stopped, or None while it runs."""
    ended = handoff.decided_at or handoff.withdrawn_at
    return handoff.first_touch_at or ended if clock == Clock.CONTACT else ended


def _due(handoff, clock):
    return handoff.contact_due_at if clock == Clock.CONTACT else handoff.decision_due_at


def _mail(handoff, clock, did):
    lead, zone = handoff.lead, timezone.get_current_timezone()
    company = f", {lead.company}" if lead.company else ""
    tier = f" ({handoff.tier.name})" if handoff.tier else ""
    due, stopped = _due(handoff, clock), _stopped(handoff, clock)
    lines = [
        f"{lead.name}, {lead.title or 'title unknown'}, {lead.company or 'company unknown'}",
        f"{Clock(clock).label} due: {full(due, zone)}.",
        f"With: {handoff.owner.name if handoff.owner else 'nobody'}.",
    ]
    if stopped:
        lines.append(f"Done since, {left(due, stopped)}.")
    return Mail(
        f"{Clock(clock).label} {did}: {lead.name}{company}{tier}", "\n".join(lines),
        reverse("handoff", args=[handoff.pk]),
    )  # fmt: skip


def _line(handoff, clock, did):
    company = f", {handoff.lead.company}" if handoff.lead.company else ""
    owner = f" (with {handoff.owner.name})" if handoff.owner else ""
    return f"{Clock(clock).label} {did}: {handoff.lead.name}{company}{owner}"
