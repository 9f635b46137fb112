import torch
from torch import nn

from itr_explore.nn.tap import Tap, capture


class Doubler(nn.Module):
    def __init__(self):
        super().__init__()
        self.twice = Tap("per_region", "signed")
        self.never = Tap("per_word", "signed")

    def forward(self, x):
        return self.twice(2 * x)


def test_a_tap_changes_nothing_and_is_read_by_name():
    model, x = Doubler(), torch.tensor([[1.0, 2.0]])
    with capture(model) as seen:
        assert torch.equal(model(x), 2 * x)
    assert torch.equal(seen["twice"].value, 2 * x)
    assert "never" not in seen


def test_a_tap_is_watched_only_while_somebody_listens():
    model = Doubler()
    assert not model.twice.watched
    with capture(model):
        assert model.twice.watched
    assert not model.twice.watched
