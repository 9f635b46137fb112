import pytest
import torch

from itr_explore.models.registry import from_pretrained
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


@pytest.mark.parametrize(
    ("direction", "papers"), [("text_to_image", (9.0, 6.0)), ("image_to_text", (4.0, 5.0))]
)
def test_each_direction_has_the_papers_sharpness_unless_another_is_given(
    make_model, batch, direction, papers
):
    model = make_model("scan", "paper", direction=direction, pooling="LSE")
    given = make_model(
        "scan", "paper", direction=direction, pooling="LSE", sharpness=papers[0], pool_sharpness=papers[1]
    )
    given.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(batch), given(batch), rtol=0, atol=0)
    assert make_model("scan", direction=direction, sharpness=7).config.both_sharpnesses == (7, papers[1])


def test_the_zoo_s_settings_are_kept():
    assert from_pretrained("scan-tiny-scenes").config.both_sharpnesses == (9.0, 6.0)
