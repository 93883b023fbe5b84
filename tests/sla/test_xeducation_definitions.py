"""The four MQL definitions of 9,240 real leads, expressed as ours, qualify exactly the leads that they should."""

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sla.conditions import ATTRIBUTE, fields_of
from sla.scoring import Definition, compile

DOCUMENTS = json.loads((Path(__file__).parent.parent / "data" / "xeducation_definitions.json").read_text("utf-8"))
COLUMNS = {"Prospect ID": "external_id", "Lead Source": "source", "Lead Origin": "campaign"}
WRITTEN_BY_SALES = {"Tags", "Lead Quality", "Converted"}
AT = datetime(2026, 11, 6, tzinfo=UTC)
VERSIONS = ("v1", "v2", "v3", "v4")


def definition(version):
    return Definition.from_json(DOCUMENTS[version])


@pytest.fixture(scope="session")
def xeducation(shared_data):
    return shared_data / "xeducation"


@pytest.fixture(scope="session")
def leads(xeducation):
    """Facts of every row, as the importer maps them: three columns, the rest attributes."""
    with (xeducation / "Leads.csv").open(encoding="utf-8", newline="") as file:
        return [
            {ours: row[theirs] for theirs, ours in COLUMNS.items()}
            | {"attributes": {name: value for name, value in row.items() if name not in COLUMNS}}
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="session")
def expected(xeducation):
    return json.loads((xeducation / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def qualified(leads):
    """The identities that each version qualifies."""
    scorers = {version: compile(definition(version)) for version in VERSIONS}
    return {v: {lead["external_id"] for lead in leads if scorer(lead, (), AT).tier} for v, scorer in scorers.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_definition_qualifies_the_very_leads_that_it_should(version, leads, qualified, expected):
    (wanted,) = (figures for name, figures in expected["mql_definitions"].items() if name.startswith(version))
    won = {lead["external_id"] for lead in leads if lead["attributes"]["Converted"] == "1"}
    found = qualified[version]
    assert len(found) == wanted["qualify"]
    assert len(found & won) == wanted["converted_of_those"]
    digest = hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
    assert digest == wanted["sha256_of_sorted_prospect_ids_joined_by_lf"]


@pytest.mark.parametrize(("before", "after"), list(pairwise(VERSIONS)))
def test_the_moves_between_two_definitions_are_the_known_ones(before, after, qualified, expected):
    assert expected["mql_definition_changes"][f"{before}->{after}"] == {
        "newly_qualified": len(qualified[after] - qualified[before]),
        "no_longer_qualified": len(qualified[before] - qualified[after]),
        "unchanged_qualified": len(qualified[before] & qualified[after]),
    }


def test_the_points_of_the_third_definition_are_spread_as_known(leads, expected):
    scorer = compile(definition("v3"))
    points = Counter(scorer(lead, (), AT).total for lead in leads)
    assert {str(total): count for total, count in points.items()} == expected["v3_points_distribution"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_breakdown_of_a_real_lead_adds_up_to_its_sums(version, leads):
    scorer = compile(definition(version))
    for lead in leads[::40]:
        found = scorer.evaluate(lead, (), AT)
        assert sum(rule.points for rule in found.rules) == found.total == scorer(lead, (), AT).total
        assert (found.tier, bool(found.disqualified_by)) == scorer(lead, (), AT)[3:]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_sales_wrote_after_the_contact_is_never_scored(version):
    read = {name.removeprefix(ATTRIBUTE) for rule in definition(version).rules for name in fields_of(rule.condition)}
    assert read
    assert not read & WRITTEN_BY_SALES


@pytest.mark.parametrize("version", VERSIONS)
def test_a_definition_reads_back_as_it_was_written(version):
    assert Definition.from_json(definition(version).as_json()) == definition(version)
