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


@pytest.mark.parametrize("text_pooling", ["last", "mean"])
def test_the_shares_of_regions_and_of_words_add_up_to_the_score(make_model, batch, text_pooling):
    model = make_model("vse", text_pooling=text_pooling)
    images, captions = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    regions, _ = model.image_parts(batch)
    words, _ = model.caption_parts(batch)
    torch.testing.assert_close(torch.einsum("ird,cd->irc", regions, captions).sum(dim=1), model(batch))
    torch.testing.assert_close(torch.einsum("cwd,id->ciw", words, images).sum(dim=2), model(batch).T)
    assert not regions[~batch.region_mask].any()
    assert not words[~batch.word_mask].any()


def test_the_last_state_of_an_lstm_has_no_parts(make_model, batch):
    model = make_model("vse", reader="lstm")
    with pytest.raises(ValueError, match="known for a GRU only"):
        model.caption_parts(batch)
    with capture(model) as seen:
        model(batch)
    assert list(seen) == ["region_share"]
