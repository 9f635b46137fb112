import pytest
import torch

from itr_explore.nn.tap import capture


@pytest.mark.parametrize(
    ("direction", "tap", "axes"),
    [("text_to_image", "word_to_region", (4, 6, 7, 5)), ("image_to_text", "region_to_word", (4, 6, 5, 7))],
)
def test_the_tap_is_the_attention_of_the_direction(make_model, batch, direction, tap, axes):
    model = make_model("scan", direction=direction)
    with capture(model) as seen:
        model(batch)
    assert list(seen) == [tap]
    assert seen[tap].value.shape == axes


def test_scores_can_be_differentiated_by_the_attention(make_model, batch):
    model = make_model("scan")
    with capture(model) as seen:
        scores = model(batch)
    (gradient,) = torch.autograd.grad(scores.sum(), seen["word_to_region"].value)
    assert gradient.any()


def test_fragments_have_unit_length(make_model, batch):
    model = make_model("scan")
    for side in (model.encode_images(batch), model.encode_captions(batch)):
        torch.testing.assert_close(side.parts[side.mask].norm(dim=-1), torch.ones(int(side.mask.sum())))


def test_sides_can_be_encoded_apart_and_scored_in_pieces(make_model, batch):
    model = make_model("scan", pooling="LSE")
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    pieces = [model.score(images[rows], captions) for rows in ([0, 1], [2, 3])]
    torch.testing.assert_close(torch.cat(pieces), model(batch))
