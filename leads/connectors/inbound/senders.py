"""What differs from one kind of sender to another, behind one set of questions."""

from leads.connectors.inbound import generic, hubspot, salesforce
from leads.connectors.inbound.message import NotBelieved
from leads.connectors.models import Connection
from leads.connectors.outgoing import signing
from portal.shared.sealed import unseal

Kind = Connection.Kind
USUAL = {Kind.HUBSPOT: hubspot.USUAL, Kind.SALESFORCE: salesforce.USUAL, Kind.JSON: {"email": "email"}}
MODULES = {Kind.HUBSPOT: hubspot, Kind.SALESFORCE: salesforce, Kind.JSON: generic}


def check(message, connection):
    """Raises NotBelieved unless the message is the connection's: its secret address is right already."""
    if connection.kind == Kind.HUBSPOT:
        hubspot.check(message, unseal(connection.secret))
    elif connection.kind == Kind.SALESFORCE:
        salesforce.check(message, connection)
    elif connection.secret:
        given = {name.lower(): value for name, value in message.headers.items()}
        try:
            signing.verify([unseal(connection.secret)], given, message.body, now=message.at.timestamp())
        except signing.BadSignature as problem:
            raise NotBelieved(str(problem)) from None


def arrivals(message, connection, zone):
    """The Arrivals of a message that is believed. Raises Unreadable."""
    return MODULES[connection.kind].arrivals(message, connection, zone)


def finder(connection, content):
    """A function path or name → the raw value in an item's content, or None."""
    return MODULES[connection.kind].finder(content)


def actor(connection, content):
    """Who changed it there, or ""."""
    if connection.kind == Kind.JSON:
        return generic.actor(content, connection.paths.get("actor"))
    return MODULES[connection.kind].actor(content)


def passes_over(connection, content, mapping):
    """Why the item is nothing to take, or ""."""
    if connection.kind == Kind.JSON:
        return ""
    return MODULES[connection.kind].passes_over(content, {column.name for column in mapping.columns.values()})


def asks_to_forget(connection, content):
    return connection.kind == Kind.HUBSPOT and hubspot.asks_to_forget(content)
