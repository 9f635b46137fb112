"""Attention on a fully connected graph of fragments: each node takes up what the others hold.

Two forms with one signature. In `GraphAttention` the logit of an edge is a sum of one number for each of its
ends (Velickovic et al. 2018), in `AttentionBlock` a scaled dot product (Vaswani et al. 2017).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.graph import MaskedBatchNorm
from itr_explore.nn.tap import Kind, Tap

NEGATIVE_SLOPE = 0.2  # of the leaky ReLU on logits


def additive_logits(
    row: Float[Tensor, "item node head"], column: Float[Tensor, "item node head"]
) -> Float[Tensor, "item head node node"]:
    """`leaky_relu(row_i + column_j)` of every edge from i to j.

    It equals `leaky_relu(a . [W x_i ; W x_j])` for `row = a_1 . W x` and `column = a_2 . W x`, where `a` is
    `[a_1 ; a_2]`: the concatenated [node node 2 dim] is never needed. The leaky ReLU aside, `row_i` shifts
    a whole row, which a softmax does not see: all nodes rank their neighbours alike (Brody et al. 2022).
    """
    return nn.functional.leaky_relu(row.mT.unsqueeze(-1) + column.mT.unsqueeze(-2), NEGATIVE_SLOPE)


def edge_weights(
    logits: Float[Tensor, "*item head node node"], mask: Bool[Tensor, "*item node"]
) -> Float[Tensor, "*item head node node"]:
    """Softmax of each row over the real nodes, itself included; at least one node of an item is real."""
    return logits.masked_fill(~mask[..., None, None, :], float("-inf")).softmax(dim=-1)


class HeadTaps(nn.Module):
    """Marks each head's weights as worth looking at: taps `heads.N`, and `mean` over the heads.

    Args:
        kind: what the weights relate.
        heads: how many there are.
    """

    def __init__(self, kind: Kind, heads: int):
        super().__init__()
        self.mean = Tap(kind, "softmax", derived=True)
        self.heads = nn.ModuleList(Tap(kind, "softmax") for _ in range(heads))

    def forward(
        self, weights: Float[Tensor, "*item head row column"]
    ) -> Float[Tensor, "*item head row column"]:
        """The same weights."""
        if self.mean.watched:
            self.mean(weights.mean(dim=-3))
        return torch.stack([tap(w) for tap, w in zip(self.heads, weights.unbind(-3), strict=True)], dim=-3)


class GraphAttention(nn.Module):
    """One layer of a graph attention network, with a residual: `LN(x + W_o ELU(heads of weights @ W x))`.

    `weights = softmax_j leaky_relu(a_1 . W x_i + a_2 . W x_j)` in each head, over all nodes and itself
    (Velickovic et al. 2018, equations 1-6; `W_o`, the residual and the layer norm are ours).

    Taps: `edges`, see `HeadTaps`.

    Args:
        dim: size of a node, a multiple of `heads`.
        heads: how many ways of weighing.
        kind: what the nodes are, to name the taps' axes.
        dropout: of the weights, in training.
    """

    def __init__(self, dim: int, heads: int, kind: Kind, dropout: float = 0.0):
        super().__init__()
        self.value = nn.Linear(dim, dim, bias=False)
        self.row, self.column = (nn.Parameter(torch.empty(heads, dim // heads)) for _ in range(2))
        for weight in (self.value.weight, self.row, self.column):
            nn.init.xavier_uniform_(weight)
        self.out, self.norm, self.dropout = nn.Linear(dim, dim), nn.LayerNorm(dim), nn.Dropout(dropout)
        self.edges = HeadTaps(kind, heads)

    def forward(
        self, nodes: Float[Tensor, "item node dim"], mask: Bool[Tensor, "item node"]
    ) -> Float[Tensor, "item node dim"]:
        """The nodes after one round of messages; zero where padded."""
        values = self.value(nodes).unflatten(-1, self.row.shape)  # [item node head width]
        row, column = ((values * weight).sum(dim=-1) for weight in (self.row, self.column))
        weights = self.edges(edge_weights(additive_logits(row, column), mask))
        messages = (self.dropout(weights) @ values.transpose(1, 2)).transpose(1, 2).flatten(2)
        return self.norm(nodes + self.out(nn.functional.elu(messages))) * mask.unsqueeze(-1)


class AttentionBlock(nn.Module):
    """Self-attention by scaled dot products, then a feed-forward of the same width, each with a residual.

    `x = Norm(x + W_o heads)`, `x = Norm(x + W_2 relu(W_1 x))`. With layer norm it is the layer of a
    Transformer encoder (Vaswani et al. 2017, section 3), with batch norm that of DSRAN (kywen1119/DSRAN).

    Taps: `edges`, see `HeadTaps`.

    Args:
        dim: size of a node, a multiple of `heads`.
        heads: how many ways of weighing.
        kind: what the nodes are, to name the taps' axes.
        dropout: of the weights, inside the feed-forward and of what is added, in training.
        norm: which; batch norm wants one leading axis `item`.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        kind: Kind,
        dropout: float = 0.0,
        norm: Literal["layer", "batch"] = "batch",
    ):
        super().__init__()
        self.heads, self.edges, self.dropout = heads, HeadTaps(kind, heads), nn.Dropout(dropout)
        self.query_key_value, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(dim, dim)
        )
        self.first_norm, self.last_norm = (
            MaskedBatchNorm(dim) if norm == "batch" else nn.LayerNorm(dim) for _ in range(2)
        )

    def forward(
        self,
        nodes: Float[Tensor, "*item node dim"],
        mask: Bool[Tensor, "*item node"],
        bias: Float[Tensor, "*item node node"] | None = None,
    ) -> Float[Tensor, "*item node dim"]:
        """The nodes after one round of messages; zero where padded. `bias` is added to the logits."""
        split = self.query_key_value(nodes).unflatten(-1, (3, self.heads, -1)).transpose(-4, -2)
        query, key, value = split.unbind(-3)  # [*item head node width]
        logits = query @ key.mT / query.shape[-1] ** 0.5
        if bias is not None:
            logits = logits + bias.unsqueeze(-3)
        weights = self.edges(edge_weights(logits, mask))
        messages = (self.dropout(weights) @ value).transpose(-3, -2).flatten(-2)
        nodes = self._norm(self.first_norm, nodes + self.dropout(self.out(messages)), mask)
        nodes = self._norm(self.last_norm, nodes + self.dropout(self.feed_forward(nodes)), mask)
        return nodes * mask.unsqueeze(-1)

    @staticmethod
    def _norm(norm: nn.Module, nodes: Tensor, mask: Tensor) -> Tensor:
        return norm(nodes, mask) if isinstance(norm, MaskedBatchNorm) else norm(nodes)
