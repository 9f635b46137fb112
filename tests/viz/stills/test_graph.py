import networkx as nx
import numpy as np
import pytest

from itr_explore.records import Change, Intervention
from itr_explore.viz import theme
from itr_explore.viz.drawing import Area, Line
from itr_explore.viz.stills.graph import graph_still


def drawn(pair, edges=((0, 1, 0.5), (2, 1, -0.25)), **look):
    graph = nx.DiGraph()
    graph.add_nodes_from((region, {"label": f"thing {region}"}) for region in range(len(pair.regions)))
    graph.add_weighted_edges_from(edges)
    places = np.linspace(0, 1, 2 * len(graph)).reshape(-1, 2)
    told = {"model": "toy", "facts": {"score": "0.5"}, "label": "a graph"}
    return graph_still(pair, graph, places, **{**told, **look})


def test_every_edge_has_a_tip_over_the_image_and_in_the_layout(make_explanation):
    tips = [shape for shape in drawn(make_explanation().pair).shapes if isinstance(shape, Area)]
    assert len(tips) == 2 * 2 + 2  # both views, and the legend


def test_an_edge_below_zero_is_told_by_dashes_too(make_explanation):
    lines = [s for s in drawn(make_explanation().pair).shapes if isinstance(s, Line)]
    assert all(
        bool(line.dash) == (line.stroke == theme.EDGE_NEGATIVE)
        for line in lines
        if line.stroke in (theme.EDGE, theme.EDGE_NEGATIVE)
    )


def test_an_edge_that_was_cut_stays_to_be_seen_and_is_marked(make_explanation, texts):
    said = texts(drawn(make_explanation().pair, edges=[(0, 1, 0.5)], edited={(2, 3): "cut"}))
    assert "cut" in said
    assert any("2 edges drawn" in text for text in said)


def test_what_an_edit_did_stands_below_in_numbers(make_explanation, texts):
    pair = make_explanation().pair
    change = Change(0.5, 0.25, np.array([0.5, 0.51]))
    found = Intervention(pair, pair, "toy", ("edge 0 to 1 cut",), ("a", "b"), "another edge", change)
    said = texts(drawn(pair, found=found, edited={(0, 1): "cut"}))
    assert {"before", "0.5000", "after", "0.2500", "−0.2500"} <= set(said)


def test_both_ways_of_a_symmetric_graph_are_one_line(make_explanation, texts):
    said = texts(drawn(make_explanation().pair, edges=[(0, 1, 0.5), (1, 0, 0.5)], symmetric=True))
    assert any("1 edges drawn" in text for text in said)


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize(
    "made",
    [
        {},
        {"picture": None},
        {"boxes": False},
        {"boxes": False, "picture": None},
        {"regions": 100, "truth": False},
    ],
    ids=str,
)
def test_odd_pairs_are_drawn_and_nothing_sticks_out(make_explanation, whole, made, width):
    whole(drawn(make_explanation(**made).pair, width=width))


def test_words_stand_on_pads(make_explanation, whole, texts):
    pair = make_explanation().pair
    graph = nx.DiGraph()
    graph.add_nodes_from((at, {"label": word}) for at, word in enumerate(pair.words))
    graph.add_edge(0, 1, weight=1.0)
    places = np.linspace(0, 1, 2 * len(graph)).reshape(-1, 2)
    found = graph_still(pair, graph, places, model="toy", facts={}, label="order", words=True)
    whole(found)
    assert "boats" in texts(found)[-3:] or "boats" in texts(found)
