"""Records of the connections: where webhooks go, and what came in."""

from leads.connectors.models.outgoing import Attempt, Delivery, Endpoint

__all__ = ["Attempt", "Delivery", "Endpoint"]
