"""What people are written about an audit: a signature is due, an action is theirs; the audit itself stands above."""

from django.urls import reverse

from leads.mail.documents import tables
from leads.mail.kinds import ACTION, AUDIT, EXCUSE
from portal.outbox.mail import Mail, writes


@writes("audit.waits", AUDIT)
def waits(payload):
    month = payload["month"]
    said = f"The audit of {month} was closed. Read it and sign it for your side."
    return Mail(
        f"Audit of {month}: your signature", said, reverse("audit_closing", args=[month]), "Read and sign",
        documents=(
            ("What is to be signed (PDF)", reverse("audit_pdf", args=[month])),
            *tables(month, ("reasons", "Why sales said no"), ("scorecard", "Both sides’ promises")),
        ),
    )  # fmt: skip


@writes("audit.action", ACTION)
def action(payload):
    said = f"The audit of {payload['month']} made you the owner of an action: {payload['text']}. Due {payload['due']}."
    where = reverse("audit_actions", args=[payload["month"]])
    return Mail(f"Yours by {payload['due']}: {payload['text']}", said, where, "Open the actions")


@writes("audit.excuse_proposed", EXCUSE)
def excuse_proposed(payload):
    n = payload["n"]
    what = "a breach" if n == 1 else f"{n} breaches"
    said = f"{payload['by']} proposes to excuse {what} of {payload['month']}: {payload['why']} Co-sign it, or decline."
    return Mail(
        f"To be excused: {what} of {payload['month']}", said, reverse("audit_breaches", args=[payload["month"]])
    )


@writes("audit.excuse_answered", EXCUSE)
def excuse_answered(payload):
    n, did = payload["n"], "co-signed" if payload["agreed"] else "declined"
    what = "a proposal" if n == 1 else f"{n} proposals"
    said = f"{payload['by']} {did} {what} of yours to excuse breaches of {payload['month']}."
    return Mail(f"Your proposal was {did}", said, reverse("audit_breaches", args=[payload["month"]]))
