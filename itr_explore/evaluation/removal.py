"""A pair's score while its regions, or its words, are taken away in some order.

Regions are replaced by the image's mean region and words by the padding embedding (`explanation.attribution`
has both baselines, and others); the other side of the pair stays whole. *Deletion* begins with the whole pair
and takes the parts away that a map holds for most important, *insertion* begins with nothing and brings them
back in the same order (Petsiuk, Das, Saenko: RISE, BMVC 2018, of pixels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from itr_explore.explanation.scorer import Scorer

Side = Literal["regions", "words"]
SIDES: tuple[Side, ...] = ("regions", "words")


class Removal:
    """The scores of a pair of which some regions, or words, are kept; no state is asked of the model twice.

    Args:
        scorer: the pair's, of a model in evaluation mode.
        base: what parts are replaced by, as `scorer.regions` or as `scorer.embeddings`.
        side: what is taken away.
        at_once: states that are scored in one forward; bounds the memory.
    """

    def __init__(self, scorer: Scorer, base: Tensor, side: Side, at_once: int = 256):
        self.scorer, self.base, self.side, self.at_once = scorer, base, side, at_once
        self.parts = scorer.regions.shape[1] if side == "regions" else len(scorer.pair.words)
        self._known: dict[bytes, float] = {}

    def __call__(self, kept: np.ndarray) -> np.ndarray:
        """[state] scores where the parts of `kept [state part]` (bool) are as they were."""
        names = [row.tobytes() for row in np.ascontiguousarray(kept, dtype=bool)]
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        for start in range(0, len(new), self.at_once):
            asked = new[start : start + self.at_once]
            states = np.frombuffer(b"".join(asked), dtype=bool).reshape(len(asked), self.parts)
            self._known.update(zip(asked, self._scores(states).tolist(), strict=True))
        return np.array([self._known[name] for name in names])

    @torch.no_grad()
    def _scores(self, kept: np.ndarray) -> np.ndarray:
        scorer = self.scorer
        device = scorer.owner.device
        if self.side == "regions":
            here = torch.from_numpy(kept.copy()).to(device).unsqueeze(-1)
            images = torch.where(here, scorer.regions, self.base)
            return scorer.crossed(images, scorer.embeddings)[:, 0].double().cpu().numpy()
        with_marks = np.concatenate([kept, np.ones((len(kept), 1), dtype=bool)], axis=1)  # MARKS is -1
        here = torch.from_numpy(with_marks).to(device)[:, scorer.owner].unsqueeze(-1)
        captions = torch.where(here, scorer.embeddings, self.base)
        return scorer.crossed(scorer.regions, captions)[0].double().cpu().numpy()


@dataclass(frozen=True)
class Curves:
    """One pair's score while its parts go in an order (or come), at some shares of them."""

    share: np.ndarray  # [level]  of the parts that were taken away, or brought back
    deletion: np.ndarray  # [level]
    insertion: np.ndarray  # [level]
    random: np.ndarray  # [order level]  taken away in random orders

    def areas(self) -> tuple[float, float, np.ndarray]:
        """Under deletion, under insertion, and under each random order (either way: the states are alike)."""
        found = (area(self.share, curve) for curve in (self.deletion, self.insertion, self.random))
        deletion, insertion, random = found
        return float(deletion), float(insertion), random

    def at(self, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All three at the shares of a grid, on straight lines between the levels."""

        def read(curve: np.ndarray) -> np.ndarray:
            return np.interp(grid, self.share, curve)

        return read(self.deletion), read(self.insertion), np.stack([read(curve) for curve in self.random])


def curves(scores: Removal, values: np.ndarray, orders: int, points: int, rng: np.random.Generator) -> Curves:
    """Deletion and insertion in the order of a map, largest value first, and in random orders.

    Args:
        scores: of the pair.
        values: [part] of the map; equal ones go in a random order.
        orders: how many random orders.
        points: most steps of a curve; with more parts than that, several go at a time.
        rng: where chance comes from.
    """
    count = len(values)
    shuffled = rng.permutation(count)
    order = shuffled[np.argsort(-values[shuffled], kind="stable")]
    counts = np.unique(np.linspace(0, count, min(count, points) + 1).round().astype(int))
    ways = [
        _kept(order, counts),
        ~_kept(order, counts),
        *(_kept(rng.permutation(count), counts) for _ in range(orders)),
    ]
    found = scores(np.concatenate(ways)).reshape(len(ways), len(counts))
    return Curves(counts / count, found[0], found[1], found[2:])


def _kept(order: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """[level part] what is left after so many parts of an order have gone."""
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    return place[None, :] >= counts[:, None]


def area(share: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Under curves [... level] over shares [level], by trapezia."""
    return ((curve[..., 1:] + curve[..., :-1]) / 2 * np.diff(share)).sum(axis=-1)
