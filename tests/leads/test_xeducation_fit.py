"""X Education: points fitted on two thirds of the leads beat the four definitions on the third that was held out."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from leads.backtest.columns import Panel, column, needed, score
from leads.calibration import fit, points, validation
from leads.calibration.activations import activations
from sla.scoring import Definition

DEFINITIONS = Path(__file__).parent.parent / "data" / "xeducation_definitions.json"
COLUMNS = {"source": "Lead Source", "campaign": "Lead Origin"}


@pytest.fixture(scope="module")
def leads(shared_data):
    with (shared_data / "xeducation" / "Leads.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def fitted(leads):
    return fitted_by(leads, "2026")


def fitted_by(leads, seed):
    """(areas of each definition beside the fitted one on the third held out, points by rule, calibration)."""
    definitions = [Definition.from_json(each) for each in json.loads(DEFINITIONS.read_text()).values()]
    panel = Panel(np.zeros(len(leads), np.int64), {
        name: column(lead[COLUMNS.get(name, name.removeprefix("attributes."))] for lead in leads)
        for name in needed(definitions)[0]
    }, {})  # fmt: skip
    won = np.array([lead["Converted"] == "1" for lead in leads])
    held = validation.drawn([lead["Prospect ID"] for lead in leads], seed)
    rules = {rule.key: rule for each in definitions for rule in each.rules if rule.axis != "disqualifier"}
    rows = activations(list(rules.values()), panel)
    weights, _ = points.weigh(fit.aggregate(rows[~held], won[~held]), list(rules), {}, most=40)
    new = rows.astype(int) @ np.array([weight.points for weight in weights]) // fit.UNIT
    chance = validation.chance_of(new[~held], won[~held])
    areas = [validation.compare(new[held], _total(each, panel)[held], won[held]) for each in definitions]
    return (
        areas,
        {weight.key: weight.points for weight in weights},
        validation.calibration(chance(new[held]), won[held]),
    )


def _total(definition, panel):
    """The points under a definition; whoever it shuts out has fewer than everybody else."""
    scored = score(definition, panel)
    shut_out = [scored.fired[rule.key] for rule in definition.rules if rule.axis == "disqualifier"]
    return np.where(np.any(shut_out, axis=0), -(10**6), scored.total) if shut_out else scored.total


def test_the_fitted_points_tell_won_from_lost_better_than_each_of_the_four(fitted):
    areas, _, _ = fitted
    assert [round(each.old.value, 6) for each in areas] == [0.598242, 0.624852, 0.828903, 0.521377]
    assert round(areas[0].new.value, 6) == 0.868926
    assert all(each.difference.low > 0 for each in areas)
    assert round(areas[2].difference.low, 4) == 0.0299


@pytest.mark.parametrize("seed", ["2027", "another third"])
def test_whatever_the_seed_holds_out_the_fitted_points_are_better(leads, fitted, seed):
    areas, _, _ = fitted_by(leads, seed)
    assert all(each.difference.low > 0 for each in areas)
    assert [each.new for each in areas] != [each.new for each in fitted[0]], "another third"
    assert fitted_by(leads, seed)[0] == areas, "and the same one again, to the digit"


def test_the_points_are_the_same_whoever_fits_them(fitted):
    assert fitted[1] == {
        "time-300": 0, "visits-2": -9, "time-200": 0, "time-500": 23, "time-1000": 6, "visits-4": 4, "add-form": 40,
        "good-source": 0, "working": 35, "sms": 18, "gone": 0, "no-email": -17, "activity-high": 0, "profile-high": 3,
    }  # fmt: skip


def test_what_the_points_promise_was_nearly_won(fitted):
    groups = fitted[2]
    assert sum(group.n for group in groups) == 3080
    assert max(abs(group.promised - group.seen) for group in groups) < 0.1
