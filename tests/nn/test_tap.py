import pytest
import torch
from torch import nn

from itr_explore.nn.tap import Tap, capture, edit


class Doubler(nn.Module):
    def __init__(self):
        super().__init__()
        self.twice = Tap("per_region", "signed")
        self.never = Tap("per_word", "signed")
        self.drawn = Tap("per_region", "signed", derived=True)

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


def test_an_edited_value_goes_on_in_place_of_the_one_that_came():
    model, x = Doubler(), torch.tensor([[1.0, 2.0]])
    with capture(model) as came, edit(model, {"twice": torch.negative}) as passed, capture(model) as went:
        assert torch.equal(model(x), -2 * x)
    assert torch.equal(came["twice"].value, 2 * x)
    assert torch.equal(went["twice"].value, -2 * x)
    assert passed == {"twice": 1}


def test_an_edit_is_over_after_the_block_also_after_an_error():
    model, x = Doubler(), torch.tensor([[1.0]])
    with pytest.raises(RuntimeError), edit(model, {"twice": torch.negative}):
        raise RuntimeError
    assert torch.equal(model(x), 2 * x)


def test_an_unknown_tap_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no tap 'thrice'; those that can be edited: twice, never$"):
        edit(Doubler(), {"thrice": torch.negative}).__enter__()


def test_a_tap_that_the_score_is_not_computed_from_is_not_edited():
    with pytest.raises(ValueError, match="tap 'drawn' is made for the eye only"):
        edit(Doubler(), {"drawn": torch.negative}).__enter__()


def test_an_edit_that_changes_the_shape_is_refused_with_both_shapes():
    model = Doubler()
    refused = pytest.raises(ValueError, match=r"\[1, 2\], the edit returned \[2\]")
    with refused, edit(model, {"twice": lambda value: value[0]}):
        model(torch.tensor([[1.0, 2.0]]))


def test_what_is_derived_claims_not_to_be_exact():
    assert not Tap("per_region", "signed", exact=True, derived=True).exact
