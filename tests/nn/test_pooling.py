import math

import pytest
import torch

from itr_explore.nn.pooling import last_real, masked_mean, max_k_shares, pool_scores, unit, unit_sum

MASK = torch.tensor([[True, True, False]])


def test_a_zero_vector_stays_zero_with_a_finite_gradient():
    x = torch.zeros(3, requires_grad=True)
    unit(x).sum().backward()
    assert not unit(x).any()
    assert x.grad.isfinite().all()


def test_the_masked_mean_leaves_padding_out():
    parts = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]]])
    assert masked_mean(parts, MASK).tolist() == [[2.0, 4.0]]


def test_average_and_log_sum_exp_are_those_worked_out_by_hand():
    scores = torch.tensor([[math.log(1.0), math.log(3.0), 50.0]])
    assert pool_scores(scores, MASK, "AVG").item() == pytest.approx(math.log(3) / 2)
    assert pool_scores(scores, MASK, "LSE", 2.0).item() == pytest.approx(math.log(1 + 9) / 2)


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="'AVG' or 'LSE'"):
        pool_scores.__wrapped__(torch.zeros(1, 3), MASK, "MAX")


def test_the_k_largest_of_each_channel_share_alike_and_a_short_item_shares_among_fewer():
    parts = torch.tensor([[[1.0, 9.0], [5.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [7.0, 7.0], [7.0, 7.0]]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    found = max_k_shares(parts, mask, 2)
    assert found[0].T.tolist() == [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]
    assert found[1].T.tolist() == [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]


def test_the_last_real_state_is_taken():
    states = torch.arange(6.0).view(2, 3, 1)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert last_real(states, mask).flatten().tolist() == [1.0, 5.0]


def test_parts_are_scaled_so_that_their_sum_has_unit_length():
    parts = torch.tensor([[[1.0, 2.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(unit_sum(parts)[0], parts[0] / 5)
    assert not unit_sum(parts)[1].any()
