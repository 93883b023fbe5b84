"""What admins are written about connections; nobody can turn it off, for nobody else would notice."""

from django.urls import reverse

from leads.connectors.models import Connection, Endpoint
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


@writes("connection.forget")
def forget(payload):
    """Somebody asks a sender to be forgotten; without a name, which the mail would keep."""
    connection = Connection.objects.get(pk=payload["connection"])
    said = f"{connection.name} says that a person asks to be forgotten. "
    if payload["lead"]:
        said += f"We know the person as lead {payload['lead']}: erase it, if the wish is right."
    else:
        said += "We know no lead under its id there. Look the person up there, and search here by the e-mail address."
    return Mail(
        f"{connection.name}: a person asks to be forgotten", said, reverse("item", args=[payload["item"]]),
        "Open what came",
    )  # fmt: skip
