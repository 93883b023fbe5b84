"""What a rep is written when a lead comes into the inbox: enough to decide whether to look now."""

from django.urls import reverse
from django.utils import timezone

from leads.mail.kinds import NEW_LEAD, QUEUE
from leads.models import Handoff
from portal.outbox.mail import Mail, writes
from portal.shared.time import full


@writes("handoff.opened", NEW_LEAD, chat=True)
def opened(payload):
    return _mail(payload, "New lead")


@writes("handoff.assigned", NEW_LEAD)
def assigned(payload):
    return _mail(payload, "Now yours")


@writes("handoff.unclaimed", QUEUE)
def unclaimed(payload):
    """To the one who answers for the queue, when nobody claimed the lead in time."""
    still = Handoff.objects.in_queue().filter(pk=payload["handoff"]).exists()
    return _mail(payload, "Still in the queue") if still else None


@writes("handoff.queued", QUEUE, chat=True)
def queued(payload):
    """To the one who answers for the queue; None when somebody claimed it meanwhile."""
    still = Handoff.objects.in_queue().filter(pk=payload["handoff"]).exists()
    return _mail(payload, "In the queue") if still else None


def _mail(payload, opening):
    """None when the lead was decided meanwhile, or went on to someone else."""
    handoff = Handoff.objects.select_related("lead", "tier", "owner").get(pk=payload["handoff"])
    if not handoff.is_open or payload.get("owner", handoff.owner_id) != handoff.owner_id:
        return None
    lead = handoff.lead
    tier = f" ({handoff.tier.name})" if handoff.tier else ""
    lines = [
        f"{lead.name}, {lead.title or 'title unknown'}, {lead.company or 'company unknown'}",
        f"Source: {handoff.source or 'unknown'}. Score: {'none' if handoff.total is None else handoff.total}{tier}.",
    ]
    if handoff.next_due_at:
        lines.append(f"Next due: {full(handoff.next_due_at, timezone.get_current_timezone())}.")
    company = f", {lead.company}" if lead.company else ""
    return Mail(f"{opening}: {lead.name}{company}{tier}", "\n".join(lines), reverse("handoff", args=[handoff.pk]))
