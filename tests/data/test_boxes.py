import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itr_explore.data.boxes import areas, clip_to_image, iou, voc_to_fractions

corners = st.tuples(*[st.integers(0, 8)] * 4).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)


def pixels(box):
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@given(st.lists(corners, min_size=1, max_size=4), st.lists(corners, min_size=1, max_size=4))
def test_iou_is_shared_pixels_over_all_pixels(left, right):
    found = iou(np.array(left), np.array(right))
    for row, a in enumerate(left):
        for column, b in enumerate(right):
            union = len(pixels(a) | pixels(b))
            assert found[row, column] == pytest.approx(len(pixels(a) & pixels(b)) / union if union else 0.0)


def test_areas_are_width_times_height():
    assert areas(np.array([[0, 0, 2, 3], [1, 1, 1, 5]])).tolist() == [6, 0]


def test_a_box_of_three_numbers_is_refused():
    with pytest.raises(ValueError, match=r"wanted boxes of four numbers, x1 y1 x2 y2, got \[4, 3\]"):
        voc_to_fractions(np.ones((4, 3)), 10, 10)


def test_iou_with_no_boxes_is_empty():
    assert iou(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_a_box_that_covers_all_pixels_of_a_voc_image_is_the_whole_image():
    assert voc_to_fractions([[1, 1, 500, 334]], 500, 334).tolist() == [[0, 0, 1, 1]]
    assert voc_to_fractions([], 500, 334).shape == (0, 4)


def test_a_tiny_excess_is_clipped():
    found = clip_to_image(np.array([[-0.01, 0, 0.5, 1.015]]), str)
    assert found.tolist() == [[0, 0, 0.5, 1]]


@pytest.mark.parametrize(
    "box", [[0, 0, 1.5, 1], [-0.5, 0, 1, 1], [0.6, 0, 0.4, 1], [0, np.nan, 1, 1], [0, 0, np.inf, 1]]
)
def test_nonsense_is_refused_by_name(box):
    with pytest.raises(ValueError, match="box 1 is no box inside its image"):
        clip_to_image(np.array([[0, 0, 1, 1], box]), lambda row: f"box {row}")
