"""Verbs that take in what came: each item once, all that follows in one transaction; one bad item stops no other."""

import time

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from leads.connectors.inbound import facts as reading
from leads.connectors.inbound import senders
from leads.connectors.inbound.merge import Merge
from leads.connectors.models import Conflict, Connection, Item, Link, Said
from leads.models import Lead
from leads.services.capture import Happened, NotALead, TwoLeads, find_lead, overtaken, take_in
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.locks import wait_for_others
from portal.shared.refusal import Refusal

log = structlog.get_logger(__name__)
Outcome = Item.Outcome
MOST_TRIES = 5  # of an item that fails by a fault of ours
AT_ONCE = 2.0  # seconds that a sender waits while its items are taken in; the worker does the rest
A_RUN, MOST_IN_A_RUN = 20.0, 5000
HELD = "No lead has this id yet, and no e-mail address was told. What it says waits for one."
WAITED = "It waited for the e-mail address."
FORGET = "The sender says that this person asks to be forgotten. The admins were told."
CAME_OF_IT = {
    "handed_over": "Handed over.", "nurture": "In nurture.", "cooling_off": "Inside the cool-off.",
    "open": "Its open handoff goes on.", "disqualified": "Disqualified before.",
    "no_version": "No agreement is in force.",
}  # fmt: skip


def take_waiting(*, at, item_ids=None, within=A_RUN):
    """Take in what waits, the oldest first, for at most `within` seconds. Returns how many were looked at.

    item_ids: only these. Several workers may run it at once: an item is taken in by one of them.
    """
    if item_ids is None:
        _free_known()
    waiting = Item.objects.waiting() if item_ids is None else Item.objects.waiting().filter(pk__in=item_ids)
    began, looked_at = time.monotonic(), 0
    for item_id in list(waiting.order_by("occurred_at", "id").values_list("pk", flat=True)[:MOST_IN_A_RUN]):
        if time.monotonic() - began > within:
            break
        _try(item_id, at)
        looked_at += 1
    return looked_at


@transaction.atomic(durable=True)
def take_item(*, item_id, at):
    """Take one waiting item in; its outcome is written with what it did. Returns it, or None: somebody else has it."""
    rows = Item.objects.waiting().select_for_update(skip_locked=True, of=("self",)).select_related("connection")
    item = rows.filter(pk=item_id).first()
    if item is None:
        return None
    try:
        overtaken(lambda: _take(item, at))
    except Refusal as refusal:
        _done([item], Outcome.REFUSED, at, why=refusal.sentence)
    return item


@transaction.atomic(durable=True)
def try_again(*, item_id, by, at):
    """Let an item that was refused, held or failed be looked at again. Returns it. Refuses: NotPermitted."""
    require(by, May.MANAGE_CONNECTIONS)
    item = Item.objects.select_for_update().get(pk=item_id)
    if item.outcome in (Outcome.REFUSED, Outcome.HELD, Outcome.FAILED) and item.content is not None:
        item.outcome, item.why, item.tries, item.done_at = Outcome.WAITING, "", 0, None
        item.save(update_fields=["outcome", "why", "tries", "done_at"])
        log.info("item_tried_again", item=item.pk, by=by.pk)
    return item


def _try(item_id, at):
    """take_item; a fault of ours is noted, and tried again a few times."""
    try:
        take_item(item_id=item_id, at=at)
    except Exception as problem:
        log.exception("item_failed", item=item_id)
        why = f"Something broke on our side ({type(problem).__name__})."
        waiting = Item.objects.waiting().filter(pk=item_id)
        waiting.filter(tries__gte=MOST_TRIES - 1).update(outcome=Outcome.FAILED, why=why, done_at=at)
        waiting.update(tries=F("tries") + 1)


def _take(item, at):
    connection, mapping = item.connection, reading.checked(item.connection.mapping)
    if senders.asks_to_forget(connection, item.content):
        return _tell_of_the_wish(item, at)
    if why := senders.passes_over(connection, item.content, mapping):
        return _done([item], Outcome.IGNORED, at, why=why)
    actor = senders.actor(connection, item.content)
    if actor and actor in connection.ours:
        return _done([item], Outcome.OURS, at, why=f"{actor[:120]} writes there what we told.")
    if _is_forgotten(connection, item.person):
        item.content = None
        return _done([item], Outcome.IGNORED, at, why="The person asked to be forgotten: nothing of it is kept.")
    told = _read(item, mapping)
    if item.person:  # else the address may come while this is held, and neither would see the other
        wait_for_others(f"inbound {connection.pk} {item.person}")
    lead, is_linked = _whose(connection, item.person, told)
    if lead is None and not told.email and not _is_enough(connection, item.person, told):
        if not item.person:
            raise NotALead
        return _done([item], Outcome.HELD, at, why=HELD)
    merge = Merge(connection, lead)
    heard = sorted([*_held(item, mapping, at), (item, told)], key=lambda pair: pair[0].occurred_at)
    for one, facts in heard:
        merge.hear(one, facts)
    if connection.shares_ids and not is_linked:
        merge.fill("external_id", item.person)
    return _write(item, heard, merge, lead, at)


def _read(item, mapping):
    return reading.read(mapping, senders.finder(item.connection, item.content), item.connection.properties)


def _whose(connection, person, told):
    """(the locked Lead that the item is about or None, whether the connection's id named it). Refuses: TwoLeads."""
    shared = person if connection.shares_ids else None
    found = find_lead(told.told.get("external_id") or shared, told.email)
    link = Link.objects.filter(connection=connection, person=person).first() if person else None
    if link is None:
        return found, False
    if found and found.pk != link.lead_id:
        raise TwoLeads("The sender’s id and the e-mail address belong to two different leads. Nothing was saved.")
    return found or Lead.objects.select_for_update().get(pk=link.lead_id), True


def _is_forgotten(connection, person):
    """Whether the sender's person is a lead that was erased: what the sender goes on telling is dropped."""
    links = Link.objects.filter(connection=connection, person=person, lead__erased_at__isnull=False)
    return bool(person) and links.exists()


def _is_enough(connection, person, told):
    """Whether the sender's id alone makes a lead. HubSpot tells of a new contact before it tells its address."""
    if connection.kind == Connection.Kind.HUBSPOT:
        return False
    return bool(told.told.get("external_id") or (connection.shares_ids and person))


def _free_known():
    """What waits for an address, and whose lead is known by now: another door told of the person."""
    linked = Link.objects.filter(connection=OuterRef("connection"), person=OuterRef("person"))
    leads = Lead.objects.filter(external_id=OuterRef("person"))
    known = Q(Exists(linked)) | Q(Exists(leads), connection__shares_ids=True)
    freed = Item.objects.held().filter(known, ~Q(person="")).values("pk")[:MOST_IN_A_RUN]
    Item.objects.held().filter(pk__in=freed).update(outcome=Outcome.WAITING, why="", done_at=None)


def _held(item, mapping, at):
    """(Item, Facts) of what was told of this person before anybody knew who it is."""
    rows = Item.objects.held().filter(connection=item.connection, person=item.person).exclude(pk=item.pk)
    for one in rows.select_for_update().order_by("occurred_at", "id") if item.person else ():
        try:
            yield one, _read(one, mapping)
        except reading.ItemRefused as refusal:
            _done([one], Outcome.REFUSED, at, why=refusal.sentence)


def _write(item, heard, merge, lead, at):
    """Facts and events, and beside them the outcome of each item, who said what, and what was not taken.

    heard: pairs (Item, Facts): the item, and those of its person that were held until now.
    """
    connection = merge.connection
    if lead and not merge.news and connection.is_crm:
        handoff, outcome, why = None, Outcome.UNCHANGED, "Everything it says is known."
    else:
        kind, origin = connection.event_kind, connection.origin
        events = [Happened(kind, one.occurred_at, origin, one.origin_id, said.properties) for one, said in heard]
        taken = take_in(facts=merge.facts(), events=events, at=at, known=lead)
        lead, handoff, outcome, why = taken.lead, taken.handoff, Outcome.TAKEN, CAME_OF_IT.get(taken.outcome, "")
    if item.person:
        Link.objects.get_or_create(connection=connection, person=item.person, defaults={"lead": lead})
    _note(merge, lead, at)
    why, waited = f"{why} {_left_out(merge)}".strip(), [one for one, _ in heard if one is not item]
    _done([item], outcome, at, why=why, lead=lead, handoff=handoff)
    _done(waited, outcome, at, why=f"{WAITED} {why}".strip(), lead=lead, handoff=handoff)


def _left_out(merge):
    count = len(merge.conflicts)
    return {0: "", 1: "One fact was not taken."}.get(count, f"{count} facts were not taken.")


def _note(merge, lead, at):
    said = [Said(connection=merge.connection, lead=lead, fact=f, said_at=when) for f, when in merge.said.items()]
    Said.objects.bulk_create(
        said, update_conflicts=True, unique_fields=["connection", "lead", "fact"], update_fields=["said_at"]
    )
    for conflict in merge.conflicts:
        conflict.lead, conflict.found_at = lead, at
    Conflict.objects.bulk_create(merge.conflicts, ignore_conflicts=True)


def _done(items, outcome, at, *, why, lead=None, handoff=None):
    for item in items:
        item.outcome, item.why, item.done_at, item.lead, item.handoff = outcome, why[:300], at, lead, handoff
        item.save(update_fields=["content", "outcome", "why", "done_at", "lead", "handoff"])


def _tell_of_the_wish(item, at):
    """The person asks the sender to be forgotten: here a person decides, and is told where."""
    link = Link.objects.filter(connection=item.connection, person=item.person).first()
    lead_id = link.lead_id if link else None
    said = {"connection": item.connection_id, "item": item.pk, "lead": lead_id}
    for admin in User.objects.active().holding(Role.ADMIN):
        tell("connection.forget", key=f"{item.pk}:{admin.pk}", at=at, to=admin, payload=said)
    _done([item], Outcome.IGNORED, at, why=FORGET, lead=link and link.lead)
