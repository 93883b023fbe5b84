"""The import: history and leads of now, refusals with the verbs' codes, and files as people have them."""

import csv
import datetime as dt
import json
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.intake.imports.problems import Cancelled, DatesAmbiguous, FileRefused
from leads.intake.imports.propose import propose
from leads.models import Assignment, Handoff, Lead
from leads.services.due import Due, Terms
from leads.services.refusals import NoVersionInForce
from portal.outbox.models import Message
from sla.models import Calendar, CalendarAssignment
from tests import cast

PAST = {"external_id": "id", "qualified_at": "day", "decision": "decision", "reason": "reason", "note": "note"}
NOW = {"external_id": "id", "email": "email", "title": "title", "source": "source", "owner": "owner",
       "employees": "size", "industry": "industry"}  # fmt: skip
HOT = "Director,Demo request"


@pytest.fixture
def run(tmp_path, db):
    def run(text, columns, *, historical=True, encoding="utf-8", **options):
        path = tmp_path / "file.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        document = {"columns": columns, **options.pop("document", {})}
        return import_leads(
            path=path, document=document, historical=historical, at=timezone.now(),
            errors_path=tmp_path / "errors.csv", **options,
        )  # fmt: skip

    return run


def codes(report):
    return [(problem.row, problem.code) for problem in report.first_errors]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1,2024-05-06,rejected,,", "reason_required"),
        ("1,2024-05-06,rejected,99,", "reason_unknown"),
        ("1,2024-05-06,rejected,41,", "note_required"),
        ("1,2999-05-06,,,", "time_in_the_future"),
        ("1,soon,,,", "bad_date"),
        (",2024-05-06,,,", "not_a_lead"),
        ("1,,,,", "qualified_at_required"),
        ("1,2024-05-06,perhaps,,", "bad_decision"),
        ("1,2024-05-06,accepted", "ragged_row"),
    ],
)
def test_a_bad_row_is_refused_by_its_code_and_the_rest_comes_in(run, agreement, row, code):
    good = "".join(f"g{n},2024-05-06,accepted,,\n" for n in range(20))
    report = run(f"id,day,decision,reason,note\n{row}\n{good}", PAST)
    assert codes(report) == [(2, code)]
    assert (report.created, report.refused, Lead.objects.count()) == (20, 1, 20)


def test_an_open_handoff_of_the_past_takes_the_decision_that_a_later_file_brings(run, agreement):
    run("id,day,decision,reason,note\n1,2024-05-06,,,\n", PAST)
    report = run("id,day,decision,reason,note\n1,2024-05-06,rejected,11,small\n", PAST)
    handoff = Handoff.objects.get()
    assert (report.updated, handoff.status, handoff.reason.code) == (1, "rejected", "11")
    again = run("id,day,decision,reason,note\n1,2024-05-06,accepted,,\n", PAST)
    assert codes(again) == [(2, "already_decided")]


def test_a_second_open_handoff_of_one_lead_is_refused(run, agreement):
    report = run("id,day,decision,reason,note\n1,2024-05-06,,,\n1,2024-06-06,,,\n", PAST)
    assert codes(report) == [(3, "has_open_handoff")]


def test_leads_of_now_that_reach_a_tier_are_handed_over_to_whom_has_least(run, agreement, people):
    head = "id,email,title,source,owner,size,industry\n"
    body = "".join(f"{n},a{n}@x.example,Director,Demo request,,500,Food\n" for n in range(6))
    report = run(head + body + "9,b@x.example,Clerk,Guide,,5,Law\n", NOW, historical=False)
    assert (report.created, Handoff.objects.in_inbox().count()) == (7, 6)
    assert Handoff.objects.values("owner").order_by().distinct().count() == 3
    assert Assignment.objects.count() == Message.objects.filter(topic="handoff.opened").count() == 6
    again = run(head + body, NOW, historical=False)
    assert (again.created, again.updated, again.unchanged, Handoff.objects.count()) == (0, 0, 6, 6)


def test_imported_leads_are_due_in_the_hours_of_their_owners(run, people):
    version = cast.agreement(at=timezone.now() - dt.timedelta(days=1), clock_basis="owner")
    nights = {day: [["20:00", "23:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    own = Calendar.objects.create(name="Nights", zone="Asia/Tokyo", week=nights, created_at=timezone.now())
    today = timezone.localdate()
    CalendarAssignment.objects.create(person=people.rep, calendar=own, from_day=today, created_at=timezone.now())
    head = "id,email,title,source,owner,size,industry\n"
    body = "".join(f"{n},a{n}@x.example,Director,Demo request,,500,Food\n" for n in range(6))
    run(head + body, NOW, historical=False)
    terms, found = Terms(version), list(Handoff.objects.select_related("owner"))
    due = [terms.due(tier_id=row.tier_id, owner=row.owner, at=row.qualified_at) for row in found]
    assert [Due(*(getattr(row, name) for name in Due._fields)) for row in found] == due
    assert {row.calendar_id for row in found} == {own.pk, version.calendar_id}


def test_a_person_who_turns_up_again_far_down_the_file_stays_one_lead(run, agreement, people):
    """The rows before go straight into the table of leads; from the first known person on they are compared."""
    body = "".join(f"{n},a{n}@x.example,Clerk,Guide,,5,Law\n" for n in range(5_200))
    more = "x,A1+news@x.example,Director,Demo request,,500,Food\ny,y@x.example,Director,Demo request,,500,Food\n"
    report = run(f"id,email,title,source,owner,size,industry\n{body}{more}", NOW, historical=False)
    assert (report.rows, report.created, report.updated) == (5_202, 5_201, 1)
    again = Lead.objects.get(email_key="a1@x.example")
    assert (again.external_id, again.title, again.handoffs.count()) == ("1", "Director", 1)


def test_texts_with_tabs_and_ends_of_lines_come_in_as_they_are(run, agreement, people):
    odd = ["a\tb", "a\nb", "a\r\nb", "\\N", "\\.", "\x01", '"', "'\x01\t\x01'", "\\", "NULL"]
    text = "id,title,more\n" + "".join(
        f'{n},"{cell.replace(chr(34), chr(34) * 2)}","{cell.replace(chr(34), chr(34) * 2)}"\n'
        for n, cell in enumerate(odd)
    )
    columns = {"external_id": "id", "title": "title", "attributes.more": "more"}
    for seen in ("created", "unchanged"):
        assert getattr(run(text, columns, historical=False), seen) == len(odd)
        kept = Lead.objects.order_by("external_id")
        assert [lead.title for lead in kept] == [lead.attributes["more"] for lead in kept] == odd


def test_a_decided_row_without_historical_is_refused(run, agreement, people):
    report = run("id,decision,reason\n1,rejected,\n2,accepted,\n", {k: PAST[k] for k in ("decision", "reason")} | {
        "external_id": "id"}, historical=False)  # fmt: skip
    assert codes(report) == [(2, "reason_required"), (3, "history_only")]


def test_without_an_agreement_in_force_no_lead_of_now_comes_in(run, db):
    with pytest.raises(NoVersionInForce):
        run("id\n1\n", {"external_id": "id"}, historical=False)


def test_a_dry_run_writes_nothing(run, agreement):
    report = run("id,day,decision,reason,note\n1,2024-05-06,,,\n", PAST, dry_run=True)
    assert (report.created, Lead.objects.count(), Handoff.objects.count()) == (1, 0, 0)


def test_dates_that_read_both_ways_are_asked_and_never_guessed(run, agreement):
    text = "id,day,decision,reason,note\n1,3/4/2024,,,\n2,5/6/2024,,,\n"
    with pytest.raises(DatesAmbiguous) as asked:
        run(text, PAST)
    assert {choice[0] for choice in asked.value.choices} == {"%m/%d/%Y", "%d/%m/%Y"}
    report = run(text, PAST, document={"format": {"dates": {"qualified_at": "%d/%m/%Y"}}})
    assert report.created == 2
    assert timezone.localtime(Handoff.objects.earliest("qualified_at").qualified_at).month == 4


def test_one_telling_date_decides_the_whole_column(run, agreement):
    run("id,day,decision,reason,note\n1,3/4/2024,,,\n2,12/31/2023,,,\n", PAST)
    assert timezone.localtime(Handoff.objects.latest("qualified_at").qualified_at).month == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read_as_they_are(run, agreement, encoding):
    run("id;name\n1;Žofie Ångström\n", {"external_id": "id", "last_name": "name"}, encoding=encoding,
        document={"defaults": {"qualified_at": "2024-05-06"}})  # fmt: skip
    assert Lead.objects.get().last_name == "Žofie Ångström"


def test_an_undeclared_encoding_is_asked_and_a_declared_one_taken(run, agreement):
    text = "id,name\n1,Größe\n".encode("cp1252")
    columns, defaults = {"external_id": "id", "last_name": "name"}, {"qualified_at": "2024-05-06"}
    with pytest.raises(FileRefused, match="cp1252"):
        run(text, columns, document={"defaults": defaults})
    run(text, columns, document={"defaults": defaults, "format": {"encoding": "cp1252"}})
    assert Lead.objects.get().last_name == "Größe"


def test_the_footer_of_a_report_is_never_a_lead(run, agreement, shared_data):
    facts = json.loads((shared_data / "webhooks" / "outbound_message_facts.json").read_text())
    footer = "\n".join(facts["report_csv_export_footer_lines"])
    columns = {"external_id": "id", "last_name": "name"}
    report = run(f"id,name\n1,Ada\n\n\n{footer}\n", columns, document={"defaults": {"qualified_at": "2024-05-06"}})
    assert (report.rows, report.created, report.refused) == (1, 1, 0)


@pytest.mark.parametrize(
    ("blank", "said"), [("\n", "1 blank row was left out."), (",\n\n", "2 blank rows were left out.")]
)
def test_blank_rows_are_counted_in_plain_words(run, agreement, blank, said):
    report = run(f"id,day\n1,2024-05-06\n{blank}2,2024-05-06\n", {"external_id": "id", "qualified_at": "day"})
    assert (report.created, report.notes) == (2, [said])


def test_every_naughty_string_comes_in_unchanged(run, agreement, shared_data, tmp_path):
    strings = json.loads((shared_data / "csv" / "naughty-strings.json").read_text())
    path = tmp_path / "naughty.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "s"), *enumerate(strings)])
    columns = {"external_id": "id", "attributes.s": "s"}
    report = run(path.read_bytes(), columns, document={"defaults": {"qualified_at": "2024-05-06"}})
    assert (report.created, report.refused) == (len(strings), 0)
    kept = {int(lead.external_id): lead.attributes.get("s", "") for lead in Lead.objects.all()}
    assert [kept[n] for n in range(len(strings))] == strings


def test_refused_values_cannot_run_as_formulas(run, agreement, tmp_path):
    report = run("id,email\n1,=cmd()\n", {"external_id": "id", "email": "email"},
                 document={"defaults": {"qualified_at": "2024-05-06"}})  # fmt: skip
    with open(report.errors_file, encoding="utf-8-sig", newline="") as file:
        line = next(csv.DictReader(file))
    assert (line["row"], line["column"], line["value"]) == ("2", "email", "'=cmd()")


def test_every_header_of_a_crm_gets_its_key(shared_data):
    tools = json.loads((shared_data / "csv" / "crm-export-headers.json").read_text())
    for tool in ("hubspot_contacts", "salesforce_leads", "zoho_leads", "facebook_lead_ads", "agency_crm"):
        for export in tools[tool]:
            assert {"external_id", "email"} & set(propose(export["header"].split(","))), export["header"]


def test_a_cancelled_import_leaves_nothing(run, agreement):
    def stop(rows, done, stage):
        raise Cancelled

    with pytest.raises(Cancelled):
        run("id,day,decision,reason,note\n1,2024-05-06,,,\n", PAST, progress=stop)
    assert not Lead.objects.exists()


def test_the_command_prints_one_json_object_and_nothing_else(agreement, tmp_path, capsys):
    (tmp_path / "f.csv").write_text("id,day\n1,2024-05-06\n")
    (tmp_path / "m.json").write_text(json.dumps({"columns": {"external_id": "id", "qualified_at": "day"}}))
    call_command("import_leads", tmp_path / "f.csv", mapping=tmp_path / "m.json", historical=True, json=True)
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["rows", "created", "updated", "unchanged", "refused", "errors_file", "seconds"]
    assert (said["rows"], said["created"]) == (1, 1)


def test_the_command_says_what_is_wrong_with_a_mapping(db, tmp_path):
    (tmp_path / "f.csv").write_text("id\n1\n")
    (tmp_path / "m.json").write_text('{"columns": {"nonsense": "id"}}')
    with pytest.raises(CommandError, match="nonsense"):
        call_command("import_leads", tmp_path / "f.csv", mapping=tmp_path / "m.json")


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_make_each_lead_once(agreement, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("id,day\n" + "".join(f"{n},2024-05-06\n" for n in range(3000)))
    document, reports = {"columns": {"external_id": "id", "qualified_at": "day"}}, []

    def one(n):
        try:
            reports.append(import_leads(path=path, document=document, historical=True, at=timezone.now(),
                                        errors_path=tmp_path / f"{n}.csv"))  # fmt: skip
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted((r.created, r.unchanged) for r in reports) == [(0, 3000), (3000, 0)]
    assert Lead.objects.count() == Handoff.objects.count() == 3000
