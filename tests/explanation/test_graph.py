from dataclasses import replace

import networkx as nx
import pytest

from itr_explore.explanation.graph import centralities, region_graph


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
