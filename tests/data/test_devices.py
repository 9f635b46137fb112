import torch

from itr_explore.data.devices import seeded


def test_what_is_drawn_with_a_seed_leaves_what_is_drawn_afterwards_as_it_was():
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    with seeded(7):
        one = torch.rand(2)
    assert torch.equal(torch.rand(3), wanted)
    with seeded(7):
        assert torch.equal(torch.rand(2), one)
