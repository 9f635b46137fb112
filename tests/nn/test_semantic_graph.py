import pytest
import torch

from itr_explore.nn.semantic_graph import SemanticGraph, near_words, pair_geometry, word_order
from itr_explore.nn.tap import capture

MASK = torch.tensor([[True, True, True], [True, True, False]])


def test_geometry_worked_out_by_hand():
    left, right = [0.1, 0.4, 0.3, 0.6], [0.5, 0.5, 0.9, 0.6]  # centres (0.2, 0.5) and (0.7, 0.55)
    found = pair_geometry(torch.tensor([[left, right]]))[0]
    log = torch.tensor
    seen_from_left = [0.5, 0.05, log(3.5).log(), log(1.25).log(), log(2.0).log(), log(0.5).log()]
    torch.testing.assert_close(found[0, 1], torch.tensor(seen_from_left))
    assert not found[0, 0].any()


def test_seen_from_the_other_box_every_direction_is_turned_round():
    corners = torch.rand(1, 4, 2, 2).sort(dim=2).values.flatten(2)
    found = pair_geometry(corners)
    torch.testing.assert_close(found.sign(), -found.transpose(1, 2).sign())


def test_geometry_of_boxes_without_area_is_finite():
    assert pair_geometry(torch.zeros(1, 2, 4)).isfinite().all()


def test_words_after_and_before_have_opposite_signs():
    found = word_order(4)[0]
    assert found[1, 3].tolist() == [1.0, torch.tensor(3.0).log().item()]
    torch.testing.assert_close(found, -found.transpose(0, 1))


def test_near_words_are_at_most_two_apart():
    assert near_words(4).tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]]


@pytest.mark.parametrize("geometry", [0, 2])
def test_a_graph_is_its_equations_node_by_node(geometry):
    graph = SemanticGraph(4, 3, "word", geometry)
    x, g, bias = torch.randn(3, 4), torch.randn(3, 3, 2), near_words(3)
    found = graph(x[None], MASK[:1], g[None] if geometry else None, bias)
    for i in range(3):
        logits, relations = torch.zeros(3), torch.zeros(3, 3)
        for j in range(3):
            logits[j] = graph.query(x[i]) @ graph.key(x[j]) / 3**0.5 + bias[i, j]
            relations[j] = graph.subject(x[i]) + graph.object(x[j])
            if geometry:
                logits[j] += graph.geometry_logit(g[i, j]).squeeze()
                relations[j] += graph.geometry_relation(g[i, j])
        edges, relations = logits.softmax(0), relations.tanh()
        messages = graph.node_message(edges @ x) + graph.relation_message(edges @ relations)
        torch.testing.assert_close(found.edges[0, i], edges)
        torch.testing.assert_close(found.relations[0, i], relations)
        torch.testing.assert_close(found.stated[0, i], edges @ relations)
        torch.testing.assert_close(found.nodes[0, i], x[i] + messages)


def test_padding_takes_no_part_and_stays_zero():
    graph, nodes = SemanticGraph(4, 3, "region"), torch.randn(2, 3, 4) * MASK[..., None]
    with capture(graph) as seen:
        found = graph(nodes, MASK)
    alone = graph(nodes[1:, :2], MASK[1:, :2])
    assert not any(whole[1, 2].any() for whole in found)
    torch.testing.assert_close(found.nodes[1, :2], alone.nodes[0])
    torch.testing.assert_close(found.relations[1, :2, :2], alone.relations[0])
    torch.testing.assert_close(seen["edges"].value.sum(dim=-1), MASK.float())
