"""What imports hold of a person: uploaded files and their errors; importing it registers that."""

import json

from django.db import transaction

from leads.intake.models import ImportJob
from leads.services.privacy.holders import holds

CHUNK = 1024 * 1024
SHORTEST = 5


def erase(person, *, at):
    """Files that name the person go, once the erasure is committed; of what came in from them the counts stay.

    An upload that was never imported goes as a whole. One that runs at this moment is left alone.
    """
    found = [job for job in ImportJob.objects.all() if not job.is_under_way and _names(job, _words(person))]
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
        if _names(job, _words(person))
    ]


def _words(person):
    """What names a person in a file for certain: addresses and the outside id, in small letters."""
    own = [word for word in person.words if "@" in word]
    if person.lead and person.lead.external_id:
        own.append(person.lead.external_id)
    return [word.lower() for word in own if len(word) >= SHORTEST]


def _names(job, words):
    kept = json.dumps([job.first_errors, job.profile]).lower()
    return any(json.dumps(word)[1:-1] in kept for word in words) or any(_holds(path, words) for path in _files(job))


def _files(job):
    checks = job.path.with_suffix(".check.csv")
    return [path for path in (job.path, job.beginning_path, job.errors_path, checks) if path.is_file()]


def _holds(path, words):
    """Whether a file holds one of the words, in the spellings of UTF-8 and UTF-16; read piece by piece."""
    wanted = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]
    if not wanted:
        return False
    overlap, before = max(map(len, wanted)), b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            text = before + piece.lower()
            if any(word in text for word in wanted):
                return True
            before = text[-overlap:]
    return False


def _remove(job):
    for path in _files(job):
        path.unlink(missing_ok=True)


holds("Imports", erase=erase, give=give)
