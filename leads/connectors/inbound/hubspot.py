"""HubSpot's webhooks: signature version 3, and events about contacts, each with one property. Pure.

HubSpot says of the signature: base64 of HMAC-SHA256 over method + address + body + timestamp (milliseconds).
"""

import base64
import datetime as dt
import hmac

from leads.connectors.inbound.message import (
    MOST_ITEMS,
    TOLERANCE,
    NotBelieved,
    Unreadable,
    arrival,
    fingerprint,
    moment,
    parse,
    text_of,
)

FORGET = "contact.privacyDeletion"
TELLS_OF_A_LEAD = ("contact.creation", "contact.propertyChange", "contact.restore")
# field of a lead: HubSpot's name of the property
USUAL = {
    "email": "email", "phone": "phone", "first_name": "firstname", "last_name": "lastname", "title": "jobtitle",
    "company": "company", "domain": "website", "employees": "numberofemployees", "industry": "industry",
    "country": "country", "region": "state", "source": "hs_analytics_source",
}  # fmt: skip


def signature(secret, method, url, body, timestamp):
    """Version 3 as text; body: bytes; timestamp: the header's text."""
    content = method.encode() + url.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret.encode(), content, "sha256")).decode()


def check(message, secret):
    """Raises NotBelieved unless the message is signed with the app's secret and at most five minutes old."""
    given = message.headers.get("X-HubSpot-Signature-v3", "")
    timestamp = message.headers.get("X-HubSpot-Request-Timestamp", "")
    if not given or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        raise NotBelieved("The signature of version 3, or its timestamp, is missing.")
    if abs(message.at - dt.datetime.fromtimestamp(int(timestamp) / 1000, dt.UTC)) > TOLERANCE:
        raise NotBelieved("The timestamp is more than five minutes off.")
    wanted = signature(secret, "POST", message.url, message.body, timestamp)
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise NotBelieved("The signature does not fit: check the client secret, and PORTAL_URL.")


def arrivals(message, connection, zone):
    """The Arrivals of a message: a list of events. Raises Unreadable."""
    events = parse(message.body)
    if not isinstance(events, list) or len(events) > MOST_ITEMS:
        raise Unreadable(f"The body is no list of at most {MOST_ITEMS} events.")
    return [_arrival(event, message, zone) for event in events]


def _arrival(event, message, zone):
    if not isinstance(event, dict) or "eventId" not in event:
        content = event if isinstance(event, dict) else {"value": event}
        return arrival(fingerprint(content), "", None, content, message.at)._replace(problem="This is no event.")
    # an event's id is not promised to be unique; with what it is about and when, it is
    ids = (event.get(name) for name in ("eventId", "subscriptionId", "objectId", "occurredAt"))
    happened = moment(event.get("occurredAt"), zone)
    return arrival(":".join(map(str, ids)), str(event.get("objectId") or ""), happened, event, message.at)


def finder(content):
    """A function name → what the event says of that property, or None."""
    known = {content.get("propertyName"): content.get("propertyValue")}
    return known.get


def actor(content):
    """Who changed it there, as HubSpot names them."""
    return text_of(content.get("sourceId"))


def passes_over(content, names):
    """Why the event is nothing to take, or ""; names: the properties that the mapping reads."""
    kind = str(content.get("subscriptionType"))
    if kind not in (*TELLS_OF_A_LEAD, FORGET):
        return f"{kind[:60]} tells nothing that a lead keeps."
    if kind == "contact.propertyChange" and content.get("propertyName") not in names:
        return "No fact is read from this property."
    return ""


def asks_to_forget(content):
    return content.get("subscriptionType") == FORGET
