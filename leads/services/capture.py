"""Capture: a person becomes a lead, or an existing lead learns something; its events; and what follows at once.

One core takes in one capture or a thousand: a few statements whatever their number.
"""

from django.db import transaction

from leads.models import Lead
from leads.services._law import asks_for_law, law_in_force, law_told
from leads.services._news import learn_news, make_due, record_events
from leads.services._people import known_people, learn, mailbox, names_of, write_people
from leads.services._races import overtaken
from leads.services._told import Captured, Happened, NotALead, TakenIn, TwoLeads
from leads.services.refusals import PersonForgotten
from portal.shared.refusal import Refusal

__all__ = [
    "Captured", "Happened", "NotALead", "TakenIn", "TwoLeads", "capture_lead", "find_lead", "mailbox", "overtaken",
    "record_event", "take_in", "take_in_events", "take_in_events_of", "take_in_lead", "take_in_leads",
]  # fmt: skip


@transaction.atomic(durable=True)
def take_in_lead(*, facts, events=(), at, evaluate=True):
    """Capture → evaluate → hand off, all in one transaction: the one verb of forms, API and connectors.

    facts, events: as Captured has them; each event is known once by (origin, origin_id). evaluate: False leaves the
    evaluation to the worker, who comes within seconds. A lead with an open handoff keeps it and its clocks.
    Returns TakenIn. Refuses: NotALead, TwoLeads.
    """
    return overtaken(lambda: take_in(facts=facts, events=events, at=at, evaluate=evaluate))


@transaction.atomic(durable=True)
def take_in_leads(*, captures, at, evaluate=True):
    """As take_in_lead for many Captured, in order. Returns for each its TakenIn, or the Refusal: no row stops another.

    A person who is told of twice learns both and is judged once.
    """
    try:
        return overtaken(lambda: _take_in(captures, at, evaluate), tries=2)
    except TwoLeads:  # such as an address that one lead gives up and another takes, in one statement
        return [_alone(each, at, evaluate) for each in captures]


@transaction.atomic(durable=True)
def take_in_events(*, lead_id, events, at, evaluate=True):
    """What a known lead did: recorded, evaluated and, where it lifts the lead to a tier, handed over at once.

    Returns TakenIn. Raises Lead.DoesNotExist. Refuses: PersonForgotten.
    """
    lead = Lead.objects.select_for_update().get(pk=lead_id)
    if lead.erased_at:
        raise PersonForgotten
    return learn_news([(lead, False, events)], law_in_force(at) if evaluate else None, at, evaluate)[0]


@transaction.atomic(durable=True)
def take_in_events_of(*, told, at, evaluate=True):
    """As take_in_events for many pairs (lead's id, Happened), in order. Returns of each its TakenIn or Refusal."""
    ids = {lead_id for lead_id, _ in told}
    leads = {lead.pk: lead for lead in Lead.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    rows = [(leads[lead_id], False, [event]) for lead_id, event in told if leads[lead_id].erased_at is None]
    learnt = iter(learn_news(rows, law_in_force(at) if evaluate else None, at, evaluate) if rows else ())
    return [PersonForgotten() if leads[lead_id].erased_at else next(learnt) for lead_id, _ in told]


@transaction.atomic(durable=True)
def capture_lead(*, facts, at):
    """Create the lead, or update the one with the same outside id or mailbox; empty facts overwrite nothing.

    facts: as Captured has them. Returns the Lead. Refuses: NotALead, TwoLeads.
    """
    return overtaken(lambda: _raised(_capture([Captured(facts)], at)[0][0])[0])


@transaction.atomic(durable=True)
def record_event(*, lead_id, kind, occurred_at, at, origin="", origin_id=None, properties=None, suspected_by=""):
    """Append an event; the same (origin, origin_id) again changes nothing. Returns True when it was new.

    A lead in nurture is then due to be evaluated again (leads.services.evaluate); a suspected event makes none due.
    """
    if Lead.objects.filter(pk=lead_id, erased_at__isnull=False).exists():
        raise PersonForgotten
    event = Happened(kind, occurred_at, origin, origin_id, properties or {}, suspected_by)
    [new] = record_events([(lead_id, event)], at)
    if new and not suspected_by:
        make_due([lead_id], at)
    return new


def take_in(*, facts, events, at, evaluate=True, known=None):
    """A step: take_in_lead within the caller's transaction, for verbs that write a row of their own beside it.

    known: the locked Lead that it is, where the caller knows; its facts need not say who it is. The caller begins
    anew where somebody else wrote the same new person at that instant: `overtaken`.
    """
    return _raised(_take_in([Captured(facts, events, known)], at, evaluate)[0])


def find_lead(external_id, email):
    """A step: the lead with this outside id or mailbox, locked, or None; captures of one person wait for each other.

    Refuses: TwoLeads.
    """
    names = names_of({"external_id": external_id, "email": email})
    return _raised(_who(names, *known_people([names])[:2]))


def _raised(found):
    if isinstance(found, Refusal):
        raise found
    return found


def _alone(capture, at, evaluate):
    try:
        return overtaken(lambda: _take_in([capture], at, evaluate))[0]
    except TwoLeads as refusal:
        return refusal


def _take_in(captures, at, evaluate):
    """The TakenIn or the Refusal of each."""
    people, law = _capture(captures, at)
    told = [
        (*person, each.events)
        for person, each in zip(people, captures, strict=True)
        if not isinstance(person, Refusal)
    ]
    learnt = iter(learn_news(told, law, at, evaluate))
    return [person if isinstance(person, Refusal) else next(learnt) for person in people]


def _capture(captures, at):
    """[(the locked lead with these facts, is it new), or the Refusal, of each in order], and the Law in force.

    All are written down.
    """
    names, found = [names_of(each.facts) for each in captures], []
    *known, law = known_people(names, besides=asks_for_law(at))
    for each, named in zip(captures, names, strict=True):
        found.append(_one(each, named, *known, at))
    leads = {id(one[0]): one[0] for one in found if not isinstance(one, Refusal)}
    write_people(leads.values(), at)
    return found, law_told(law)


def _who(names, by_id, by_box):
    """The known Lead of these names, None, or the Refusal."""
    first, second = by_id.get(names[0]), by_box.get(names[1])
    return TwoLeads() if first and second and first is not second else first or second


def _one(capture, names, by_id, by_box, at):
    """As `_capture`, of one; from here on the next ones find the lead by what is now known of it."""
    known = capture.known or (_who(names, by_id, by_box) if any(names) else NotALead())
    if isinstance(known, Refusal):
        return known
    lead = known or Lead(created_at=at)
    for named, name in zip((by_id, by_box), names_of(vars(lead)), strict=True):
        named.pop(name, None)
    learn(lead, capture.facts, at)
    external_id, box = names_of(vars(lead))
    by_id |= {external_id: lead} if external_id else {}
    by_box |= {box: lead} if box else {}
    return lead, known is None
