"""CSV as people have it: dialects read value by value, headings recognised, formulas kept and made harmless."""

import csv
import json

import pytest
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.intake.imports.problems import ErrorsFile, Problem
from leads.intake.imports.propose import propose
from leads.intake.imports.readers import Reader, open_source
from leads.models import Lead

SPECTRUM = {
    "comma_in_quotes": (
        ("first", "last", "address", "city", "zip"), [["John", "Doe", "120 any st.", "Anytown, WW", "08123"]]
    ),
    "empty": (("a", "b", "c"), [["1", "", ""], ["2", "3", "4"]]),
    "empty_crlf": (("a", "b", "c"), [["1", "", ""], ["2", "3", "4"]]),
    "escaped_quotes": (("a", "b"), [["1", 'ha "ha" ha'], ["3", "4"]]),
    "json": (("key", "val"), [["1", '{"type": "Point", "coordinates": [102.0, 0.5]}']]),
    "location_coordinates": (
        ("Contact Phone Number", "Location Coordinates", "Cities", "Counties"),
        [["2095257564", "37\ufffd36'37.8\"N 121\ufffd2'17.9\"W", "Modesto", "Stanislaus"]],
    ),
    "newlines": (("a", "b", "c"), [["1", "2", "3"], ["Once upon \na time", "5", "6"], ["7", "8", "9"]]),
    "newlines_crlf": (("a", "b", "c"), [["1", "2", "3"], ["Once upon \r\na time", "5", "6"], ["7", "8", "9"]]),
    "quotes_and_newlines": (("a", "b"), [["1", 'ha \n"ha" \nha'], ["3", "4"]]),
    "simple": (("a", "b", "c"), [["1", "2", "3"]]),
    "simple_crlf": (("a", "b", "c"), [["1", "2", "3"]]),
    "utf8": (("a", "b", "c"), [["1", "2", "3"], ["4", "5", "ʤ"]]),
}  # fmt: skip


def written(tmp_path, header):
    path = tmp_path / "header.csv"
    path.write_text(header, encoding="utf-8")
    return open_source(path).header


@pytest.mark.parametrize("name", SPECTRUM)
def test_every_dialect_is_read_value_by_value(shared_data, name):
    header, rows = SPECTRUM[name]
    problems = []
    source = open_source(shared_data / "csv" / "spectrum" / f"{name}.csv")
    assert source.header == header
    assert [cells for _, cells in Reader(source, problems.append)] == rows
    assert problems == []


def test_no_dialect_of_the_collection_is_left_untested(shared_data):
    assert {path.stem for path in (shared_data / "csv" / "spectrum").glob("*.csv")} == set(SPECTRUM)


@pytest.mark.parametrize(
    ("tool", "place", "expected"),
    [
        ("hubspot_contacts", 0, {"external_id": "Record ID", "email": "Email", "phone": "Phone Number",
                                 "owner": "Contact owner", "source": "Lead Source", "company": "Associated Company"}),
        ("hubspot_contacts", 3, {"country": "Country/Region", "owner": "Contact owner"}),
        ("hubspot_contacts", 4, {"region": "State/Region"}),
        ("salesforce_leads", 0, {"external_id": "Lead ID", "first_name": "FirstName", "source": "LeadSource",
                                 "owner": "OwnerId", "company": "Company"}),
        ("zoho_leads", 0, {"last_name": "Lead Name", "owner": "Lead Owner", "industry": "Industry"}),
        ("facebook_lead_ads", 0, {"external_id": "id", "last_name": "full_name", "phone": "phone_number",
                                  "campaign": "campaign_name", "channel": "platform", "country": "country"}),
        ("google_ads", 0, {"external_id": "Google Click ID", "email": "User Email", "campaign": "Campaign"}),
        ("agency_crm", 0, {"external_id": "Lead ID", "phone": "Mobile", "source": "Source", "note": "Notes"}),
    ],
)  # fmt: skip
def test_the_headings_of_a_tool_are_proposed_as_one_expects(shared_data, tmp_path, tool, place, expected):
    tools = json.loads((shared_data / "csv" / "crm-export-headers.json").read_text())
    columns = propose(written(tmp_path, tools[tool][place]["header"] + "\n"))
    assert columns | expected == columns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Nom;Email;Téléphone;Entreprise;Statut\n",
            {"last_name": "Nom", "phone": "Téléphone", "company": "Entreprise"},
        ),
        (",,,,\nLead ID,Contact,Email,Owner,Notes\n", {"external_id": "Lead ID", "last_name": "Contact"}),
        ("name,Name,NAME,email,Email,EMAIL,phone,Phone\n", {"last_name": "name", "email": "email", "phone": "phone"}),
        ("Name,Email,Phone,Name,Email,Notes\n", {"last_name": "Name", "email": "Email", "note": "Notes"}),
        ("  Name  ,  Email  , Phone , Company \n", {"last_name": "Name", "email": "Email", "company": "Company"}),
        ("Name,Email,Phone,Company,\n", {"last_name": "Name", "company": "Company"}),
        ("Nmae,Emial,Phne,Compny,Statu\n", {"last_name": "Nmae", "email": "Emial", "company": "Compny"}),
        ("الاسم,البريد,الهاتف,Company,Notes\n", {"company": "Company", "note": "Notes"}),
    ],
)
def test_headings_in_odd_shapes_are_still_recognised(tmp_path, text, expected):
    columns = propose(written(tmp_path, text))
    assert columns | expected == columns


def formulas(shared_data):
    return json.loads((shared_data / "csv" / "crm-export-headers.json").read_text())["formula_cells"]["values"]


def test_formula_cells_survive_the_import_unchanged(agreement, shared_data, tmp_path):
    cells = formulas(shared_data)
    path = tmp_path / "formulas.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "phone", "extra"), *((n, cell, cell) for n, cell in enumerate(cells))])
    document = {
        "columns": {"external_id": "id", "phone": "phone", "attributes.extra": "extra"},
        "defaults": {"qualified_at": "2024-05-06"},
    }
    import_leads(path=path, document=document, historical=True, at=timezone.now(), errors_path=tmp_path / "errors.csv")
    kept = Lead.objects.order_by("external_id")
    assert [lead.phone for lead in kept] == cells
    assert [lead.attributes["extra"] for lead in kept] == cells


def test_formula_cells_are_made_harmless_in_the_file_of_refused_rows(shared_data, tmp_path):
    errors = ErrorsFile(tmp_path / "errors.csv")
    for n, cell in enumerate(formulas(shared_data)):
        errors.add(Problem(n, cell, cell, "bad_email", "wrong"))
    errors.close()
    with errors.path.open(encoding="utf-8-sig", newline="") as file:
        for line, cell in zip(csv.DictReader(file), formulas(shared_data), strict=True):
            assert line["value"] == line["column"] == f"'{cell}"
