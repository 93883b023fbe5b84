"""What managers and marketing are written about disputes."""

from django.urls import reverse
from django.utils import timezone

from leads.mail.kinds import DISPUTE
from leads.models import Dispute
from portal.outbox.mail import Mail, writes
from portal.shared.time import full


@writes("dispute.opened", DISPUTE)
def opened(payload):
    """None when somebody ruled meanwhile, or the rejection was taken back."""
    dispute = _dispute(payload)
    if hasattr(dispute, "ruling") or dispute.decision.handoff.standing_decision_id != dispute.decision_id:
        return None
    said = (
        f"{dispute.disputed_by.name} disputes the rejection as “{dispute.decision.reason.label}”:\n{dispute.note}\n\n"
        f"The ruling is due {full(dispute.due_at, timezone.get_current_timezone())}."
    )
    return Mail(f"Disputed: {dispute.decision.handoff.lead.name}", said, reverse("disputes"))


@writes("dispute.ruled", DISPUTE)
def ruled(payload):
    dispute = _dispute(payload)
    ruling, handoff = dispute.ruling, dispute.decision.handoff
    what = "the lead is open again" if ruling.reopened_by_id else "the rejection stands"
    said = f"{ruling.get_outcome_display()} by {ruling.ruled_by.name}: {what}.\n{ruling.note}".strip()
    return Mail(f"{ruling.get_outcome_display()}: {handoff.lead.name}", said, reverse("handoff", args=[handoff.pk]))


def _dispute(payload):
    rows = Dispute.objects.select_related(
        "decision__handoff__lead", "decision__reason", "disputed_by", "ruling__ruled_by"
    )
    return rows.get(pk=payload["dispute"])
