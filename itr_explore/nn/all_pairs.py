"""`matching.py`'s scores of every pair, fast."""

from jaxtyping import Bool, Float
from torch import Tensor

from itr_explore.nn.matching import attention_weights, cross_similarities, match
from itr_explore.nn.pooling import Pooling


def scores_of_all_pairs(
    query: Float[Tensor, "query_item query dim"],
    query_mask: Bool[Tensor, "query_item query"],
    context: Float[Tensor, "context_item context dim"],
    context_mask: Bool[Tensor, "context_item context"],
    sharpness: float,
    pooling: Pooling = "AVG",
    pool_sharpness: float = 6.0,
    memory_budget: int = 2**30,
) -> Float[Tensor, "context_item query_item"]:
    """The score of every context item with every query item."""
    similarities = cross_similarities(query, context)
    weights = attention_weights(similarities, query_mask, context_mask, sharpness)
    return match(weights, similarities, context, query_mask, pooling, pool_sharpness)
