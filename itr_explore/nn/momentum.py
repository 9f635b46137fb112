"""Momentum contrast (He et al. 2020): a slow copy of an encoder makes keys, a queue keeps the latest of them.

So a batch has many more negatives than its own items, and they are consistent: their encoder hardly moved
since they were made.
"""

import copy
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from itr_explore.nn.pooling import unit

Encoder = TypeVar("Encoder", bound=nn.Module)
NOBODY = -1  # the image of a key that no image made


def teacher_of(student: Encoder) -> Encoder:
    """A copy that no gradient changes; `follow` does."""
    return copy.deepcopy(student).requires_grad_(False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """`teacher <- momentum teacher + (1 - momentum) student`, of parameters only.

    Running statistics are the teacher's own, learned from what it sees itself (as in zhangy0822/USER).
    """
    average = get_ema_multi_avg_fn(momentum)
    average(list(teacher.parameters()), list(student.parameters()), None)


class NegativeQueue(nn.Module):
    """The latest keys of one side and the image of each, first in, first out; all of it is in `state_dict`.

    Before the first keys it holds random directions, which are nobody's.

    Args:
        size: keys it holds, any number.
        dim: length of a key.
    """

    keys: Tensor
    image_ids: Tensor
    oldest: Tensor

    def __init__(self, size: int, dim: int):
        super().__init__()
        self.register_buffer("keys", unit(torch.randn(size, dim)))
        self.register_buffer("image_ids", torch.full((size,), NOBODY))
        self.register_buffer("oldest", torch.tensor(0))  # the row that the next key replaces

    def forward(self, query: Float[Tensor, "query dim"]) -> Float[Tensor, "query key"]:
        """Inner products with all keys. They stay differentiable by the query when keys are put in later."""
        return query @ self.keys.clone().T

    def of_others(self, image_ids: Int[Tensor, "query"]) -> Bool[Tensor, "query key"]:
        """True where a key is not of the query's own image, or is nobody's."""
        return (self.image_ids != image_ids.unsqueeze(1)) | (self.image_ids == NOBODY)

    def nearest(
        self, query: Float[Tensor, "query dim"], count: int
    ) -> tuple[Float[Tensor, "query near"], Int[Tensor, "query near"]]:
        """The keys that push a query most: their inner products, largest first, and their images."""
        scores, rows = self(query).topk(min(count, len(self.keys)), dim=1)
        return scores, self.image_ids[rows]

    @torch.no_grad()
    def put(self, keys: Float[Tensor, "new dim"], image_ids: Int[Tensor, "new"]) -> None:
        """Replace the oldest keys; of more new ones than the queue holds, the last stay."""
        size = len(self.keys)
        rows = (self.oldest + torch.arange(len(keys), device=keys.device)) % size
        rows, kept = rows[-size:], slice(-size, None)
        self.keys[rows] = keys[kept].to(self.keys)
        self.image_ids[rows] = image_ids[kept]
        self.oldest.copy_((self.oldest + len(keys)) % size)


def key_info_nce(
    positive: Float[Tensor, "query"],
    scores: Float[Tensor, "query key"],
    negative: Bool[Tensor, "query key"],
    temperature: float = 0.05,
) -> Float[Tensor, ""]:
    """Cross-entropy of each query's own key against its negatives (He et al. 2020, equation 1), the mean."""
    against = (scores / temperature).masked_fill(~negative, float("-inf")).logsumexp(dim=1)
    return nn.functional.softplus(against - positive / temperature).mean()
