"""Verifying: the page, the command, the bundle, and the program that needs none of them."""

import datetime as dt
import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sla.models import SLAVersion
from sla.services.deputy import appoint_deputy
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version
from sla.verification import verify
from tests import cast

DOCS = Path(__file__).resolve().parents[2] / "docs" / "verify.md"
START = dt.datetime(2024, 1, 1, 8, 30, 15, 123456, tzinfo=dt.UTC)
PAGE = "/agreement/verify/"
HTMX = {"headers": {"hx-request": "true"}}


@pytest.fixture
def two(db):
    return [cast.agreement(at=START + dt.timedelta(days=i), summary='“Größe” \\ "x"') for i in range(2)]


@pytest.fixture
def reader(people):
    client = Client()
    client.force_login(people.marketer)
    return client


@pytest.fixture
def altered(two):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE sla_tier SET total = 79 WHERE key = 'hot' AND definition_id = %s", [two[0].definition_id]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


SENTENCE = "v1 was altered: tier hot, total was 80 when signed, is 79 now."


# --- the page -------------------------------------------------------------------------------------
def test_the_page_verifies_on_the_button_only(two, reader):
    page = reader.get(PAGE).content.decode()
    assert "Verified at" not in page
    assert "tamper-evident" in page
    assert "tamper-proof" not in page
    assert all(version.fingerprint in page for version in two)


def test_the_button_works_without_javascript_and_says_that_all_agrees(two, reader):
    answer = reader.post(PAGE)
    assert answer.status_code == 200
    assert "<h1>Verify the agreement</h1>" in answer.content.decode()
    assert "two versions, four signatures, no break." in answer.content.decode()


def test_htmx_gets_the_result_alone(two, reader):
    answer = reader.post(PAGE, **HTMX)
    assert "no break." in answer.content.decode()
    assert "<h1>" not in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


def test_the_page_names_the_altered_field(altered, reader):
    text = reader.post(PAGE, **HTMX).content.decode()
    assert 'data-state="late"' in text
    assert SENTENCE in text


def test_an_empty_portal_has_nothing_to_verify(reader):
    assert "there is nothing to verify" in reader.post(PAGE, **HTMX).content.decode()


def test_the_agreement_page_has_the_button_and_the_bundle(two, reader):
    page = reader.get(reverse("agreement_version", args=[1])).content.decode()
    assert f'hx-post="{PAGE}"' in page
    assert 'href="/agreement/1/bundle.json"' in page
    assert 'id="verify-result"' in page


@pytest.mark.parametrize("path", [PAGE, "/agreement/1/bundle.json"])
def test_only_people_with_a_role_come_in(two, path):
    client = Client()
    assert client.get(path).status_code == 302
    client.force_login(cast.user("Nobody Yet"))
    assert client.get(path).status_code == 403


def test_verifying_takes_the_same_queries_for_any_number_of_versions(two, now):
    with CaptureQueriesContext(connection) as few:
        verify(at=now)
    for i in range(2, 6):
        cast.agreement(at=START + dt.timedelta(days=i))
    with CaptureQueriesContext(connection) as many:
        assert verify(at=now).versions == 6
    assert len(many) == len(few)


# --- the command ----------------------------------------------------------------------------------
def test_the_command_says_that_all_agrees(two):
    out = StringIO()
    call_command("verify_agreement", stdout=out)
    assert out.getvalue() == (
        f"two versions, four signatures, no break.\nFingerprint of the last one: {two[1].fingerprint}\n"
    )


def test_the_command_names_the_difference_and_ends_with_1(altered):
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify_agreement", stdout=out)
    assert (end.value.code, out.getvalue()) == (1, SENTENCE + "\n")


def test_the_command_speaks_json(altered):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_agreement", json=True, stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["agrees"], answer["versions"], answer["signatures"]) == (False, 2, 4)
    assert answer["difference"] == {
        "kind": "altered_content",
        "sentence": SENTENCE,
        "version": 1,
        "field": "definition.tiers[hot].total",
        "signed": "80",
        "found": "79",
    }


# --- the bundle and the program for outsiders -----------------------------------------------------
@pytest.fixture
def run_program(two, reader, tmp_path):
    """Runs the program of docs/verify.md, as it stands there, over both bundles; `alter` changes them before."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "verify.py").write_text(program)

    def run(alter=lambda first, second: None):
        bundles = [json.loads(reader.get(f"/agreement/{number}/bundle.json").content) for number in (1, 2)]
        alter(*bundles)
        for number, bundle in enumerate(bundles, 1):
            (tmp_path / f"agreement-v{number}.json").write_text(json.dumps(bundle))
        command = [sys.executable, "-I", "verify.py", "agreement-v1.json", "agreement-v2.json"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def test_an_outsider_computes_the_fingerprints_with_the_documented_program(run_program, two):
    done = run_program()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"v{version.number}: {version.fingerprint}, 2 signatures, no difference." for version in two
    ]


def _term(first, second):
    first["content"]["undo_within_seconds"] += 1


def _name(first, second):
    second["signatures"][1]["name"] = "Somebody Else"


def _replaced(first, second):
    second["predecessor"] = "0" * 64


def _order(first, second):
    saved = dict(first)
    first.update(second)
    second.update(saved)


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (_term, "v1: the content has the fingerprint "),
        (_name, "v2: the signature for "),
        (_replaced, "v2: the content has the fingerprint "),
        (_order, "v1 does not follow the version named before it."),
    ],
)
def test_the_documented_program_finds_what_was_altered(run_program, alter, says):
    done = run_program(alter)
    assert done.returncode == 1
    assert done.stderr.startswith(says)


def test_the_bundle_is_a_file_of_what_was_signed(two, reader):
    answer = reader.get("/agreement/2/bundle.json")
    assert answer["Content-Disposition"] == 'attachment; filename="agreement-v2.json"'
    bundle = answer.json()
    assert bundle["predecessor"] == two[0].fingerprint
    assert bundle["content"]["effective_from"] == "2024-01-02T08:30:15.123456Z"
    assert {signature["party"] for signature in bundle["signatures"]} == {"marketing", "sales"}


def test_a_draft_has_no_bundle(two, reader, people):
    draft = draft_version(by=people.marketer, at=START)
    assert SLAVersion.objects.filter(number=draft.number).exists()
    assert reader.get(f"/agreement/{draft.number}/bundle.json").status_code == 404


def test_the_documented_program_covers_what_the_page_saw_of_a_signing_and_a_deputy(two, reader, people, tmp_path):
    at = START + dt.timedelta(days=30)
    draft = draft_version(by=people.marketer, at=at)
    propose_version(version_id=draft.pk, effective_from=at, by=people.marketer, at=at)
    appoint_deputy(party="sales", deputy=people.manager, begins_at=at, ends_at=at + dt.timedelta(days=1),
                   by=people.sales_leader, at=at)  # fmt: skip
    sign_version(version_id=draft.pk, party="sales", by=people.manager, at=at, typed_name="Mona Manager",
                 address="2001:db8::7", user_agent="Firefox")  # fmt: skip
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    bundle = json.loads(reader.get("/agreement/3/bundle.json").content)
    for alter, code in (({}, 0), ({"address": "2001:db8::8"}, 1), ({"deputy_for": None}, 1), ({"user_agent": "x"}, 1)):
        altered = bundle | {"signatures": [bundle["signatures"][0] | alter]}
        (tmp_path / "v3.json").write_text(json.dumps(altered))
        done = subprocess.run(
            [sys.executable, "-I", "-c", program, "v3.json"], cwd=tmp_path, capture_output=True, timeout=60
        )
        assert done.returncode == code, alter
