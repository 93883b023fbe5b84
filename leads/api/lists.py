"""Doors to read leads and handoffs: filters, and pages that no write moves."""

import datetime as dt
import hashlib
from typing import Literal

from django.db import models
from django.db.models import Q
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from pydantic import Field

from leads.api.router import router
from leads.api.shapes import HandoffPage, HandoffSaid, LeadPage, LeadSaid
from leads.models import Handoff, Lead
from leads.services.capture import mailbox
from portal.accounts.permissions import May, may, require
from portal.keys.auth import Bearer
from portal.keys.cursor import cursor_of, read_cursor
from portal.keys.scopes import HANDOFFS_READ, LEADS_READ
from portal.keys.shapes import Email, IdInAddress, Moment, Strict, digits, text

TAGS = ["Read"]
WITH = ("owner", "tier", "reason", "definition", "sla_version")


class Paged(Strict):
    cursor: text(400) | None = Field(None, description="`next_cursor` of the page before")
    limit: digits(1, 200) = 50

    def name(self):
        """What a cursor is good for: this list with these filters."""
        kept = self.model_dump_json(exclude={"cursor", "limit"}, exclude_none=True)
        return f"{type(self).__name__}:{hashlib.sha256(kept.encode()).hexdigest()[:16]}"

    def page(self, found):
        """(rows, `next_cursor` or None) of a queryset, in the order in which its rows came to be."""
        if self.cursor is not None:
            (after,) = read_cursor(self.cursor, of=self.name())
            found = found.filter(pk__gt=after)
        rows = list(found.order_by("pk").fetch_mode(models.FETCH_RAISE)[: self.limit + 1])
        shown = rows[: self.limit]
        return shown, cursor_of([shown[-1].pk], of=self.name()) if len(rows) > self.limit else None


class Leads(Paged):
    email: Email | None = None
    external_id: text(120, least=1) | None = None


class Handoffs(Paged):
    status: Literal["open", "accepted", "rejected", "withdrawn"] | None = None
    owner: Email | None = None
    lead: IdInAddress | None = None
    qualified_from: Moment | None = None
    qualified_before: Moment | None = None
    decided_from: Moment | None = None
    decided_before: Moment | None = None


@router.get(
    "/leads", response=LeadPage, auth=Bearer(LEADS_READ), url_name="api_leads", summary="List leads", tags=TAGS
)  # fmt: skip
def get_leads(request, query: Query[Leads]):
    """In the order in which they became known. A page after another shows each lead once, whatever is written
    meanwhile; who became known since then stands at the end."""
    found = visible_leads(request.user)
    if query.email:
        found = found.filter(email_key=mailbox(query.email))
    if query.external_id:
        found = found.filter(external_id=query.external_id)
    shown, more = query.page(found)
    return LeadPage(items=[LeadSaid.model_validate(row) for row in shown], next_cursor=more)


@router.get(
    "/handoffs", response=HandoffPage, auth=Bearer(HANDOFFS_READ), url_name="api_handoffs", summary="List handoffs",
    tags=TAGS,
)  # fmt: skip
def get_handoffs(request, query: Query[Handoffs]):
    """Those that the key's person may see, the earliest qualified first. A page after another shows each once;
    `qualified_at` never changes, so that a handoff keeps its place when it is decided or reassigned."""
    found = _selected(visible_handoffs(request.user), query)
    if query.cursor is not None:
        at, pk = read_cursor(query.cursor, of=query.name())
        at = dt.datetime.fromisoformat(at)
        found = found.filter(Q(qualified_at__gt=at) | Q(qualified_at=at, pk__gt=pk), qualified_at__gte=at)
    rows = found.select_related(*WITH).defer("breakdown").order_by("qualified_at", "pk")
    rows = list(rows.fetch_mode(models.FETCH_RAISE)[: query.limit + 1])
    shown = rows[: query.limit]
    last = shown[-1] if len(rows) > query.limit else None
    more = last and cursor_of([last.qualified_at.isoformat(), last.pk], of=query.name())
    return HandoffPage(items=[HandoffSaid.of(row) for row in shown], next_cursor=more)


@router.get(
    "/handoffs/{handoff_id}", response=HandoffSaid, auth=Bearer(HANDOFFS_READ), url_name="api_handoff",
    summary="One handoff", tags=TAGS,
)  # fmt: skip
def get_handoff(request, handoff_id: Path[IdInAddress]):
    found = visible_handoffs(request.user).select_related(*WITH).defer("breakdown")
    return HandoffSaid.of(get_object_or_404(found, pk=handoff_id))


def visible_handoffs(user):
    """As the page of leads has it."""
    if not may(user, May.WORK_INBOX):
        require(user, May.READ_AUDIT)
    return Handoff.objects.visible_to(user)


def visible_leads(user):
    """All for those who see every handoff; for others whose handoffs they see."""
    handoffs = visible_handoffs(user)
    if may(user, May.SEE_ALL_HANDOFFS):
        return Lead.objects.all()
    return Lead.objects.filter(pk__in=handoffs.values("lead"))


def _selected(found, query):
    wanted = {
        "status": query.status, "owner__email__iexact": query.owner, "lead": query.lead,
        "qualified_at__gte": query.qualified_from, "qualified_at__lt": query.qualified_before,
        "decided_at__gte": query.decided_from, "decided_at__lt": query.decided_before,
    }  # fmt: skip
    return found.filter(**{look: value for look, value in wanted.items() if value is not None})
