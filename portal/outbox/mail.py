"""Which messages become an e-mail, and what it says: the apps above register a writer for their topics."""

from collections.abc import Callable
from typing import NamedTuple


class Mail(NamedTuple):
    """Plain text; `path` is the page that it leads to, from the root of the portal."""

    subject: str
    body: str
    path: str


type Writer = Callable[[dict], Mail | None]
WRITERS: dict[str, Writer] = {}


def writes(topic):
    """Register the function `payload → Mail`, or None where there is nothing to say any more."""

    def register(writer):
        WRITERS[topic] = writer
        return writer

    return register


def one_line(text):
    """A subject is one line, whatever a lead was called."""
    return " ".join(text.split())[:150]
