"""Exports: the file holds exactly the rows of the page with the same address, for whoever may open the page."""

import csv
import datetime as dt
import io
import json
import zipfile

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads import figures
from leads.figures import Month
from leads.models import Handoff
from tests import cast, kept
from tests.history import random_cases, write

UTC = dt.UTC
MARCH = Month.parse("2026-03")


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        80, seed=5, version=agreement, owners=[people.rep, people.south_rep],
        start=dt.datetime(2026, 2, 20, tzinfo=UTC), end=dt.datetime(2026, 4, 10, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(
        lambda: write(agreement, cases), "past of the exports", agreement.pk, people.rep.pk, empty="leads_lead"
    )


def rows_of(answer):
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body, newline="")))


def leads(client, form="csv", **query):
    return client.get(reverse("leads_export", args=[form]), query)


def table(client, name, form="csv", month="2026-03", **query):
    return client.get(reverse("audit_table", args=[month, name, form]), query)


def test_the_file_holds_the_leads_behind_the_figure_newest_first(client, past, people, now):
    client.force_login(people.marketer)
    found = rows_of(leads(client, decided_month="2026-03", status="rejected", source="Webinar"))
    filters = {"decided_month": MARCH, "status": "rejected", "source": "Webinar"}
    expected = figures.rows(filters, as_of=now, zone=get_default_timezone()).order_by("-qualified_at", "-pk")
    assert [int(row["Handoff"]) for row in found] == [row.pk for row in expected]
    assert found
    assert {row["Status"] for row in found} == {"Rejected"}
    assert all(row["Reason code"] and row["Category"] for row in found)


def test_a_rep_takes_along_only_their_own_leads(client, past, people):
    client.force_login(people.rep)
    found = rows_of(leads(client))
    assert {row["Owner"] for row in found} == {"Rena Rep"}
    assert len(found) == Handoff.objects.filter(owner=people.rep).count()


def test_somebody_without_a_role_gets_no_file(client, past):
    client.force_login(cast.user("Nora Nobody"))
    assert leads(client).status_code == 403


def test_a_lead_that_calls_itself_a_formula_is_written_as_text(client, open_lead, people):
    open_lead(company="=HYPERLINK(0)", title="@SUM(A1)")
    client.force_login(people.marketer)
    (row,) = rows_of(leads(client))
    assert (row["Company"], row["Title"]) == ("'=HYPERLINK(0)", "'@SUM(A1)")


def test_the_workbook_has_as_many_rows_as_the_list(client, past, people):
    client.force_login(people.marketer)
    answer = leads(client, "xlsx", qualified_month="2026-03")
    sheet = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).read("xl/worksheets/sheet1.xml").decode()
    among = figures.rows({"qualified_month": MARCH}, as_of=dt.datetime.now(UTC), zone=get_default_timezone())
    assert sheet.count("<row ") == among.count() + 1


@pytest.mark.parametrize(("form", "query"), [("pdf", {}), ("csv", {"status": "lost"}), ("csv", {"owner": "x"})])
def test_there_is_no_file_of_another_kind_or_another_list(client, past, people, form, query):
    client.force_login(people.marketer)
    assert leads(client, form, **query).status_code == 404


def test_the_list_and_the_audit_link_to_their_files(client, past, people):
    client.force_login(people.marketer)
    page = client.get(reverse("leads"), {"status": "rejected"}).text
    assert f"{reverse('leads_export', args=['csv'])}?status=rejected" in page
    page = client.get(reverse("audit", args=["2026-03"]), {"basis": "cohort", "by": "owner"}).text
    breakdown = reverse("audit_table", args=["2026-03", "breakdown", "xlsx"])
    for address in (breakdown, reverse("audit_json", args=["2026-03"])):
        assert f"{address}?basis=cohort&amp;by=owner" in page


@pytest.mark.parametrize("by", figures.DIMENSIONS)
def test_the_breakdowns_file_adds_up_to_the_month(client, past, people, now, by):
    client.force_login(people.manager)
    found = rows_of(table(client, "breakdown", by=by, basis="cohort"))
    (month,) = figures.series(MARCH, 1, basis="cohort", as_of=now, zone=get_default_timezone())
    counts = month.counts
    for column, total in (("MQLs", counts.mqls), ("SQLs", counts.sqls), ("Rejected", counts.rejected)):
        assert sum(int(row[column]) for row in found) == total > 0


@pytest.mark.parametrize("query", [{}, {"basis": "cohort", "by": "owner"}])
def test_the_months_json_is_what_the_command_prints(client, past, people, capsys, query):
    client.force_login(people.marketer)
    answer = client.get(reverse("audit_json", args=["2026-03"]), query).json()
    call_command("audit", "2026-03", "--json", **query)
    printed = json.loads(capsys.readouterr().out)
    assert {k: v for k, v in answer.items() if k != "as_of"} == {k: v for k, v in printed.items() if k != "as_of"}
    assert answer["mqls"] > 0


@pytest.mark.parametrize("month", ["2026-13", "9998-01", "x"])
def test_a_month_that_is_none_or_still_to_come_has_no_json(client, past, people, month):
    client.force_login(people.marketer)
    assert client.get(f"/audit/{month}.json").status_code == 404
