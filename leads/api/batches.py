"""Doors for many at once: up to a thousand leads or events, a result for each row, one bad row stops no other."""

from typing import Annotated, Any

from django.utils import timezone
from pydantic import Field, TypeAdapter, ValidationError

from leads.api.capture import TAGS, names_one, said
from leads.api.router import router
from leads.api.shapes import LeadEventIn, LeadIn, TakenInSaid
from leads.models import Lead
from leads.services.bulk import NoSuchLead
from leads.services.capture import Captured, mailbox, take_in_events_of, take_in_leads
from leads.services.track import marked
from portal.accounts.permissions import May, require
from portal.keys import problem
from portal.keys.auth import Bearer
from portal.keys.door import invalid
from portal.keys.once import once
from portal.keys.scopes import EVENTS_WRITE, LEADS_WRITE
from portal.keys.shapes import Said, Strict
from portal.shared.refusal import Refusal

MOST, COST, MOST_BYTES = 1000, 20, 4 * 1024 * 1024
LEAD, EVENT = TypeAdapter(LeadIn), TypeAdapter(LeadEventIn)
LOOKS = {"id": "pk", "email": "email_key", "external_id": "external_id"}


def _rows(of):
    """A list whose rows are looked at one by one; the document names what each should be."""
    told = {"items": {"description": f"A row as POST {of} takes it; one that is not gets its problem."}}
    return Annotated[list[Any], Field(min_length=1, max_length=MOST, json_schema_extra=told)]


class LeadsIn(Strict):
    leads: _rows("/api/v1/leads")


class EventsIn(Strict):
    events: _rows("/api/v1/events")


class RowSaid(Said):
    """`row` counts from 0; `status` is what the row alone would have been answered with."""

    row: int
    status: int
    result: TakenInSaid | None = None
    problem: dict[str, Any] | None = None


class BatchSaid(Said):
    taken: int
    refused: int
    rows: list[RowSaid]


@router.post(
    "/leads:batch", response=BatchSaid, auth=Bearer(LEADS_WRITE, cost=COST), url_name="api_leads_batch",
    summary="Send many leads", tags=TAGS,
)  # fmt: skip
def post_leads(request, batch: LeadsIn):
    """Up to 1,000. A person who stands in two rows learns both, and is judged once."""
    require(request.user, May.IMPORT_LEADS)
    now = timezone.now()

    def work(do):
        rows = [_read(LEAD, row, lambda lead: _captured(lead, now)) for row in batch.leads]
        return 200, _done(rows, lambda good: do(take_in_leads, captures=good, at=now))

    return once(request, work)


@router.post(
    "/events:batch", response=BatchSaid, auth=Bearer(EVENTS_WRITE, cost=COST), url_name="api_events_batch",
    summary="Send many events", tags=TAGS,
)  # fmt: skip
def post_events(request, batch: EventsIn):
    """Up to 1,000, of leads that are known here. A lead is judged once, by all that the batch tells of it."""
    require(request.user, May.IMPORT_LEADS)
    now = timezone.now()

    def work(do):
        rows = _of_known_leads([_read(EVENT, row, lambda event: _told(event, now)) for row in batch.events])

        def verb(good):
            told = [(lead_id, event) for (lead_id, *_), event in zip(good, marked(good), strict=True)]
            return do(take_in_events_of, told=told, at=now)

        return 200, _done(rows, verb)

    return once(request, work)


def _captured(lead, now):
    return Captured(lead.facts(), marked([(None, event.happened(now), event.signals()) for event in lead.events]))


def _told(event, now):
    return names_one(event.lead), event.happened(now), event.signals()


def _read(shape, row, made):
    """What a row says, or the Refusal."""
    try:
        return made(shape.validate_python(row))
    except ValidationError as error:
        return invalid(error.errors(include_url=False, include_input=False))
    except Refusal as refusal:
        return refusal


def _of_known_leads(rows):
    """The rows with the lead's id instead of its name; three questions at most."""
    named = [row[0] for row in rows if not isinstance(row, Refusal)]
    known = {}
    for name, look in LOOKS.items():
        wanted = {_looked(one) for one in named if one[0] == name}
        if wanted:
            found = Lead.objects.filter(**{f"{look}__in": wanted}).values_list(look, "pk")
            known |= {(name, value): pk for value, pk in found}
    return [
        row if isinstance(row, Refusal)
        else (known[row[0][0], _looked(row[0])], *row[1:]) if (row[0][0], _looked(row[0])) in known
        else NoSuchLead(field="lead")
        for row in rows
    ]  # fmt: skip


def _looked(named):
    name, value = named
    return mailbox(value) if name == "email" else value


def _done(rows, verb):
    """The answer: what the verb made of the good rows, and the problems of the others, in order."""
    good = [row for row in rows if not isinstance(row, Refusal)]
    taken = iter(verb(good) if good else ())
    found = [_said(n, row if isinstance(row, Refusal) else next(taken)) for n, row in enumerate(rows)]
    refused = sum("problem" in row for row in found)
    return {"taken": len(found) - refused, "refused": refused, "rows": found}


def _said(n, one):
    if isinstance(one, Refusal):
        return {"row": n, "status": problem.status_of(one), "problem": problem.document(one)}
    return {"row": n, "status": 201 if one.created else 200, "result": said(one)}
