import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from itr_explore.evaluation.correlation import Crossed


@pytest.mark.parametrize("levels", [2, 5, 40])
def test_both_are_those_of_scipy_with_ties(levels):
    rng = np.random.default_rng(levels)
    one, other = rng.normal(size=40), rng.integers(0, levels, 40).astype(float)
    one[:10] = one[0]
    found = Crossed(one + other, other)
    assert found.spearman() == pytest.approx(spearmanr(one + other, other).statistic)
    assert found.kendall() == pytest.approx(kendalltau(one + other, other).statistic)


def test_a_weight_is_a_number_of_repetitions():
    rng = np.random.default_rng(0)
    one, other, times = rng.normal(size=20), rng.integers(1, 5, 20), rng.integers(0, 4, 20)
    again = Crossed(np.repeat(one, times), np.repeat(other, times))
    assert Crossed(one, other).spearman(times) == pytest.approx(again.spearman())
    assert Crossed(one, other).kendall(times) == pytest.approx(again.kendall())


def test_by_hand():
    assert Crossed(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])).kendall() == pytest.approx(1 / 3)
    assert Crossed(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])).spearman() == pytest.approx(0.5)


def test_gradings_that_say_nothing_have_no_correlation():
    found = Crossed(np.arange(4.0), np.ones(4))
    assert np.isnan(found.spearman())
    assert np.isnan(found.kendall())


def test_gradings_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="same items"):
        Crossed(np.ones(2), np.ones(3))
