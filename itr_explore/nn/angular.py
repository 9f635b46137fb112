"""Constraints on the triangle that a pair and a negative span, from Gram matrices alone.

For an anchor a, its positive p and a negative n, all of unit length, with t = tan(angle)^2:

    f = 4 t (a + p) . n - 2 (1 + t) a . p

Every term is an entry of a matrix of inner products, so triples are never formed. In a batch each caption c
and its image i are anchor and positive, either way round: f does not tell them apart. Negatives are
captions c' of other images and foils of c, with `(a + p) . n = scores[i, c'] + captions[c, c']`, and other
images i', with `scores[i', c] + images[i, i']` (see `losses.py` for what is a negative and what a foil).
"""

from math import radians, tan
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from itr_explore.nn.losses import same_image


def angular_loss(
    scores: Float[Tensor, "image caption"],
    images: Float[Tensor, "image image"],
    captions: Float[Tensor, "caption caption"],
    image_of: Int[Tensor, "caption"],
    angle: float = 45.0,
    form: Literal["smooth", "hinge"] = "smooth",
) -> Float[Tensor, "pair"]:
    """How far each pair's negatives are from lying beyond the angle, the mean of both kinds of negatives.

    Wang et al. 2017 want `|a - p|^2 <= 4 t |n - (a + p) / 2|^2`: seen from the negative, the pair spans at
    most the angle. The difference of both sides is `f + 2 - 6 t`. `hinge` is `[f + 2 - 6 t]+` of the worst
    negative, `smooth` is `log(1 + sum_n exp f)` (their equation 7 in the form for a batch).

    Args:
        scores: inner products of images and captions.
        images: inner products of images.
        captions: inner products of captions.
        image_of: the row of `scores` that each caption describes; `~row` of a caption is its foil.
        angle: in degrees, above 0 and below 90; 36 to 55 are usual.
        form: see above.

    Returns:
        one value for each caption that has an image, in their order.

    Raises:
        ValueError: `angle` out of range.
    """
    if not 0 < angle < 90:
        raise ValueError(f"angle must be above 0 and below 90 degrees, got {angle}")
    t = tan(radians(angle)) ** 2
    image, caption, *wrong = _triangles(scores, image_of)
    pull = 2 * (1 + t) * scores[image, caption].unsqueeze(1)
    both = [  # f [pair caption] and [pair image], -inf where it is no negative
        (4 * t * near - pull).masked_fill(~negative, float("-inf"))
        for near, negative in zip(
            (scores[image] + captions[caption], scores.T[caption] + images[image]), wrong, strict=True
        )
    ]
    if form == "hinge":
        both = [(f.amax(dim=1) + 2 - 6 * t).relu() for f in both]
    else:
        both = [nn.functional.softplus(f.logsumexp(dim=1)) for f in both]
    return (both[0] + both[1]) / 2


def intra_triangle_loss(
    scores: Float[Tensor, "image caption"],
    images: Float[Tensor, "image image"],
    captions: Float[Tensor, "caption caption"],
    image_of: Int[Tensor, "caption"],
    margin: float = 0.2,
) -> Float[Tensor, "pair"]:
    """The triangle's third side: a pair must be closer than its positive is to the hardest negative.

    `([margin + captions[c, c*] - scores[i, c]]+ + [margin + images[i, i*] - scores[i, c]]+) / 2`, where
    c* is the negative caption that image i scores highest and i* the negative image of caption c
    (after MariodotR/FullHN). Arguments and result as of `angular_loss`.
    """
    image, caption, *wrong = _triangles(scores, image_of)
    positive = scores[image, caption]
    total = torch.zeros_like(positive)
    sides = (scores[image], captions[caption]), (scores.T[caption], images[image])
    for (queried, third_side), negative in zip(sides, wrong, strict=True):
        score, hardest = queried.masked_fill(~negative, float("-inf")).max(dim=1)
        hinge = (margin + third_side.gather(1, hardest.unsqueeze(1)).squeeze(1) - positive).relu()
        total = total + hinge * score.isfinite() / 2
    return total


def _triangles(scores: Tensor, image_of: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Image and caption of each pair [pair]; its negatives: captions [pair caption], images [pair image]."""
    caption = (image_of >= 0).nonzero().squeeze(1)
    image = image_of[caption]
    of_others = (image_of >= 0) & (image_of != image.unsqueeze(1))
    foils = image_of == ~caption.unsqueeze(1)
    return image, caption, of_others | foils, ~same_image(len(scores), image_of)[:, caption].T
