"""Who is right about a fact: what a connection says, beside what is known, by the connection's own setting."""

from leads.connectors.models import Conflict, Said
from leads.intake.imports.fields import ATTRIBUTE
from leads.services.capture import mailbox

EMPTY = (None, "")
Why = Conflict.Why


class Merge:
    """Hears items one after the other, the oldest first, and gathers what is new of a lead and what was not taken.

    A fact that is empty is filled. A fact that is known is overwritten only where the connection is its source, and
    only by what it said no earlier than what it said last. lead: the locked Lead, or None for a new one.
    """

    def __init__(self, connection, lead):
        self.connection, self.lead = connection, lead
        self.news, self.conflicts, self.said = {}, [], {}
        self._known = _flat(lead) if lead else {}
        before = Said.objects.filter(connection=connection, lead=lead).values_list("fact", "said_at") if lead else ()
        self._before = dict(before)

    def hear(self, item, facts):
        """Take from an item's Facts what may be taken."""
        for fact, value in facts.told.items():
            self._hear(item, fact, value)
        for fact, value in facts.defaults.items():
            if self._now(fact) in EMPTY:
                self.news[fact] = value

    def fill(self, fact, value):
        """What is only taken where nothing is known; anything else is no conflict."""
        if value and self._now(fact) in EMPTY:
            self.news[fact] = value

    def facts(self):
        """The news as take_in wants them."""
        plain = {fact: value for fact, value in self.news.items() if not fact.startswith(ATTRIBUTE)}
        own = {f.removeprefix(ATTRIBUTE): value for f, value in self.news.items() if f.startswith(ATTRIBUTE)}
        return plain | {"attributes": own} if own else plain

    def _hear(self, item, fact, value):
        now, before = self._now(fact), self.said.get(fact) or self._before.get(fact)
        older = before is not None and item.occurred_at < before
        if now not in EMPTY and not _same(fact, now, value):
            if older:
                return self._refuse(item, fact, now, value, Why.OLDER)
            if fact not in self.news and fact not in self.connection.overwrites:
                return self._refuse(item, fact, now, value, Why.NOT_THEIRS)
        if now in EMPTY or not _same(fact, now, value):
            self.news[fact] = value
        if not older:
            self.said[fact] = item.occurred_at
        return None

    def _now(self, fact):
        return self.news.get(fact, self._known.get(fact))

    def _refuse(self, item, fact, now, value, why):
        self.conflicts.append(Conflict(item=item, fact=fact, known=str(now), told=str(value), why=why))


def _flat(lead):
    facts = lead.facts()
    attributes = facts.pop("attributes")
    return facts | {f"{ATTRIBUTE}{name}": value for name, value in attributes.items()}


def _same(fact, now, value):
    return mailbox(now) == mailbox(value) if fact == "email" else str(now).strip() == str(value).strip()
