import pytest
import torch
from torch import nn

from itr_explore.nn.encoders import (
    RegionEncoder,
    RegionNetwork,
    WordEncoder,
    box_features,
    keep_some,
    read,
)

MASK = torch.tensor([[True, True, True], [True, False, False]])


def test_box_features_are_those_worked_out_by_hand():
    found = box_features(torch.tensor([0.0, 0.5, 1.0, 1.0]))
    assert found.tolist() == [-1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_regions_are_linear_without_a_box():
    encoder = RegionEncoder(4, 6)
    regions = torch.randn(2, 3, 4)
    fragments, mask = encoder(regions, MASK)
    torch.testing.assert_close(fragments[MASK], encoder.appearance(regions)[MASK])
    assert not fragments[~MASK].any()
    assert torch.equal(mask, MASK)


def test_the_same_region_elsewhere_is_another_fragment_with_its_box():
    encoder = RegionEncoder(4, 6, box=True)
    regions, boxes = torch.randn(1, 1, 4).expand(1, 2, 4), torch.tensor([[[0, 0, 0.5, 1], [0.5, 0, 1, 1.0]]])
    fragments, _ = encoder(regions, torch.ones(1, 2, dtype=torch.bool), boxes)
    assert not torch.allclose(fragments[0, 0], fragments[0, 1])


def test_some_regions_are_left_out_in_training_but_never_all():
    mask = torch.arange(8) < torch.tensor([1, 8, 5])[:, None].repeat(200, 1)
    kept = keep_some(mask, 0.3)
    assert not (kept & ~mask).any()
    assert kept.any(dim=1).all()
    assert 0.3 < (kept.sum() / mask.sum()).item() < 0.5
    assert not keep_some(mask, 0.0).sum(dim=1).ne(1).any()


def test_regions_that_are_left_after_dropout_come_first_and_keep_their_order():
    encoder = RegionEncoder(1, 1, region_dropout=0.5).train()
    nn.init.ones_(encoder.appearance.weight)
    fragments, mask = encoder(torch.arange(1.0, 9).view(1, 8, 1), torch.ones(1, 8, dtype=torch.bool))
    left = fragments[mask].flatten()
    assert 0 < len(left) < 8
    assert torch.equal(left, left.sort().values)
    assert torch.equal(mask[0], torch.arange(8) < len(left))


def test_boxes_go_with_the_regions_that_are_left():
    encoder = RegionEncoder(1, 2, box=True, region_dropout=0.5).train()
    nn.init.zeros_(encoder.appearance.weight)
    regions, boxes = torch.arange(1.0, 9).view(1, 8, 1), torch.rand(1, 8, 4)
    fragments, mask = encoder(regions, torch.ones(1, 8, dtype=torch.bool), boxes)
    places = encoder.place(box_features(boxes))[0]
    at = [int((places - fragment).norm(dim=1).argmin()) for fragment in fragments[mask]]
    assert at == sorted(set(at))
    torch.testing.assert_close(fragments[mask], places[at])


@pytest.mark.parametrize("count_padding", [True, False])
def test_the_statistics_of_the_region_network_are_those_of_what_counts(count_padding):
    network = RegionNetwork(4, 5, 6, count_padding=count_padding)
    regions = torch.where(MASK[..., None], torch.randn(2, 3, 4), 100.0)
    network(regions, MASK)
    counted = (regions * MASK[..., None]).flatten(0, 1) if count_padding else regions[MASK]
    mean = 0.1 * network.enter(counted).mean(dim=0)
    torch.testing.assert_close(network.norm.running_mean, mean)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_states_are_those_of_each_caption_alone(bidirectional):
    encoder = WordEncoder(10, 4, 5, bidirectional)
    words = torch.randint(0, 10, (2, 3))
    states = encoder(words, MASK)
    alone = encoder(words[1:, :1], torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(states[1, 0], alone[0, 0])
    assert not states[~MASK].any()


def test_both_directions_are_averaged():
    gru = nn.GRU(4, 5, batch_first=True, bidirectional=True)
    steps = torch.randn(1, 3, 4)
    both = gru(steps)[0].view(1, 3, 2, 5)
    torch.testing.assert_close(read(gru, steps, torch.ones(1, 3, dtype=torch.bool)), both.mean(dim=2))


def test_word_dropout_makes_words_unknown_but_never_marks():
    encoder = WordEncoder(10, 4, 5, word_dropout=0.999999).train()
    mask = torch.ones(1, 4, dtype=torch.bool)
    torch.testing.assert_close(
        encoder(torch.tensor([[1, 5, 6, 2]]), mask), encoder(torch.tensor([[1, 3, 3, 2]]), mask)
    )


def test_a_token_beyond_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="token id 10 is beyond this model's vocabulary of 10"):
        WordEncoder(10, 4, 5)(torch.tensor([[10]]), torch.tensor([[True]]))
