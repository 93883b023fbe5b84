"""Mappings saved under a name: save, rename, delete. Past imports keep the document that they ran with."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads.intake.models import ImportJob, SavedMapping
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal


class NameTaken(Refusal):
    code = "name_taken"
    sentence = "Another matching has this name. Choose a different one; nothing was changed."
    field = "name"


class NameRequired(Refusal):
    code = "name_required"
    sentence = "A matching needs a name. Nothing was changed."
    field = "name"


@transaction.atomic(durable=True)
def save_mapping(*, job_id, name, by, at):
    """Save the job's mapping under a name; an earlier one of that name is replaced. Returns the SavedMapping.

    Refuses: NotPermitted, NameRequired.
    """
    require(by, May.IMPORT_LEADS)
    job = ImportJob.objects.get(pk=job_id)
    saved, _ = SavedMapping.objects.update_or_create(
        name=_checked(name),
        defaults={"document": job.mapping, "updated_at": at},
        create_defaults={"document": job.mapping, "updated_at": at, "created_at": at, "created_by": by},
    )
    return saved


@transaction.atomic(durable=True)
def rename_mapping(*, mapping_id, name, by, at):
    """Give a saved mapping another name. Returns it. Refuses: NotPermitted, NameRequired, NameTaken."""
    require(by, May.IMPORT_LEADS)
    saved, name = _lock(mapping_id), _checked(name)
    if SavedMapping.objects.exclude(pk=saved.pk).filter(name=name).exists():
        raise NameTaken
    saved.name, saved.updated_at = name, at
    saved.save(update_fields=["name", "updated_at"])
    return saved


@transaction.atomic(durable=True)
def delete_mapping(*, mapping_id, by):
    """Forget a saved mapping. Returns its name. Refuses: NotPermitted."""
    require(by, May.IMPORT_LEADS)
    saved = _lock(mapping_id)
    saved.delete()
    return saved.name


def _lock(mapping_id):
    return get_object_or_404(SavedMapping.objects.select_for_update(), pk=mapping_id)


def _checked(name):
    name = " ".join(name.split())
    if not name:
        raise NameRequired
    return name
