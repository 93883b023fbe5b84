"""Records of the connections: where webhooks go, and what came in."""

from leads.connectors.models.inbound import Conflict, Connection, Item, Link, Said
from leads.connectors.models.outgoing import Attempt, Delivery, Endpoint

__all__ = ["Attempt", "Conflict", "Connection", "Delivery", "Endpoint", "Item", "Link", "Said"]
