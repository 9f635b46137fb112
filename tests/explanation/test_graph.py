from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from itr_explore.explanation.graph import (
    MEASURES,
    centralities,
    composed_relations,
    region_graph,
    word_graph,
)
from itr_explore.records import Map, Relation


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


def two_layers(explanation, strengths=None):
    """The same edges in two layers, and how strong each is for each of two regions."""
    edges = np.array([[1.0, -3.0], [0.0, 1.0]])
    maps = [
        Map(f"side.layers.{i}.affinity", "region_to_region", edges, "attention", "signed", layer=i)
        for i in (1, 0)
    ]
    if strengths is not None:
        maps += [
            Map(f"side.layers.{i}.strength", "per_region", np.array(values), "attention", "signed", layer=i)
            for i, values in enumerate(strengths)
        ]
    return replace(explanation, maps=tuple(maps))


def test_relations_of_layers_compose_as_shares_worked_out_by_hand(make_explanation):
    explanation = make_explanation(regions=2, truth=False)
    rollout = composed_relations(two_layers(explanation))
    np.testing.assert_allclose(rollout.values, [[0.4 * 0.4, 0.4 * 0.6 + 0.6], [0, 1]])
    # of strength 2, the first region hands on 1 of itself and 2 of messages, a quarter of them its own
    weighted = composed_relations(two_layers(explanation, [[2.0, 0.0], [0.0, 5.0]]))
    np.testing.assert_allclose(weighted.values, [[0.5, 0.5], [0, 1]])
    assert (weighted.origin, weighted.exact, weighted.scale) == ("derived", False, "row_sum")


def test_inert_layers_compose_to_nothing(make_explanation):
    explanation = two_layers(make_explanation(regions=2, truth=False), [[0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(composed_relations(explanation).values, np.eye(2))
    assert region_graph(explanation, "composed").number_of_edges() == 0


def test_composed_edges_carry_the_composed_weights(make_explanation):
    graph = region_graph(two_layers(make_explanation(regions=2, truth=False)), "composed")
    assert graph.edges[0, 1]["weight"] == pytest.approx(0.84)


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
    for edges in ("learned", "composed"):
        with pytest.raises(ValueError, match=r"explain\(model, pair\)"):
            region_graph(explanation.pair, edges)
        with pytest.raises(ValueError, match="region_to_region"):
            region_graph(replace(explanation, maps=explanation.maps[:1]), edges)
    with pytest.raises(ValueError, match="semantic, stated, learned or composed"):
        region_graph(make_explanation().pair, "friendly")


def test_one_region_makes_a_graph_of_one_node(make_explanation):
    pair = make_explanation("one region", regions=1, truth=False).pair
    for edges in ("spatial", "overlap", "nearest"):
        graph = region_graph(pair, edges)
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (1, 0)
    assert len(centralities(graph)) == 1


def stating(explanation):
    """The dog (word 2, region 1) is near the boats (word 5, region 3)."""
    pair = explanation.pair
    truth = replace(pair.truth, relations=(Relation(1, "near", (2,)),))
    return replace(explanation, pair=replace(pair, truth=truth))


def test_stated_edges_join_what_regions_and_words_name(make_explanation):
    explanation = stating(make_explanation())
    assert list(region_graph(explanation, "stated").edges(data="predicate")) == [(1, 3, "near")]
    assert list(word_graph(explanation, "stated").edges(data="predicate")) == [(2, 5, "near")]


def test_semantic_edges_are_the_cosines_of_features(make_explanation):
    pair = make_explanation(regions=3, truth=False).pair
    pair = replace(pair, regions=np.array([[2.0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 3, 0]], dtype=np.float32))
    graph = region_graph(pair, "semantic")
    assert graph.edges[0, 1]["weight"] == pytest.approx(0.5**0.5, abs=1e-6)
    assert not graph.has_edge(0, 2), "nothing in common is no edge"


def test_words_are_joined_to_the_next_ones(make_explanation):
    graph = word_graph(make_explanation().pair, "order", reach=2)
    assert list(graph.edges(0, data="weight")) == [(0, 1, 1.0), (0, 2, 0.5)]
    assert graph.nodes[2]["label"] == "dog"


def test_learned_edges_of_words_are_those_of_the_map(make_explanation):
    explanation = make_explanation()
    values = np.random.default_rng(0).uniform(size=(6, 6))
    edges = Map("words.edges", "word_to_word", values, "attention", "unit")
    graph = word_graph(replace(explanation, maps=(edges,)), "learned", top=1)
    assert graph.edges[0, int(values[0, 1:].argmax()) + 1]["weight"] == values[0, 1:].max()
    assert centralities(graph).index.name == "word"


def test_what_words_lack_is_named(make_explanation):
    explanation = make_explanation(truth=False)
    with pytest.raises(ValueError, match="word_to_word"):
        word_graph(explanation, "learned")
    with pytest.raises(ValueError, match="truth"):
        word_graph(explanation, "stated")
    with pytest.raises(ValueError, match="order, stated or learned"):
        word_graph(explanation, "friendly")


def test_every_measure_is_told_of(make_explanation):
    frame = centralities(region_graph(make_explanation(), "learned"))
    assert list(frame.columns) == ["label", *MEASURES]
