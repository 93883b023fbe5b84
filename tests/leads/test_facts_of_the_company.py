"""A handoff keeps the size and industry of its company: whatever makes it, and whatever the lead says later."""

import datetime as dt
import importlib

import pytest
from django.db import connection
from django.utils.timezone import get_default_timezone

from leads import figures
from leads.figures import Month
from leads.intake.imports.engine import import_leads
from leads.models import Handoff, Lead
from leads.segments import label, segment_of
from leads.services.capture import capture_lead
from tests.history import write

ZONE, OCTOBER = get_default_timezone(), Month.parse("2026-10")


def kept():
    return list(Handoff.objects.order_by("pk").values_list("industry", "employees", "segment"))


def cut_by(by, at):
    found = figures.slices(OCTOBER, by, basis="period", as_of=at, zone=ZONE).rows
    return {row.key: row.counts.mqls for row in found}


def test_a_later_edit_of_the_lead_moves_no_figure(open_lead, now):
    handoff = open_lead(employees=640, industry="Food")
    assert kept() == [("Food", 640, "200-999")]
    before = cut_by("industry", now), cut_by("segment", now)
    capture_lead(facts={"email": handoff.lead.email, "employees": 12, "industry": "Banking"}, at=now)
    assert Lead.objects.get().employees == 12
    assert (cut_by("industry", now), cut_by("segment", now)) == before == ({"Food": 1}, {"200-999": 1})


@pytest.fixture
def run(agreement, people, now, tmp_path):
    """Imports a text: run(text, columns, historical)."""

    def run(text, columns, historical):
        path = tmp_path / "leads.csv"
        path.write_text(text)
        said = {"path": path, "document": {"columns": columns}, "errors_path": tmp_path / "errors.csv"}
        return import_leads(historical=historical, at=now, **said)

    return run


def test_an_import_of_the_past_keeps_them_with_each_handoff(run):
    text = "id,day,size,trade\nA1,2026-10-02,49,Food\nA2,2026-10-02,1000,\n"
    columns = {"external_id": "id", "qualified_at": "day", "employees": "size", "industry": "trade"}
    run(text, columns, historical=True)
    assert kept() == [("Food", 49, "1-49"), ("", 1000, "1000+")]


def test_an_import_of_leads_of_now_keeps_them_with_each_handoff(run):
    text = "id,email,title,source,size,trade\n1,a@x.example,Director,Demo request,500,Food\n"
    columns = {"external_id": "id", "email": "email", "title": "title", "source": "source", "employees": "size"}
    run(text, columns | {"industry": "trade"}, historical=False)
    assert kept() == [("Food", 500, "200-999")]


def test_history_of_a_known_lead_takes_what_the_file_does_not_say_from_the_lead(run, now):
    capture_lead(facts={"external_id": "A1", "employees": 70, "industry": "Food"}, at=now)
    run("id,day\nA1,2026-10-02\n", {"external_id": "id", "qualified_at": "day"}, historical=True)
    assert kept() == [("Food", 70, "50-199")]


def test_python_and_the_database_agree_on_the_bands(agreement, now):
    sizes = [None, 0, 1, 49, 50, 199, 200, 999, 1000, 2_000_000_000]
    write(agreement, [{"qualified_at": now, "employees": n} for n in sizes])
    assert [segment for _, _, segment in kept()] == [segment_of(n) for n in sizes]
    assert cut_by("segment", now) == {"": 2, "1-49": 2, "50-199": 2, "200-999": 2, "1000+": 2}


def test_the_migration_gives_older_handoffs_what_is_known_of_their_leads(agreement, now):
    fill = importlib.import_module("leads.migrations.0013_facts_of_the_company").FILL
    (row,) = write(agreement, [{"qualified_at": now, "lead": {"industry": "Food", "employees": 300}}])
    assert kept() == [("", None, "")]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(fill)
    assert kept() == [("Food", 300, "200-999")]
    assert Handoff.objects.get().qualified_at == row.qualified_at


def test_the_command_breaks_down_by_them(agreement, now, capsys):
    from django.core.management import call_command

    write(agreement, [{"qualified_at": now - dt.timedelta(days=1), "employees": 60, "industry": "Food"}])
    call_command("audit", "2026-10", by="segment")
    assert "50–199 employees" in capsys.readouterr().out


def test_the_labels_of_segments_are_the_same_in_python_and_in_the_database(agreement, now):
    write(agreement, [{"qualified_at": now, "employees": n} for n in (None, 1, 50, 200, 1000)])
    found = figures.slices(OCTOBER, "segment", basis="period", as_of=now, zone=ZONE).rows
    assert {row.label for row in found} == {label(row.key) for row in found}
    assert label("1000+") == "1,000+ employees"
