"""The scores of `matching.py` for all pairs at once, at little more than the price of one matrix product.

Five things make it fast, none of which changes a score by more than rounding:
- items of like length are scored together, so that hardly any work goes into padding (`chunks.py`);
- work is cut into chunks that stay in the processor's cache while they pass through every step;
- chunks use the same few arrays in turn (`cosines.py`);
- an attended context's cosine does not depend on the scale of its weights, so `exp` need not be normalised;
- gradients are written by hand.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from itr_explore.nn.chunks import (
    COLUMNS,
    PAIRS,
    Plan,
    as_columns,
    cut_into_blocks,
    groups_of_like_length,
    in_order_again,
    strips,
)
from itr_explore.nn.cosines import AttendedCosines
from itr_explore.nn.pooling import Pooling, pool_scores

SHARPEST = 30.0  # exp(2 * sharpness) must stay far within float32


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
    """How well the queries of each item find themselves in each context item (SCAN).

    The same as `attention_weights` and `match` of `matching.py`.

    Args:
        query: what looks, vectors of unit length.
        query_mask: which queries are real: at least one an item, real ones before padding.
        context: what is looked at.
        context_mask: which context fragments are real; likewise.
        sharpness: factor in the attention's softmax (lambda_1), above 0 and at most 30.
        pooling: over the queries of an item, `AVG` or `LSE`.
        pool_sharpness: of `LSE` (lambda_2).
        memory_budget: bytes that may be kept for the gradient; where similarities take more they are not
            kept, and the backward computes them again. On a GPU it also bounds the size of a chunk.

    Raises:
        ValueError: `sharpness` out of range.
    """
    if not 0 < sharpness <= SHARPEST:
        raise ValueError(f"sharpness must be above 0 and at most {SHARPEST:g}, got {sharpness}")
    device, size = query.device.type, query.element_size()
    fast_dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    on_cpu = device == "cpu"
    with torch.autocast(device, enabled=False):
        query_groups, query_order = groups_of_like_length(query_mask)
        columns = COLUMNS if on_cpu else 16 * COLUMNS
        query_blocks = [block for group in query_groups for block in group.cut(columns)]
        looking = cut_into_blocks(query, query_mask, query_order, query_blocks)
        packed = torch.cat([as_columns(block) for block, _ in looking])  # [column dim]

        context_groups, context_order = groups_of_like_length(context_mask)
        most = memory_budget // (8 * size * len(packed))  # context items whose cosines may wait for pooling
        context_blocks = [b for group in context_groups for b in group.cut(most * group.longest)]
        similarities = len(packed) * sum(block.size for block in context_blocks)
        plan = Plan(
            strips=strips(query_blocks, columns),
            chunk=PAIRS if on_cpu else memory_budget // (5 * size),
            sharpness=sharpness,
            fast_dtype=fast_dtype,
            keep=torch.is_grad_enabled() and similarities * size <= memory_budget,
        )
        rows = []
        for seen, real in cut_into_blocks(context, context_mask, context_order, context_blocks):
            cosines = AttendedCosines.apply(seen, None if on_cpu and bool(real.all()) else real, packed, plan)
            by_block = cosines.split([block.size for block in query_blocks], dim=1)
            scores = [
                _pool(block, mask, pooling, pool_sharpness)
                for block, (_, mask) in zip(by_block, looking, strict=True)
            ]
            rows.append(torch.cat(scores, dim=1))
        return in_order_again(torch.cat(rows), context_order, query_order)


def _pool(cosines: Tensor, mask: Tensor, pooling: Pooling, sharpness: float) -> Tensor:
    """[context_item column] of a block with its mask [query_item query] -> [context_item query_item]"""
    per_item = cosines.unflatten(1, mask.T.shape).transpose(1, 2)
    return pool_scores(per_item, mask.expand(per_item.shape), pooling, sharpness)
