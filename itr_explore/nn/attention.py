"""Attention as one function: every query looks at every item of its context; and as a layer."""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.tap import Tap


def attend(
    query: Float[Tensor, "*batch query dim"],
    context: Float[Tensor, "*batch context dim"],
    mask: Bool[Tensor, "*batch context"] | None = None,
    sharpness: float = 1.0,
) -> tuple[Float[Tensor, "*batch query dim"], Float[Tensor, "*batch query context"]]:
    """Dot-product look-up: weights = softmax(sharpness * query @ context.T), attended = weights @ context.

    Args:
        query: what asks.
        context: what is looked at; it is key and value at once.
        mask: True where the context is real. At least one item of every context must be.
        sharpness: factor on the dot products (the inverse of a temperature): 0 attends to all alike,
            a large one to the best match only.

    Returns:
        attended, and the weights, whose rows sum to one.
    """
    logits = sharpness * query @ context.mT
    if mask is not None:
        logits = logits.masked_fill(~mask.unsqueeze(-2), float("-inf"))
    weights = logits.softmax(dim=-1)
    return weights @ context, weights


class SelfAttention(nn.Module):
    """Each fragment looks at all real ones of its item: `x + attention(layer_norm(x))`, in several heads.

    Tap `weights` [item part part]: the mean over the heads.

    Args:
        dim: size of a fragment; the heads must divide it (else `ValueError`).
        kind: what the fragments are.
        heads: each attends in its own part of the channels.
    """

    def __init__(self, dim: int, kind: Literal["region", "word"], heads: int = 8):
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads share the dim of a fragment, so they must divide it, got {dim}")
        self.norm = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        edges: Literal["region_to_region", "word_to_word"] = (
            "region_to_region" if kind == "region" else "word_to_word"
        )
        self.weights = Tap(edges, "softmax", derived=True)

    def forward(
        self, nodes: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> Float[Tensor, "item part dim"]:
        """[item part dim] -> [item part dim], zero where padded."""
        x, look = self.norm(nodes), self.weights.watched
        attended, weights = self.attention(x, x, x, key_padding_mask=~mask, need_weights=look)
        if look:
            self.weights(weights)
        return (nodes + attended) * mask.unsqueeze(-1)
