"""Every table of the audit as a file: the numbers of the page, for whoever may open the page, and never a formula."""

import csv
import datetime as dt
import io
import re
import zipfile

import pytest
from django.http import StreamingHttpResponse
from django.template.loader import get_template
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads import figures, figures_disputes, figures_speed
from leads.audit import scorecard as score
from leads.audit.actions import add_action
from leads.audit.exports import TABLES
from leads.figures import Month
from leads.models import Handoff
from leads.services.decide import reject_handoff
from leads.services.dispute import dispute_rejection
from leads.services.sweep import sweep_clocks
from portal.accounts.models import User
from portal.accounts.permissions import May
from tests import cast, kept
from tests.history import random_cases, write

UTC = dt.UTC
MARCH = Month.parse("2026-03")
AT = dt.datetime(2026, 4, 12, tzinfo=UTC)
OF_DAYS = "2026-03-02--2026-03-15"


@pytest.fixture
def past(agreement, people):
    kept.once(lambda: history(agreement, people), "tables", agreement.pk, people.rep.pk, empty="leads_lead")


def history(agreement, people):
    """Two months of history, and in March of this portal's own: breaches, a dispute, a late action."""
    owners = [people.rep, people.south_rep]
    start, end = dt.datetime(2026, 1, 20, tzinfo=UTC), dt.datetime(2026, 4, 10, tzinfo=UTC)
    write(agreement, random_cases(120, seed=5, version=agreement, owners=owners, start=start, end=end))
    at = dt.datetime(2026, 3, 10, 9, tzinfo=UTC)
    for n in range(4):
        handoff = cast.open_handoff(owner=people.rep, at=at, source="=cmd|'/c calc'!A0")
        if n < 2:
            reject_handoff(handoff_id=handoff.pk, by=people.rep, at=at + dt.timedelta(seconds=9), reason="31")
    note = "They have 900 people."
    dispute_rejection(
        handoff_id=Handoff.objects.filter(status="rejected", is_historical=False).first().pk, note=note,
        by=people.marketer, at=at + dt.timedelta(hours=1),
    )  # fmt: skip
    sweep_clocks(at=at + dt.timedelta(days=9))
    add_action(
        month=MARCH, text="=HYPERLINK(0)", owner=people.marketer, due_on=dt.date(2026, 4, 1), measure="rate",
        expected=2, by=people.sales_leader, at=AT,
    )  # fmt: skip


def fetch(client, name, form="csv", month="2026-03", **query):
    return client.get(reverse("audit_table", args=[month, name, form]), query)


def rows(client, name, **query):
    answer = fetch(client, name, **query)
    assert answer.status_code == 200
    assert isinstance(answer, StreamingHttpResponse)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body, newline="")))


def total(found, column):
    return sum(int(row[column]) for row in found)


def month(basis="period"):
    (found,) = figures.series(MARCH, 1, basis=basis, as_of=dt.datetime.now(UTC), zone=get_default_timezone())
    return found


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_table_is_a_file_of_both_kinds(client, past, people, form):
    client.force_login(people.sales_leader)
    for name, entry in TABLES.items():
        for when in ("2026-03", OF_DAYS):
            answer = fetch(client, name, form, when)
            assert answer.status_code == (200 if when == "2026-03" or entry.of_days else 404), name
            if answer.status_code == 200:
                body = b"".join(answer.streaming_content)
                assert f"audit-{when}-period-{name}.{form}" in answer["Content-Disposition"]
                assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None if form == "xlsx" else body.count(b"\r\n")


def test_each_part_of_the_page_offers_its_tables():
    """What is registered is offered somewhere, and what is offered is registered."""
    parts = ("audit", "review", "trend", "speed", "disputes", "fix", "scorecard", "actions", "left_out", "quality")
    text = "".join(get_template(f"audit/{part}.html").template.source for part in parts)
    assert set(re.findall(r'files.html" with table="([a-z-]+)"', text)) == set(TABLES)


@pytest.mark.parametrize("basis", figures.BASES)
def test_reasons_and_months_add_up_to_the_months_figures(client, past, people, basis):
    client.force_login(people.marketer)
    expected = month(basis)
    found = rows(client, "reasons", basis=basis)
    assert {row["Code"]: int(row["Rejections"]) for row in found} == {r.code: r.n for r in expected.reasons}
    assert [float(row["95% from"]) for row in found] == [r.low for r in expected.reasons]
    months = rows(client, "months", basis=basis)
    last, counts = months[-1], expected.counts
    assert len(months) == 12
    assert last["Month"] == "March 2026"
    assert [int(last[name]) for name in ("MQLs", "SQLs", "Rejected", "Undecided", "Withdrawn")] == [
        counts.mqls, counts.sqls, counts.rejected, counts.undecided, counts.withdrawn,
    ]  # fmt: skip
    categories = ("Bad fit", "Bad timing", "Bad data", "Bad scoring")
    assert sum(int(last[name]) for name in categories) == counts.rejected


def test_the_heat_table_is_the_pair_that_was_chosen(client, past, people):
    client.force_login(people.marketer)
    found, expected = rows(client, "heat"), month()
    reasons, (mqls, sqls) = found[:-2], found[-2:]
    assert {row["Code"]: int(row["All"]) for row in reasons} == {r.code: r.n for r in expected.reasons}
    sources = list(found[0])[3:-1]
    assert sum(int(row[name]) for row in reasons for name in sources) == expected.counts.rejected
    assert (mqls["Reason"], sqls["Reason"]) == ("MQLs", "SQLs")
    assert sum(int(mqls[name]) for name in sources) == int(mqls["All"]) == expected.counts.mqls
    pair = rows(client, "heat", rows="owner", columns="channel")
    assert {name for name in pair[0] if name.endswith(", MQLs")} == {"Paid, MQLs", "No channel, MQLs", "All, MQLs"}
    assert sum(int(row["Paid, MQLs"]) + int(row["No channel, MQLs"]) for row in pair[:-1]) == expected.counts.mqls
    assert {row["Owner"] for row in pair} == {"Rena Rep", "Suna Rep", "No owner", "Mona Manager", "All"}
    page = client.get(reverse("audit", args=["2026-03"]), {"rows": "owner", "columns": "channel"}).text
    where = reverse("audit_table", args=["2026-03", "heat", "csv"])
    assert f"{where}?rows=owner&amp;columns=channel" in page
    assert rows(client, "heat", rows="owner", columns="owner") == []


def test_speed_and_disputes_are_those_of_the_page(client, past, people):
    client.force_login(people.marketer)
    asked = {"as_of": dt.datetime.now(UTC), "zone": get_default_timezone()}
    found, speed = rows(client, "speed"), figures_speed.speed(MARCH, **asked)
    assert [int(row["MQLs"]) for row in found] == [band.counts.mqls for band in speed.bands]
    assert total(found, "MQLs") == month().counts.mqls
    waits = rows(client, "waits")
    assert int(waits[0]["Leads"]) == speed.contact.n
    contacted = rows(client, "waiting")
    assert float(contacted[3]["Contacted"]) == speed.contact.done_within(dt.timedelta(days=1))[0]
    disputes = figures_disputes.disputes(MARCH, basis="period", **asked)
    found = rows(client, "disputes")
    assert [int(row["Opened"]) for row in found if row["By"] == "All"] == [disputes.all.opened] == [1]
    assert [row["Name"] for row in found] == [disputes.reasons[0].label, "Rena Rep", "All"]


def test_the_scorecards_promises_and_clocks_are_those_of_the_page(client, past, people):
    client.force_login(people.sales_leader)
    asked = {"as_of": dt.datetime.now(UTC), "zone": get_default_timezone()}
    card = score.scorecard(MARCH, **asked)
    found = rows(client, "scorecard")
    assert [(row["Kept"], row["Verdict"]) for row in found] == [
        (str(one.k), one.verdict or "Nothing to keep") for side in ("marketing", "sales") for one in card.of(side)
    ]
    people_ = score.by_person(MARCH, people=User.objects.all(), **asked)
    clocks = {row["Person"]: int(row["First contacts"]) for row in rows(client, "clocks")}
    assert clocks == {one.person.name: one.contact[1] for one in people_}
    assert sum(clocks.values()) > 0


def test_a_rep_takes_along_their_own_clocks_and_nothing_else(client, past, people):
    client.force_login(people.rep)
    assert {row["Person"] for row in rows(client, "clocks")} <= {"Rena Rep"}
    for name, entry in TABLES.items():
        assert fetch(client, name).status_code == (200 if entry.may is May.SEE_SCORECARD else 403), name


def test_a_manager_takes_along_flags_of_the_leads_of_the_team_alone(client, past, people):
    client.force_login(people.marketer)
    everybodys = rows(client, "flags")
    client.force_login(people.manager)
    teams = rows(client, "flags")
    assert total(teams, "Of") < total(everybodys, "Of")
    page = client.get(reverse("audit_quality", args=["2026-03"]))
    assert [int(row["Leads"]) for row in teams] == [share.k for _, _, share in page.context["flags"]]
    listed = client.get(reverse("audit_quality_export", args=["2026-03", "hurried", "csv"]))
    body = b"".join(listed.streaming_content).decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(body, newline="")))) == int(teams[0]["Leads"]) == 2


def test_what_calls_itself_a_formula_is_text_in_every_table(client, past, people):
    client.force_login(people.marketer)
    assert "'=cmd|'/c calc'!A0" in {row["Source"] for row in rows(client, "breakdown")}
    assert rows(client, "actions")[-1]["Action"] == "'=HYPERLINK(0)"
    sheet = zipfile.ZipFile(io.BytesIO(b"".join(fetch(client, "actions", "xlsx").streaming_content)))
    assert "<f>" not in sheet.read("xl/worksheets/sheet1.xml").decode()


def test_some_days_have_their_own_numbers(client, past, people):
    client.force_login(people.marketer)
    found = rows(client, "breakdown", month=OF_DAYS)
    begin, end = (dt.datetime(2026, 3, day, tzinfo=get_default_timezone()) for day in (2, 16))
    assert total(found, "MQLs") == Handoff.objects.filter(qualified_at__gte=begin, qualified_at__lt=end).count()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("x", {}),
        ("trend", {"basis": "x"}),
        ("breakdown", {"by": "name"}),
        ("heat", {"rows": "x"}),
        ("trend", {"form": "ods"}),
    ],
)
def test_there_is_no_other_table(client, agreement, people, name, query):
    client.force_login(people.marketer)
    assert fetch(client, name, **query).status_code == 404
