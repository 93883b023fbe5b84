"""The verb that forgets a person: what is personal goes, what is counted stays, and an open handoff ends."""

from dataclasses import dataclass

import structlog
from django.db import transaction

from leads.models import Erasure, Handoff, Lead
from leads.models.lead import FACTS, NULLED
from leads.services.capture import find_lead, mailbox
from leads.services.privacy import core, letters  # noqa: F401 (they register what they hold)
from leads.services.privacy.holders import HOLDERS, Person
from leads.services.privacy.spellings import patterns, spellings
from leads.services.withdraw import end_without_decision
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import Refusal

log = structlog.get_logger(__name__)
SHORTEST_WORD = 5  # what is shorter says too little to look for
WITHDRAWN = {Erasure.Why.ASKED: "Asked to be forgotten", Erasure.Why.RETENTION: "Kept long enough"}


class NobodyKnown(Refusal):
    code = "nobody_known"
    sentence = "Nobody is known by this address or number. Nothing was changed."
    field = "who"


class ErasedAlready(Refusal):
    code = "erased_already"
    sentence = "This person was forgotten already. Nothing was changed."


class StillNeeded(Refusal):
    code = "still_needed"
    sentence = "Something happened to this lead meanwhile, so it is kept."


class NotTheAddress(Refusal):
    code = "not_the_address"
    sentence = "This is not the person’s address. Type it as it stands above; nothing was changed."
    field = "typed"


@dataclass(frozen=True)
class Erased:
    """What an erasure did, or would do: rows by section, and the handoff that it ended (None: none was open)."""

    lead_id: int | None
    rows: dict
    withdrawn: int | None

    @property
    def total(self):
        return sum(self.rows.values())


@transaction.atomic(durable=True)
def erase_person(
    *, at, by=None, lead_id=None, email="", why=Erasure.Why.ASKED, typed=None, while_in=None, dry_run=False
):  # fmt: skip
    """Forget the person behind a lead, or behind an e-mail address. Returns the Erased.

    by: None for a command or the retention. typed: the address that a person typed to confirm. while_in: a queryset
    that the lead must still be in. dry_run: everything is done and taken back; nothing is written.
    Refuses: NotPermitted, NobodyKnown, ErasedAlready, NotTheAddress, StillNeeded.
    """
    if by is not None:
        require(by, May.FORGET_PEOPLE)
    lead = _locked(lead_id, email)
    if lead and lead.erased_at:
        raise ErasedAlready
    if typed is not None and not _is_typed(lead, typed):
        raise NotTheAddress
    if while_in is not None and not while_in.filter(pk=lead.pk).exists():
        raise StillNeeded
    person = known(lead, email)
    Erasure.objects.create(lead=lead, why=why, erased_at=at, erased_by=by)
    withdrawn = _end_open_handoff(lead, by, at, why)
    rows = {}
    for holder in HOLDERS:
        rows[holder.section] = rows.get(holder.section, 0) + holder.erase(person, at=at)
    if lead:
        rows["Facts"] = _blank(lead, at)
        tell("lead.erased", key=lead.pk, at=at, payload={"lead": lead.pk})
    erased = Erased(lead and lead.pk, {section: n for section, n in rows.items() if n}, withdrawn)
    if lead is None and not erased.total:
        raise NobodyKnown
    if dry_run:
        transaction.set_rollback(True)
    else:
        log.info("person_erased", lead=erased.lead_id, why=why, rows=erased.rows, by=by and by.pk)
    return erased


def known(lead, email=""):
    """The Person behind a lead, with what it was called before, or behind an address that no lead has."""
    address = mailbox(lead.email) if lead and lead.email else mailbox(email) if email else ""
    words = {address, *(_called(lead) if lead else ())}
    long_enough = sorted((word for word in words if len(word) >= SHORTEST_WORD), key=lambda word: (-len(word), word))
    handoffs = lead.handoffs.values_list("pk", flat=True) if lead else ()
    return Person(lead, address, tuple(long_enough), patterns(long_enough), tuple(handoffs))


def _called(lead):
    """Addresses and whole names of a lead, now and before, but for an address that is another lead's by now."""
    one = {name: getattr(lead, name) for name in ("email", "first_name", "last_name")}
    addresses, names = set(), set()
    changes = lead.fact_changes.filter(was__isnull=False).order_by("-changed_at", "-pk")
    for was in ({}, *changes.values_list("was", flat=True)):
        one |= {name: was[name] for name in one if name in was}
        addresses |= {one["email"], mailbox(one["email"])} if one["email"] else set()
        names.add(f"{one['first_name']} {one['last_name']}".strip())
    others = Lead.objects.filter(email_key__in=map(mailbox, addresses)).exclude(pk=lead.pk)
    taken = set(others.values_list("email_key", flat=True))
    return names | {each for each in addresses if mailbox(each) not in taken}


def _locked(lead_id, email):
    if lead_id is not None:
        lead = Lead.objects.select_for_update().filter(pk=lead_id).first()
        if lead is None:
            raise NobodyKnown
        return lead
    if "@" not in email:
        raise NobodyKnown
    for spelt in (email, *spellings(email)):
        if lead := find_lead(None, spelt):
            return lead
    return None


def _is_typed(lead, typed):
    """Whether the typed text is the lead's address, else its outside id, else its number."""
    if lead.email:
        return "@" in typed and mailbox(lead.email) in (mailbox(typed), *spellings(typed))
    return typed.strip() == (lead.external_id or str(lead.pk))


def _end_open_handoff(lead, by, at, why):
    """Withdraw the one that is open, without words about the person; returns its id or None."""
    rows = Handoff.objects.undecided().select_for_update(of=("self",)).defer("breakdown")
    handoff = rows.filter(lead=lead).first() if lead else None
    if handoff:
        end_without_decision(handoff, by=by, at=at, why=WITHDRAWN[why])
    return handoff and handoff.pk


def _blank(lead, at):
    """No fact, no attribute, no day to come back; returns how many facts there were."""
    had = sum(value not in (None, "", {}) for value in lead.facts().values())
    for name in FACTS:
        setattr(lead, name, None if name in NULLED else "")
    lead.attributes, lead.recycle_on, lead.evaluate_from = {}, None, None
    lead.updated_at = lead.erased_at = at
    lead.save()
    return had
