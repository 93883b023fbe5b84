"""The real funnel of an education company: imported as history, the audit reproduces its published figures."""

import csv
import datetime as dt
import json
from collections import defaultdict

import pytest
from django.utils import timezone

from leads import figures
from leads.audit.report import audits
from leads.intake.imports.engine import import_leads
from leads.models import Handoff

REASONS = {
    "Can't afford": "fit",
    "Cannot afford": "fit",
    "Wants offline classes": "fit",
    "Student not interested in domain": "fit",
    "No time for student": "timing",
    "Will join in final year": "timing",
}
US = "%m/%d/%Y"
MAPPING = {
    "format": {"dates": dict.fromkeys(("qualified_at", "first_touch_at", "decided_at"), US)},
    "columns": {
        "external_id": "lead_id", "source": "source", "campaign": "cycle", "owner": "rep", "qualified_at": "assigned",
        "first_touch_at": "reached", "decision": "decision", "decided_at": "last_call",
        "reason": {"column": "reason", "values": REASONS},
    },
}  # fmt: skip
AS_OF = dt.datetime(2022, 6, 1, tzinfo=dt.UTC)
BY = {"source": "by_source", "campaign": "by_cycle", "owner": "by_junior"}


@pytest.fixture
def funnel(agreement, shared_data, tmp_path):
    """The funnel's five files joined to one row a lead (data/README.md) and imported; returns what must come out."""
    folder = shared_data / "edtech_funnel"
    path = tmp_path / "funnel.csv"
    joined(folder, path)
    report = import_leads(
        path=path, document=MAPPING, historical=True, at=timezone.now(), errors_path=tmp_path / "errors.csv"
    )
    assert (report.created, report.refused) == (360, 0)
    return json.loads((folder / "expected.json").read_text())


def joined(folder, path):
    def read(name):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    calls = defaultdict(list)
    for call in read("leads_interaction_details"):
        calls[call["lead_id"]].append((dt.datetime.strptime(call["call_done_date"], US).date(), call))  # noqa: DTZ007
    source = {lead["lead_id"]: lead["lead_gen_source"] for lead in read("leads_basic_details")}
    reason = {
        row["lead_id"]: next((row[name] for name in row if name != "lead_id" and row[name] != "NA"), "")
        for row in read("leads_reasons_for_no_interest")
    }
    names = ["lead_id", "source", "cycle", "rep", "assigned", "reached", "decision", "last_call", "reason"]
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(names)
        for row in read("sales_managers_assigned_leads_details"):
            key = row["lead_id"]
            made = sorted(calls[key], key=lambda call: call[0])
            reached = [day for day, call in made if call["call_status"] == "successful"]
            won = any(call["call_reason"] == "successful_conversion" for _, call in made)
            decision = "accepted" if won else "rejected" if reason.get(key) else "undecided"
            # two leads were rejected without a call: then on the day they were handed over
            decided = made[-1][0].strftime(US) if made else row["assigned_date"]
            out.writerow([
                key, source[key], row["cycle"], row["jnr_sm_id"], row["assigned_date"],
                reached[0].strftime(US) if reached else "", decision,
                decided if decision != "undecided" else "", reason.get(key, "") if decision == "rejected" else "",
            ])  # fmt: skip


def two_months(by=None):
    january, february = figures.Month.parse("2022-01"), figures.Month.parse("2022-02")
    zone = timezone.get_default_timezone()
    return audits(january, february, basis=figures.COHORT, as_of=AS_OF, zone=zone, by=by)


def outcome(counts):
    return {"leads": counts.mqls, "won": counts.sqls, "rejected": counts.rejected, "undecided": counts.undecided}


def without_share(expected):
    return {name: n for name, n in expected.items() if name != "won_pct"}


def test_the_months_are_those_of_the_file(funnel):
    for audit in two_months():
        expected = funnel["by_assigned_month"][str(audit.now.month)]
        assert outcome(audit.now.counts) == without_share(expected)
        assert round(100 * audit.rate.value, 2) == expected["won_pct"]


@pytest.mark.parametrize("by", BY)
def test_each_breakdown_is_that_of_the_file(funnel, by):
    found = defaultdict(lambda: defaultdict(int))
    for audit in two_months(by):
        for row in audit.breakdown:
            for name, n in outcome(row.counts).items():
                found[row.label][name] += n
    assert {key: dict(counts) for key, counts in found.items()} == {
        key: without_share(expected) for key, expected in funnel[BY[by]].items()
    }


def test_the_reasons_are_those_of_the_file_under_its_map(funnel):
    expected = funnel["under_proposed_mapping"]["rejected_by_code"]
    found = sum((audit.now.categories for audit in two_months()), start=type(two_months()[0].now.categories)())
    assert {f"bad_{category}": n for category, n in found.items()} == expected
    assert all(audit.top_reasons[0].category == "fit" for audit in two_months())


def test_history_starts_no_clock(funnel):
    assert not Handoff.objects.in_inbox().exists()
