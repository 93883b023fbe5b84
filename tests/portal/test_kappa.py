"""Cohen's kappa against published tables, and its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared import kappa

counts = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 40), min_size=k, max_size=k), min_size=k, max_size=k)
)


def test_fleiss_levin_and_paik_s_table_of_two_raters():
    """Statistical Methods for Rates and Proportions, 3rd ed. (2003), table 18.1: kappa 0.68, standard error 0.087."""
    found = kappa.cohen([[75, 1, 4], [5, 4, 1], [0, 0, 10]], z=1)
    assert found.value == pytest.approx(0.676, abs=0.001)
    assert found.high - found.value == pytest.approx(0.0877, abs=0.0005)
    assert (found.agreed, found.n, found.words) == (89, 100, "substantial")


def test_agresti_s_table_of_two_pathologists():
    """Categorical Data Analysis, 2nd ed. (2002), table 10.8, carcinoma of the cervix: 0.493, standard error 0.057."""
    found = kappa.cohen([[22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10]], z=1)
    assert found.value == pytest.approx(0.493, abs=0.0005)
    assert found.high - found.value == pytest.approx(0.057, abs=0.0005)
    assert (found.agreed, found.n, found.words) == (75, 118, "moderate")


def test_a_table_worked_by_hand():
    """Observed 0.7, by chance 0.5: (0.7 - 0.5) / (1 - 0.5)."""
    assert kappa.cohen([[20, 5], [10, 15]]).value == pytest.approx(0.4)


def test_perfect_agreement_is_one_and_certain():
    assert kappa.cohen([[7, 0], [0, 5]])[:3] == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize("nothing", [[], [[0, 0], [0, 0]], [[9, 0], [0, 0]]])
def test_where_chance_explains_all_there_is_none(nothing):
    assert kappa.cohen(nothing) is None


@pytest.mark.parametrize("wrong", [[[1, 2]], [[1, -1], [0, 2]]])
def test_what_is_no_table_of_two_coders_is_refused(wrong):
    with pytest.raises(ValueError, match="square"):
        kappa.cohen(wrong)


@given(counts)
def test_it_does_not_matter_who_was_first(table):
    turned = [list(row) for row in zip(*table, strict=True)]
    assert (kappa.cohen(table) is None) == (kappa.cohen(turned) is None)
    if found := kappa.cohen(table):
        assert kappa.cohen(turned) == pytest.approx(found)


@given(counts)
def test_it_lies_in_its_interval_and_is_at_most_one(table):
    if found := kappa.cohen(table):
        assert -1.0 <= found.low <= found.value <= found.high <= 1.0


def test_the_table_counts_pairs():
    pairs = [("fit", "fit"), ("fit", "data"), ("data", "data"), ("fit", "fit")]
    assert kappa.table(pairs, ["fit", "data"]) == [[2, 1], [0, 1]]
