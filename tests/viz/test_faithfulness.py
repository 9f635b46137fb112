"""Curves beside the band of random orders, and maps of a model that forgets."""

import numpy as np
import plotly.graph_objects as go
import pytest

from itr_explore.records import Cascade, RemovalCurves
from itr_explore.viz.faithfulness import cascade_lines, removal_curves

SHARE = np.array([0.0, 0.5, 1.0])


def some_curves(side="regions", method="occlusion", model="scan"):
    deletion = np.array([[1, 0.9, 1.1], [0.2, 0.1, 0.3], [0, 0, 0]])
    random = np.array([[1, 1, 1], [0.6, 0.5, 0.7], [0, 0, 0]])
    return RemovalCurves(model, method, side, SHARE, deletion, 1 - deletion[:, [0, 2, 1]], random)


def a_cascade(side="regions", stages=2):
    names = tuple((f"layer {stage}",) for stage in range(stages))
    correlation = np.array([[0.5, 0.4, 0.6]] * stages)
    return Cascade("scan", "occlusion", side, names, correlation, np.array([0.0, -0.1, 0.1]))


def test_each_way_has_its_curve_with_whiskers_and_the_band_of_random_orders():
    figure = removal_curves([some_curves()])
    bands = [line for line in figure.data if line.name == "random orders"]
    deletion, insertion = (line for line in figure.data if line.name == "scan, occlusion")
    assert list(deletion.x) == [0, 50, 100]
    assert list(deletion.y) == [1, 0.2, 0]
    assert deletion.error_y.array == pytest.approx([0.1, 0.1, 0])
    assert list(insertion.y) == [0, 0.8, 1]
    assert list(bands[0].y) == [1, 0.5, 0, 0, 0.7, 1]
    assert list(bands[1].y) == [0, 0.5, 1, 1, 0.7, 0]


def test_methods_share_a_band_and_models_have_their_own():
    same = removal_curves([some_curves(), some_curves(method="attention")])
    other = removal_curves([some_curves(), some_curves(model="chan")])
    assert sum(line.name == "random orders" for line in same.data) == 2
    assert sum(line.name == "random orders" for line in other.data) == 4
    lines = [line for line in same.data if line.name != "random orders"]
    assert len({(line.line.color, line.line.dash) for line in lines}) == 2


def test_a_name_is_in_the_legend_once():
    figure = removal_curves([some_curves(), some_curves("words")])
    assert sorted(line.name for line in figure.data if line.showlegend) == [
        "random orders",
        "scan, occlusion",
    ]


def test_a_cascade_begins_with_the_trained_model_and_says_what_was_made_random():
    figure = cascade_lines([a_cascade()])
    assert list(figure.data[0].y) == [1, 0.5, 0.5]
    assert figure.data[0].text[1] == "layer 0"
    assert list(figure.layout.xaxis.ticktext) == ["trained", "1", "all random"]


def test_cascades_of_other_lengths_number_their_stages():
    figure = cascade_lines([a_cascade(), a_cascade("words", 3)])
    assert list(figure.layout.xaxis.ticktext) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("draw", [removal_curves, cascade_lines])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(ValueError, match="at least one report"):
        draw([])


@pytest.mark.parametrize("dark", [False, True])
def test_figures_are_plain_figures(dark):
    assert type(removal_curves([some_curves()], dark=dark)) is go.Figure
    assert type(cascade_lines([a_cascade()], dark=dark)) is go.Figure


def test_curves_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"random must be \[3 3\], got \[2, 3\]"):
        RemovalCurves("scan", "occlusion", "words", SHARE, np.ones((3, 3)), np.ones((3, 3)), np.ones((2, 3)))
