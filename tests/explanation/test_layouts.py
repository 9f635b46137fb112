import networkx as nx
import numpy as np
import pytest

from itr_explore.explanation.graph import region_graph
from itr_explore.explanation.layouts import APART, FEW, LAYOUTS, layouts


@pytest.mark.parametrize("nodes", [0, 1, 2, 9, 70])
def test_every_node_has_a_place_inside_the_drawing(nodes):
    found = layouts(nx.gnp_random_graph(nodes, 0.3, seed=0, directed=True))
    assert set(found) == set(LAYOUTS) - ({"kamada_kawai"} if nodes > FEW else set())
    for places in found.values():
        assert places.shape == (nodes, 2)
        assert ((places >= 0) & (places <= 1)).all()


def test_no_two_nodes_lie_over_each_other(make_explanation):
    graph = region_graph(make_explanation(regions=12), "learned", top=2)
    for way, places in layouts(graph).items():
        away = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(12)
        assert away.min() > APART / 2, way


def test_loose_parts_and_a_graph_without_edges_are_drawn_too():
    loose = nx.DiGraph([(0, 1), (2, 3), (4, 5)])
    for places in (*layouts(loose).values(), *layouts(nx.empty_graph(5, nx.DiGraph)).values()):
        assert len(np.unique(places.round(3), axis=0)) == len(places)


def test_the_same_graph_stands_in_the_same_places(make_explanation):
    graph = region_graph(make_explanation(), "learned")
    for way, places in layouts(graph).items():
        np.testing.assert_array_equal(places, layouts(graph)[way])
