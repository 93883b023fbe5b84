"""What imports hold of a person: uploaded files and their errors; importing it registers that."""

import codecs
import json

from django.db import transaction

from leads.intake.models import ImportJob
from leads.services.privacy.holders import holds
from leads.services.privacy.spellings import names, plain

CHUNK = 1024 * 1024  # characters
LONGEST = 512  # of an address with its tag
SHORTEST = 5
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def erase(person, *, at):
    """Files that name the person go, once the erasure is committed; of what came in from them the counts stay.

    An upload that was never imported goes as a whole. One that runs at this moment is left alone.
    """
    found = [job for job in ImportJob.objects.all() if not job.is_under_way and _names(job, person)]
    for job in found:
        transaction.on_commit(lambda job=job: _remove(job))
        if job.status == ImportJob.Status.DONE:
            job.first_errors, job.profile = [], {}
            job.save(update_fields=["first_errors", "profile"])
        else:
            job.delete()
    return len(found)


def give(person):
    return [
        {"file": job.file_name, "uploaded_at": job.created_at}
        for job in ImportJob.objects.order_by("created_at")
        if _names(job, person)
    ]


def _names(job, person):
    """Whether a file, or what was noted of it, names the person for certain: by an address or the outside id."""
    noted = json.dumps([job.first_errors, job.profile], ensure_ascii=False)
    return _says(plain(noted), person) or any(_holds(path, person, job) for path in _files(job))


def _says(text, person):
    """Whether a `plain` text does."""
    number = (person.lead and person.lead.external_id) or ""
    return names(text, person.patterns) or (len(number) >= SHORTEST and plain(number) in text)


def _files(job):
    checks = job.path.with_suffix(".check.csv")
    return [path for path in (job.path, job.beginning_path, job.errors_path, checks) if path.is_file()]


def _holds(path, person, job):
    """Whether a file does, however it is encoded; read piece by piece."""
    before = ""
    with path.open(encoding=_encoding(path), errors=_as_declared(job), newline="") as file:
        while piece := file.read(CHUNK):
            text = plain(before + piece)
            if _says(text, person):
                return True
            before = text[-LONGEST:]
    return False


def _encoding(path):
    with path.open("rb") as file:
        start = file.read(1000)
    return BOMS.get(start[:2], "utf-16-le" if b"\0" in start else "utf-8")


def _as_declared(job):
    """The name of what reads bytes that are no UTF-8: in the encoding that the mapping names, else that of Windows."""
    name = job.mapping.get("encoding") or "cp1252"

    def read(error):
        return error.object[error.start : error.end].decode(name, "replace"), error.end

    codecs.register_error(f"as_{name}", read)
    return f"as_{name}"


def _remove(job):
    for path in _files(job):
        path.unlink(missing_ok=True)


holds("Imports", erase=erase, give=give)
