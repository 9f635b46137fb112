from dataclasses import replace

import numpy as np
import pytest

from itr_explore.records import Contrast
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
