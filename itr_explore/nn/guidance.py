"""A guide, what an image is about as a whole, raises the regions that fit it (USER, Zhang et al. 2024).

affinity = unit(softmax(sharpness regions @ guide))       [region]  of length 1, not of sum 1
regions' = regions + affinity guide
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.graph import MaskedBatchNorm
from itr_explore.nn.pooling import masked_mean, unit
from itr_explore.nn.tap import Tap
from itr_explore.nn.together import current_team, mine, ours, summed


def guide_affinity(
    regions: Float[Tensor, "image region dim"],
    guide: Float[Tensor, "image dim"],
    mask: Bool[Tensor, "image region"],
    sharpness: float = 1.0,
) -> Float[Tensor, "image region"]:
    """How much each region gets of its image's guide; 0 where padded (exact, as in zhangy0822/USER)."""
    fits = (sharpness * regions @ guide.unsqueeze(-1)).squeeze(-1)
    return unit(fits.masked_fill(~mask, float("-inf")).softmax(dim=-1))


class PlaceNorm(nn.BatchNorm1d):
    """Batch norm of [image place dim] with a channel for each place, over the images of all processes."""

    def forward(self, x: Float[Tensor, "image place dim"]) -> Float[Tensor, "image place dim"]:
        """The same shape."""
        if not self.training or current_team().size == 1:
            return super().forward(x)
        images = int(summed(torch.tensor(len(x), device=x.device)))
        return mine(super().forward(ours(x, images)))


class SelfGuide(nn.Module):
    """An image's guide from its own regions, of unit length: SGE's first half (exact, as in zhangy0822/USER).

    `guide = unit(sum_i a_i f_i)` with `a = softmax(w . (l_i * g))`, `l_i = drop(tanh(norm(W_l f_i)))` and
    `g = drop(tanh(norm(W_g mean(f))))`.

    Tap: `attention`, a [image region].

    Args:
        dim: length of a region's feature.
        regions: the published batch norm of l has a channel for each region's place and so wants exactly as
            many (36); None, ours, is a layer norm that takes any number.
        dropout: of l and g.
    """

    def __init__(self, dim: int, regions: int | None = None, dropout: float = 0.4):
        super().__init__()
        self.local, self.whole = nn.Linear(dim, dim), nn.Linear(dim, dim)
        for linear in (self.local, self.whole):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.local_norm = nn.LayerNorm(dim) if regions is None else PlaceNorm(regions)
        self.whole_norm = MaskedBatchNorm(dim)
        self.weigh = nn.Linear(dim, 1, bias=False)  # the published bias cancels in the softmax
        nn.init.xavier_uniform_(self.weigh.weight)
        self.dropout = nn.Dropout(dropout)
        self.regions = regions
        self.attention = Tap("per_region", "softmax")

    def forward(
        self, regions: Float[Tensor, "image region dim"], mask: Bool[Tensor, "image region"]
    ) -> Float[Tensor, "image dim"]:
        """The guide of each image.

        Raises:
            ValueError: another number of regions than the batch norm was made for.
        """
        local = self.dropout(self._normalised(self.local(regions), mask).tanh())
        whole = self.whole(masked_mean(regions, mask)).unsqueeze(0)
        whole = self.whole_norm(whole, mask.any(dim=1).unsqueeze(0)).squeeze(0)
        whole = self.dropout(whole.tanh())
        fits = self.weigh(local * whole.unsqueeze(1)).squeeze(-1)
        weights = self.attention(fits.masked_fill(~mask, float("-inf")).softmax(dim=-1))
        return unit((weights.unsqueeze(1) @ regions).squeeze(1))

    def _normalised(self, local: Tensor, mask: Tensor) -> Tensor:
        if self.regions is None:
            return self.local_norm(local)
        counts = mask.sum(dim=1)
        if (counts != self.regions).any():
            raise ValueError(
                f"this model's batch norm wants {self.regions} regions in every image, got"
                f" {int(counts.min())} to {int(counts.max())}; extract as many, or create the model with"
                " region_count=None, whose layer norm takes any number"
            )
        padding = local.shape[1] - self.regions
        return nn.functional.pad(self.local_norm(local[:, : self.regions]), (0, 0, 0, padding))
