"""What messages say and to whom they matter: the apps above register kinds of messages and a writer a topic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

MAIL, BELL = "mail", "bell"
WAYS = {MAIL: "E-mail", BELL: "Bell"}


class Mail(NamedTuple):
    """Plain text; `path` is the page that it leads to, from the root of the portal, and `link` what that page is.

    `documents`: (what it is called, address) of each read-only one that the letter opens without signing in, see
    portal.accounts.links. Bell and chat rooms do not get them.
    """

    subject: str
    body: str
    path: str
    link: str = "Open the lead"
    documents: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of message that a person may choose the ways of; `roles` see it; `chat`: what it is called in a room."""

    key: str
    label: str
    hint: str
    roles: tuple
    ways: frozenset
    chat: str


class Topic(NamedTuple):
    """How a topic is written, `payload → Mail` or None where nothing is left to say, and its kind.

    The writer runs in the reader's time zone: `timezone.get_current_timezone()`. No kind: it cannot be turned off.
    """

    write: Callable[[dict], Mail | None]
    kind: Kind | None
    chat: bool


KINDS: dict[str, Kind] = {}
TOPICS: dict[str, Topic] = {}


def kind(key, label, *, hint, roles, ways=(MAIL, BELL), chat=""):
    """Register a kind of message with the ways it takes until a person chooses others. Returns the Kind."""
    KINDS[key] = Kind(key, label, hint, tuple(roles), frozenset(ways), chat)
    return KINDS[key]


def writes(topic, kind=None, *, chat=False):
    """Register the function `payload → Mail | None`; with `chat` the rooms that listen to the kind get it too."""

    def register(writer):
        TOPICS[topic] = Topic(writer, kind, chat)
        return writer

    return register


def kinds_for(person):
    """The kinds that matter to the roles the person holds, in the order they were registered."""
    return [one for one in KINDS.values() if person.holds(*one.roles)]


def one_line(text):
    """A subject is one line, whatever a lead was called."""
    return " ".join(text.split())[:150]
