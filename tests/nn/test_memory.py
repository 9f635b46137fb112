import pytest
import torch
from torch import nn

from itr_explore.nn.encoders import read
from itr_explore.nn.memory import by_rank, contributions, gates, luck, memory_trace, rearranged, shares
from itr_explore.nn.pooling import last_real

MASK = torch.arange(9) < torch.tensor([9, 1, 4])[:, None]


@pytest.fixture
def run():
    gru = nn.GRU(5, 6, batch_first=True)
    steps = torch.randn(3, 9, 5)
    with torch.no_grad():
        return gru, steps, read(gru, steps, MASK)


def test_gates_in_one_pass_are_the_gates_step_by_step(run):
    gru, steps, states = run
    update, candidate = gates(gru, steps, states)
    before = torch.zeros(3, 6)
    for i in range(4):  # the third item's real steps; PyTorch's documented equations
        x = nn.functional.linear(steps[:, i], gru.weight_ih_l0, gru.bias_ih_l0)
        h = nn.functional.linear(before, gru.weight_hh_l0, gru.bias_hh_l0)
        reset, z = ((x + h)[:, :6]).sigmoid(), (x + h)[:, 6:12].sigmoid()
        n = (x[:, 12:] + reset * h[:, 12:]).tanh()
        before = (1 - z) * n + z * before
        torch.testing.assert_close(update[MASK[:, i], i], z[MASK[:, i]])
        torch.testing.assert_close(candidate[MASK[:, i], i], n[MASK[:, i]])


def test_the_trace_adds_up_to_the_last_state(run):
    gru, steps, states = run
    trace = memory_trace(gru, steps, states, MASK)
    torch.testing.assert_close(trace.sum(dim=1), last_real(states, MASK), rtol=0, atol=1e-6)
    assert not trace[~MASK].any()


def test_contributions_are_those_worked_out_by_hand():
    update, candidate = torch.tensor([[[0.5], [0.25]]]), torch.tensor([[[8.0], [4.0]]])
    found = contributions(update, candidate, torch.ones(1, 2, dtype=torch.bool))
    assert found.flatten().tolist() == [0.5 * 0.25 * 8, 0.75 * 4]


def test_shares_add_up_to_one(run):
    gru, steps, states = run
    found = shares(memory_trace(gru, steps, states, MASK))
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))


def test_steps_are_read_by_rising_rank_and_padding_stays_behind():
    rank, mask = (
        torch.tensor([[3.0, 1.0, 2.0], [9.0, 7.0, 0.0]]),
        torch.tensor([[True] * 3, [True, True, False]]),
    )
    assert by_rank(rank, mask).tolist() == [[1, 2, 0], [1, 0, 2]]


def test_steps_rearranged_and_back_are_what_they_were():
    x, places = torch.randn(1, 3, 2), torch.tensor([[1, 2, 0]])
    assert torch.equal(rearranged(x, places), x[:, [1, 2, 0]])
    assert torch.equal(rearranged(rearranged(x, places), places.argsort(dim=1)), x)
    assert rearranged(x, None) is x


def test_fixed_luck_is_the_same_however_much_padding_there_is():
    few, many = (luck(torch.ones(2, width, dtype=torch.bool), fixed=True) for width in (5, 40))
    assert torch.equal(many[:, :5], few)
    assert torch.equal(few[0], few[1])
    drawn = [luck(torch.ones(2, 5, dtype=torch.bool), fixed=False) for _ in range(2)]
    assert not torch.equal(*drawn)
