"""The heart of `all_pairs.py`: attended cosines in chunks, forward and backward, written by hand.

Per chunk, with similarities s [context_item context column] and gram = context context':

    raised  = leaky_relu(s)
    length  = |raised| over the queries of an item
    weights = exp(sharpness raised / length)
    dot     = sum(weights s),  square = weights' gram weights   over the context
    cosine  = dot / sqrt(square)

A query is a *column*: the first queries of all items of a block, then the second ones, and so on. So sums
over the context, and over the queries of an item, run along whole rows of memory.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from itr_explore.nn.chunks import Block, Plan
from itr_explore.nn.matching import NEGATIVE_SLOPE, SMALLEST_NORM, SMALLEST_SQUARE
from itr_explore.nn.product import matrix_product


class AttendedCosines(torch.autograd.Function):
    """`apply(context, context_mask, query, plan)`: the cosine of each query with its attended context.

    [context_item context dim], the same mask or None, [column dim] -> [context_item column].
    """

    @staticmethod
    def forward(ctx: Any, context: Tensor, mask: Tensor | None, query: Tensor, plan: Plan) -> Tensor:
        """Fills `dot` and `square` chunk by chunk."""
        dot, square = query.new_empty(2, len(context), len(query))
        scratch = _Scratch(2, context, plan)
        kept = []
        for items in plan.items(context):
            block = context[items]
            gram = block @ block.mT
            for columns, members in plan.strips:
                similarities = _similarities(block, query[columns], plan)
                if plan.keep:
                    kept.append(similarities)
                weights, spare = scratch(items, columns)
                lengths = _raise(similarities, members, weights, spare)
                _weigh(weights, members, lengths, mask if mask is None else mask[items], plan.sharpness)
                torch.bmm(gram, weights, out=spare)
                torch.sum(spare.mul_(weights), dim=1, out=square[items, columns])
                torch.sum(torch.mul(weights, similarities, out=spare), dim=1, out=dot[items, columns])
        ctx.save_for_backward(context, mask, query, dot, square, *kept)
        ctx.plan = plan
        return (dot * square.clamp(min=SMALLEST_SQUARE).rsqrt()).clamp_(-1, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Goes over the same chunks again; each adds to the gradients of its context items and columns."""
        context, mask, query, dot, square, *kept = ctx.saved_tensors
        plan: Plan = ctx.plan
        inverse = square.clamp(min=SMALLEST_SQUARE).rsqrt()
        cosine = dot * inverse
        to_dot = gradient * inverse * (cosine.abs() <= 1)
        to_square = -0.5 * to_dot * cosine * inverse * (square > SMALLEST_SQUARE)

        to_context, to_query = torch.zeros_like(context), torch.zeros_like(query)
        scratch = _Scratch(4, context, plan)
        left = iter(kept)
        with torch.autocast(query.device.type, enabled=False):
            for items in plan.items(context):
                block = context[items]
                gram = block @ block.mT
                to_gram = torch.zeros_like(gram)
                for columns, members in plan.strips:
                    similarities = next(left) if plan.keep else _similarities(block, query[columns], plan)
                    raised, weights, change, spare = scratch(items, columns)
                    lengths = _raise(similarities, members, raised, spare)
                    real = mask if mask is None else mask[items]
                    _weigh(weights.copy_(raised), members, lengths, real, plan.sharpness)

                    by_dot, by_square = (x[items, columns].unsqueeze(1) for x in (to_dot, to_square))
                    to_gram.baddbmm_(torch.mul(weights, by_square, out=spare), weights.mT)
                    torch.bmm(gram, weights, out=change)
                    change.mul_(2 * by_square).addcmul_(similarities, by_dot).mul_(weights)
                    _lower(change, raised, members, lengths, spare, plan.sharpness)
                    torch.ops.aten.leaky_relu_backward.grad_input(
                        change, similarities, NEGATIVE_SLOPE, False, grad_input=spare
                    )
                    change = spare.addcmul_(weights, by_dot).flatten(0, 1)
                    more = matrix_product(change, query[columns], plan.fast_dtype)
                    to_context[items].add_(more.view_as(block))
                    to_query[columns].add_(matrix_product(change.T, block.flatten(0, 1), plan.fast_dtype))
                to_context[items].baddbmm_(to_gram, block, alpha=2)
        return to_context, None, to_query, None


def _similarities(block: Tensor, query: Tensor, plan: Plan) -> Tensor:
    """[context_item context column]"""
    return matrix_product(block.flatten(0, 1), query.T, plan.fast_dtype).unflatten(0, block.shape[:2])


class _Scratch:
    """Arrays [context_item context column] for one chunk, used again for the next."""

    def __init__(self, count: int, context: Tensor, plan: Plan):
        items = max(items.stop - items.start for items in plan.items(context))
        widest = max(columns.stop - columns.start for columns, _ in plan.strips)
        self.arrays = context.new_empty(count, items, context.shape[1], widest)

    def __call__(self, items: slice, columns: slice) -> Iterator[Tensor]:
        """The arrays, of the size of this chunk."""
        used = self.arrays[:, : items.stop - items.start, :, : columns.stop - columns.start]
        return iter(used.unbind())


def _by_item(strip: Tensor, members: list[Block]) -> Iterator[Tensor]:
    """[context_item context column] -> for each block [context_item context query query_item], not copied."""
    for part, block in zip(strip.split([b.size for b in members], dim=2), members, strict=True):
        yield part.unflatten(2, (block.longest, block.items))


def _raise(similarities: Tensor, members: list[Block], raised: Tensor, spare: Tensor) -> list[Tensor]:
    """Fills `raised` by leaky ReLU; its length over the queries of each item, for each block."""
    torch.ops.aten.leaky_relu.out(similarities, NEGATIVE_SLOPE, out=raised)
    squares = torch.mul(raised, raised, out=spare)
    return [part.sum(dim=2, keepdim=True).sqrt_() for part in _by_item(squares, members)]


def _weigh(
    raised: Tensor, members: list[Block], lengths: list[Tensor], mask: Tensor | None, sharpness: float
) -> None:
    """Turns raised similarities into weights, in place; those of each query are known up to a factor."""
    for part, length in zip(_by_item(raised, members), lengths, strict=True):
        part.mul_(sharpness / (length + SMALLEST_NORM))
    raised.exp_()
    if mask is not None:
        raised.mul_(mask.unsqueeze(-1))


def _lower(
    change: Tensor,
    raised: Tensor,
    members: list[Block],
    lengths: list[Tensor],
    spare: Tensor,
    sharpness: float,
) -> None:
    """Takes `change` from `sharpness raised / (length + c)` back to `raised`, in place (spoils `raised`)."""
    along = torch.mul(change, raised, out=spare)
    parts = (_by_item(x, members) for x in (change, raised, along))
    for one, up, product, length in zip(*parts, lengths, strict=True):
        total = length + SMALLEST_NORM
        inward = product.sum(dim=2, keepdim=True) / (total * length.clamp(min=SMALLEST_NORM))
        one.sub_(up.mul_(inward)).mul_(sharpness / total)
