"""From many fragments to one vector or one number; padding never counts."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

Pooling = Literal["AVG", "LSE"]


def unit(
    x: Float[Tensor, "*batch dim"], dim: int = -1, smallest: float = 1e-8
) -> Float[Tensor, "*batch dim"]:
    """`x / max(|x|, smallest)` along `dim`; a zero vector stays zero and its gradient finite."""
    return nn.functional.normalize(x, dim=dim, eps=smallest)


def masked_mean(
    parts: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
) -> Float[Tensor, "item dim"]:
    """The mean of the real parts of each item."""
    real = mask.unsqueeze(-1).to(parts.dtype)
    return (parts * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)


def unit_sum(parts: Float[Tensor, "item part dim"]) -> Float[Tensor, "item part dim"]:
    """The parts, scaled so that those of an item add up to a vector of unit length."""
    return parts / parts.sum(dim=1, keepdim=True).norm(dim=-1, keepdim=True).clamp(min=1e-8)


def max_k_shares(
    parts: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"], k: int
) -> Float[Tensor, "item part dim"]:
    """Each part's share in the mean of the k largest values of every channel: 1 / k for those k, else 0.

    So `(max_k_shares(x, mask, k) * x).sum(dim=1)` is max-k pooling, split into what each part gave. An item
    of fewer than k real parts takes all it has; what k is for one item depends on no other.
    """
    k = min(k, parts.shape[1])
    found = parts.masked_fill(~mask.unsqueeze(-1), float("-inf")).topk(k, dim=1)
    chosen = (found.values > float("-inf")).to(parts.dtype)
    chosen = chosen / chosen.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.zeros_like(parts).scatter(1, found.indices, chosen)


def pool_scores(
    scores: Float[Tensor, "*items part"],
    mask: Bool[Tensor, "*items part"],
    how: Pooling,
    sharpness: float = 1.0,
) -> Float[Tensor, "*items"]:
    """One score from those of an item's real parts, SCAN's two ways (Lee et al. 2018, section 3.1).

    `AVG` is their mean. `LSE` is `log(sum(exp(sharpness * score))) / sharpness`, a soft maximum that also
    grows with the number of parts, by up to `log(parts) / sharpness`.

    Raises:
        ValueError: `how` is neither.
    """
    if how == "AVG":
        return (scores * mask).sum(dim=-1) / mask.sum(dim=-1)
    if how == "LSE":
        return (sharpness * scores).masked_fill(~mask, float("-inf")).logsumexp(dim=-1) / sharpness
    raise ValueError(f"pooling must be 'AVG' or 'LSE', got {how!r}")


def last_real(
    states: Float[Tensor, "item step dim"], mask: Bool[Tensor, "item step"]
) -> Float[Tensor, "item dim"]:
    """The state at the last real step of each item."""
    steps = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * steps).amax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]
