import pytest
import torch

from itr_explore.nn.cross_sample import (
    FusedSampleAttention,
    SampleAttention,
    Samples,
    best_matches,
    hidden_samples,
    nearness,
    own_image,
    relation_divergence,
    strongest,
)
from itr_explore.nn.matching import cross_similarities
from itr_explore.nn.pooling import unit
from itr_explore.nn.tap import capture

IMAGE_OF = torch.tensor([0, 1, 0, 2, ~1])  # the last caption is a foil of the second


@pytest.fixture
def sides():
    """Three images with up to 4 regions, five captions with up to 12 words."""
    image_mask = torch.arange(4) < torch.tensor([4, 2, 3])[:, None]
    word_mask = torch.arange(12) < torch.tensor([3, 12, 5, 1, 11])[:, None]
    return tuple(
        Samples(unit(torch.randn(len(mask), 8)), torch.randn(*mask.shape, 8) * mask[..., None], mask)
        for mask in (image_mask, word_mask)
    )


def test_samples_of_one_image_are_hidden_from_each_other_and_so_is_a_foil():
    assert own_image(IMAGE_OF).tolist() == [0, 1, 0, 2, 1]
    hidden = hidden_samples(own_image(IMAGE_OF))
    assert torch.nonzero(hidden).tolist() == [[0, 2], [1, 4], [2, 0], [4, 1]]


def test_a_sample_takes_nothing_from_one_that_is_hidden():
    layer, x = SampleAttention(8, 2, "caption_to_caption").eval(), torch.randn(5, 8)
    changed = x.clone()
    changed[2] += 1.0
    before, after = (layer(v, hidden_samples(own_image(IMAGE_OF))) for v in (x, changed))
    torch.testing.assert_close(after[0], before[0])
    assert not torch.allclose(after[1], before[1], atol=1e-3)


@pytest.mark.parametrize(("kind", "samples"), [("image_to_image", 3), ("caption_to_caption", 5)])
def test_who_influenced_whom_can_be_seen(kind, samples):
    layer = SampleAttention(8, 2, kind).eval()
    with capture(layer) as seen:
        layer(torch.randn(samples, 8))
    weights = seen["layer.edges.heads.1"]
    assert weights.tap.kind == kind
    torch.testing.assert_close(weights.value.sum(dim=1), torch.ones(samples))


def test_a_sample_alone_is_let_through(sides):
    assert SampleAttention(8, 2, "image_to_image")(torch.randn(1, 8)).isfinite().all()


def test_nearness_is_e_to_the_minus_distance():
    found = nearness(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.0], [0.0, -1.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, -2.0]]).exp())


def test_the_strongest_share_of_a_row_is_taken_whatever_the_ties():
    scores = torch.tensor([[0.1, 0.5, 0.3, 0.2], [1.0, 1.0, 1.0, 1.0]])
    assert strongest(scores, 0.5)[0].tolist() == [False, True, True, False]
    assert strongest(scores, 0.5).sum(dim=1).tolist() == [2, 2]
    assert strongest(scores, 0.1).sum(dim=1).tolist() == [1, 1]


def test_best_matches_are_those_of_scan_pair_by_pair(sides):
    images, captions = sides
    found = best_matches(cross_similarities(captions.parts, images.parts), captions.mask, images.mask)
    for i in range(3):
        for c in range(5):
            words, regions = captions.parts[c][captions.mask[c]], images.parts[i][images.mask[i]]
            similarities = torch.nn.functional.leaky_relu(words @ regions.T, 0.1)
            wanted = unit(similarities, dim=0).amax(dim=1)
            torch.testing.assert_close(found[i, c][captions.mask[c]], wanted)


def test_relation_divergence_is_torchs():
    relation, guide = torch.randn(4, 6), torch.randn(4, 6)
    wanted = torch.nn.functional.kl_div(guide.log_softmax(1), relation.softmax(1), reduction="batchmean")
    torch.testing.assert_close(relation_divergence(relation, guide), wanted)


def test_a_sample_is_fused_with_itself_and_at_most_half_of_either_side_but_nothing_hidden(sides):
    layer = FusedSampleAttention(8, 2).eval()
    hidden = hidden_samples(torch.cat([torch.arange(3), own_image(IMAGE_OF)]))
    with capture(layer) as seen:
        layer(*sides, hidden)
    weights = seen["layer.edges.mean"].value
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(8))
    assert not weights[hidden].any()
    assert (weights.diagonal() > 0).all()
    others = (weights > 0) & ~torch.eye(8, dtype=torch.bool)
    assert (others[:, :3].sum(dim=1) <= 1).all()
    assert (others[:, 3:].sum(dim=1) <= 2).all()


def test_what_stands_in_padded_places_changes_nothing_in_fusion(sides):
    layer = FusedSampleAttention(8, 2).eval()
    more = [
        Samples(
            side.vectors,
            torch.cat(
                [torch.where(side.mask[..., None], side.parts, 9.0), torch.randn(len(side.mask), 2, 8)], 1
            ),
            torch.cat([side.mask, torch.zeros(len(side.mask), 2, dtype=torch.bool)], 1),
        )
        for side in sides
    ]
    torch.testing.assert_close(layer(*more), layer(*sides))


def test_the_relations_learn_from_the_divergence_and_the_fragments_do_not(sides):
    layer = FusedSampleAttention(8, 2)
    for side in sides:
        side.parts.requires_grad_()
    _, _, divergence = layer(*sides)
    divergence.backward()
    assert all(network[0].weight.grad.any() for network in (layer.of_words, layer.of_regions))
    assert all(side.parts.grad is None for side in sides)
