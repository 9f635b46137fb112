"""USER's unified training objective (Zhang et al. 2024): a soft threshold for negatives, a reward for a pair.

    soft(S) = log(1 + sum exp(sharpness (s - threshold))) / sharpness      over the negatives' scores s in S
    loss    = soft(negatives) - log(1 + [positive]+)

A negative pushes by its share of a softmax over all negatives and a constant: hardly at all while it scores
below the threshold. What the pair itself scores has no say in that, unlike in a hinge. It is the objective of
HAL (Liu et al. 2020), asked of a batch and of a queue alike; it can be negative. *Exact*, as in
zhangy0822/USER, but by logsumexp, which does not overflow in half precision.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


def uto_loss(
    scores: Float[Tensor, "image caption"],
    image_of: Int[Tensor, "caption"],
    sharpness: float = 90.0,
    threshold: float = 0.5,
) -> Float[Tensor, ""]:
    """The objective of a batch, the mean over its pairs of `soft` both ways and one reward.

    Captions of the same image are no negatives (in the published code they are); a foil is one of its own
    pair (see `losses.py`). With one caption an image and no foil it is the published loss, up to
    exp(-sharpness threshold).
    """
    caption = (image_of >= 0).nonzero().squeeze(1)
    image = image_of[caption]
    other_image = torch.arange(len(scores), device=image.device) != image.unsqueeze(1)  # [pair image]
    others = (image_of >= 0) & (image_of != image.unsqueeze(1))  # [pair caption]
    foils = ~image_of == caption.unsqueeze(1)
    to_text = soft_threshold(scores[image], others | foils, sharpness, threshold)
    to_image = soft_threshold(scores.T[caption], other_image, sharpness, threshold)
    return (to_text + to_image - reward(scores[image, caption])).mean()


def soft_threshold(
    scores: Float[Tensor, "query candidate"],
    negative: Bool[Tensor, "query candidate"],
    sharpness: float = 90.0,
    threshold: float = 0.5,
) -> Float[Tensor, "query"]:
    """`soft` of each query's negatives: about their largest excess over the threshold, 0 if there is none."""
    excess = (sharpness * (scores - threshold)).masked_fill(~negative, float("-inf"))
    return nn.functional.pad(excess, (0, 1)).logsumexp(dim=1) / sharpness


def reward(positive: Float[Tensor, "pair"]) -> Float[Tensor, "pair"]:
    """`log(1 + [positive]+)`: it grows more slowly the better a pair fits already."""
    return positive.relu().log1p()
