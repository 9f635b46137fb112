"""Strips of what an intervention changed."""

import numpy as np
import pytest

from itr_explore.records import Change, Intervention
from itr_explore.viz.intervention import intervention_strips


@pytest.fixture
def found(make_explanation):
    """An intervention by hand, with two controls."""
    pair = make_explanation().pair
    return Intervention(
        *(pair, pair, "toy", ("word 1 'red' removed",), ("one", "a < b"), "another word"),
        Change(0.5, 0.2, np.array([0.4, 0.6])),
        Change(0.0, 3.0, np.array([0.0, 1.0])),
    )


def test_a_change_is_held_against_its_controls():
    change = Change(1.0, 0.5, np.array([0.9, 1.1, 0.4]))
    assert change.by == -0.5
    assert change.control_mean == pytest.approx(-0.2)
    assert change.control_range == pytest.approx((-0.575, 0.09), abs=1e-9)
    assert change.as_large == (1 + 1) / (1 + 3)


def test_ranks_are_shown_from_one_and_scores_as_they_are(found):
    before, after = ([row[column] for row in found.table().rows] for column in (1, 2))
    assert (before, after) == (["0.5000", "1.0"], ["0.2000", "4.0"])


def test_the_frame_holds_numbers(found):
    frame = found.to_frame()
    assert frame.loc["rank of the caption", ["before", "after", "change"]].tolist() == [1, 4, 3]
    assert frame.loc["score", "controls' mean"] == pytest.approx(0)
    assert frame.loc["score", "as large by chance"] == 1 / 3


def test_another_number_of_controls_is_refused(found):
    with pytest.raises(ValueError, match="controls of a change must be"):
        Intervention(found.pair, found.pair, "toy", ("a",), ("b",), "c", Change(0.0, 1.0, np.zeros(2)))


def test_each_strip_has_before_after_a_dot_for_each_control_and_their_band(found):
    figure = intervention_strips(found)
    dots, before, after = figure.data[3:]
    assert (list(dots.x), list(before.x), list(after.x)) == ([1.0, 2.0], [1.0], [4.0])
    assert list(dots.text) == ["one", "a &lt; b"]
    assert [(band.x0, band.x1) for band in figure.layout.shapes] == [
        pytest.approx((0.405, 0.595)),
        pytest.approx((1.025, 1.975)),
    ]


def test_without_controls_there_are_no_dots(found):
    bare = Intervention(
        found.pair, found.pair, "toy", ("a",), (), "another word", Change(0.5, 0.5, np.zeros(0))
    )
    figure = intervention_strips(bare, dark=True)
    assert [trace.name for trace in figure.data] == ["before", "after"]
    assert "nan" not in str(bare)
