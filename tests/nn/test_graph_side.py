import pytest
import torch

from itr_explore.nn.graph_side import GraphSide
from itr_explore.nn.pooling import masked_mean, unit

MASK = torch.arange(6) < torch.tensor([6, 1, 3])[:, None]


@pytest.fixture
def nodes():
    return torch.randn(3, 6, 8) * MASK[..., None]


def test_the_vector_is_the_weighted_sum_of_both_poolings(nodes):
    side = GraphSide(8, 2, "region", heads=2, top_k=2).eval()
    vectors, related = side(nodes, MASK)
    largest = [
        x[real].topk(min(2, int(real.sum())), dim=0).values.mean(0)
        for x, real in zip(nodes, MASK, strict=True)
    ]
    wanted = 0.8 * torch.stack(largest) + 0.2 * masked_mean(related, MASK)
    torch.testing.assert_close(vectors, unit(wanted))


def test_without_layers_the_nodes_are_pooled_as_they_are(nodes):
    _, related = GraphSide(8, 0, "region", heads=2)(nodes, MASK)
    assert torch.equal(related, nodes)


def test_a_short_item_lowers_k_for_itself_alone(nodes):
    side = GraphSide(8, 1, "word", heads=2, top_k=3).eval()
    together, _ = side(nodes, MASK)
    for item in range(3):
        alone, _ = side(nodes[item : item + 1], MASK[item : item + 1])
        torch.testing.assert_close(alone[0], together[item])
    turned, _ = side(nodes.flip(0), MASK.flip(0))
    torch.testing.assert_close(turned, together.flip(0))


@pytest.mark.parametrize("form", ["gat", "attention"])
@pytest.mark.parametrize("final_norm", [True, False])
def test_the_parts_of_a_vector_add_up_to_it(nodes, form, final_norm):
    side = GraphSide(8, 1, "region", form, 2, final_norm=final_norm)
    with torch.no_grad():
        for parameter in side.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    parts, rest = side.eval().parts_of_vector(nodes, MASK)
    torch.testing.assert_close(parts.sum(dim=1) + rest, side(nodes, MASK)[0])
    assert not parts[~MASK].any()
    assert bool(rest.any()) == final_norm


def test_parts_are_refused_in_training(nodes):
    with pytest.raises(ValueError, match=r"call model\.eval"):
        GraphSide(8, 1, "region", heads=2).train().parts_of_vector(nodes, MASK)
