"""Doors to read leads and handoffs: filters, and pages that no write moves."""

import datetime as dt
import hashlib
import json
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
from portal.shared.settled import settled

TAGS = ["Read"]
WITH = ("owner", "tier", "reason", "definition", "sla_version")


class Paged(Strict):
    cursor: text(400) | None = Field(None, description="of the page before: `next_cursor`, or `resume_cursor`")
    limit: digits(1, 200) = 50

    def filters(self):
        return self.model_dump(exclude={"cursor", "limit"}, exclude_none=True, mode="json")

    def moment(self):
        """The moment that the list goes by, where a span of it is asked for; None: by ids."""

    def name(self):
        """What a cursor is good for: this list in this order with these filters."""
        kept = hashlib.sha256(json.dumps(self.filters()).encode()).hexdigest()[:16]
        return f"{type(self).__name__}:{self.moment()}:{kept}"

    def page(self, found, shape, say, *, sees_all):
        """A page of a queryset, as its shape. sees_all: no row is kept from who asks, and none will be shown later.

        By ids nothing appears later before the end of a page: the rows that are not settled wait.
        """
        moment, name = self.moment(), self.name()
        at, after = (None, 0) if self.cursor is None else read_cursor(self.cursor, of=name)
        if moment is None:
            found = found.filter(pk__gt=after, pk__lte=settled(found.model))
        elif at:
            at = dt.datetime.fromisoformat(at)
            later = Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "pk__gt": after})
            found = found.filter(later, **{f"{moment}__gte": at})
        rows = [*found.order_by(moment or "pk", "pk").fetch_mode(models.FETCH_RAISE)[: self.limit + 1]]
        shown = rows[: self.limit]
        if shown:
            at, after = moment and getattr(shown[-1], moment).isoformat(), shown[-1].pk
        here = cursor_of([at, after], of=name)
        return shape(
            items=[say(row) for row in shown], next_cursor=here if len(rows) > self.limit else None,
            resume_cursor=here if sees_all and not self.filters() else None,
        )  # fmt: skip


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

    def moment(self):
        return next((name for name in ("qualified_at", "decided_at") if self._asks_for(name)), None)

    def _asks_for(self, moment):
        name = moment.removesuffix("_at")
        return any(getattr(self, f"{name}_{end}") is not None for end in ("from", "before"))


@router.get(
    "/leads", response=LeadPage, auth=Bearer(LEADS_READ), url_name="api_leads", summary="List leads", tags=TAGS
)  # fmt: skip
def get_leads(request, query: Query[Leads]):
    """In the order in which they became known. A page after another shows each lead once, whatever is written
    meanwhile; who became known since then stands at the end, also for who comes back with `resume_cursor`."""
    found = visible_leads(request.user)
    if query.email:
        found = found.filter(email_key=mailbox(query.email))
    if query.external_id:
        found = found.filter(external_id=query.external_id)
    return query.page(found, LeadPage, LeadSaid.model_validate, sees_all=may(request.user, May.SEE_ALL_HANDOFFS))


@router.get(
    "/leads/{lead_id}", response=LeadSaid, auth=Bearer(LEADS_READ), url_name="api_lead", summary="One lead", tags=TAGS
)  # fmt: skip
def get_lead(request, lead_id: Path[IdInAddress]):
    return get_object_or_404(visible_leads(request.user), pk=lead_id)


@router.get(
    "/handoffs", response=HandoffPage, auth=Bearer(HANDOFFS_READ), url_name="api_handoffs", summary="List handoffs",
    tags=TAGS,
)  # fmt: skip
def get_handoffs(request, query: Query[Handoffs]):
    """Those that the key's person may see, in the order in which they were opened or imported; of a span in the order
    of that moment. A page after another shows each once, whatever is written meanwhile; what is new stands at the end,
    also for who comes back with `resume_cursor`."""
    found = _selected(visible_handoffs(request.user), query).select_related(*WITH).defer("breakdown")
    return query.page(found, HandoffPage, HandoffSaid.of, sees_all=may(request.user, May.SEE_ALL_HANDOFFS))


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
