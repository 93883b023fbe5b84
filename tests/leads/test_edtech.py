"""The ed-tech funnel, joined from its five files, gives the figures computed from the raw files."""

import csv
import datetime as dt
import json
from collections import Counter

import pytest
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.models import Assignment, Decision, Handoff, Touch
from portal.outbox.models import Message
from sla.models import SLAVersion

REASONS = {
    "Can't afford": "fit", "Cannot afford": "fit", "Wants offline classes": "fit",
    "Student not interested in domain": "bad_fit", "No time for student": "timing",
    "Will join in final year": "bad_timing",
}  # fmt: skip
MAPPING = {
    "columns": {
        "external_id": "lead_id", "qualified_at": "assigned_date", "source": "lead_gen_source", "campaign": "cycle",
        "owner": "jnr_sm_id", "attributes.manager": "snr_sm_id", "attributes.age": "age", "decision": "decision",
        "decided_at": "last_call", "first_touch_at": "first_success", "outcome": "outcome",
        "reason": {"column": "reason", "values": REASONS},
    },
}  # fmt: skip


def rows(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def us(text):
    return dt.datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007


def joined(folder):
    """One row a lead, as data/README.md maps the five files; dates stay as the files write them."""
    leads = {row["lead_id"]: row for row in rows(folder, "leads_basic_details")}
    for row in rows(folder, "sales_managers_assigned_leads_details"):
        leads[row["lead_id"]] |= row
    for row in rows(folder, "leads_reasons_for_no_interest"):
        found = [value for name, value in row.items() if name != "lead_id" and value != "NA"]
        leads[row["lead_id"]] |= {"reason": found[-1], "decision": "rejected"}
    for row in rows(folder, "leads_interaction_details"):
        lead, day = leads[row["lead_id"]], row["call_done_date"]
        if us(day) >= us(lead.get("last_call", day)):
            lead["last_call"] = day
        if row["call_status"] == "successful":
            if us(day) <= us(lead.get("first_success", day)):
                lead["first_success"] = day
            if row["call_reason"] == "successful_conversion":
                lead |= {"decision": "accepted", "outcome": "won"}
    return leads.values()


@pytest.fixture
def imported(db, shared_data, tmp_path):
    folder = shared_data / "edtech_funnel"
    names = ["lead_id", "age", "lead_gen_source", "assigned_date", "cycle", "jnr_sm_id", "snr_sm_id", "decision"]
    names += ["reason", "last_call", "first_success", "outcome"]
    path = tmp_path / "edtech.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(joined(folder))
    report = run(path, tmp_path)
    return path, report, json.loads((folder / "expected.json").read_text())


def run(path, tmp_path, **options):
    return import_leads(
        path=path, document=MAPPING, historical=True, at=timezone.now(), errors_path=tmp_path / "errors.csv", **options
    )


def tally(key):
    """{key: {leads, won, rejected, undecided}} of the handoffs, as the expected file has them."""
    found = {}
    for handoff in Handoff.objects.select_related("owner"):
        row = found.setdefault(key(handoff), {"leads": 0, "won": 0, "rejected": 0, "undecided": 0})
        row["leads"] += 1
        row[{"accepted": "won", "rejected": "rejected", "open": "undecided"}[handoff.status]] += 1
    return found


def expected(figures):
    return {key: {name: n for name, n in row.items() if name != "won_pct"} for key, row in figures.items()}


def test_the_ed_tech_funnel_gives_its_own_figures(imported):
    _, report, figures = imported
    assert report.as_json() | {"seconds": 0} == {
        "rows": 360, "created": 360, "updated": 0, "unchanged": 0, "refused": 0, "errors_file": None, "seconds": 0,
    }  # fmt: skip
    assert tally(lambda h: h.source) == expected(figures["by_source"])
    assert tally(lambda h: h.campaign) == expected(figures["by_cycle"])
    assert tally(lambda h: h.owner.name) == expected(figures["by_junior"])
    month = tally(lambda h: timezone.localtime(h.qualified_at).strftime("%Y-%m"))
    assert month == expected(figures["by_assigned_month"])


def test_the_ed_tech_reasons_fall_into_their_categories(imported):
    reasons = Counter(
        f"bad_{d.reason.category}" for d in Decision.objects.exclude(reason=None).select_related("reason")
    )
    assert dict(reasons) == imported[2]["under_proposed_mapping"]["rejected_by_code"]


def test_the_ed_tech_first_contacts_come_as_late_as_they_did(imported):
    days = Counter(
        str((timezone.localtime(h.first_touch_at).date() - timezone.localtime(h.qualified_at).date()).days)
        for h in Handoff.objects.exclude(first_touch_at=None)
    )
    assert dict(days) == imported[2]["first_contact"]["histogram"]
    assert Touch.objects.count() == 329


def test_history_starts_no_clock_and_tells_nobody(imported):
    assert not Handoff.objects.filter(decision_due_at__isnull=False).exists()
    assert not Handoff.objects.filter(is_historical=False).exists()
    assert not Message.objects.filter(topic__startswith="handoff").exists()
    assert Assignment.objects.count() == 360
    assert not SLAVersion.objects.signed().exists()


def test_owners_nobody_knows_become_people_without_sign_in_and_are_reported(imported):
    owner = Handoff.objects.select_related("owner").first().owner
    assert (owner.email, owner.is_active) == (None, False)
    assert any("JNR1001MG" in note for note in imported[1].notes)


def test_the_same_history_again_changes_nothing(imported, tmp_path):
    again = run(imported[0], tmp_path)
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 360, 0)
    assert (Handoff.objects.count(), Decision.objects.count(), Touch.objects.count()) == (360, 358, 329)
