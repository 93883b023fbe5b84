"""The audit as files: the month as JSON, as `manage.py audit --json` prints it, and each of its tables."""

from django.http import Http404, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures, figures_pairs
from leads.audit import paper, tables_of_figures, tables_of_work  # noqa: F401 (they register the tables)
from leads.audit.report import audits
from leads.audit.tables import TABLES, Asked, as_sheet
from leads.audit.views import one_of, parse_month, parse_period
from leads.figures import Month
from portal.accounts.links import opens_by_link
from portal.accounts.permissions import May, require
from portal.shared import sheets


@require_GET
def audit_json(request, month):
    """One month on one basis, with `by` broken down; the shape is that of the command (docs/figures.md)."""
    require(request.user, May.READ_AUDIT)
    asked = _asked(request, month)
    by = request.GET.get("by") and asked.by
    (found,) = audits(asked.period, asked.period, by=by, **asked.how)
    return JsonResponse(found.as_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})


@opens_by_link
@require_GET
def audit_pdf(request, month):
    """The month on paper: what was frozen where it is closed, else a draft as of now."""
    require(request.user, May.READ_AUDIT)
    return _pdf(paper.month_pdf(_asked(request, month)), f"audit-{month}")


@opens_by_link
@require_GET
def audit_review_pdf(request, span):
    """The review of some days on paper, as of now."""
    require(request.user, May.READ_AUDIT)
    return _pdf(paper.review_pdf(_asked(request, span, of_days=True)), f"review-{span}")


def _pdf(content, name):
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


@require_GET
def audit_table(request, month, table, form):
    """One of tables.TABLES, every row of it, for whoever may open its part of the page; shares are of 1."""
    entry = TABLES.get(table)
    if entry is None:
        raise Http404("There is no such table.")
    require(request.user, entry.may)
    asked = _asked(request, month, of_days=entry.of_days)
    name = f"audit-{asked.period}-{asked.basis}-{table}"
    return sheets.download(form, name, *as_sheet(entry.make(asked)))


def _asked(request, key, *, of_days=False):
    """What the address asks for, as of now; `of_days`: some days will do, too."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    period = parse_period(key, now, zone) if of_days else parse_month(key, Month.of(now, zone))
    basis = one_of(request.GET.get("basis") or figures.PERIOD, figures.BASES)
    by = one_of(request.GET.get("by") or "source", figures.DIMENSIONS)
    rows = one_of(request.GET.get("rows") or figures_pairs.REASON, figures_pairs.ROWS)
    columns = one_of(request.GET.get("columns") or "source", figures_pairs.COLUMNS)
    return Asked(period, basis, by, now, zone, request.user, rows, columns)
