"""What comes in: a message that is believed or not, its items, and values read without trusting them. Pure."""

import datetime as dt
import hashlib
import json
import math
from typing import NamedTuple

MOST_ITEMS = 500
LONGEST_ID = 120  # of an event's origin id
AHEAD = dt.timedelta(minutes=5)  # clocks differ
TOLERANCE = dt.timedelta(minutes=5)  # of a signature's time


class NotBelieved(Exception):
    """Why a message is turned away, in one sentence: nothing of it is kept."""


class Unreadable(Exception):
    """Why nothing can be read in a message that is believed, in one sentence."""


class Message(NamedTuple):
    """One request; headers are found by any spelling of their names, `url` is the address as the sender knows it."""

    url: str
    headers: dict
    body: bytes
    at: dt.datetime


class Arrival(NamedTuple):
    """One item of a message. problem: why it cannot be taken, where that is clear already; it is kept all the same."""

    origin_id: str
    person: str
    occurred_at: dt.datetime
    content: dict
    problem: str = ""


def parse(body):
    """JSON as RFC 8259 has it, from bytes; texts hold neither NUL nor halves of characters. Raises Unreadable."""
    try:
        return _clean(json.loads(body, parse_constant=_refuse, parse_float=_finite))
    except (ValueError, RecursionError):
        raise Unreadable("The body is no JSON.") from None


def text_of(value):
    """A plain value as the text that a file's cell would hold; lists are joined. Raises ValueError for an object."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of, value)))
    if isinstance(value, dict):
        raise ValueError("an object")
    return str(value)


def found(content, path):
    """What stands at a path such as "person.emails.0", or None."""
    for step in path.split("."):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isascii() and step.isdigit() and len(step) < 6:
            content = content[int(step)] if int(step) < len(content) else None
        else:
            return None
    return content


def moment(value, zone):
    """The aware moment of an ISO text or of seconds or milliseconds since 1970; naive ones are in `zone`. Or None."""
    try:
        if isinstance(value, str) and not value.strip().isdigit():
            read = dt.datetime.fromisoformat(value.strip())
            return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(dt.UTC)
        number = float(value)
        return dt.datetime.fromtimestamp(number / 1000 if number > 1e11 else number, dt.UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def arrival(origin_id, person, occurred_at, content, received_at):
    """An Arrival whose time is one: without it, that of its receipt; one from the future is a problem."""
    occurred_at, problem = occurred_at or received_at, ""
    if occurred_at > received_at + AHEAD:
        occurred_at, problem = received_at, "It happened in the future."
    if len(person) > LONGEST_ID:
        person, problem = "", "The id of the person is too long."
    return Arrival(short(origin_id), person, min(occurred_at, received_at), content, problem)


def short(origin_id):
    """An id that fits, or the SHA-256 of a longer one."""
    return origin_id if len(origin_id) <= LONGEST_ID else hashlib.sha256(origin_id.encode()).hexdigest()


def fingerprint(content):
    """The SHA-256 of an item that has no id: the same content is the same item."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _clean(value):
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value


def _refuse(constant):
    raise ValueError(constant)


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
