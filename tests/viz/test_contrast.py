from dataclasses import replace

import numpy as np
import pytest

from itr_explore.records import Contrast, ImageContrast
from itr_explore.viz.contrast import contrast_bars


@pytest.fixture
def found(make_explanation):
    right = make_explanation("A dog", regions=14, truth=False).pair
    wrong = replace(right, caption="<i>cat</i> dog", words=("<i>cat</i>", "dog"), offsets=((0, 10), (11, 14)))
    evidence = np.linspace(-0.2, 0.2, 14)
    return Contrast(
        "toy",
        "parts",
        (right, wrong),
        (0.5, 0.7),
        (np.array([0.1, 0.4]), np.array([0.3, 0.2])),
        (np.zeros(14), evidence),
        {"<start> and <end>": 0.2},
        {"of no single region": 0.2},
    )


def test_the_bars_of_either_side_add_up_to_the_difference(found):
    figure = contrast_bars(found, most=5)
    for axis in ("x", "x2"):
        bars = [value for trace in figure.data if trace.xaxis == axis for value in trace.x]
        assert sum(bars) == pytest.approx(found.difference)


def test_words_of_the_right_caption_count_against_the_difference(found):
    right = next(trace for trace in contrast_bars(found).data if trace.name == "right caption")
    assert list(right.x) == [-0.1, -0.4]


def test_typed_words_are_text_to_plotly(found):
    assert "<i>" not in contrast_bars(found).to_json()
    assert "\\u003ci\\u003e" not in contrast_bars(found).to_json()


def test_of_two_images_words_add_up_to_the_difference_and_regions_stand_by_their_image(found):
    pair, words = found.pairs[0], (np.array([0.1, 0.4]), np.array([0.3, 0.2]))
    regions = np.linspace(0, 0.3, 14), np.linspace(0.4, 0, 14)
    images = ImageContrast("toy", "parts", (pair, pair), (0.5, 0.6), words, regions, {"rest": 0.1})
    figure = contrast_bars(images, most=4)
    assert sum(value for trace in figure.data if trace.xaxis == "x" for value in trace.x) == pytest.approx(
        0.1
    )
    other = next(trace for trace in figure.data if trace.name == "other image")
    assert list(other.x[:2]) == pytest.approx(regions[1][:2])
    assert sum(other.x) == pytest.approx(regions[1].sum())
