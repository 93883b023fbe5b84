"""How far rules fire, and the points that a weight becomes: what was fitted is what the definition then gives."""

import numpy as np
import pytest

from leads.backtest.columns import Happened, Panel, column, judge
from leads.calibration.activations import activations, in_full, with_points
from sla.scoring import DAY, Rule

PLAIN = Rule("food", "Food", "fit", {"field": "industry", "op": "equals", "value": "Food"}, points=8)
FADING = Rule("guide", "Guide", "behaviour", {"event": "guide"}, points=10, decay_days=40)
COUNTED = Rule("page", "Pages", "behaviour", {"event": "page"}, points=3, per_event=True, cap=12)
WITHOUT_CAP = Rule("mail", "Mails", "behaviour", {"event": "page"}, points=-2, per_event=True)


@pytest.fixture
def panel():
    """Four leads at day 100: Food or not; a guide 10 days ago; 0, 1, 2 and 9 pages today."""
    pages = np.repeat([1, 2, 3], [1, 2, 9])
    return Panel(
        np.full(4, 100 * DAY),
        {"industry": column(["Food", "Retail", "food ", ""])},
        {
            "guide": Happened(np.array([0, 1]), np.array([90 * DAY, 40 * DAY])),
            "page": Happened(pages, np.full(len(pages), 100 * DAY)),
        },
    )


def test_a_rule_fires_in_full_by_what_is_left_or_by_its_share_of_the_cap(panel):
    found = activations([PLAIN, FADING, COUNTED, WITHOUT_CAP], panel)
    assert found[:, 0].tolist() == [1000, 0, 1000, 0]
    assert found[:, 1].tolist() == [750, 0, 0, 0], "ten days of forty are gone; sixty are more than all"
    assert found[:, 2].tolist() == [0, 250, 500, 1000], "four events fill the cap"
    assert found[:, 3].tolist() == [0, 1000, 2000, 9000], "without a cap each event is one"


def test_a_rule_without_points_yet_fires_as_one_with_points(panel):
    offered = Rule("new", "New", "fit", PLAIN.condition)
    assert activations([offered], panel)[:, 0].tolist() == [1000, 0, 1000, 0]


def test_points_in_full_are_those_of_the_cap():
    assert [in_full(rule) for rule in (PLAIN, FADING, COUNTED, WITHOUT_CAP)] == [8, 10, 12, -2]


def test_new_points_keep_decay_and_fill_the_cap_at_as_many_events(panel):
    assert with_points(FADING, 4).decay_days == 40
    changed = with_points(COUNTED, 24)
    assert (changed.points, changed.cap) == (6, 24)
    assert judge(changed, panel)[1].tolist() == [0, 6, 12, 24]
    assert with_points(COUNTED, -8).points == -2
    assert with_points(PLAIN, -3).points == -3
