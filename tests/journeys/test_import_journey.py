"""An admin imports a file in a real browser: upload, match, import, and what was left out."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from leads.intake import tasks
from leads.intake.imports import jobs
from leads.models import Handoff
from tests import cast
from tests.browser import STILL

CHROMIUM = Path("/usr/bin/chromium")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs its loop in this thread
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}"),
]
ROWS = "".join(f"{n},lead{n}@corvane.example,Henrike,Director,Demo request,500,Food\n" for n in range(40))
FILE = (
    f"Record ID,Email,First Name,Job Title,Lead Source,Company Size,Industry\n{ROWS}99,broken,Bo,Clerk,Guide,4,Law\n"
)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": str(CHROMIUM),
        "args": ["--no-sandbox", "--disable-dev-shm-usage"],
    }


@pytest.fixture
def admin(live_server, page, settings, tmp_path, monkeypatch):
    """Ada, signed in; the worker's part is done at once. Returns her page and the portal's address."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk, at=timezone.now()))
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    people, client = cast.people(), Client()
    client.force_login(people.admin)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    return page, live_server.url


def check_axe(page):
    page.wait_for_function(STILL)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def shown(page, name, scheme, width):
    """The page in one theme and width; kept as a picture where HANDOFF_PICTURES names a folder."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(100)  # for the fade to begin
    check_axe(page)
    if folder := os.environ.get("HANDOFF_PICTURES"):
        page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)


def test_an_admin_imports_a_file_and_reads_what_was_left_out(admin):
    page, url = admin
    page.goto(f"{url}/import/")
    shown(page, "list", "light", 1440)
    page.set_input_files("input[type=file]", {"name": "scan.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="40 of 41 rows are ready")).to_be_visible()
    for scheme, width in (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)):
        shown(page, "match", scheme, width)
    page.get_by_label("First Name becomes").select_option("last_name")
    expect(page.get_by_role("heading", name="40 of 41 rows are ready")).to_be_visible()
    page.get_by_role("button", name="Import scan.csv").click()
    expect(page.get_by_role("heading", name="1 row was left out")).to_be_visible()
    for scheme, width in (("light", 1440), ("dark", 390)):
        shown(page, "result", scheme, width)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it (CSV)").click()
    assert "broken" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert Handoff.objects.in_inbox().count() == 40


def test_an_admin_says_what_the_tags_of_a_real_file_mean(admin, shared_data):
    page, url = admin
    page.set_default_timeout(60_000)
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
    expect(page.get_by_role("heading", name="2,000 of the first 2,000 rows are ready")).to_be_visible(timeout=60_000)
    for scheme, width in (("light", 1440), ("dark", 390)):
        shown(page, "tags", scheme, width)
    page.get_by_role("button", name="Import Leads.csv").click()
    expect(page.get_by_role("heading", name="9,240 rows: 9,240 new")).to_be_visible(timeout=60_000)
    decided = expected["decision"]
    found = {status: Handoff.objects.filter(status=status).count() for status in ("accepted", "rejected", "open")}
    assert found == {"accepted": decided["accepted"], "rejected": decided["rejected"], "open": decided["undecided"]}
    for category, count in expected["rejected_by_reason"].items():
        assert Handoff.objects.filter(reason__category=category.removeprefix("bad_")).count() == count
