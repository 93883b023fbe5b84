"""Rules and promises in words that a person would use."""

import datetime as dt

import pytest

from sla import words
from sla.scoring import Rule, Tier


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (dt.timedelta(minutes=15), "15 minutes"),
        (dt.timedelta(hours=1), "1 hour"),
        (dt.timedelta(minutes=90), "90 minutes"),
        (dt.timedelta(days=5), "5 days"),
        (dt.timedelta(days=1825), "5 years"),
        (dt.timedelta(hours=36), "36 hours"),
        (dt.timedelta(seconds=45), "45 seconds"),
    ],
)
def test_a_time_is_said_in_its_largest_whole_unit(length, said):
    assert words.span(length) == said


def test_business_time_says_so_but_minutes_need_not():
    assert words.span(dt.timedelta(days=5), business=True) == "120 business hours"
    assert words.span(dt.timedelta(minutes=15), business=True) == "15 minutes"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            Rule("size", "x", "fit", {"field": "employees", "op": "between", "min": 200, "max": 5000}, 20),
            "+20 when company size is 200–5,000",
        ),
        (
            Rule("i", "x", "fit", {"field": "industry", "op": "in", "values": ["Food", "Packaging", "Logistics"]}, 15),
            "+15 when industry is Food, Packaging or Logistics",
        ),
        (
            Rule("t", "x", "fit", {"field": "title", "op": "matches", "value": "Head of|COO"}, 15),
            "+15 when job title contains Head of or COO",
        ),
        (
            Rule("t", "x", "fit", {"field": "title", "op": "matches", "value": "^C.O$"}, 15),
            "+15 when job title matches the pattern ^C.O$",
        ),
        (
            Rule("p", "x", "behaviour", {"event": "pricing_viewed"}, 12, window_days=14, minimum_count=2),
            "+12 when “pricing viewed” happened 2 times or more in the last 14 days",
        ),
        (
            Rule("g", "x", "behaviour", {"event": "guide_downloaded"}, 10, per_event=True),
            "+10 each time “guide downloaded” happened, without a limit",
        ),
        (
            Rule("e", "x", "behaviour", {"event": "email_clicked"}, 3, per_event=True, cap=9, decay_days=60),
            "+3 each time “e-mail clicked” happened, up to 9 points, fading to nothing over 60 days",
        ),
        (
            Rule("n", "x", "fit", {"not": {"field": "attributes.system", "op": "present"}}, -5),
            "−5 when it is not so that system is given",
        ),
        (
            Rule("d", "x", "disqualifier", {"field": "domain", "op": "equals", "value": "rival.example"}),
            "Never an MQL when e-mail domain is rival.example",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule, said):
    assert words.rule(rule) == said


def test_conditions_inside_conditions_keep_their_brackets():
    food = {"field": "industry", "op": "equals", "value": "Food"}
    large = {"field": "employees", "op": "between", "min": 500}
    known = {"field": "country", "op": "present"}
    said = words.condition({"all": [{"any": [food, large]}, known]})
    assert said == "(industry is Food, or company size is at least 500), and country is given"


def test_a_long_list_is_cut_and_says_by_how_much():
    said = words.condition({"field": "country", "op": "in", "values": [f"Land {n}" for n in range(12)]})
    assert said.endswith("Land 7 or 4 more")


def test_targets_are_shares_or_counts():
    assert words.target("acceptance", 250) == "≥ 25%"
    assert words.target("acceptance", 255) == "≥ 25.5%"
    assert words.target("mqls", 550, 645) == "550–645"
    assert words.target("mqls", 1550) == "≥ 1,550"


def test_a_tier_names_its_thresholds():
    assert words.tier(Tier("hot", "Hot", 1, 80, fit=40)) == "80 points or more, 40 of them for fit"


def test_a_week_joins_days_with_equal_hours():
    nine = [["09:00", "17:00"]]
    week = {"mon": nine, "tue": nine, "wed": nine, "fri": [["09:00", "12:00"], ["13:00", "15:00"]]}
    assert words.week(week, "Europe/Berlin") == (
        "Monday to Wednesday, 09:00–17:00; Friday, 09:00–12:00 and 13:00–15:00, Europe/Berlin time"
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("webinar_attended", "webinar attended"),
        ("email_clicked", "e-mail clicked"),
        ("roi_completed", "ROI completed"),
    ],
)
def test_an_event_is_spelled_as_people_do(kind, said):
    assert words.event(kind) == said
