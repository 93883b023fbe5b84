"""The list behind any figure as a file: the rows of the page with the same address, for the same person."""

from django.db import models
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.views.leads import selected
from portal.shared import charts, sheets

READ_AT_ONCE = 2000
HEAD = (
    "Handoff", "Lead", "E-mail", "Company", "Title", "Country", "Industry", "Employees", "Source", "Campaign",
    "Channel", "Tier", "Score", "Owner", "Qualified", "First contact", "Status", "Decided", "Reason code", "Reason",
    "Category", "Note",
)  # fmt: skip


@require_GET
def leads_export(request, form):
    """CSV or XLSX, newest first; the whole list however long, read some rows at a time."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    _, found = selected(request, now, zone)
    return sheets.download(form, f"leads-{now.astimezone(zone):%Y-%m-%d}", HEAD, lead_rows(found, zone))


def lead_rows(found, zone):
    """Of a queryset of handoffs one row each, as HEAD names it, newest first; times are of `zone`."""
    rows = (
        found.select_related("lead", "owner", "tier", "reason", "standing_decision")
        .defer("breakdown", "lead__attributes")
        .order_by("-qualified_at", "-pk")
        .fetch_mode(models.FETCH_RAISE)
    )
    for handoff in rows.iterator(chunk_size=READ_AT_ONCE):
        yield _row(handoff, zone)


def _row(handoff, zone):
    lead, reason, standing = handoff.lead, handoff.reason, handoff.standing_decision
    local = lambda moment: moment and moment.astimezone(zone)  # noqa: E731
    return (
        handoff.pk, lead.name, lead.email, lead.company, lead.title, lead.country, lead.industry, lead.employees,
        handoff.source, handoff.campaign, handoff.channel, handoff.tier and handoff.tier.name, handoff.total,
        handoff.owner and handoff.owner.name, local(handoff.qualified_at), local(handoff.first_touch_at),
        "Undecided" if handoff.is_open else handoff.get_status_display(), local(handoff.decided_at),
        reason and reason.code, reason and reason.label, reason and charts.CATEGORIES[reason.category],
        standing.note if standing else "",
    )  # fmt: skip
