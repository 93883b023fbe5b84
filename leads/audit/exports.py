"""The audit as files: the month as JSON, as `manage.py audit --json` prints it, and each of its tables."""

from django.http import Http404, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.audit import paper, tables_of_figures, tables_of_work  # noqa: F401 (they register the tables)
from leads.audit.tables import TABLES, as_sheet
from leads.audit.told import told
from leads.audit.views import asked_for
from portal.accounts.links import opens_by_link
from portal.accounts.permissions import May, require
from portal.shared import sheets


@require_GET
def audit_json(request, month):
    """One month on one basis, with `by` broken down; the shape is that of the command (docs/figures.md)."""
    require(request.user, May.READ_AUDIT)
    asked, by = asked_for(request, month), request.GET.get("by") or None
    when = {"as_of": timezone.now(), "zone": timezone.get_default_timezone()}
    live = request.GET.get("live") == "true"
    (found,) = told(asked.period, asked.period, basis=asked.basis, by=by, live=live, **when)
    return JsonResponse(found.as_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})


@opens_by_link
@require_GET
def audit_pdf(request, month):
    """The month on paper: what was frozen where it is closed, else a draft as of now."""
    require(request.user, May.READ_AUDIT)
    return _pdf(paper.month_pdf(asked_for(request, month)), f"audit-{month}")


@opens_by_link
@require_GET
def audit_review_pdf(request, span):
    """The review of some days on paper, as of now."""
    require(request.user, May.READ_AUDIT)
    return _pdf(paper.review_pdf(asked_for(request, span, of_days=True)), f"review-{span}")


def _pdf(content, name):
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


@opens_by_link
@require_GET
def audit_table(request, month, table, form):
    """One of tables.TABLES, every row of it, for whoever may open its part of the page; shares are of 1."""
    entry = TABLES.get(table)
    if entry is None:
        raise Http404("There is no such table.")
    require(request.user, entry.may)
    asked = asked_for(request, month, of_days=entry.of_days)
    name = f"audit-{asked.period}-{asked.basis}-{table}"
    return sheets.download(form, name, *as_sheet(entry.make(asked)))
