"""Doors of a saved matching: what it says, rename it, delete it."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from leads.intake.imports import fields, saved, values
from leads.intake.imports.forms import DeleteForm, RenameForm
from leads.intake.models import SavedMapping
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

TEMPLATE = "intake/import_saved.html"


@require_http_methods(["GET", "POST"])
def import_saved(request, pk):
    """GET: which column becomes which field. POST: rename it."""
    mapping = _mapping(request, pk)
    form = RenameForm(request.POST if request.method == "POST" else None, initial={"name": mapping.name})
    if request.method == "GET":
        return answer(request, TEMPLATE, _context(mapping, form=form))
    if form.is_valid():
        try:
            saved.rename_mapping(
                mapping_id=pk, name=form.cleaned_data["name"], by=request.user, at=timezone.now()
            )  # fmt: skip
            messages.success(request, "Renamed.")
            return redirect("import_saved", pk)
        except NotPermitted:
            raise
        except Refusal as refusal:
            form.add_error("name", refusal.sentence)
    return invalid(request, TEMPLATE, _context(mapping, form=form))


@require_POST
def import_saved_delete(request, pk):
    """Delete it once that is confirmed."""
    mapping = _mapping(request, pk)
    form = DeleteForm(request.POST)
    if not form.is_valid():
        return invalid(request, TEMPLATE, _context(mapping, delete_form=form))
    name = saved.delete_mapping(mapping_id=pk, by=request.user)
    messages.success(request, f"The matching “{name}” was deleted. Past imports are as they were.")
    return redirect("import_list")


def _mapping(request, pk):
    require(request.user, May.IMPORT_LEADS)
    return get_object_or_404(SavedMapping.objects.select_related("created_by"), pk=pk)


def _context(mapping, *, form=None, delete_form=None):
    document = mapping.document
    return {
        "mapping": mapping,
        "lines": [
            (fields.label_of(name), values.column_of(value), len(values.values_of(value)))
            for name, value in document.get("columns", {}).items()
        ],
        "defaults": [(fields.label_of(name), value) for name, value in document.get("defaults", {}).items()],
        "form": form or RenameForm(initial={"name": mapping.name}),
        "delete_form": delete_form or DeleteForm(),
        "now": timezone.now(),
    }
