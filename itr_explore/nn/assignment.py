"""Hard assignment of CHAN: every query is given to the one context fragment that is most like it.

    best(query) = max_j query . context_j        over the real fragments j of a context item

Names as in `matching.py`: *query* fragments look at *context* fragments, so where words look at regions the
captions are the query items.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from itr_explore.nn.chunks import Side, as_columns, score_in_blocks
from itr_explore.nn.pooling import Pooling, pool_scores


def best_similarities(
    query: Float[Tensor, "query_item query dim"],
    context: Float[Tensor, "context_item context dim"],
    context_mask: Bool[Tensor, "context_item context"],
) -> Float[Tensor, "context_item query_item query"]:
    """The dot product of each query with the fragment of each context item that it is most like.

    The gradient reaches that fragment only (the first of several equal ones).
    """
    similarities = (context.flatten(0, 1) @ as_columns(query).T).unflatten(0, context.shape[:2])
    similarities = similarities.to(query.dtype).masked_fill(~context_mask.unsqueeze(-1), float("-inf"))
    best = similarities.max(dim=1).values  # [context_item column]
    return best.unflatten(1, (query.shape[1], query.shape[0])).transpose(1, 2)


def scores_by_best_match(
    query: Float[Tensor, "query_item query dim"],
    query_mask: Bool[Tensor, "query_item query"],
    context: Float[Tensor, "context_item context dim"],
    context_mask: Bool[Tensor, "context_item context"],
    pooling: Pooling = "AVG",
    pool_sharpness: float = 10.0,
    memory_budget: int = 2**30,
) -> Float[Tensor, "context_item query_item"]:
    """The best similarities of each query item, pooled over its real queries (CHAN, Pan et al. 2023).

    Args:
        query: what looks, vectors of unit length.
        query_mask: which queries are real: at least one an item, real ones before padding.
        context: what is looked at.
        context_mask: which context fragments are real; likewise.
        pooling: over the queries of an item, `AVG` or `LSE`.
        pool_sharpness: of `LSE`, the inverse of its temperature.
        memory_budget: bytes that may be used at once.
    """

    def score(seen: Side, looking: Side) -> Tensor:
        best = best_similarities(looking.tensors[0], seen.tensors[0], seen.mask)
        return pool_scores(best, looking.mask.expand(best.shape), pooling, pool_sharpness)

    seen, looking = Side((context,), context_mask), Side((query,), query_mask)
    return score_in_blocks(score, seen, looking, 4 * query.element_size(), memory_budget)


def assignment(
    similarities: Float[Tensor, "context_item query_item query context"],
    context_mask: Bool[Tensor, "context_item context"],
) -> Float[Tensor, "context_item query_item query context"]:
    """One for the fragment that each query is given to, the first of several equal ones; zero elsewhere."""
    real = similarities.masked_fill(~context_mask[:, None, None, :], float("-inf"))
    return torch.zeros_like(similarities).scatter(-1, real.argmax(dim=-1, keepdim=True), 1.0)
