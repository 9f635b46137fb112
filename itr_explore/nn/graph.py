"""Reasoning on a fully connected graph of fragments: residual graph convolution with a learned affinity."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.tap import Tap
from itr_explore.nn.together import summed


def affinity(
    query: Float[Tensor, "item node dim"],
    key: Float[Tensor, "item node dim"],
    mask: Bool[Tensor, "item node"],
    divisor: int | None = None,
) -> Float[Tensor, "item node node"]:
    """`query @ key.T / nodes`: signed, directed from row to column, and not a softmax (VSRN, equation 1).

    Args:
        query: what each node looks for.
        key: what each node shows.
        mask: which nodes are real; the rows and columns of the others are zero.
        divisor: divide by this number instead of each item's number of real nodes.
    """
    nodes = mask.sum(dim=1).view(-1, 1, 1) if divisor is None else divisor
    both_real = mask.unsqueeze(2) & mask.unsqueeze(1)
    return (query @ key.mT / nodes) * both_real


class MaskedBatchNorm(nn.Module):
    """Batch normalisation of [item node dim] over channels, with the statistics of real nodes only.

    Running statistics are as in `nn.BatchNorm1d`; a batch of a single node is allowed. Several processes
    take the statistics of all their nodes.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))
        self.eps, self.momentum = eps, momentum

    def forward(
        self, x: Float[Tensor, "item node dim"], mask: Bool[Tensor, "item node"]
    ) -> Float[Tensor, "item node dim"]:
        """The same shape; zero where padded."""
        real = mask.unsqueeze(-1)
        mean, variance = (
            self._learn(x.to(torch.promote_types(x.dtype, torch.float32)), real)
            if self.training
            else (self.running_mean, self.running_var)
        )
        return ((x - mean) * self.weight * (variance + self.eps).rsqrt() + self.bias) * real

    def of_vectors(self, x: Float[Tensor, "item dim"]) -> Float[Tensor, "item dim"]:
        """The same of one vector an item, all of them real."""
        return self(x.unsqueeze(0), x.new_ones(1, len(x), dtype=torch.bool)).squeeze(0)

    def _learn(self, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance [dim] of the real nodes of a batch, also noted in the running statistics."""
        count = summed(real.sum()).clamp(min=1)
        mean = summed((x * real).sum(dim=(0, 1))) / count
        variance = summed(((x - mean).square() * real).sum(dim=(0, 1))) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var), self.momentum)
        return mean, variance


class GraphReasoning(nn.Module):
    """One layer of VSRN's region relationship reasoning: `V* = BN((A (V W_g)) W_r) + V` (exact, VSRN code).

    `A = (V W_q)(V W_k).T / nodes`. The scale and shift of the batch norm start at zero, so a new layer
    hands its nodes on unchanged: while the scale is near zero its edges are inert, however strong they look.
    `strength` says how much they matter: for each node `|BN(...)| / |V|`.

    Taps: `affinity` [item node node] and `strength` [item node].

    Args:
        dim: size of a node.
        kind: what the nodes are, to name the taps' axes.
        divisor: see `affinity`; the paper's 36, or None for each item's number of nodes.
    """

    def __init__(self, dim: int, kind: Literal["region", "word"] = "region", divisor: int | None = None):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))
        self.norm = MaskedBatchNorm(dim)
        nn.init.zeros_(self.norm.weight)
        self.divisor = divisor
        region = kind == "region"
        self.affinity = Tap("region_to_region" if region else "word_to_word", "signed")
        self.strength = Tap("per_region" if region else "per_word", "signed", derived=True)

    def forward(
        self, nodes: Float[Tensor, "item node dim"], mask: Bool[Tensor, "item node"]
    ) -> Float[Tensor, "item node dim"]:
        """The nodes after one round of messages; padded ones stay zero if they came as zero."""
        edges = self.affinity(self.edges(nodes, mask))
        change = self.norm(self.out(edges @ self.value(nodes)), mask)
        if self.strength.watched:
            self.strength(relation_strength(change, nodes))
        return change + nodes

    def edges(
        self, nodes: Float[Tensor, "item node dim"], mask: Bool[Tensor, "item node"]
    ) -> Float[Tensor, "item node node"]:
        """The affinity of these nodes, past the tap."""
        return affinity(self.query(nodes), self.key(nodes), mask, self.divisor)


def relation_strength(
    change: Float[Tensor, "item node dim"], nodes: Float[Tensor, "item node dim"]
) -> Float[Tensor, "item node"]:
    """`|change| / |nodes|` for each node: 0 where a layer's edges are inert, above 1 where they dominate."""
    return change.norm(dim=-1) / nodes.norm(dim=-1).clamp(min=1e-8)


def degree(edges: Float[Tensor, "item node node"]) -> Float[Tensor, "item node"]:
    """Sum of the absolute weights of each node's edges, from it and to it, the one to itself left out."""
    others = ~torch.eye(edges.shape[1], dtype=torch.bool, device=edges.device)
    weights = edges.abs() * others
    return weights.sum(dim=1) + weights.sum(dim=2)
