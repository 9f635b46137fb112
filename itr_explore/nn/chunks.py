"""How fragments are grouped, ordered and cut so that scoring all pairs wastes nothing."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

PADDED = 1.1  # fragments, padded ones included, for each real one in a group of items
FEW = 2**8  # fragments that do not make a group of their own, whatever the padding
PAIRS = 2**20  # pairs of fragments at once on a CPU: 4 MB for each of a handful of arrays
COLUMNS = 2**11  # of them, queries: enough for a matrix product at full speed


class Block(NamedTuple):
    """Items that stand next to each other in the order of their lengths."""

    items: int
    longest: int  # fragments of the longest

    @property
    def size(self) -> int:
        """Its fragments, padded ones included."""
        return self.items * self.longest

    def cut(self, most: int) -> Iterator["Block"]:
        """Blocks of at most `most` fragments, or of one item."""
        step = max(most // self.longest, 1)
        for start in range(0, self.items, step):
            yield Block(min(step, self.items - start), self.longest)


class Plan(NamedTuple):
    """How the work is cut."""

    strips: list[tuple[slice, list[Block]]]  # the columns of a chunk, and the query items they belong to
    chunk: int  # pairs of fragments at once
    sharpness: float  # of the attention
    fast_dtype: torch.dtype | None  # to multiply matrices in; None: their own
    keep: bool  # similarities for the backward

    def items(self, context: Tensor) -> Iterator[slice]:
        """Context items, as many at a time as make a chunk."""
        widest = max(columns.stop - columns.start for columns, _ in self.strips)
        step = max(self.chunk // (context.shape[1] * widest), 1)
        for start in range(0, len(context), step):
            yield slice(start, min(start + step, len(context)))


def groups_of_like_length(mask: Tensor) -> tuple[list[Block], Tensor | None]:
    """Items of like length together, and the order of items that this takes (None: as they are).

    Only on a CPU: elsewhere asking for lengths means waiting, and padding costs less.
    """
    items, width = mask.shape
    if mask.device.type != "cpu" or bool(mask.all()):
        return [Block(items, width)], None
    lengths, order = mask.sum(dim=1).sort(stable=True)
    groups: list[Block] = []
    count = real = longest = 0
    for length in lengths.tolist():
        if count * longest >= FEW and length * (count + 1) > PADDED * (real + length):
            groups.append(Block(count, longest))
            count = real = 0
        count, real, longest = count + 1, real + length, length
    return [*groups, Block(count, longest)], order


def strips(blocks: list[Block], most: int) -> list[tuple[slice, list[Block]]]:
    """Neighbouring blocks together, up to `most` columns."""
    strips: list[tuple[slice, list[Block]]] = []
    for block, stop in zip(blocks, accumulate(block.size for block in blocks), strict=True):
        if strips and stop - strips[-1][0].start <= most:
            columns, members = strips[-1]
            strips[-1] = slice(columns.start, stop), [*members, block]
        else:
            strips.append((slice(stop - block.size, stop), [block]))
    return strips


def cut_into_blocks(
    parts: Tensor, mask: Tensor, order: Tensor | None, blocks: list[Block]
) -> list[tuple[Tensor, Tensor]]:
    """The parts and mask of each block, padded to its longest item only; padding is zero."""
    if order is not None:
        parts, mask = parts[order], mask[order]
    if order is not None or mask.device.type != "cpu":
        parts = parts * mask.unsqueeze(-1)
    sizes = [block.items for block in blocks]
    cut = zip(parts.split(sizes), mask.split(sizes), blocks, strict=True)
    return [(p[:, : block.longest], m[:, : block.longest]) for p, m, block in cut]


class Side(NamedTuple):
    """Items of one side of a block: one or more tensors [item part ...], and which parts are real."""

    tensors: tuple[Tensor, ...]
    mask: Tensor  # [item part]  at least one an item, real ones before padding

    def cut(self, most: int) -> tuple[list["Side"], Tensor | None]:
        """In blocks of like length with at most `most` parts or one item; and their order (None: as is)."""
        groups, order = groups_of_like_length(self.mask)
        blocks = [block for group in groups for block in group.cut(most)]
        cut = [cut_into_blocks(tensor, self.mask, order, blocks) for tensor in self.tensors]
        return [Side(tuple(t for t, _ in of), of[0][1]) for of in zip(*cut, strict=True)], order


def score_in_blocks(
    score: Callable[[Side, Side], Tensor], context: Side, query: Side, bytes_a_pair: int, budget: int
) -> Tensor:
    """`score` of all pairs of items, [context_item query_item], made a block of like lengths at a time.

    Args:
        score: gives [context_item query_item] for the items of two blocks; must not depend on other items.
        context, query: the two sides.
        bytes_a_pair: what `score` takes for each pair of fragments.
        budget: bytes that may be taken at once; on a CPU a block is no larger than its cache either.
    """
    on_cpu = context.mask.device.type == "cpu"
    pairs = budget // bytes_a_pair
    queries, query_order = query.cut(COLUMNS if on_cpu else 16 * COLUMNS)
    widest = max(looking.mask.numel() for looking in queries)
    contexts, context_order = context.cut((min(pairs, PAIRS) if on_cpu else pairs) // widest)
    rows = [torch.cat([score(seen, looking) for looking in queries], dim=1) for seen in contexts]
    return in_order_again(torch.cat(rows), context_order, query_order)


def as_columns(parts: Tensor) -> Tensor:
    """[item part dim] -> [column dim]: the first parts of all items, then the second ones, and so on.

    Sums over the parts of an item then run along whole rows of memory.
    """
    return parts.transpose(0, 1).flatten(0, 1)


def in_order_again(scores: Tensor, row_order: Tensor | None, column_order: Tensor | None) -> Tensor:
    """Scores whose rows and columns were taken in these orders (None: as they are), as they were before."""
    if row_order is not None:
        scores = scores[row_order.argsort()]
    return scores if column_order is None else scores[:, column_order.argsort()]
