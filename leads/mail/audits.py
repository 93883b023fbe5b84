"""What leaders are written when an audit waits for their signature; the audit itself is not asked, it stands above."""

from django.urls import reverse

from leads.mail.kinds import AUDIT
from portal.outbox.mail import Mail, writes


@writes("audit.waits", AUDIT)
def waits(payload):
    said = f"The audit of {payload['month']} was closed. Read it and sign it for your side."
    return Mail(
        f"Audit of {payload['month']}: your signature", said, reverse("audit_closing", args=[payload["month"]])
    )
