"""What people are written about an audit: a signature is due, an action is theirs; the audit itself stands above."""

from django.urls import reverse

from leads.mail.kinds import ACTION, AUDIT
from portal.outbox.mail import Mail, writes


@writes("audit.waits", AUDIT)
def waits(payload):
    said = f"The audit of {payload['month']} was closed. Read it and sign it for your side."
    return Mail(
        f"Audit of {payload['month']}: your signature", said, reverse("audit_closing", args=[payload["month"]])
    )


@writes("audit.action", ACTION)
def action(payload):
    said = f"The audit of {payload['month']} made you the owner of an action: {payload['text']}. Due {payload['due']}."
    return Mail(
        f"Yours by {payload['due']}: {payload['text']}", said, reverse("audit_actions", args=[payload["month"]])
    )
