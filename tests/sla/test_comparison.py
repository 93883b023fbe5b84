"""Two versions term by term in plain words: pure, no database."""

import copy
import datetime as dt
import json

import pytest

from sla.comparison import SECTIONS, compare, reason_said, step_said, terms
from sla.fingerprint import canonical_json

REASON = {
    "code": "11", "category": "fit", "label": "Too small", "meaning": "Fewer than 200 employees.", "is_general": False,
    "detail": "attribute", "detail_default": "", "detail_required": False, "note_required": False,
    "unreachable": False, "next_step": "disqualify", "recycle_days": None, "retired": False, "merged_into": None,
}  # fmt: skip
RULE = {
    "key": "size", "label": "Size", "axis": "fit", "condition": {"field": "employees", "op": "present"}, "points": 20,
    "window_days": None, "minimum_count": 1, "per_event": False, "cap": None, "decay_days": None,
}  # fmt: skip
BEFORE = {
    "number": 1,
    "clock_basis": "elapsed",
    "undo_within_seconds": 900,
    "cool_off_seconds": 2592000,
    "bulk_limit": 50,
    "attempts_before_unreachable": 3,
    "calendar": {"zone": "Europe/Berlin", "week": {"mon": [["09:00", "17:00"]]}, "exceptions": {}},
    "definition": {
        "number": 1,
        "rules": [RULE],
        "tiers": [{"key": "hot", "name": "Hot", "position": 1, "total": 80, "fit": None, "behaviour": None}],
    },
    "commitments": [
        {"party": "marketing", "kind": "mqls", "tier": None, "within_seconds": None, "at_least": 550, "at_most": 645},
        {
            "party": "sales", "kind": "first_contact", "tier": "hot", "within_seconds": 3600, "at_least": None,
            "at_most": None,
        },
    ],
    "reasons": [REASON],
}  # fmt: skip
LATER = {
    "touches": ["call:reached"],
    "dispute_within_seconds": 864000,
    "recycle_within_seconds": 864000,
    "review_cadence": "monthly",
    "covers": {"sources": [], "campaigns": ["Spring"]},
    "target": {"rate": 255, "accepted": 140},
    "benchmarks": {"source": "A study", "bands": [{"name": "good", "from_per_mille": 250}]},
    "signatories": {"marketing": 7, "sales": None},
    "escalation_steps": [
        {"clock": "contact", "position": 1, "kind": "warn_owner", "share": 75, "after_seconds": None}
    ],
}


@pytest.fixture
def after():
    return copy.deepcopy(BEFORE) | copy.deepcopy(LATER)


def sentences(before, after, **options):
    return [change.sentence for change in compare(before, after, **options).changes]


def test_what_is_the_same_has_no_change(after):
    same = compare(after, copy.deepcopy(after))
    assert (same.changes, same.unchanged) == ((), same.all_terms)
    assert same.unchanged == len(terms(after))


def test_a_shorter_time_is_said_with_both_times(after):
    changed = copy.deepcopy(after)
    changed["commitments"][1]["within_seconds"] = 900
    assert sentences(after, changed) == ["First contact, Hot: 1 hour → 15 minutes"]


def test_a_change_of_the_hours_that_count_changes_what_every_time_means(after):
    changed = copy.deepcopy(after) | {"clock_basis": "owner"}
    assert sentences(after, changed) == [
        "First contact, Hot: 1 hour → 1 business hour",
        "Clocks run in: around the clock → the owner’s business hours",
    ]


def test_a_tier_that_comes_new_brings_its_times(after):
    changed = copy.deepcopy(after)
    changed["definition"]["tiers"].append(
        {"key": "warm", "name": "Warm", "position": 2, "total": 50, "fit": None, "behaviour": None}
    )
    changed["commitments"].append(
        {"party": "sales", "kind": "decision", "tier": "warm", "within_seconds": 86400, "at_least": None,
         "at_most": None}
    )  # fmt: skip
    said = sentences(after, changed)
    assert "Decision, Warm: new, 1 day" in said
    assert any("Warm" in one and "new" in one for one in said if "Decision" not in one)


def test_the_rules_of_another_definition_are_named(after):
    changed = copy.deepcopy(after)
    changed["definition"] |= {"number": 2, "rules": [RULE | {"points": 25}]}
    said = sentences(after, changed)
    assert said[0] == "Fit: Size, points: +20 → +25"
    assert "Definition: definition v1 → definition v2" in said


def test_reasons_are_added_retired_and_merged_in_words(after):
    changed = copy.deepcopy(after)
    changed["reasons"] = [
        REASON | {"retired": True, "merged_into": "15"},
        REASON | {"code": "15", "label": "Supplier", "meaning": "Sells to the same plants."},
    ]
    assert sentences(after, changed) == [
        "Reason 11: Too small: Fewer than 200 employees, asks attribute; not contacted again → "
        "Too small: retired, told as 15",
        "Reason 15: new, Supplier: Sells to the same plants, asks attribute; not contacted again",
    ]


def test_terms_that_a_version_was_signed_without_are_new_in_the_next(after):
    kinds = {change.kind for change in compare(BEFORE, after).changes}
    assert kinds == {"added"}
    assert "Rate of accepted MQLs: new, ≥ 25.5%" in sentences(BEFORE, after)
    back = compare(after, BEFORE)
    assert {change.kind for change in back.changes} == {"removed"}
    assert back.unchanged == back.all_terms


def test_signatories_are_named_by_their_names(after):
    changed = copy.deepcopy(after)
    changed["signatories"]["sales"] = 9
    assert sentences(after, changed, people={9: "Sara Leader"}) == [
        "Signs for sales: any leader of sales → Sara Leader"
    ]


def test_a_lower_bound_that_is_dropped_reads_as_removed(after):
    changed = copy.deepcopy(after)
    changed["target"]["accepted"] = None
    assert sentences(after, changed) == ["Accepted leads a month: no longer ≥ 140"]


def test_every_change_names_its_paragraph_of_the_contract(after):
    changed = copy.deepcopy(after) | {"bulk_limit": 60}
    (change,) = compare(after, changed).changes
    assert change.paragraph == f"§ {list(SECTIONS).index('windows') + 1}"
    assert (change.before, change.after) == ("50", "60")


@pytest.mark.parametrize(
    ("share", "after_seconds", "said"),
    [
        (75, None, "when 75% of the time has passed"),
        (None, 0, "as soon as it is missed"),
        (None, 4 * 3600, "4 hours after it was missed"),
    ],
)
def test_a_step_says_when_it_happens(share, after_seconds, said):
    assert step_said(share, after_seconds) == said


def test_a_reason_says_what_it_asks_and_what_follows():
    reason = REASON | {"detail_required": True, "note_required": True, "next_step": "recycle", "recycle_days": 90}
    assert reason_said(reason) == (
        "Too small: Fewer than 200 employees, asks attribute (required), a comment is required;"
        " comes back on a date after 90 days"
    )


def test_a_real_version_can_be_read(agreement):
    content = json.loads(canonical_json(agreement.content()))
    assert json.loads(agreement.canonical)["content"] == content
    named = {term.name: term.said for term in terms(content)}
    assert named["First contact, Hot"] == "1 hour"
    assert named["A contact: a call that reaches the lead"] == "counts"
    assert "A contact: a voicemail" not in named
    assert dt.timedelta(seconds=content["recycle_within_seconds"]) == agreement.recycle_within


def test_days_without_work_are_one_term_a_year_and_a_short_day_is_one_of_its_own(after):
    changed = copy.deepcopy(after)
    changed["calendar"]["exceptions"] = {
        "2026-12-26": [], "2026-12-25": [], "2026-12-24": [["09:00", "12:00"]], "2027-01-01": [],
    }  # fmt: skip
    said = [(change.name, change.after) for change in compare(after, changed).changes]
    assert said == [
        ("On 24 December 2026", "09:00–12:00"),
        ("Closed in 2026", "25 December, 26 December"),
        ("Closed in 2027", "1 January"),
    ]
