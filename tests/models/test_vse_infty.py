import torch
from torch import nn

from itr_explore.nn.tap import capture


def test_regions_are_the_published_encoder_step_by_step(make_model, batch):
    model = make_model("vse_infty", "paper", dim=16, hidden_dim=8)
    network = model.image_side.regions.network
    network.norm.running_mean.normal_()
    hidden = nn.functional.batch_norm(
        network.enter(batch.regions).flatten(0, 1),
        *(network.norm.running_mean, network.norm.running_var, network.norm.weight, network.norm.bias),
    ).relu()
    wanted = model.image_side.regions.appearance(batch.regions) + network.leave(hidden).view(4, 5, 16)
    found = model.encode_images(batch)
    torch.testing.assert_close(found.parts[found.mask], wanted[batch.region_mask])
    pooled = model.image_side.pool(wanted, batch.region_mask)
    torch.testing.assert_close(found.vectors, nn.functional.normalize(pooled))


def test_both_shares_can_be_seen(make_model, batch):
    model = make_model("vse_infty")
    with capture(model) as seen:
        model(batch)
    shapes = {name: tuple(found.value.shape) for name, found in seen.items()}
    assert shapes == {"image_side.pool.share": (4, 5), "caption_side.pool.share": (6, 7)}
