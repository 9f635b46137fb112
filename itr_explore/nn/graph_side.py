"""One side of LGSF: fragments, graph attention among them, and both pooled into one vector."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.graph import MaskedBatchNorm
from itr_explore.nn.graph_attention import AttentionBlock, GraphAttention
from itr_explore.nn.pooling import max_k_shares, unit

Form = Literal["gat", "attention"]
GraphPool = Literal["mean", "max"]


class GraphSide(nn.Module):
    """`unit(w max_k(x) + (1 - w) mean(graph(x)))` of the fragments x (pooling after CrossmodalGroup/HREM).

    Taps: `layers.N.edges` (see `nn.graph_attention.HeadTaps`).

    Args:
        dim: size of a fragment, a multiple of `heads`.
        layers: of graph attention.
        kind: what the fragments are.
        form: `gat` (`GraphAttention`) or `attention` (`AttentionBlock` with batch norm).
        heads: of each layer.
        dropout: of each layer.
        top_k: how many largest values of a channel the pooling takes the mean of.
        residual_weight: w, the weight of the fragments that the graph did not touch.
        graph_pool: of the graph's nodes, `mean` (HREM), or `max`, the same max-k (ours).
        final_norm: batch norm before the vector takes unit length.
    """

    def __init__(
        self,
        dim: int,
        layers: int,
        kind: Literal["region", "word"],
        form: Form = "gat",
        heads: int = 8,
        dropout: float = 0.0,
        top_k: int = 2,
        residual_weight: float = 0.8,
        final_norm: bool = False,
        graph_pool: GraphPool = "mean",
    ):
        super().__init__()
        edges: Literal["region_to_region", "word_to_word"] = (
            "region_to_region" if kind == "region" else "word_to_word"
        )
        self.layers = nn.ModuleList(
            GraphAttention(dim, heads, edges, dropout)
            if form == "gat"
            else AttentionBlock(dim, heads, edges, dropout, "batch")
            for _ in range(layers)
        )
        self.top_k, self.residual_weight, self.graph_pool = top_k, residual_weight, graph_pool
        self.final_norm = MaskedBatchNorm(dim) if final_norm else None

    def forward(
        self, nodes: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> tuple[Float[Tensor, "item dim"], Float[Tensor, "item part dim"]]:
        """[item part dim], zero where padded -> a vector of unit length, and the relation-enhanced nodes."""
        related = self._related(nodes, mask)
        return unit(self._finish(self._given(nodes, related, mask).sum(dim=1))), related

    def parts_of_vector(
        self, nodes: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> tuple[Float[Tensor, "item part dim"], Float[Tensor, "item dim"]]:
        """What each node gave to its item's vector [item part dim], and what none of them gave [item dim].

        The nodes' parts and the rest add up to `forward(...)[0]`. A node speaks also for what the graph let
        it take up from others. In eval mode only (else `ValueError`).
        """
        if self.training:
            raise ValueError("a vector has additive parts in eval mode only; call model.eval() first")
        given = self._given(nodes, self._related(nodes, mask), mask)
        length = self._finish(given.sum(dim=1)).norm(dim=-1, keepdim=True)
        nothing = self._finish(torch.zeros_like(given[:, 0]))  # [item dim]  the final norm's constant
        parts = self._finish(given.flatten(0, 1)).view_as(given) - nothing.unsqueeze(1)
        return parts / length.unsqueeze(1), nothing / length

    def _related(self, nodes: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layers:
            nodes = layer(nodes, mask)
        return nodes

    def _given(self, nodes: Tensor, related: Tensor, mask: Tensor) -> Tensor:
        """[item part dim] what each node gives to the sum that is pooled."""
        own = max_k_shares(nodes, mask, self.top_k) * nodes
        if self.graph_pool == "max":
            pooled = max_k_shares(related, mask, self.top_k) * related
        else:
            pooled = related / mask.sum(dim=1).clamp(min=1).view(-1, 1, 1)
        return self.residual_weight * own + (1 - self.residual_weight) * pooled

    def _finish(self, pooled: Tensor) -> Tensor:
        """[item dim] the final batch norm, if there is one."""
        return pooled if self.final_norm is None else self.final_norm.of_vectors(pooled)
