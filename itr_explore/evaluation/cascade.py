"""Does a map look at what a model has learned? Weights made random from the output towards the input.

Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim: Sanity Checks for Saliency Maps, NeurIPS 2018 (arXiv
1810.03292), the cascading check: a map that stays the same while the model forgets cannot be about what it
knew. Layers are found by running the model, so this works for any of them: what `score` calls is nearest to
the output, then both encoders go back to their inputs together, at equal shares of their depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from itr_explore.data.devices import seeded
from itr_explore.evaluation.correlation import Crossed
from itr_explore.nn.tap import Tap

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel
    from itr_explore.records import Batch

ANOTHER = 10_000  # added to the seed: who trained with it began with its weights
Stage = tuple[str, ...]  # the modules whose own weights are made random together; "" is the model itself


def fresh(model: RetrievalModel, seed: int) -> RetrievalModel:
    """The same architecture with new random weights, in evaluation mode and where the model is."""
    with seeded(seed):
        made = type(model)(model.config, model.tokenizer)
    known = dict(model.named_buffers())
    for name, table in made.named_buffers():
        if not table.is_floating_point():  # was looked up, not learned: the pieces of each word
            table.copy_(known[name])
    return made.to(next(model.parameters()).device).eval()


def randomised(
    model: RetrievalModel, batch: Batch, seed: int = 0, most: int = 4
) -> Iterator[tuple[Stage, RetrievalModel]]:
    """A copy of the model that forgets more and more: each stage, and the copy after it.

    The last stage takes all that is left, so that nothing learned remains. It is the same copy each time.

    Args:
        model: in evaluation mode; is not touched.
        batch: of anything; it is run once to see what is called when.
        seed: of the new weights.
        most: stages of the encoders at most; what `score` calls is one more.
    """
    forgetting, empty = deepcopy(model), fresh(model, seed + ANOTHER)
    found = stages(model, batch, most)
    for number, stage in enumerate(found, 1):
        with torch.no_grad():
            for name in stage:
                _take(forgetting.get_submodule(name), empty.get_submodule(name))
            if number == len(found):
                forgetting.load_state_dict(empty.state_dict())
        yield stage, forgetting


def stages(model: RetrievalModel, batch: Batch, most: int = 4) -> list[Stage]:
    """The modules that have weights, from the output to the input."""
    with torch.no_grad():
        images, of_images = _called(model, lambda: model.encode_images(batch))
        captions, of_captions = _called(model, lambda: model.encode_captions(batch))
        _, of_score = _called(model, lambda: model.score(images, captions))
    depth: dict[str, int] = {}
    for called in (of_images, of_captions):
        total, so_far = sum(_has_weights(model.get_submodule(name)) for name in called), 0
        for name in reversed(called):
            so_far += _has_weights(model.get_submodule(name))
            depth[name] = ceil(most * max(so_far, 1) / total)
    depth |= dict.fromkeys(of_score, 0)
    depth[""] = 0
    for name, _ in model.named_modules():  # what is never called itself goes with the module around it
        around = name
        while around and around not in depth:
            around = around.rpartition(".")[0]
        if around:
            depth.setdefault(name, depth[around])
    found: list[list[str]] = [[] for _ in range(most + 1)]
    for name, at in depth.items():
        if _has_weights(model.get_submodule(name)):
            found[at].append(name)
    return [tuple(stage) for stage in found if stage]


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's, of two maps [part]: NaN if the first ranks nothing, 0 if only the second does not."""
    if np.ptp(one) and not np.ptp(other):
        return 0.0
    return Crossed(one, other).spearman()


def _called(model: nn.Module, forward: Callable) -> tuple:
    """What `forward` gives, and the names of the modules that it calls, in the order of their last calls."""
    last: dict[str, None] = {}

    def note(name: str):
        def hook(_module, _inputs) -> None:
            last.pop(name, None)
            last[name] = None

        return hook

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if name and not isinstance(module, Tap):
                hooks.callback(module.register_forward_pre_hook(note(name)).remove)
        return forward(), list(last)


def _has_weights(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _take(module: nn.Module, other: nn.Module) -> None:
    """A module's own weights and statistics from another of its kind."""
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    new = [*other.parameters(recurse=False), *other.buffers(recurse=False)]
    for kept, taken in zip(own, new, strict=True):
        kept.copy_(taken)
