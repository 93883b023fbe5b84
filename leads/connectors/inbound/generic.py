"""JSON of any shape: paths say where the items stand, and where an item's id, time, person and actor are. Pure."""

from leads.connectors.inbound.message import (
    MOST_ITEMS,
    Unreadable,
    arrival,
    fingerprint,
    found,
    moment,
    parse,
    text_of,
)

# what a path of a connection may name, and what it is for
PATHS = {
    "items": "Where the list of items stands; empty: the body is the list, or the one item",
    "id": "An item’s own id; empty: the same content is the same item",
    "occurred_at": "When it happened; empty: when it came",
    "person": "The sender’s id of the person",
    "actor": "Who changed it there",
}


def arrivals(message, connection, zone):
    """The Arrivals of a message. Raises Unreadable."""
    paths, body = connection.paths, parse(message.body)
    items = found(body, paths["items"]) if paths.get("items") else body
    items = items if isinstance(items, list) else [items]
    if len(items) > MOST_ITEMS:
        raise Unreadable(f"The message holds more than {MOST_ITEMS} items.")
    return [_arrival(item, paths, message, zone) for item in items]


def _arrival(item, paths, message, zone):
    if not isinstance(item, dict):
        return arrival(fingerprint(item), "", None, {"value": item}, message.at)._replace(problem="This is no object.")
    own, person = (_plain(item, paths.get(name)) for name in ("id", "person"))
    happened = moment(found(item, paths["occurred_at"]), zone) if paths.get("occurred_at") else None
    return arrival(own or fingerprint(item), person, happened, item, message.at)


def finder(content):
    """A function path → what stands there, or None."""
    return lambda path: found(content, path)


def _plain(content, path):
    try:
        return text_of(found(content, path)).strip() if path else ""
    except ValueError:
        return ""


def actor(content, path):
    """Who changed it there."""
    return _plain(content, path)
