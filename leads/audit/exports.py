"""The audit as files: the month as JSON, as `manage.py audit --json` prints it, and its breakdown as a table."""

from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures
from leads.audit.report import audits
from leads.audit.views import one_of, parse_month
from leads.figures import Month
from portal.accounts.permissions import May, require
from portal.shared import sheets

COUNTS = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
HEAD = ("MQLs", "SQLs", "Rejected", "Undecided", "Withdrawn", "MQL to SQL", "95% from", "95% to")


@require_GET
def audit_json(request, month):
    """One month on one basis, with `by` broken down; the shape is that of the command (docs/figures.md)."""
    found = _asked(request, month, request.GET.get("by"))
    return JsonResponse(found.as_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})


@require_GET
def audit_breakdown(request, month, form):
    """The breakdown that the page shows, every row of it; shares are of 1."""
    found = _asked(request, month, request.GET.get("by") or "source")
    head = ("Key", found.by.capitalize(), *HEAD)
    name = f"audit-{found.now.month}-{found.basis}-by-{found.by}"
    return sheets.download(form, name, head, [_row(row) for row in found.breakdown])


def _asked(request, month, by):
    require(request.user, May.READ_AUDIT)
    zone, now = timezone.get_default_timezone(), timezone.now()
    month = parse_month(month, Month.of(now, zone))
    basis = one_of(request.GET.get("basis") or figures.PERIOD, figures.BASES)
    by = by and one_of(by, figures.DIMENSIONS)
    return audits(month, month, basis=basis, as_of=now, zone=zone, by=by)[0]


def _row(row):
    rate = row.rate
    shares = (rate.value, rate.low, rate.high) if rate else (None, None, None)
    return (row.key, row.label or "none", *(getattr(row.counts, name) for name in COUNTS), *shares)
