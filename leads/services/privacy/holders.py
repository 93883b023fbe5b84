"""Who holds what of a person: every app registers how its part is erased and given out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from leads.models import Lead


@dataclass(frozen=True)
class Person:
    """Somebody as known before the erasure: `lead` is None for an address that no lead has.

    mailbox: the address spelt one way, "" for none. words: the texts that name the person, longest first. patterns: of
    the addresses among them, see `spellings`.
    """

    lead: Lead | None
    mailbox: str
    words: tuple[str, ...] = field(default=())
    patterns: tuple[str, ...] = field(default=())
    handoffs: tuple[int, ...] = field(default=())


class Holder(NamedTuple):
    """One part of what is kept. erase(person, at=) → how many rows lost something; it runs in the erasure's
    transaction, after the Erasure was written, and leaves what figures count. give(person) → plain JSON values.
    """

    section: str
    erase: Callable
    give: Callable


HOLDERS: list[Holder] = []


def holds(section, *, erase, give):
    """Register a Holder; an app does so when it is ready."""
    HOLDERS.append(Holder(section, erase, give))


def nothing(person, **_):
    """For a part that is only erased, or only given."""
    return 0
