"""How a round is drawn: in proportion, by the largest remainder, in the order of the seed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.calibration.drawing import allocate, draw

sizes = st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from(("1-49", "50-199", ""))),
                        st.integers(0, 400), min_size=1)  # fmt: skip


def test_the_largest_remainders_get_what_is_left():
    """21,878 voters and 10 seats, as textbooks apportion them: quotas 3.52, 2.86, 1.88, 1.25, 0.48."""
    votes = {("a", ""): 7_700, ("b", ""): 6_260, ("c", ""): 4_120, ("d", ""): 2_740, ("e", ""): 1_058}
    assert [*allocate(votes, 10).values()] == [4, 3, 2, 1, 0]


def test_equal_remainders_go_to_the_larger_stratum_and_then_by_name():
    assert allocate({("a", ""): 1, ("b", ""): 3}, 2) == {("a", ""): 0, ("b", ""): 2}
    assert allocate({("b", ""): 1, ("a", ""): 1}, 1) == {("a", ""): 1, ("b", ""): 0}


@given(sizes, st.integers(0, 600))
def test_each_stratum_gives_its_share_rounded_up_or_down_and_all_give_what_was_asked(found, n):
    total, counts = sum(found.values()), allocate(found, n)
    n = min(n, total)
    assert sum(counts.values()) == n
    for stratum, k in counts.items():
        share = n * found[stratum]
        assert share // total <= k <= -(-share // total) <= found[stratum]


def test_nobody_draws_fewer_than_none():
    with pytest.raises(ValueError):
        allocate({("a", ""): 4}, -1)
    assert allocate({}, 5) == {}


def test_with_its_seed_anybody_draws_the_same_again():
    strata = {("web", ""): range(40), ("fair", ""): range(40, 60)}
    again = sorted(range(40), key=lambda key: hashlib.sha256(f"f00d:{key}".encode()).digest())[:4]
    assert draw(strata, 6, "f00d")[:4] == again
    assert draw(strata, 6, "f00d") != draw(strata, 6, "beef")
    assert len(set(draw(strata, 60, "f00d"))) == 60
