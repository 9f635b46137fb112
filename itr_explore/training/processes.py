"""Several processes that train one model, started by `accelerate launch` or `torchrun`.

All of them have the whole model and take the same steps on the same batches: each reads and encodes its share
of a batch, and the losses are made of what all have encoded (`nn.together`). So negatives, queues and batch
statistics are those of one process, and so is the run, up to rounding; but with dropout each process draws
numbers of its own. The first process writes checkpoints.

Gradients are averaged in one piece after the backward. Which parameters take part changes after the warm-up,
so there is no telling in the middle of a backward which of them are done.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from itr_explore.data.devices import choose_device
from itr_explore.nn.together import ALONE, Team, together

Made = TypeVar("Made")
REASON = "itr_explore/why_it_ended"  # in the store that all processes can read
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedTogether(KeyboardInterrupt):
    """One of the processes was asked to stop, and all have agreed after which step."""


class EndedElsewhere(RuntimeError):
    """Another process has ended the run; the message says why, if that one had time to say."""


def launched_together() -> bool:
    """Whether this is one of several processes that were started to work on one thing."""
    return int(os.environ.get("WORLD_SIZE") or 1) > 1


def first_to_say() -> bool:
    """Whether an error should be shown here: of several processes it is the one that failed first."""
    if not launched_together():
        return True
    if _store is None:
        return os.environ.get("RANK", "0") == "0"
    return _claim("said")


class Processes:
    """This process and those that work with it.

    Args:
        device: "auto" gives each process of a machine a GPU of its own, if there are any; or "cpu". A
            process that is alone takes what `choose_device` takes.

    Raises:
        ValueError: a GPU is named, which several processes cannot have.
        RuntimeError: these processes have parted after an error.
    """

    def __init__(self, device: str = "auto"):
        self.stopping = False
        if not launched_together():
            self.device, self.team = choose_device(device), ALONE
            return
        if device not in ("auto", "cpu", "cuda"):
            raise ValueError(
                "each of several processes takes a GPU of its own; wanted device 'auto' or 'cpu',"
                f" got {device!r}"
            )
        from accelerate import PartialState

        state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
        if not dist.is_initialized():
            raise RuntimeError("these processes have parted after an error; launch them anew")
        global _store
        _store = dist.distributed_c10d._get_default_store()
        self.device = state.device
        self.team = Team(state.process_index, state.num_processes, state.device)

    @property
    def first(self) -> bool:
        """This is the one that writes and prints."""
        return self.team.rank == 0

    @property
    def alone(self) -> bool:
        """There is no other."""
        return self.team.size == 1

    def share(self, rows: int) -> slice | None:
        """Which of so many rows this process works on; None, all, where there are too few for each."""
        return None if rows < self.team.size or self.alone else self.team.share(rows)

    def together(self) -> AbstractContextManager[None]:
        """Inside, `evaluate` shares its work among the processes."""
        return together(self.team)

    def from_first(self, make: Callable[[], Made]) -> Made:
        """What the first process made, or the error that it met, in all of them."""
        if self.alone:
            return make()
        made: list[Any] = [None, None]
        if self.first:
            try:
                made[0] = make()
            except Exception as error:
                made[1] = error
        dist.broadcast_object_list(made, src=0, device=self.device)
        if made[1] is not None:
            raise made[1]
        return made[0]

    def copy_first(self, module: nn.Module) -> None:
        """Give the module of each process the numbers of the first one's."""
        if not self.alone:
            for value in module.state_dict().values():
                dist.broadcast(value, src=0)

    def average(self, tensors: list[Tensor]) -> None:
        """Replace tensors by their mean over processes."""
        if self.alone or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = (flat / self.team.size).split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def meet(self, *, stop: bool = False) -> None:
        """Wait for the others between two steps.

        Raises:
            StoppedTogether: one of them wants to stop, so all do, at the same step.
        """
        if self.alone:
            return
        wanted = torch.tensor(int(stop or self.stopping), device=self.device)
        dist.all_reduce(wanted)
        if wanted and not stop:
            raise StoppedTogether

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """What happens inside ends in all processes if it ends in one.

        A signal to stop waits for the end of the step (`meet`), a second one does not.

        Raises:
            EndedElsewhere: instead of what the loss of another process looks like here.
        """
        if self.alone:
            yield
            return
        with self._signals_noted():
            try:
                yield
            except GeneratorExit:
                raise
            except BaseException as error:
                others = _is_of_others(error)
                told = f"process {self.team.rank} ended it: {str(error) or type(error).__name__}"
                why = _part("another process ended without a word (was it killed?)" if others else told)
                if others:
                    raise EndedElsewhere(
                        f"the run has ended: {why}. The same call on the same folder goes on from its last"
                        " checkpoint"
                    ) from error
                raise

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def note(number: int, _frame: Any) -> None:
            self.stopping = True
            signal.signal(number, before[signal.Signals(number)])

        for number in SIGNALS:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number in SIGNALS:
                signal.signal(number, before[number])


_store: Any = None


def _claim(what: str) -> bool:
    """Whether this process is the first to ask for it."""
    try:
        return _store.add(f"{REASON}/{what}", 1) == 1
    except RuntimeError:
        return True  # the store has ended with the process that kept it


def _part(why: str) -> str:
    """End all talk with the others, which wakes them; returns why the first of them did so."""
    try:
        if _claim("ended"):
            _store.set(REASON, why)
        why = _store.get(REASON).decode()
    except RuntimeError:
        pass  # the store has ended with the process that kept it
    if dist.is_initialized():
        dist.destroy_process_group()
    return why


def _is_of_others(error: BaseException) -> bool:
    """Whether it only says that another process is gone."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
