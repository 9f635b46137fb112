"""The scores of `matching.py` for all pairs at once, at little more than the price of one matrix product.

Four things make it fast, none of which changes a score by more than rounding:
- items of like length are scored together, so that hardly any work goes into padding;
- work is cut into chunks that stay in the processor's cache while they pass through every step;
- an attended context's cosine does not depend on the scale of its weights, so `exp` need not be normalised;
- gradients are written by hand (`_Cosines.backward`) and need no array larger than the similarities.

Inside a chunk similarities are [context_item context query query_item]: sums over `context` and over `query`
then run along whole rows of memory.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from itr_explore.nn.matching import NEGATIVE_SLOPE, SMALLEST_NORM, SMALLEST_SQUARE
from itr_explore.nn.pooling import Pooling, pool_scores

CHUNK = 2**19  # similarities in a chunk on a CPU: 2 MB for each of the three arrays that a chunk works on
COLUMNS = 2**10  # queries in a chunk on a CPU: enough for a matrix product at full speed
PADDED = 1.1  # fragments, padded ones included, for each real one in a group of items
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
        memory_budget: bytes that may be kept for the gradient; where that is too little nothing is kept
            and the backward computes similarities again. On a GPU it also bounds the size of a chunk.

    Raises:
        ValueError: `sharpness` out of range.
    """
    if not 0 < sharpness <= SHARPEST:
        raise ValueError(f"sharpness must be above 0 and at most {SHARPEST:g}, got {sharpness}")
    device = query.device.type
    fast_dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    with torch.autocast(device, enabled=False):
        on_cpu = device == "cpu"
        query_groups, query_order = _groups(query_mask)
        query_blocks = [b for group in query_groups for b in group.cut(COLUMNS if on_cpu else 16 * COLUMNS)]
        widest = max(block.size for block in query_blocks)
        context_groups, context_order = _groups(context_mask)
        most = (CHUNK if on_cpu else memory_budget // (4 * query.element_size())) // widest
        context_blocks = [block for group in context_groups for block in group.cut(most)]
        similarities = sum(b.size for b in query_blocks) * sum(b.size for b in context_blocks)
        keep = similarities * query.element_size() <= memory_budget

        queries = [
            (block.transpose(0, 1).contiguous(), mask.T)  # [query query_item dim], [query query_item]
            for block, mask in _cut(query, query_mask, query_order, query_blocks)
        ]
        rows = []
        for block, mask in _cut(context, context_mask, context_order, context_blocks):
            gram = block @ block.mT
            scores = []
            for looking, real in queries:
                cosines = _Cosines.apply(block, gram, mask, looking, sharpness, fast_dtype, keep)
                scores.append(_pool(cosines, real, pooling, pool_sharpness))
            rows.append(torch.cat(scores, dim=1))
        return _unsorted(_unsorted(torch.cat(rows), context_order).T, query_order).T


class _Block(NamedTuple):
    """Items that stand next to each other in the order of their lengths."""

    items: int
    longest: int  # fragments of the longest

    @property
    def size(self) -> int:
        return self.items * self.longest

    def cut(self, most: int) -> Iterator["_Block"]:
        """Blocks of at most `most` fragments, or of one item."""
        step = max(most // self.longest, 1)
        for start in range(0, self.items, step):
            yield _Block(min(step, self.items - start), self.longest)


def _groups(mask: Tensor) -> tuple[list[_Block], Tensor | None]:
    """Items of like length together, and the order of items that this takes (None: as they are).

    Only on a CPU: elsewhere asking for lengths means waiting, and padding costs less than many small chunks.
    """
    items, width = mask.shape
    if mask.device.type != "cpu" or bool(mask.all()):
        return [_Block(items, width)], None
    lengths, order = mask.sum(dim=1).sort(stable=True)
    groups: list[_Block] = []
    count = real = longest = 0
    for length in lengths.tolist():
        if count and length * (count + 1) > PADDED * (real + length):
            groups.append(_Block(count, longest))
            count = real = 0
        count, real, longest = count + 1, real + length, length
    return [*groups, _Block(count, longest)], order


def _cut(
    parts: Tensor, mask: Tensor, order: Tensor | None, blocks: list[_Block]
) -> list[tuple[Tensor, Tensor]]:
    """The parts and mask of each block, padded to its longest item only; padding is zero."""
    if order is not None:
        parts, mask = parts[order], mask[order]
    if order is not None or mask.device.type != "cpu":
        parts = parts * mask.unsqueeze(-1)
    sizes = [block.items for block in blocks]
    cut = zip(parts.split(sizes), mask.split(sizes), blocks, strict=True)
    return [(p[:, : block.longest], m[:, : block.longest]) for p, m, block in cut]


def _unsorted(rows: Tensor, order: Tensor | None) -> Tensor:
    return rows if order is None else rows[order.argsort()]


def _pool(cosines: Tensor, real: Tensor, pooling: Pooling, sharpness: float) -> Tensor:
    """[context_item query query_item] -> [context_item query_item]"""
    per_item = cosines.transpose(1, 2)
    return pool_scores(per_item, real.T.expand(per_item.shape), pooling, sharpness)


class _Cosines(torch.autograd.Function):
    """The cosine of each query with its attended context: [context_item query query_item].

    `raised = leaky_relu(s)`, `length = |raised|` over queries, `weights = exp(sharpness raised / length)`,
    `cosine = dot / sqrt(square)`, `dot = sum(weights s)`, `square = weights' gram weights`.
    """

    @staticmethod
    def forward(ctx: Any, context, gram, context_mask, query, sharpness, fast_dtype, keep) -> Tensor:
        similarities = _similarities(context, query, fast_dtype)
        weights, *_ = _weights(similarities, context_mask, sharpness)
        look = torch.bmm(gram, weights.flatten(2)).view_as(weights)
        square = look.mul_(weights).sum(dim=1)
        dot = torch.mul(weights, similarities, out=look).sum(dim=1)
        ctx.save_for_backward(context, gram, context_mask, query, dot, square, similarities if keep else None)
        ctx.sharpness, ctx.fast_dtype = sharpness, fast_dtype
        return (dot * square.clamp(min=SMALLEST_SQUARE).rsqrt()).clamp_(-1, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient):
        context, gram, context_mask, query, dot, square, similarities = ctx.saved_tensors
        with torch.autocast(query.device.type, enabled=False):
            if similarities is None:
                similarities = _similarities(context, query, ctx.fast_dtype)
            weights, raised, length = _weights(similarities, context_mask, ctx.sharpness)

            inverse = square.clamp(min=SMALLEST_SQUARE).rsqrt()
            cosine = dot * inverse
            to_dot = gradient * inverse * (cosine.abs() <= 1)
            to_square = -0.5 * to_dot * cosine * inverse * (square > SMALLEST_SQUARE)
            to_dot, to_square = to_dot.unsqueeze(1), to_square.unsqueeze(1)

            flat = weights.flatten(2)
            to_logit = torch.bmm(gram, flat).view_as(weights)
            to_gram = torch.bmm((weights * to_square).flatten(2), flat.mT)
            to_logit.mul_(2 * to_square).addcmul_(similarities, to_dot).mul_(weights)
            # x / (|x| + c) with x = raised: the part along x, then the part across it
            along = (to_logit * raised).sum(dim=2, keepdim=True)
            total = length + SMALLEST_NORM
            across = raised.mul_(along / (total.square() * length.clamp(min=SMALLEST_NORM)))
            to_raised = to_logit.div_(total).sub_(across).mul_(ctx.sharpness)
            to_similarity = torch.ops.aten.leaky_relu_backward(to_raised, similarities, NEGATIVE_SLOPE, False)
            to_similarity.addcmul_(weights, to_dot)

            change = to_similarity.flatten(2).flatten(0, 1)  # [context_item*context query*query_item]
            to_context = _product(change, query.flatten(0, 1), ctx.fast_dtype).view_as(context)
            to_query = _product(change.T, context.flatten(0, 1), ctx.fast_dtype).view_as(query)
        return to_context, to_gram, None, to_query, None, None, None


def _similarities(context: Tensor, query: Tensor, dtype: torch.dtype | None) -> Tensor:
    """[context_item context query query_item]"""
    products = _product(context.flatten(0, 1), query.flatten(0, 1).T, dtype)
    return products.view(*context.shape[:2], *query.shape[:2])


def _product(left: Tensor, right: Tensor, dtype: torch.dtype | None) -> Tensor:
    """A matrix product, in a faster number type if one is given; the result is as exact as the operands."""
    return left @ right if dtype is None else (left.to(dtype) @ right.to(dtype)).to(left.dtype)


def _weights(similarities: Tensor, context_mask: Tensor, sharpness: float) -> tuple[Tensor, Tensor, Tensor]:
    """Weights up to a factor for each query, the raised similarities, and their length over the queries."""
    raised = nn.functional.leaky_relu(similarities, NEGATIVE_SLOPE)
    length = raised.square().sum(dim=2, keepdim=True).sqrt_()
    weights = (raised * (sharpness / (length + SMALLEST_NORM))).exp_()
    return weights.mul_(context_mask[:, :, None, None]), raised, length
