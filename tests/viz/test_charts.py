from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from itr_explore.explanation.graph import region_graph
from itr_explore.records import Attribution, Progress, Ranking
from itr_explore.viz.alignment import alignment, maps_beside
from itr_explore.viz.attribution import attribution_bars
from itr_explore.viz.graphs import draw_graph
from itr_explore.viz.recall import recall_bars
from itr_explore.viz.training import MOST_POINTS, training_curves


def trace(figure, name):
    return next(found for found in figure.data if found.name == name)


def a_ranking(*ranks):
    return Ranking(np.array(ranks, dtype=float), np.array(ranks, dtype=float) + 1)


def test_the_alignment_figure_shows_the_values_of_the_map(make_explanation):
    explanation = make_explanation()
    heat = alignment(explanation).data[0]
    assert np.array_equal(heat.z, explanation.maps[0].values)
    assert (heat.zmin, heat.zmax) == (0, explanation.maps[0].values.max())


def test_the_alignment_figure_rings_the_right_regions(make_explanation):
    explanation = make_explanation()
    rings = trace(alignment(explanation), "right region")
    assert set(zip(rings.y, rings.x, strict=True)) == set(
        zip(*np.nonzero(explanation.pair.truth.word_regions), strict=True)
    )


def test_signed_maps_have_zero_in_the_middle(make_explanation):
    heat = alignment(make_explanation(), "layers.0.affinity").data[0]
    assert heat.zmin == -heat.zmax


def test_maps_beside_each_other_are_shares_of_each_word_on_one_scale(make_explanation):
    explanation = make_explanation()
    signed = replace(explanation, maps=explanation.maps[1:])
    figure = maps_beside({"one": explanation, "other": signed})
    panels = [found.z for found in figure.data if found.type == "heatmap"]
    for values, found in zip(panels, explanation.maps, strict=False):
        above = np.clip(found.values, 0, None)
        assert np.allclose(values * above.sum(axis=1, keepdims=True), above)
    assert figure.layout.coloraxis.cmax == max(values.max() for values in panels)
    assert [title.text for title in figure.layout.annotations] == [
        "one<br><sup>attention</sup>",
        "other<br><sup>derived</sup>",
    ]


def test_maps_of_two_pairs_are_not_put_beside_each_other(make_explanation):
    with pytest.raises(ValueError, match="wanted explanations of one pair, got"):
        maps_beside({"one": make_explanation(), "other": make_explanation("a cat sits here")})


def test_words_are_text_to_plotly_never_markup(make_explanation):
    explanation = make_explanation()
    pair = replace(explanation.pair, words=("<b>a</b>", *explanation.pair.words[1:]))
    for figure in (
        alignment(replace(explanation, pair=pair)),
        maps_beside({"<b>": replace(explanation, pair=pair)}),
    ):
        assert "\\u003cb\\u003e" not in figure.to_json()
    figure = alignment(replace(explanation, pair=pair))
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;a&lt;/b&gt;"


def test_a_graph_is_drawn_in_few_traces_whatever_its_size(make_explanation):
    graph = region_graph(make_explanation(regions=60), "learned")
    assert graph.number_of_edges() == 60 * 59
    assert len(draw_graph(graph).data) <= 2 * 4 + 3


def test_arrowheads_point_from_subject_to_object(make_explanation):
    graph = region_graph(make_explanation().pair, "spatial", reach=2.0)
    figure = draw_graph(graph)
    heads, spots = trace(figure, "directions"), trace(figure, "regions")
    places = dict(zip(graph, zip(spots.x, spots.y, strict=True), strict=True))
    for (start, end), angle in zip(graph.edges, heads.marker.angle, strict=True):
        step = np.subtract(places[end], places[start])
        pointed = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])  # y runs down
        assert np.allclose(pointed, step / np.linalg.norm(step), atol=1e-6)


def test_the_photo_travels_as_a_small_jpeg(make_explanation):
    explanation = make_explanation(picture=(2000, 1000))
    figure = draw_graph(region_graph(explanation.pair, "nearest"), explanation.pair.image)
    assert figure.layout.images[0].source.startswith("data:image/jpeg;base64,")
    assert len(figure.to_json()) < 100_000
    assert figure.layout.images[0].sizex == 2.0


def test_edges_below_zero_look_different(make_explanation):
    figure = draw_graph(region_graph(make_explanation(), "learned"))
    assert {found.line.dash for found in figure.data if found.name == "edges"} == {"solid", "dash"}


def test_a_graph_without_boxes_stands_on_a_circle(make_explanation):
    figure = draw_graph(region_graph(make_explanation(boxes=False), "learned"))
    spots = trace(figure, "regions")
    assert np.ptp(np.hypot(np.subtract(spots.x, 0.5 * 4 / 3), np.subtract(spots.y, 0.5))) < 1e-9


def test_training_curves_show_every_loss_term_and_ring_the_best_validation():
    history = [
        Progress(1, 0.5, {"hardest": 2.0}, 0.1),
        Progress(2, 1.0, {"hardest": 1.0, "diversity": 3.0}, 0.1, a_ranking(0, 5), best=True),
        Progress(3, 2.0, {"hardest": 0.5, "diversity": 2.0}, 0.1, a_ranking(3, 5)),
    ]
    figure = training_curves(history)
    assert list(trace(figure, "hardest").y) == [2.0, 1.0, 0.5]
    assert list(trace(figure, "diversity").x) == [1.0, 2.0]
    assert list(trace(figure, "image to text").y) == [50.0, 0.0]
    assert list(trace(figure, "best").x) == [1.0, 1.0]


def test_long_curves_are_thinned():
    figure = training_curves([Progress(i, i / 100, {"loss": 1.0}, 0.1) for i in range(5000)])
    assert len(trace(figure, "loss").x) == MOST_POINTS


def test_recall_bars_show_both_directions():
    bars = trace(recall_bars({"one": a_ranking(0, 4), "two": a_ranking(9, 9)}), "one")
    assert list(bars.y) == [50.0, 100.0, 100.0, 0.0, 50.0, 100.0]


@pytest.mark.parametrize("draw", [recall_bars, training_curves])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(ValueError, match="at least one"):
        draw({})


def test_figures_are_plain_figures(make_explanation):
    assert type(alignment(make_explanation())) is go.Figure
    assert type(draw_graph(region_graph(make_explanation().pair))) is go.Figure


def an_attribution(pair, **changes):
    regions = np.linspace(-0.3, 0.2, len(pair.regions))
    words = np.linspace(-0.1, 0.4, len(pair.words))
    values = {"score": 0.5, "baseline_score": 0.1, "regions": regions, "words": words, "gap": 0.0}
    return Attribution(pair, "toy", "occlusion", **{**values, **changes})


def test_attribution_bars_stand_in_the_order_of_the_words_and_of_what_regions_gave(make_explanation):
    found = an_attribution(make_explanation().pair)
    words, regions, *_ = attribution_bars(found, most=3).data
    assert np.array_equal(words.x, found.words)
    assert np.array_equal(regions.x, found.regions[[0, 4, 1]])
    assert regions.y == ("0", "4", "1")


def test_attribution_bars_of_words_and_of_regions_share_one_scale(make_explanation):
    figure = attribution_bars(an_attribution(make_explanation().pair))
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert figure.layout.xaxis.range[1] > 0.4


def test_words_that_occur_twice_have_a_bar_each(make_explanation):
    pair = make_explanation("a dog and a cat").pair
    assert len(set(attribution_bars(an_attribution(pair)).data[0].y)) == 5


def test_attributions_of_nothing_are_drawn(make_explanation):
    pair = make_explanation(truth=False).pair
    nothing = an_attribution(pair, regions=np.zeros(5), words=np.zeros(len(pair.words)))
    assert len(attribution_bars(nothing).data) == 2
