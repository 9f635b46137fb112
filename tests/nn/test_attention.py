import math

import pytest
import torch

from itr_explore.nn.attention import SelfAttention, attend
from itr_explore.nn.tap import capture


def test_weights_and_what_was_attended_are_those_worked_out_by_hand():
    query = torch.tensor([[1.0, 0.0]])
    context = torch.tensor([[math.log(3.0), 0.0], [0.0, 2.0]])
    attended, weights = attend(query, context)
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25]]))
    torch.testing.assert_close(attended, torch.tensor([[0.75 * math.log(3.0), 0.5]]))


def test_masked_context_gets_no_weight():
    _, weights = attend(
        torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.tensor([[1, 1, 0, 0, 0]] * 2).bool()
    )
    assert not weights[..., 2:].any()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 3))


def test_without_sharpness_all_are_attended_alike():
    _, weights = attend(torch.randn(3, 4), torch.randn(5, 4), sharpness=0.0)
    torch.testing.assert_close(weights, torch.full((3, 5), 0.2))


def test_a_layer_adds_what_each_real_fragment_saw_among_the_real_ones():
    layer, nodes = SelfAttention(8, "region", heads=2), torch.randn(1, 3, 8)
    mask = torch.tensor([[True, True, False]])
    with capture(layer) as seen:
        found = layer(nodes, mask)
    x = layer.norm(nodes[:, :2])
    wanted = nodes[:, :2] + layer.attention(x, x, x)[0]
    torch.testing.assert_close(found[:, :2], wanted)
    assert not found[:, 2:].any()
    weights = seen["weights"].value[0, :2]
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2))
    assert not weights[:, 2].any()


def test_heads_must_divide_the_size_of_a_fragment():
    with pytest.raises(ValueError, match="must divide it, got 10"):
        SelfAttention(10, "word", heads=4)
