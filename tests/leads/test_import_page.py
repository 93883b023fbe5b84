"""The import's pages: upload, match, run, follow, result; without JavaScript, and refused where it must be."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from leads.intake import tasks
from leads.intake.imports import jobs
from leads.intake.imports.problems import FileRefused
from leads.intake.imports.readers import open_source
from leads.intake.models import ImportJob, SavedMapping
from leads.models import Handoff, Lead

CSV = b"Record ID,Email,First Name,MQL date\n1,a@x.example,Ada,2024-05-06\n2,broken,Bo,2024-05-07\n"
pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def marketer(client, people):
    client.force_login(people.marketer)
    return people.marketer


@pytest.fixture
def upload(client, agreement, marketer):
    def upload(content=CSV):
        return client.post(reverse("import_upload"), {"file": SimpleUploadedFile("leads.csv", content)})

    return upload


def at_once(monkeypatch):
    """The worker's part, here and now."""
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk, at=timezone.now()))


def test_an_upload_proposes_a_matching_and_shows_what_would_happen(client, upload):
    response = upload()
    job = ImportJob.objects.get()
    assert response["Location"] == reverse("import_detail", args=[job.pk])
    assert set(job.mapping["columns"]) == {"external_id", "email", "first_name", "qualified_at"}
    assert "1 of 2 rows are ready" in client.get(response["Location"]).content.decode()
    assert not Lead.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_run_makes_handoffs_and_lists_what_was_left_out(client, upload, monkeypatch):
    upload()
    at_once(monkeypatch)
    job = ImportJob.objects.get()
    form = {"matching": 1, "is_historical": "on", "becomes-0": "external_id", "becomes-1": "email",
            "becomes-2": "first_name", "becomes-3": "qualified_at"}  # fmt: skip
    client.post(reverse("import_run", args=[job.pk]), form)
    job.refresh_from_db()
    assert (job.status, job.created, job.refused, Handoff.objects.count()) == ("done", 1, 1, 1)
    page = client.get(reverse("import_detail", args=[job.pk])).content.decode()
    assert "1 row was left out" in page
    assert b"broken" in b"".join(client.get(reverse("import_errors", args=[job.pk])).streaming_content)
    polled = client.get(reverse("import_progress", args=[job.pk]), headers={"HX-Request": "true"})
    assert polled.status_code == 286
    assert client.post(reverse("import_run", args=[job.pk]), form).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_nul_in_a_heading_or_a_cell_leaves_its_row_out_and_the_import_is_done(client, upload, monkeypatch):
    upload(CSV.replace(b"mail", b"m\0ail", 1).replace(b"broken", b"bro\0ken"))
    at_once(monkeypatch)
    job = ImportJob.objects.get()
    client.post(reverse("import_run", args=[job.pk]))
    job.refresh_from_db()
    assert (job.status, job.created, job.refused) == ("done", 1, 1)
    assert [error["value"] for error in job.first_errors] == ["bro\N{SYMBOL FOR NULL}ken"]


@pytest.mark.parametrize(
    "document",
    [
        '{"columns": {"email": "email"}, "format": {"delimiter": "\\n"}}',
        '{"columns": {"email": "em\\u0000ail"}}',
        '{"columns": {"email": "email"}, "defaults": {"employees": ' + "9" * 5000 + "}}",
        "[" * 100_000,
    ],
)
def test_a_document_that_cannot_be_kept_or_read_by_is_refused(client, upload, document):
    upload()
    job = ImportJob.objects.get()
    assert client.post(reverse("import_document", args=[job.pk]), {"document": document}).status_code == 422


@pytest.mark.parametrize("encoding", ["base64", "undefined", "a\0b"])
def test_an_encoding_of_something_else_than_text_is_refused(tmp_path, encoding):
    (tmp_path / "leads.csv").write_bytes(CSV.replace(b"broken", b"br\xf6ken"))
    with pytest.raises(FileRefused):
        open_source(tmp_path / "leads.csv", encoding=encoding)


def test_a_file_that_is_no_csv_is_refused_in_place(upload):
    response = upload(b"<!doctype html><html></html>")
    assert response.status_code == 422
    assert "web page" in response.content.decode()
    assert not ImportJob.objects.exists()


def test_a_lost_broker_leaves_the_import_to_be_started_again(client, upload, monkeypatch):
    upload()
    job = ImportJob.objects.get()

    def lost(pk):
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks, "send", lost)
    response = client.post(reverse("import_run", args=[job.pk]))
    job.refresh_from_db()
    assert (response.status_code, job.status) == (422, "uploaded")
    assert "worker cannot be reached" in response.content.decode()


def test_a_waiting_import_can_be_cancelled(client, upload, monkeypatch):
    upload()
    job = ImportJob.objects.get()
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    client.post(reverse("import_run", args=[job.pk]))
    client.post(reverse("import_cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_a_matching_saved_under_a_name_serves_the_next_file(client, upload):
    upload()
    first = ImportJob.objects.get()
    client.post(reverse("import_save_mapping", args=[first.pk]), {"name": "Badge scan"})
    upload()
    second = ImportJob.objects.latest("pk")
    ImportJob.objects.filter(pk=second.pk).update(mapping={"columns": {}})
    saved = SavedMapping.objects.get()
    client.post(reverse("import_document", args=[second.pk]), {"saved": saved.pk})
    second.refresh_from_db()
    assert second.mapping == first.mapping


def test_dates_that_read_both_ways_are_asked_on_the_page(client, upload):
    upload(b"Record ID,MQL date\n1,3/4/2024\n")
    page = client.get(reverse("import_detail", args=[ImportJob.objects.get().pk])).content.decode()
    assert "How are these dates written?" in page
    assert 'value="%d/%m/%Y"' in page


def test_a_rep_may_not_import(client, people):
    client.force_login(people.rep)
    assert client.get(reverse("import_list")).status_code == 403


TAGS = b"Record ID,Tags\n1,Closed\n2,Wrong number\n3,Wrong number\n4,Ringing\n5,\n"
TAG_FORM = {
    "matching": 1, "is_historical": "on", "becomes-0": "external_id", "becomes-1": "decision",
    "values-of-1": "decision", "raw-1-0": "Wrong number", "value-1-0": "rejected:data",
    "raw-1-1": "Closed", "value-1-1": "accepted",
    "raw-1-2": "Ringing", "value-1-2": "undecided", "raw-1-3": "", "value-1-3": "",
    "defaults": "kept", "default-qualified_at": "2024-05-06", "default-source": "Fair",
}  # fmt: skip


def send(client, name, data, **headers):
    return client.post(reverse(name, args=[ImportJob.objects.get().pk]), data, headers=headers)


def test_a_column_matched_to_the_decision_asks_what_each_of_its_values_means(client, upload):
    upload(TAGS)
    form = {"matching": 1, "becomes-0": "external_id", "becomes-1": "decision"}
    sent = send(client, "import_mapping", form, HX_Request="true", HX_Trigger_Name="becomes-1").content.decode()
    assert 'id="values" hx-swap-oob="true"' in sent
    assert "What “Tags” means" in sent
    assert 'name="raw-1-0" value="Wrong number"' in sent
    assert '<option value="rejected:11">' in sent
    assert "3 values to match" in sent


@pytest.mark.django_db(transaction=True)
def test_one_column_of_tags_decides_and_gives_the_reason(client, upload, monkeypatch):
    upload(TAGS)
    at_once(monkeypatch)
    send(client, "import_mapping", TAG_FORM)
    job = ImportJob.objects.get()
    assert job.mapping["columns"]["reason"] == {"column": "Tags", "values": {"Wrong number": "data"}}
    assert job.mapping["defaults"] == {"qualified_at": "2024-05-06", "source": "Fair"}
    page = client.get(reverse("import_detail", args=[job.pk])).content.decode()
    assert '<option value="rejected:data" selected>' in page
    send(client, "import_run", TAG_FORM)
    decided = Handoff.objects.order_by("lead__external_id").values_list("status", "reason__category", "source")
    assert list(decided) == [
        ("accepted", None, "Fair"), ("rejected", "data", "Fair"), ("rejected", "data", "Fair"),
        ("open", None, "Fair"), ("open", None, "Fair"),
    ]  # fmt: skip


def test_a_value_set_back_to_as_it_stands_leaves_the_mapping(client, upload):
    upload(TAGS)
    send(client, "import_mapping", TAG_FORM)
    send(client, "import_mapping", TAG_FORM | {"value-1-0": "", "value-1-1": "", "value-1-2": ""})
    assert ImportJob.objects.get().mapping["columns"] == {"external_id": "Record ID", "decision": "Tags"}


def test_what_a_crm_writes_is_proposed_and_what_may_mean_much_is_asked(client, upload):
    upload(
        b"Record ID,Decision,Rejection reason\n1,Closed - Converted,\n2,Unqualified,Company too small\n3,Ringing,x\n"
    )
    columns = ImportJob.objects.get().mapping["columns"]
    assert columns["decision"]["values"] == {"Closed - Converted": "accepted", "Unqualified": "rejected"}
    assert columns["reason"]["values"] == {"Company too small": "11"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"default-qualified_at": "2999-01-01"}, "history has happened"),
        ({"default-qualified_at": "soon"}, "Enter a valid date"),
        ({"default-decision": "rejected", "value-1-0": "accepted"}, "A rejection needs a reason code."),
        ({"default-source": "x" * 400}, "at most"),
    ],
)
def test_a_default_that_cannot_stand_is_refused_beside_its_field(client, upload, wrong, said):
    upload(TAGS)
    for headers in ({}, {"HX_Request": "true"}):
        response = send(client, "import_mapping", TAG_FORM | wrong, **headers)
        assert response.status_code == 422
        assert said in response.content.decode()
    job = ImportJob.objects.get()
    assert "defaults" not in job.mapping
    assert "decision" in job.mapping["columns"]


def test_a_chosen_date_format_is_shown_and_can_be_taken_back(client, upload):
    upload(b"Record ID,MQL date\n1,3/4/2024\n")
    form = {"matching": 1, "becomes-0": "external_id", "becomes-1": "qualified_at"}
    send(client, "import_mapping", form | {"dates-qualified_at": "%d/%m/%Y"})
    page = client.get(reverse("import_detail", args=[ImportJob.objects.get().pk])).content.decode()
    assert "day-month-year" in page
    assert "Decide from the file again" in page
    send(client, "import_mapping", form | {"dates-qualified_at": ""})
    assert ImportJob.objects.get().mapping["format"]["dates"] == {}


def test_a_saved_matching_stands_on_the_start_page_and_serves_an_upload(client, upload):
    upload(TAGS)
    send(client, "import_mapping", TAG_FORM)
    first = ImportJob.objects.get()
    send(client, "import_save_mapping", {"name": "Tags of the call centre"})
    assert "Tags of the call centre" in client.get(reverse("import_list")).content.decode()
    file = SimpleUploadedFile("more.csv", TAGS)
    client.post(reverse("import_upload"), {"file": file, "saved": SavedMapping.objects.get().pk})
    assert ImportJob.objects.latest("pk").mapping == first.mapping
    assert ImportJob.objects.latest("pk").mapping["columns"]["reason"]["values"] == {"Wrong number": "data"}


def test_fields_that_share_a_column_in_the_document_survive_the_form(client, upload):
    upload(b"Record ID,Channel\n1,Fair\n")
    job = ImportJob.objects.get()
    columns = {"external_id": "Record ID", "channel": "Channel", "source": "Channel", "attributes.City": "Channel"}
    ImportJob.objects.update(mapping={"columns": columns})
    send(client, "import_mapping", {"matching": 1, "becomes-0": "external_id", "becomes-1": "source"})
    job.refresh_from_db()
    assert job.mapping["columns"] == columns
