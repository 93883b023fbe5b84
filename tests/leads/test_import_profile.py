"""The uploaded file is read once: rows, samples, frequent values and dates are kept with the job."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from leads.intake.imports import jobs, profile
from leads.intake.imports.problems import DatesAmbiguous, MappingRefused
from leads.intake.models import ImportJob

pytestmark = pytest.mark.usefixtures("own_folder", "agreement")


@pytest.fixture
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def upload(people, now):
    """Uploads text as the marketer; returns the job with its profile."""

    def upload(text, encoding="utf-8"):
        file = SimpleUploadedFile("leads.csv", text.encode(encoding))
        job = jobs.upload(file=file, by=people.marketer, at=now)
        return job, profile.of(ImportJob.objects.get(pk=job.pk))

    return upload


def rows(count, day=lambda n: "03/04/2024", status=lambda n: "new"):
    return "Record ID;MQL date;Decision\n" + "".join(f"{n};{day(n)};{status(n)}\n" for n in range(count))


def test_rows_delimiter_encoding_and_samples_are_told(upload):
    _, found = upload("Record ID;Name\n1;Zoë\n2;\n3;Bo\n", "cp1252")
    assert (found.rows, found.encoding, found.delimiter_name) == (3, "cp1252", "semicolon")
    assert (found.filled, found.firsts[1]) == ([3, 2], ["Zoë", "Bo"])


def test_the_page_names_them_and_never_reads_the_file_again(upload, client, people):
    job, _ = upload(rows(3, day=lambda n: f"{n + 13}/04/2024"))
    job.path.unlink()
    client.force_login(people.marketer)
    page = client.get(reverse("import_detail", args=[job.pk])).content.decode()
    assert "leads.csv, 3 rows, UTF-8, semicolon" in page
    form = {
        "matching": 1,
        "is_historical": "on",
        "becomes-0": "external_id",
        "becomes-1": "qualified_at",
        "becomes-2": "",
    }
    url = reverse("import_mapping", args=[job.pk])
    changed = client.post(url, form, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    assert "3 rows are ready" in changed.content.decode()


def test_dates_are_decided_over_the_whole_file_and_not_over_its_beginning(upload):
    late = 3 * profile.CHECKED_ROWS
    job, found = upload(rows(late + 1, day=lambda n: "25/04/2024" if n == late else "03/04/2024"))
    assert jobs.date_formats(job, found) == {"qualified_at": "%d/%m/%Y"}


def test_dates_that_can_be_read_both_ways_are_asked_for(upload):
    job, found = upload(rows(5))
    with pytest.raises(DatesAmbiguous, match=r"format\.dates\.qualified_at") as asked:
        jobs.date_formats(job, found)
    assert {choice[0] for choice in asked.value.choices} == {"%m/%d/%Y", "%d/%m/%Y"}


def test_dates_that_are_written_in_two_ways_are_refused(upload):
    job, found = upload(rows(40, day=lambda n: "2024-04-25" if n % 2 else "25 April 2024"))
    with pytest.raises(MappingRefused, match="not written in one way"):
        jobs.date_formats(job, found)


def test_frequent_values_are_counted_and_the_rarer_ones_only_numbered(upload):
    _, found = upload(rows(6000, status=lambda n: "new" if n % 2 else f"rare {n}"))
    counts, distinct = found.counts(2)
    assert (counts["new"], distinct, len(counts)) == (3000, 3001, profile.KEPT_VALUES)


def test_the_beginning_ends_with_a_whole_record(upload):
    text = "Record ID;Note\n" + "".join(f'{n};"two\nlines"\n' for n in range(3000))
    job, found = upload(text)
    kept = job.beginning_path.read_text()
    assert (found.rows, text.startswith(kept), kept.count('"') % 2) == (3000, True, 0)


def test_a_document_that_names_another_delimiter_has_the_file_read_anew(upload, people):
    job, before = upload("Record ID,Name|Mail\n1,Bo|b@x.example\n")
    document = {"format": {"delimiter": "|"}, "columns": {"email": "Mail"}}
    jobs.set_mapping(job_id=job.pk, document=document, historical=True, by=people.marketer)
    after = profile.of(ImportJob.objects.get(pk=job.pk))
    assert (before.delimiter, after.delimiter, after.header) == (",", "|", ["Record ID,Name", "Mail"])
