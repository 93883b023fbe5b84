"""What admins are written about connections; nobody can turn it off, for nobody else would notice."""

from django.urls import reverse

from leads.connectors.models import Endpoint
from portal.outbox.mail import Mail, writes


@writes("webhook.disabled")
def disabled(payload):
    """None where somebody enabled or retired it meanwhile."""
    endpoint = Endpoint.objects.kept().filter(pk=payload["endpoint"]).exclude(disabled_at=None).first()
    if endpoint is None:
        return None
    waiting = endpoint.deliveries.waiting().count()
    said = (
        f"{payload['why']} Nothing is sent to it any more; {waiting} deliveries wait, and what happens meanwhile is"
        " added to them. When the receiver is well again, enable the endpoint: what waits is sent then, under the"
        " same ids."
    )
    return Mail(
        f"Webhooks to “{endpoint.name}” are disabled", said, reverse("endpoint", args=[endpoint.pk]),
        "Open the endpoint",
    )  # fmt: skip
