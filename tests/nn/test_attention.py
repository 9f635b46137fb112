import math

import torch

from itr_explore.nn.attention import attend


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
