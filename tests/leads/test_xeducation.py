"""X Education's 9,240 leads: sources, decisions and reasons under the tag map, and its broken copies."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.intake.imports.problems import FileRefused
from leads.models import Handoff, Lead
from sla import scoring

DEFINITIONS = Path(__file__).parent.parent / "data" / "xeducation_definitions.json"
REFUSING = {"bad_data": "data", "bad_fit": "fit", "bad_timing": "timing"}
READ = (
    "Do Not Email", "TotalVisits", "Total Time Spent on Website", "Last Activity", "Lead Origin", "Lead Source",
    "What is your current occupation", "Asymmetrique Activity Index", "Asymmetrique Profile Index",
)  # fmt: skip


@pytest.fixture
def folder(shared_data):
    return shared_data / "xeducation"


@pytest.fixture
def expected(folder):
    return json.loads((folder / "expected.json").read_text())


@pytest.fixture
def mapping(expected):
    tags = expected["under_proposed_mapping"]["tag_to_reason"]
    decisions = {tag: "rejected" for name in REFUSING for tag in tags[name]}
    decisions |= dict.fromkeys(tags["_accepted_working"], "accepted")
    decisions |= dict.fromkeys(tags["_no_contact_yet"], "undecided")
    reasons = {tag: category for name, category in REFUSING.items() for tag in tags[name]}
    return {
        "columns": {
            "external_id": "Prospect ID", "source": "Lead Source", "campaign": "Lead Origin",
            "decision": {"column": "Tags", "values": decisions}, "reason": {"column": "Tags", "values": reasons},
            "outcome": {"column": "Converted", "values": {"1": "won", "0": ""}},
            **{f"attributes.{name}": name for name in READ},
        },
        "defaults": {"qualified_at": "2022-01-15"},
    }  # fmt: skip


@pytest.fixture
def run(db, folder, mapping, tmp_path):
    def run(name, **options):
        return import_leads(
            path=folder / name, document=mapping, historical=True, at=timezone.now(),
            errors_path=tmp_path / "errors.csv", **options,
        )  # fmt: skip

    return run


def test_sources_decisions_and_reasons_are_those_of_the_file(run, expected):
    assert run("Leads.csv").created == 9240
    sources = Counter(h.source or "(blank)" for h in Handoff.objects.all())
    assert sources == {name: row["leads"] for name, row in expected["by_lead_source_raw"].items()}
    under = expected["under_proposed_mapping"]
    status = Counter("undecided" if h.is_open else h.status for h in Handoff.objects.all())
    assert status == under["decision"]
    rejected = Handoff.objects.filter(status="rejected").select_related("reason")
    assert Counter(f"bad_{h.reason.category}" for h in rejected) == under["rejected_by_reason"]


def test_the_four_definitions_pick_the_very_leads(run, expected):
    if not DEFINITIONS.is_file():
        pytest.skip("the four definitions are not written yet")
    run("Leads.csv")
    leads = [(lead.external_id, lead.facts()) for lead in Lead.objects.all()]
    wanted = list(expected["mql_definitions"].values())
    documents = json.loads(DEFINITIONS.read_text())
    documents = list(documents.values()) if isinstance(documents, dict) else documents
    for document, figures in zip(documents, wanted, strict=True):
        scorer = scoring.compile(scoring.Definition.from_json(document))
        picked = sorted(key for key, facts in leads if scorer(facts, (), timezone.now()).tier)
        digest = hashlib.sha256("\n".join(picked).encode()).hexdigest()
        assert (len(picked), digest) == (figures["qualify"], figures["sha256_of_sorted_prospect_ids_joined_by_lf"])


def test_collapsed_records_are_named_by_row_and_stop_nobody(run):
    report = run("collapsed-338.csv")
    assert (report.rows, report.created, report.refused) == (9240, 8902, 338)
    assert {problem.code for problem in report.first_errors} == {"collapsed_row"}
    assert report.first_errors[0].row == 24


def test_a_web_page_saved_as_csv_is_refused_in_plain_words(run):
    with pytest.raises(FileRefused, match="web page"):
        run("html-page.csv")
    assert not Lead.objects.exists()
