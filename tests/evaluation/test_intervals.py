import numpy as np
import pytest

from itr_explore.evaluation.intervals import Bootstrap
from itr_explore.records import Interval


def test_a_mean_is_that_of_all_items():
    found = Bootstrap.of(np.array([0, 0, 1, 2])).interval(np.array([1.0, 2.0, 3.0, 6.0]))
    assert found.value == 3
    assert found.low < 3 < found.high


def test_items_of_an_image_are_drawn_together():
    images = np.repeat(np.arange(50), 20)
    values = np.repeat(np.random.default_rng(0).normal(size=50), 20)  # equal within an image
    wide = Bootstrap.of(images).interval(values)
    each = Bootstrap.of(np.arange(50)).interval(values[::20])
    assert wide == pytest.approx(each)


def test_the_interval_of_a_mean_is_as_wide_as_the_normal_approximation():
    values = np.random.default_rng(0).normal(size=400)
    found = Bootstrap.of(np.arange(400), draws=4000).interval(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_weights_make_a_ratio_of_sums():
    found = Bootstrap.of(np.arange(2)).interval(np.array([1.0, 5.0]), np.array([2.0, 10.0]))
    assert found == (0.5, 0.5, 0.5)


def test_items_that_are_not_known_are_left_out():
    found = Bootstrap.of(np.arange(3)).interval(np.array([1.0, np.nan, 3.0]))
    assert found.value == 2


def test_many_numbers_an_item_keep_their_shape():
    assert Bootstrap.of(np.arange(4)).mean(np.ones((4, 2, 5))).shape == (3, 2, 5)


def test_one_image_has_no_ends():
    found = Bootstrap.of(np.zeros(5)).interval(np.arange(5.0))
    assert found.value == 2
    assert np.isnan(found.low)
    assert found.ends() == ""


def test_a_number_that_one_image_has_or_none_has_no_ends_and_others_keep_theirs():
    values = np.array([[1.0, 1.0, np.nan], [2.0, np.nan, np.nan], [4.0, np.nan, np.nan]])
    found = Bootstrap.of(np.arange(3)).mean(values)
    assert np.isfinite(found).tolist() == [[True, True, False], [True, False, False], [True, False, False]]


def test_what_has_no_weight_has_no_mean():
    assert np.isnan(Bootstrap.of(np.arange(2)).interval(np.ones(2), np.zeros(2)).value)


def test_ends_show_as_text():
    assert Interval(1.0, 0.25, 2.0).ends(1) == "0.2 to 2.0"
