"""Doors of the import: upload, match the columns, run, follow, read the result."""

from django.conf import settings
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.intake import tasks
from leads.intake.imports import fields, jobs, matching, profile, saved, values
from leads.intake.imports.forms import DocumentForm, SaveForm, UploadForm, document_of
from leads.intake.models import ImportJob, SavedMapping
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, finished, go, invalid, overtaken
from portal.shared.middleware import at_most
from portal.shared.refusal import NotPermitted, Refusal

LISTED = 50
FORM_AROUND = 1024 * 1024  # bytes of a body beside its file


@require_GET
def import_list(request):
    require(request.user, May.IMPORT_LEADS)
    return answer(request, "intake/import_list.html", _list(UploadForm()))


@at_most(settings.IMPORT_MOST_BYTES + FORM_AROUND)
@require_POST
def import_upload(request):
    require(request.user, May.IMPORT_LEADS)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            job = jobs.upload(
                file=form.cleaned_data["file"], saved=form.cleaned_data["saved"], by=request.user, at=timezone.now()
            )
            return redirect("import_detail", job.pk)
        except Refusal as refusal:
            form.add_error("file", refusal.sentence)
    return invalid(request, "intake/import_list.html", _list(form))


@require_GET
def import_detail(request, pk):
    """The page of one import: matching while it waits, progress while it runs, the result when it is over."""
    job = _job(request, pk)
    if job.is_under_way or job.status == ImportJob.Status.DONE:
        return answer(request, "intake/import_progress.html", {"job": job, "now": timezone.now()})
    return answer(request, "intake/import_detail.html", _match(job), part="summary")


@require_POST
def import_mapping(request, pk):
    """Keep the matching as the form has it; htmx gets the summary, a plain submit the page."""
    job = _job(request, pk)
    return _answered(request, job, lambda: _matched(request, job)) or _shown(request, job)


@require_POST
def import_document(request, pk):
    """Take a saved matching, or a document as it is written."""
    job = _job(request, pk)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return invalid(request, "intake/import_detail.html", _match(job) | {"document_form": form})
    document = form.cleaned_data["document"]
    keep = {"job_id": pk, "document": document, "historical": job.is_historical, "by": request.user}
    return _answered(request, job, lambda: jobs.set_mapping(**keep)) or redirect("import_detail", pk)


@require_POST
def import_save_mapping(request, pk):
    job = _job(request, pk)
    form = SaveForm(request.POST)
    if not form.is_valid():
        return invalid(request, "intake/import_detail.html", _match(job) | {"save_form": form})
    saved.save_mapping(job_id=pk, name=form.cleaned_data["name"], by=request.user, at=timezone.now())
    return redirect("import_detail", pk)


@require_POST
def import_run(request, pk):
    """Keep the matching that was sent with the button, then queue the import."""
    job = _job(request, pk)

    def run():
        if "matching" in request.POST and not job.is_under_way and job.status != ImportJob.Status.DONE:
            _matched(request, job)
            job.refresh_from_db()
        matching.check_formats(job)
        jobs.start(job_id=pk, by=request.user, at=timezone.now(), send=tasks.send)

    return _answered(request, job, run, whole=True) or go(request, "import_detail", pk)


@require_GET
def import_progress(request, pk):
    job = _job(request, pk)
    reply = answer if job.is_under_way else finished
    return reply(request, "intake/import_progress.html", {"job": job, "now": timezone.now()}, part="progress")


@require_POST
def import_cancel(request, pk):
    _job(request, pk)
    jobs.cancel(job_id=pk, by=request.user, at=timezone.now())
    return go(request, "import_detail", pk)


@require_GET
def import_errors(request, pk):
    job = _job(request, pk)
    if not job.errors_path.is_file():
        raise Http404
    name = f"{job.file_name.rsplit('.', 1)[0]}-refused.csv"
    return FileResponse(job.errors_path.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


def _job(request, pk):
    require(request.user, May.IMPORT_LEADS)
    return get_object_or_404(ImportJob.objects.defer("profile"), pk=pk)


def _list(form):
    return {
        "form": form, "now": timezone.now(),
        "jobs": ImportJob.objects.select_related("created_by").defer("profile")[:LISTED],
        "saved": [(one, len(one.document.get("columns", {}))) for one in SavedMapping.objects.all()],
    }  # fmt: skip


def _match(job):
    return matching.context(job, at=timezone.now()) | {
        "document_form": DocumentForm(initial={"document": job.mapping}), "save_form": SaveForm(),
        "fields": [(name, field.label) for name, field in fields.FIELDS.items()],
    }  # fmt: skip


class _Amiss(Exception):
    """The defaults cannot be kept as they were sent; carries their form."""

    def __init__(self, form):
        super().__init__()
        self.form = form


def _matched(request, job):
    """Keep what the matching form says. Refuses as jobs.set_mapping does; _Amiss for defaults (the rest is kept)."""
    reasons = values.catalogue(at=timezone.now())
    document = document_of(request.POST, profile.of(job), job.mapping, reasons)
    job.mapping = document
    form = matching.defaults_form(job, reasons, request.POST) if "defaults" in request.POST else None
    amiss = form is not None and not form.is_valid()
    if form is not None and not amiss:
        document["defaults"] = form.document(document.get("defaults", {}))
    jobs.set_mapping(job_id=job.pk, document=document, historical="is_historical" in request.POST, by=request.user)
    if amiss:
        raise _Amiss(form)


def _answered(request, job, act, *, whole=False):
    """Do `act`; None when it was done, else the answer that says why not."""
    template, part = "intake/import_detail.html", None if whole else "summary"
    try:
        act()
    except jobs.NotNow:
        job.refresh_from_db()
        return overtaken(request, "intake/import_progress.html", {"job": job, "now": timezone.now()})
    except NotPermitted:
        raise
    except _Amiss as amiss:
        job.refresh_from_db()
        said = {"defaults_form": amiss.form, "refusal": "Correct what is marked under “Where the file says nothing”."}
        return invalid(request, template, _match(job) | said, part=part, also=("defaults",))
    except Refusal as refusal:
        job.refresh_from_db()
        return invalid(request, template, _match(job) | {"refusal": refusal.sentence}, part=part)
    return None


def _shown(request, job):
    """After the matching was kept: the summary, with whatever else the change moved on the page."""
    if not request.htmx:
        return redirect("import_detail", job.pk)
    job.refresh_from_db()
    found = _match(job)
    asked = {(f"values-of-{one.place}", one.name, one.takes_reason) for one in found["closed"]}
    shown = {
        (name, word, f"joint-{name}" in request.POST)
        for name, word in request.POST.items()
        if name.startswith("values-of-")
    }
    also = ["checks"] if asked == shown else ["checks", "values"]
    if request.POST.get("defaults") == "amiss":
        also.append("defaults")
    return answer(request, "intake/import_detail.html", found, part="summary", also=also)
