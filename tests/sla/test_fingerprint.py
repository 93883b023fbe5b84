"""A fingerprint is the same for the same content, on any machine, and for nothing else."""

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.fingerprint import NotCanonical, canonical_json, fingerprint, utc_text

FIRST = "a" * 64
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
contents = st.dictionaries(texts, plain_values, max_size=5)


def test_the_canonical_form_is_written_out_byte_by_byte():
    content = {"z": [1, True, None], "a": {"é": 'say "hi"\n', "B": "</script>"}}
    assert canonical_json(content) == '{"a":{"B":"</script>","é":"say \\"hi\\"\\n"},"z":[1,true,null]}'.encode()


def test_anyone_can_compute_the_fingerprint_with_a_plain_sha256():
    text = '{"content":{"contact_hours":4},"predecessor":null}'
    assert fingerprint({"contact_hours": 4}, None) == hashlib.sha256(text.encode()).hexdigest()
    text = '{"content":{"contact_hours":4},"predecessor":"' + FIRST + '"}'
    assert fingerprint({"contact_hours": 4}, FIRST) == hashlib.sha256(text.encode()).hexdigest()


def test_numbers_times_and_identities_have_one_spelling():
    content = {
        "amount": [Decimal("1.50"), Decimal("1.5"), Decimal("1E+3"), Decimal("-0.0"), Decimal("0.10")],
        "at": datetime(2026, 11, 6, 10, 41, tzinfo=timezone(timedelta(hours=1))),
        "from": date(2026, 11, 6),
        "opens": time(9),
        "id": UUID(int=1),
    }
    assert json.loads(canonical_json(content)) == {
        "amount": ["1.5", "1.5", "1000", "0", "0.1"],
        "at": "2026-11-06T09:41:00.000000Z",
        "from": "2026-11-06",
        "opens": "09:00:00.000000",
        "id": "00000000-0000-0000-0000-000000000001",
    }


def test_years_before_1000_keep_four_digits():
    assert utc_text(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00.000000Z"


@pytest.mark.parametrize(
    "value",
    [
        *[1.0, float("nan"), Decimal("NaN"), Decimal("Infinity"), {1, 2}, b"x", object(), {1: "x"}, "\ud800"],
        *[datetime(2026, 11, 6), time(9, tzinfo=UTC)],
    ],
)
def test_what_has_no_one_spelling_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical_json({"terms": [value]})


def test_the_refusal_says_where_the_value_stands():
    with pytest.raises(NotCanonical, match=r"content\.tiers\[1\]\.total is the float 2\.5"):
        canonical_json({"tiers": [{}, {"total": 2.5}]})


def test_texts_that_only_look_alike_are_different_contents():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert fingerprint({"name": composed}, None) != fingerprint({"name": decomposed}, None)


@pytest.mark.parametrize("predecessor", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_a_predecessor_that_is_no_fingerprint_is_refused(predecessor):
    with pytest.raises(ValueError, match="64 lower-case"):
        fingerprint({}, predecessor)


@given(contents, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(content, random):
    keys = list(content)
    random.shuffle(keys)
    assert fingerprint({key: content[key] for key in keys}, None) == fingerprint(content, None)


@given(contents)
def test_content_that_went_through_json_or_its_own_canonical_form_keeps_its_fingerprint(content):
    assert json.loads(canonical_json(content)) == content
    assert fingerprint(json.loads(json.dumps(content)), FIRST) == fingerprint(content, FIRST)


@given(contents, contents)
def test_different_contents_have_different_fingerprints(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(one, None) == fingerprint(other, None)) == same


@given(contents)
def test_the_same_content_after_another_predecessor_is_another_version(content):
    first = fingerprint(content, None)
    assert len({first, fingerprint(content, first), fingerprint(content, FIRST)}) == 3


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_reads_back_as_the_same_microsecond(instant):
    try:
        text = utc_text(instant)
    except OverflowError:  # the first or last hours of the calendar, beyond UTC's
        return
    assert datetime.fromisoformat(text) == instant.astimezone(UTC)
    assert len(text) == 27
