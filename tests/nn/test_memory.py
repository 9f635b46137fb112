import pytest
import torch
from torch import nn

from itr_explore.nn.encoders import read
from itr_explore.nn.memory import backwards, contributions, gates, memory_trace, shares
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


def test_steps_backwards_are_the_real_ones_reversed_and_twice_is_once_more_the_same():
    x, mask = torch.arange(6.0).view(2, 3, 1), torch.tensor([[True, True, True], [True, True, False]])
    assert backwards(x, mask).flatten().tolist() == [2, 1, 0, 4, 3, 5]
    assert torch.equal(backwards(backwards(x, mask), mask), x)
