"""Several runs in one process: one run a model, one step at a time, and validations that can be cut short.

Torch's random numbers are one stream for the whole process, and `fit` seeds it for each step. Two runs in two
threads would seed it under each other's hands. So they take turns, and each is the run it would be alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel


class Stopped(KeyboardInterrupt):
    """A person asked for an end: `fit` takes it for an interrupt."""


class Turns:
    """A lock that is handed on in the order it was asked for; `threading.Lock` may starve whoever waits."""

    def __init__(self) -> None:
        self._inside = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    @contextmanager
    def taken(self, stop: threading.Event | None = None) -> Iterator[None]:
        """Wait for a turn and have it; `Stopped` where the wait was ended by `stop`."""
        mine = threading.Event()
        with self._inside:
            self._queue.append(mine)
            if self._queue[0] is mine:
                mine.set()
        try:
            while not mine.wait(0.05 if stop else None):
                if stop and stop.is_set():
                    raise Stopped
            yield
        finally:
            with self._inside:
                self._queue.remove(mine)
                if self._queue:
                    self._queue[0].set()


TURNS = Turns()
_claimed: WeakKeyDictionary[RetrievalModel, str] = WeakKeyDictionary()
_claiming = threading.Lock()


@contextmanager
def claimed(model: RetrievalModel, who: str) -> Iterator[None]:
    """`model` is trained by one run at a time.

    Raises:
        RuntimeError: another one trains it; says which and what to do.
    """
    with _claiming:
        if model in _claimed:
            raise RuntimeError(
                f"this {model.name} is being trained already, by {_claimed[model]}; stop that run first, or"
                " give each run a model of its own"
            )
        _claimed[model] = who
    try:
        yield
    finally:
        with _claiming:
            del _claimed[model]


@contextmanager
def cut_short(model: RetrievalModel, stop: threading.Event) -> Iterator[None]:
    """Once `stop` is set, the next module that a validation or an explanation calls raises `Stopped`.

    Steps of training are never cut: their state is only whole between two of them.
    """
    inside_step = False

    def enter(*_) -> None:  # `fit` calls the model as a whole inside its steps only
        nonlocal inside_step
        inside_step = True

    def leave(*_) -> None:
        nonlocal inside_step
        inside_step = False

    def look(*_) -> None:
        if stop.is_set() and not model.training and not inside_step:
            raise Stopped

    parts = [part for part in model.modules() if part is not model]
    hooks = [part.register_forward_pre_hook(look) for part in parts]
    hooks += [model.register_forward_pre_hook(enter), model.register_forward_hook(leave, always_call=True)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
