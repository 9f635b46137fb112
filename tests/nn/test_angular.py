from math import radians, tan

import pytest
import torch

from itr_explore.nn.angular import angular_loss, intra_triangle_loss
from itr_explore.nn.pooling import unit

IMAGE_OF = torch.tensor([0, 2, 0, 1, ~2])  # image 3 has no caption; the last is a foil of the third


@pytest.fixture
def vectors():
    return unit(torch.randn(4, 6, dtype=torch.float64)), unit(torch.randn(5, 6, dtype=torch.float64))


def grams(images, captions):
    return images @ captions.T, images @ images.T, captions @ captions.T


def triples(images, captions, image_of):
    """Anchor, positive and its negatives, for captions and for images as negatives of each pair."""
    for caption, image in enumerate(image_of.tolist()):
        if image >= 0:
            pair = images[image], captions[caption]
            yield (
                *pair,
                [captions[c] for c, i in enumerate(image_of) if i == ~caption or (i >= 0 and i != image)],
                [images[i] for i in range(len(images)) if i != image],
            )


def test_the_difference_of_both_sides_is_an_inner_product_for_unit_vectors():
    a, p, n = unit(torch.randn(3, 50, 8, dtype=torch.float64))
    t = tan(radians(40)) ** 2
    both_sides = (a - p).square().sum(-1) - 4 * t * (n - (a + p) / 2).square().sum(-1)
    f = 4 * t * ((a + p) * n).sum(-1) - 2 * (1 + t) * (a * p).sum(-1)
    torch.testing.assert_close(both_sides, f + 2 - 6 * t)


@pytest.mark.parametrize("angle", [36.0, 45.0, 55.0])
def test_the_hinge_is_that_of_the_published_distances_triple_by_triple(vectors, angle):
    t = tan(radians(angle)) ** 2
    wanted = []
    for a, p, *negatives in triples(*vectors, IMAGE_OF):
        worst = [
            max((a - p).square().sum() - 4 * t * (n - (a + p) / 2).square().sum() for n in side)
            for side in negatives
        ]
        wanted.append(sum(w.clamp(min=0) for w in worst) / 2)
    found = angular_loss(*grams(*vectors), IMAGE_OF, angle, "hinge")
    torch.testing.assert_close(found, torch.stack(wanted))


def test_the_smooth_form_is_a_logarithm_of_one_and_a_sum_over_the_negatives(vectors):
    t = tan(radians(40)) ** 2
    wanted = []
    for a, p, *negatives in triples(*vectors, IMAGE_OF):
        sums = [sum((4 * t * (a + p) @ n - 2 * (1 + t) * a @ p).exp() for n in side) for side in negatives]
        wanted.append(sum((1 + s).log() for s in sums) / 2)
    torch.testing.assert_close(angular_loss(*grams(*vectors), IMAGE_OF, 40.0), torch.stack(wanted))


@pytest.mark.parametrize("form", ["smooth", "hinge"])
def test_gradients_are_right(vectors, form):
    def loss(images, captions):
        return angular_loss(*grams(unit(images), unit(captions)), IMAGE_OF, 50.0, form)

    assert torch.autograd.gradcheck(loss, tuple(v.requires_grad_() for v in vectors))


def test_the_third_side_is_that_of_the_hardest_negative(vectors):
    images, captions = vectors
    wanted = []
    for a, p, *negatives in triples(images, captions, IMAGE_OF):
        hardest_caption, hardest_image = (
            max(side, key=lambda n, own=own: float(own @ n))
            for side, own in zip(negatives, (a, p), strict=True)
        )
        sides = (p @ hardest_caption, a @ hardest_image)
        wanted.append(sum((0.2 + side - a @ p).clamp(min=0) for side in sides) / 2)
    torch.testing.assert_close(
        intra_triangle_loss(*grams(images, captions), IMAGE_OF, 0.2), torch.stack(wanted)
    )


@pytest.mark.parametrize("loss", [angular_loss, intra_triangle_loss])
def test_a_single_image_has_no_loss_and_no_bad_gradient(loss):
    vector = unit(torch.randn(1, 4)).requires_grad_()
    value = loss(*grams(vector, vector.expand(3, 4)), torch.zeros(3, dtype=torch.long)).sum()
    value.backward()
    assert value.item() == 0
    assert not vector.grad.any()


@pytest.mark.parametrize("loss", [angular_loss, intra_triangle_loss])
def test_a_foil_is_a_negative_of_its_own_pair_and_never_a_pair(loss):
    scores = torch.tensor([[0.9, 0.1, 0.8], [0.2, 0.8, 0.7]], requires_grad=True)
    captions = torch.tensor([[1.0, 0.0, 0.9], [0.0, 1.0, 0.9], [0.9, 0.9, 1.0]], requires_grad=True)
    values = loss(scores, torch.eye(2), captions, torch.tensor([0, 1, ~0]))
    assert values.shape == (2,)
    values.sum().backward()
    assert (captions.grad[:, 2] > 0).tolist() == [True, False, False]
    assert not captions.grad[2].any()


def test_an_angle_that_is_none_is_refused():
    with pytest.raises(ValueError, match="above 0 and below 90 degrees, got 90"):
        angular_loss(torch.eye(2), torch.eye(2), torch.eye(2), torch.arange(2), 90.0)
