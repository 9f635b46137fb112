"""Attention as one function: every query looks at every item of its context."""

from jaxtyping import Bool, Float
from torch import Tensor


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
