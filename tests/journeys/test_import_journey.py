"""An admin imports a file in a real browser: upload, match, import, and what was left out."""

import datetime as dt
import json
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.intake import tasks
from leads.intake.imports import jobs
from leads.models import Handoff
from tests import cast

pytestmark = pytest.mark.journey
ROWS = "".join(f"{n},lead{n}@corvane.example,Henrike,Director,Demo request,500,Food\n" for n in range(40))
FILE = (
    f"Record ID,Email,First Name,Job Title,Lead Source,Company Size,Industry\n{ROWS}99,broken,Bo,Clerk,Guide,4,Law\n"
)


@pytest.fixture
def admin(page, sign_in, settings, tmp_path, monkeypatch):
    """Ada, signed in; the worker's part is done at once. Returns her page and the portal's address."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk, at=timezone.now()))
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    return page, sign_in(page, cast.people().admin)


def test_an_admin_imports_a_file_and_reads_what_was_left_out(admin, shown):
    page, url = admin
    page.goto(f"{url}/import/")
    shown(page, "list", [("light", 1440)])
    page.set_input_files("input[type=file]", {"name": "scan.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="40 of 41 rows are ready")).to_be_visible()
    shown(page, "match")
    page.get_by_label("First Name becomes").select_option("last_name")
    expect(page.get_by_role("heading", name="40 of 41 rows are ready")).to_be_visible()
    page.get_by_role("button", name="Import scan.csv").click()
    expect(page.get_by_role("heading", name="1 row was left out")).to_be_visible()
    shown(page, "result", [("light", 1440), ("dark", 390)])
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it (CSV)").click()
    assert "broken" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert Handoff.objects.in_inbox().count() == 40


def test_an_admin_says_what_the_tags_of_a_real_file_mean(admin, shared_data, shown):
    page, url = admin
    page.set_default_timeout(240_000)  # 9,240 rows within a request
    expected = json.loads((shared_data / "xeducation" / "expected.json").read_text())["under_proposed_mapping"]
    page.goto(f"{url}/import/")
    page.set_input_files("input[type=file]", shared_data / "xeducation" / "Leads.csv")
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("Prospect ID becomes").select_option("external_id")
    page.get_by_label("Converted becomes").select_option("outcome")
    page.get_by_label("Converted 0 means").select_option("open")
    page.get_by_label("Converted 1 means").select_option("won")
    page.get_by_label("Tags becomes").select_option("decision")
    expect(page.get_by_role("heading", name="What “Tags” means")).to_be_visible()
    words = {"_no_contact_yet": "undecided", "_accepted_working": "accepted"}
    for category, tags in expected["tag_to_reason"].items():
        for tag in tags:
            if tag:
                word = words.get(category) or f"rejected:{category.removeprefix('bad_')}"
                page.locator(f"tr:has(input[value={json.dumps(tag)}]) select").select_option(word)
    page.get_by_label("This is history").check()
    page.get_by_label("Became an MQL on").first.fill("2024-05-06")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", name="2,000 of the first 2,000 rows are ready")).to_be_visible(timeout=240_000)
    shown(page, "tags")
    page.get_by_role("button", name="Import Leads.csv").click()
    expect(page.get_by_role("heading", name="9,240 rows: 9,240 new")).to_be_visible(timeout=240_000)
    decided = expected["decision"]
    found = {status: Handoff.objects.filter(status=status).count() for status in ("accepted", "rejected", "open")}
    assert found == {"accepted": decided["accepted"], "rejected": decided["rejected"], "open": decided["undecided"]}
    for category, count in expected["rejected_by_reason"].items():
        assert Handoff.objects.filter(reason__category=category.removeprefix("bad_")).count() == count
