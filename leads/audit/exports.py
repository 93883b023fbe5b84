"""The audit as files: the month as JSON, as `manage.py audit --json` prints it, and each of its tables."""

from django.http import Http404, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures
from leads.audit import tables_of_figures, tables_of_work  # noqa: F401 (they register the tables)
from leads.audit.report import audits
from leads.audit.tables import TABLES, Asked, as_sheet
from leads.audit.views import one_of, parse_month, parse_period
from leads.figures import Month
from portal.accounts.permissions import May, require
from portal.shared import sheets


@require_GET
def audit_json(request, month):
    """One month on one basis, with `by` broken down; the shape is that of the command (docs/figures.md)."""
    require(request.user, May.READ_AUDIT)
    zone, now = timezone.get_default_timezone(), timezone.now()
    month = parse_month(month, Month.of(now, zone))
    basis = one_of(request.GET.get("basis") or figures.PERIOD, figures.BASES)
    by = request.GET.get("by") and one_of(request.GET["by"], figures.DIMENSIONS)
    (found,) = audits(month, month, basis=basis, as_of=now, zone=zone, by=by)
    return JsonResponse(found.as_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})


@require_GET
def audit_table(request, month, table, form):
    """One of tables.TABLES, every row of it, for whoever may open its part of the page; shares are of 1."""
    entry = TABLES.get(table)
    if entry is None:
        raise Http404("There is no such table.")
    require(request.user, entry.may)
    zone, now = timezone.get_default_timezone(), timezone.now()
    period = parse_period(month, now, zone) if entry.of_days else parse_month(month, Month.of(now, zone))
    basis = one_of(request.GET.get("basis") or figures.PERIOD, figures.BASES)
    by = one_of(request.GET.get("by") or "source", figures.DIMENSIONS)
    found = entry.make(Asked(period, basis, by, now, zone, request.user))
    return sheets.download(form, f"audit-{period}-{basis}-{table}", *as_sheet(found))
