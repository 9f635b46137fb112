import pytest
import torch
from torch import nn

from itr_explore.nn.guidance import SelfGuide, guide_affinity
from itr_explore.nn.tap import capture

MASK = torch.tensor([[True, True, True], [True, True, False]])


def test_affinity_is_a_softmax_brought_to_unit_length():
    regions = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    found = guide_affinity(regions, torch.tensor([[0.6, 0.8]]), mask, sharpness=2.0)
    wanted = nn.functional.normalize(torch.tensor([1.2, 1.6]).softmax(dim=0), dim=0)
    torch.testing.assert_close(found[0], torch.tensor([*wanted, 0.0]))


@pytest.mark.parametrize("training", [True, False])
def test_with_so_many_regions_it_is_the_published_guide_step_by_step(training):
    guide = SelfGuide(4, regions=3, dropout=0.0).train(training)
    nn.init.normal_(guide.local_norm.running_mean)
    nn.init.normal_(guide.whole_norm.running_mean)
    regions, norms = torch.randn(5, 3, 4), (guide.local_norm, guide.whole_norm)
    statistics = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]
    local = nn.functional.batch_norm(  # [image region dim]: the regions' places are the channels
        guide.local(regions), *statistics[0], training=training
    ).tanh()
    whole = nn.functional.batch_norm(
        guide.whole(regions.mean(dim=1)), *statistics[1], training=training
    ).tanh()
    weights = (local * whole[:, None] @ guide.weigh.weight[0]).softmax(dim=1)
    wanted = nn.functional.normalize((weights[..., None] * regions).sum(dim=1))
    torch.testing.assert_close(guide(regions, torch.ones(5, 3, dtype=torch.bool)), wanted)


def test_another_number_of_regions_is_refused():
    with pytest.raises(ValueError, match="wants 3 regions in every image, got 2 to 3"):
        SelfGuide(4, regions=3)(torch.randn(2, 3, 4), MASK)


def test_padding_beyond_the_wanted_regions_is_none_of_them():
    guide, regions = SelfGuide(4, regions=2).eval(), torch.randn(1, 3, 4)
    whole = guide(regions[:, :2], MASK[1:, :2])
    torch.testing.assert_close(guide(regions, MASK[1:]), whole)


def test_any_number_of_regions_is_taken_with_a_layer_norm():
    guide, regions = SelfGuide(4).eval(), torch.randn(2, 3, 4)
    with capture(guide) as seen:
        found = guide(regions, MASK)
    torch.testing.assert_close(found[1:], guide(regions[1:, :2], MASK[1:, :2]))
    weights = seen["attention"].value
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    assert not weights[~MASK].any()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
