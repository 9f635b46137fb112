from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from itr_explore.explain.graph import centralities, nearest, region_graph, spatial_relations

LEFT = [0.0, 0.4, 0.2, 0.6]
MIDDLE = [0.4, 0.4, 0.6, 0.6]
TOP = [0.4, 0.0, 0.6, 0.2]
SMALL = [0.45, 0.4, 0.55, 0.5]  # inside the middle one, towards the top


def test_relations_are_those_one_sees():
    found = set(spatial_relations(np.array([LEFT, MIDDLE, TOP, SMALL])))
    assert {(0, "left of", 1), (1, "right of", 0), (2, "above", 1), (1, "below", 2)} <= found
    assert {(3, "inside", 1), (1, "contains", 3)} <= found


def test_every_relation_has_its_opposite():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.7, (12, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.05, 0.3, (12, 2))], axis=1)
    opposite = {"left of": "right of", "above": "below", "inside": "contains", "overlaps": "overlaps"}
    opposite |= {value: key for key, value in opposite.items()}
    found = set(spatial_relations(boxes, aspect=1.5))
    assert found == {(b, opposite[p], a) for a, p, b in found}


def test_a_wide_image_turns_a_diagonal_into_a_side():
    boxes = np.array([[0.0, 0.0, 0.1, 0.1], [0.2, 0.25, 0.3, 0.35]])
    assert spatial_relations(boxes, aspect=1.0)[0][1] == "above"
    assert spatial_relations(boxes, aspect=2.0)[0][1] == "left of"


def test_far_regions_have_no_spatial_relation():
    corners = np.array([[0.0, 0.0, 0.1, 0.1], [0.9, 0.9, 1.0, 1.0]])
    assert spatial_relations(corners, reach=0.5) == []
    assert len(spatial_relations(corners, reach=1.0)) == 2


def test_nearest_keeps_the_nearest():
    weights = nearest(np.array([LEFT, MIDDLE, TOP, SMALL]), neighbours=1)
    assert np.argmax(weights, axis=1).tolist() == [1, 3, 3, 1]
    assert (weights > 0).sum(axis=1).tolist() == [1, 1, 1, 1]


def test_learned_edges_carry_the_weights_of_the_map(make_explanation):
    explanation = make_explanation()
    values = explanation.map("layers.0.affinity").values
    graph = region_graph(explanation, "learned")
    assert graph.number_of_edges() == 20, "no edge from a region to itself"
    assert graph.edges[1, 3]["weight"] == values[1, 3]


def test_threshold_and_top_thin_the_graph(make_explanation):
    explanation = make_explanation()
    strong = region_graph(explanation, "learned", threshold=0.8)
    assert min(abs(w) for *_, w in strong.edges(data="weight")) >= 0.8
    thinned = region_graph(explanation, "learned", top=2)
    assert set(dict(thinned.out_degree()).values()) == {2}


def test_overlap_edges_are_symmetric(make_explanation):
    graph = region_graph(make_explanation(regions=12).pair, "overlap")
    assert graph.number_of_edges() > 0
    assert all(graph.edges[b, a]["weight"] == w for a, b, w in graph.edges(data="weight"))


def test_centralities_are_numbers_for_every_region(make_explanation):
    graph = region_graph(make_explanation(), "learned", top=2)
    frame = centralities(graph)
    assert frame.index.tolist() == list(range(5))
    assert (frame["out_degree"] == 2).all()
    assert frame["out_strength"].sum() == pytest.approx(frame["in_strength"].sum())
    assert frame["betweenness"].to_dict() == nx.betweenness_centrality(graph)


def test_what_is_missing_is_named(make_explanation):
    explanation = make_explanation(boxes=False)
    with pytest.raises(ValueError, match="need boxes"):
        region_graph(explanation.pair, "nearest")
    with pytest.raises(ValueError, match=r"explain\(model, pair\)"):
        region_graph(explanation.pair, "learned")
    with pytest.raises(ValueError, match="region_to_region"):
        region_graph(replace(explanation, maps=explanation.maps[:1]), "learned")
    with pytest.raises(ValueError, match="spatial, overlap, nearest or learned"):
        region_graph(make_explanation().pair, "semantic")


def test_one_region_makes_a_graph_of_one_node(make_explanation):
    pair = make_explanation("one region", regions=1, truth=False).pair
    for edges in ("spatial", "overlap", "nearest"):
        graph = region_graph(pair, edges)
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (1, 0)
    assert len(centralities(graph)) == 1
