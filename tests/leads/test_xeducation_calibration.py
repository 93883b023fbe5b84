"""X Education through the importer and the worker: what sales wrote after the contact never speaks for a lead."""

import datetime as dt
import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.calibration import jobs
from leads.calibration.labels import WON
from leads.calibration.models import Calibration
from leads.intake.imports.engine import import_leads
from leads.intake.models import OutcomeColumn
from leads.models import Deal, Lead
from sla.services.definition import draft_definition
from tests.leads.test_xeducation import DEFINITIONS, READ, expected, folder, mapping  # noqa: F401 (fixtures)

UTC = dt.UTC
# Tags and Lead Quality were filled in by sales after the contact; Converted is the outcome itself
LEAKS = (("tags", "Tags", "Closed by Horizzon"), ("converted", "Converted", "1"),
         ("quality", "Lead Quality", "High in Relevance"))  # fmt: skip
KNOWN = ["campaign", "source", *(f"attributes.{name}" for name in READ)]


@pytest.fixture
def imported(agreement, folder, mapping, tmp_path):  # noqa: F811
    """All 9,240 leads, the leaked columns among their attributes."""
    leaks = {f"attributes.{name}": name for _, name, _ in LEAKS}
    report = import_leads(
        path=folder / "Leads.csv", document=mapping | {"columns": mapping["columns"] | leaks}, historical=True,
        at=timezone.now(), errors_path=tmp_path / "errors.csv",
    )  # fmt: skip
    assert report.created == Lead.objects.count() == 9240
    return report


@pytest.fixture
def candidate(agreement, people, now):
    """A draft with the rules of all four definitions and one for each leaked column."""
    documents = json.loads(DEFINITIONS.read_text())
    rules = {rule["key"]: rule for each in documents.values() for rule in each["rules"] if rule["points"]}
    rules |= {
        key: {"key": key, "label": name, "axis": "fit", "points": 40,
              "condition": {"field": f"attributes.{name}", "op": "equals", "value": value}}
        for key, name, value in LEAKS
    }  # fmt: skip
    gone = [{"rule": rule.key, "remove": True} for rule in agreement.definition.rules.all()]
    added = [{"add_rule": rule} for rule in rules.values()]
    return draft_definition(start_from=agreement.definition, changes=[*gone, *added], by=people.marketer, at=now)


def calibrated(candidate, people, now, declared):
    january = {"since": dt.datetime(2022, 1, 1, tzinfo=UTC), "until": dt.datetime(2022, 2, 1, tzinfo=UTC)}
    job = jobs.start(
        question=WON, **january, seed="2026",
        definition=candidate, declared=declared, with_files=True, most=40, by=people.marketer, at=now,
        send=lambda pk: None,
    )  # fmt: skip
    jobs.run(job_id=job.pk)
    return Calibration.objects.get(pk=job.pk)


def page_of(job, people):
    client = Client()
    client.force_login(people.marketer, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.get(reverse("calibration", args=[job.pk])).content.decode()


def test_leaked_columns_are_refused_by_where_they_came_from_and_the_page_says_why(imported, candidate, people, now):
    assert Lead.objects.filter(**{"attributes__Lead Quality": "High in Relevance"}).count() == 637, "they are there"
    job = calibrated(candidate, people, now, KNOWN)
    why = {
        "tags": "Reads “Tags”. The import of Leads.csv read the decision from it.",
        "converted": "Reads “Converted”. The import of Leads.csv read the deal outcome from it.",
        "quality": "Reads “Lead Quality”. Nobody declared that it was known before the lead was contacted.",
    }
    assert job.result["refused"] == why
    assert not {*why} & ({weight["key"] for weight in job.result["weights"]}
                         | {rule["key"] for rule in job.result["definition"]["rules"]})  # fmt: skip
    html = page_of(job, people)
    assert "Three rules may not speak for the handoff" in html
    assert all(re.search(rf"<b>[^<]+</b> {re.escape(sentence)}", html) for sentence in why.values())


def test_who_declares_a_column_that_told_the_outcome_changes_nothing(imported, candidate, people, now):
    job = calibrated(candidate, people, now, [*KNOWN, *(f"attributes.{name}" for _, name, _ in LEAKS)])
    assert set(job.result["refused"]) == {"tags", "converted"}, "quality is on the head of who declared it"
    assert "attributes.Lead Quality" in job.declared


def test_the_worker_says_the_same_to_the_digit_whenever_it_is_asked(imported, candidate, people, now):
    first, again = (calibrated(candidate, people, now, KNOWN) for _ in range(2))
    assert first.result == again.result
    found = first.result["validation"]
    assert (first.result["yes"], found["how"]) == (Deal.objects.filter(outcome="won").count(), "drawn")
    assert found["new"][1] > 0.84, "the lower end on the leads held out, whichever third that is"
    assert found["difference"][1] > 0


def test_a_dry_run_and_a_file_without_outcomes_leave_nothing_behind(folder, mapping, agreement, tmp_path):  # noqa: F811
    asked = {"path": folder / "Leads.csv", "historical": True, "at": timezone.now(), "most_rows": 20,
             "errors_path": tmp_path / "errors.csv"}  # fmt: skip
    import_leads(document=mapping, dry_run=True, **asked)
    assert not OutcomeColumn.objects.exists()
    plain = {"external_id": "Prospect ID", "attributes.Tags": "Tags"}
    import_leads(document={"columns": plain, "defaults": {"qualified_at": "2022-01-15"}}, **asked)
    assert not OutcomeColumn.objects.exists()
    import_leads(document=mapping, **asked)
    assert set(OutcomeColumn.objects.values_list("attribute", "field")) == {
        ("Tags", "decision"), ("Tags", "reason"), ("Converted", "outcome"),
    }  # fmt: skip
