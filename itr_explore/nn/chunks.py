"""How fragments are grouped, ordered and cut so that scoring all pairs wastes nothing."""

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

PADDED = 1.1  # fragments, padded ones included, for each real one in a group of items
FEW = 2**8  # fragments that do not make a group of their own, whatever the padding


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
    chunk: int
    sharpness: float
    fast_dtype: torch.dtype | None
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
