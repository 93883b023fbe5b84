"""Mappings saved under a name: renamed and deleted on their own page, and past imports stay as they were."""

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.intake.imports import saved
from leads.intake.models import ImportJob, SavedMapping
from portal.shared.refusal import NotPermitted

DOCUMENT = {"columns": {"email": "Mail", "decision": {"column": "Status", "values": {"Won": "accepted"}}}}


@pytest.fixture
def mapping(people, now):
    return SavedMapping.objects.create(
        name="Badge scan", document=DOCUMENT, created_at=now, updated_at=now, created_by=people.marketer
    )


@pytest.fixture
def marketer(client, people):
    client.force_login(people.marketer)
    return client


def page(mapping, name="import_saved"):
    return reverse(name, args=[mapping.pk])


def test_the_list_leads_to_what_a_matching_says(marketer, mapping):
    assert page(mapping) in marketer.get(reverse("import_list")).content.decode()
    text = marketer.get(page(mapping)).content.decode()
    assert all(word in text for word in ("Badge scan", "2 fields", "Mail", "Status", "Saved by Marta Marketer"))


def test_it_is_renamed(marketer, mapping):
    assert marketer.post(page(mapping), {"name": "  Fair  in May "}).status_code == 302
    mapping.refresh_from_db()
    assert (mapping.name, mapping.document) == ("Fair in May", DOCUMENT)


def test_a_name_that_another_has_is_refused(marketer, mapping, now):
    other = SavedMapping.objects.create(name="Webinar", document={}, created_at=now, updated_at=now)
    response = marketer.post(page(mapping), {"name": "Webinar"})
    assert response.status_code == 422
    assert "Another matching has this name." in response.content.decode()
    assert set(SavedMapping.objects.values_list("pk", "name")) == {(mapping.pk, "Badge scan"), (other.pk, "Webinar")}


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_no_name_or_one_too_long_is_refused(marketer, mapping, name):
    assert marketer.post(page(mapping), {"name": name}).status_code == 422
    assert SavedMapping.objects.get().name == "Badge scan"


def test_it_is_deleted_once_that_is_confirmed_and_past_imports_keep_their_document(marketer, people, mapping, now):
    job = ImportJob.objects.create(
        file_name="a.csv", stored_as="a.csv", size=1, mapping=DOCUMENT, status="done", created_at=now, finished_at=now,
        created_by=people.marketer,
    )  # fmt: skip
    response = marketer.post(page(mapping, "import_saved_delete"))
    assert response.status_code == 422
    assert "Tick this to confirm." in response.content.decode()
    assert SavedMapping.objects.exists()
    response = marketer.post(page(mapping, "import_saved_delete"), {"confirm": "on"}, follow=True)
    assert "Badge scan” was deleted" in response.content.decode()
    assert not SavedMapping.objects.exists()
    job.refresh_from_db()
    assert job.mapping == DOCUMENT


def test_who_may_not_import_neither_reads_nor_changes_one(client, people, mapping):
    client.force_login(people.rep)
    for name, method in (
        ("import_saved", client.get),
        ("import_saved", client.post),
        ("import_saved_delete", client.post),
    ):
        assert method(page(mapping, name), {"name": "Mine", "confirm": "on"}).status_code == 403
    for verb, given in ((saved.rename_mapping, {"name": "Mine", "at": timezone.now()}), (saved.delete_mapping, {})):
        with pytest.raises(NotPermitted):
            verb(mapping_id=mapping.pk, by=people.rep, **given)
    assert SavedMapping.objects.get().name == "Badge scan"


def test_one_that_is_gone_has_no_page(marketer, mapping):
    mapping.delete()
    assert marketer.get(f"/import/matchings/{10**9}/").status_code == 404
