"""Several processes at one batch: each works on its share of the rows, and any can ask for all of them.

Inside `together` a tensor of all rows and one of a process's own are told apart by `mine`, which cuts the
share out, and `ours`, which puts all shares together again; `summed` adds up over processes. All three hand
gradients on. With one process each gives back what it was given.

A loss of rows that came from `ours` is the same number in every process, and each takes its gradient. What
comes back to a row is the sum of what all of them found, so the *mean* of a parameter's gradients over
processes is the gradient that one process would have found: also of parameters that all used alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable


class Team(NamedTuple):
    """The processes that work together, and which of them this is."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")  # where their tensors meet

    def share(self, rows: int, rank: int | None = None) -> slice:
        """Which of so many rows are this process's, or another's; none has two more than another."""
        rank = self.rank if rank is None else rank
        return slice(rows * rank // self.size, rows * (rank + 1) // self.size)


ALONE = Team()
_team: ContextVar[Team] = ContextVar("team", default=ALONE)


@contextmanager
def together(team: Team) -> Iterator[None]:
    """Inside, the functions below work for this team; all its processes have to come by the same ones."""
    token = _team.set(team)
    try:
        yield
    finally:
        _team.reset(token)


def current_team() -> Team:
    """The team that works together here, a single process where nobody said `together`."""
    return _team.get()


def mine(x: Tensor) -> Tensor:
    """This process's share of the rows that all have."""
    team = current_team()
    return x if team.size == 1 else x[team.share(len(x))]


def ours(x: Tensor, rows: int) -> Tensor:
    """All rows, so many, of which `x` holds this process's share: the inverse of `mine`."""
    team = current_team()
    return x if team.size == 1 else _Ours.apply(x, rows, team)


def summed(x: Tensor) -> Tensor:
    """The sum of this tensor over processes."""
    team = current_team()
    return x if team.size == 1 else _Summed.apply(x, team)


def sent(tensors: list[Tensor] | None, sender: int) -> list[Tensor]:
    """Tensors of one process, in all of them; the others give None. No gradients."""
    team = current_team()
    kinds = [None if tensors is None else [(x.shape, x.dtype) for x in tensors]]
    dist.broadcast_object_list(kinds, src=sender, device=team.device)
    found = tensors or [
        torch.empty(shape, dtype=dtype, device=team.device) for shape, dtype in kinds[0] or []
    ]
    found = [x.contiguous() for x in found]
    for x in found:
        dist.broadcast(x, src=sender)
    return found


class _Ours(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: int, team: Team) -> Tensor:
        ctx.team = team
        sizes = [len(range(rows)[team.share(rows, rank)]) for rank in range(team.size)]
        room = x.new_zeros(max(sizes), *x.shape[1:])
        room[: len(x)] = x
        found = [torch.empty_like(room) for _ in sizes]
        dist.all_gather(found, room)
        return torch.cat([part[:size] for part, size in zip(found, sizes, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _sum(gradient, ctx.team)[ctx.team.share(len(gradient))], None, None


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return _sum(x, team)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _sum(gradient, ctx.team), None


def _sum(x: Tensor, team: Team) -> Tensor:
    total = x.detach().to(team.device, copy=True, memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total.to(x.device)
