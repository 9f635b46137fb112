from dataclasses import replace

import pytest
import torch
from torch import nn

from itr_explore.nn.tap import capture


def test_an_image_is_its_mean_region_through_a_linear_map_as_published(make_model, batch):
    model = make_model("vse", "paper", dim=16)
    mask = batch.region_mask
    means = torch.stack(
        [regions[real].mean(dim=0) for regions, real in zip(batch.regions, mask, strict=True)]
    )
    wanted = nn.functional.normalize(model.regions.appearance(means), dim=1)
    torch.testing.assert_close(model.encode_images(batch).vectors, wanted)


def test_a_caption_is_the_last_state_of_a_gru_as_published(make_model, batch):
    model = make_model("vse", "paper", dim=16)
    for caption, found in enumerate(model.encode_captions(batch).vectors):
        words = batch.words[caption, batch.word_mask[caption]]
        _, last = model.words.reader(model.words.vectors(words)[None])
        torch.testing.assert_close(found, nn.functional.normalize(last[0, 0], dim=0))


def test_a_mean_does_not_tell_which_of_two_things_has_which_attribute(make_model, make_batch):
    red, blue, car, ball = torch.eye(4, 6)
    swapped = torch.stack([red + car, blue + ball, red + ball, blue + car]).view(2, 2, 6)
    both = replace(make_batch(regions=(2, 2)), regions=swapped)
    first, second = make_model("vse", box=False).encode_images(both).vectors
    torch.testing.assert_close(first, second)


def test_the_last_state_of_an_lstm_has_no_parts(make_model, batch):
    model = make_model("vse", reader="lstm")
    with pytest.raises(ValueError, match="known for a GRU only"):
        model.caption_parts(batch)
    with capture(model) as seen:
        model(batch)
    assert list(seen) == ["region_share"]
