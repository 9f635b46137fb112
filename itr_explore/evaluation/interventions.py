"""Recall when something is changed in every pair of a collection, beside the same done to other things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from itr_explore.evaluation.encoding import at_rest, enough_memory
from itr_explore.evaluation.ranking import rank, slices
from itr_explore.explanation.edits import (
    EdgeEdit,
    Edit,
    Edited,
    RemoveWord,
    ReplaceWord,
    check,
    edited,
    elsewhere,
)
from itr_explore.explanation.intervention import edge_weights, encode_edited, rewiring
from itr_explore.records import Pair, Ranking, ShownAsTable, Table

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


@dataclass(frozen=True, repr=False)
class RecallChange(ShownAsTable):
    """How a collection was ranked before and after an intervention in every pair, and after its controls."""

    before: Ranking
    after: Ranking
    controls: tuple[Ranking, ...]

    @property
    def rankings(self) -> dict[str, Ranking]:
        """All of them by name, as `recall_bars` draws them."""
        controls = {f"control {draw}": found for draw, found in enumerate(self.controls, start=1)}
        return {"before": self.before, "after": self.after, **controls}

    def table(self) -> Table:
        """Recalls in per cent and their sum: before, after, and the controls' lowest, mean and highest."""
        rows = {name: _recalls(found) for name, found in self.rankings.items()}
        told = [(name, *rows[name]) for name in ("before", "after")]
        if self.controls:
            drawn = np.array([_recalls(found) for found in self.controls])
            spread = {"lowest": drawn.min(axis=0), "mean": drawn.mean(axis=0), "highest": drawn.max(axis=0)}
            told += [(f"controls, {name}", *values.tolist()) for name, values in spread.items()]
        sides = ("image to text", "text to image")
        columns = ("", *(f"{side} R@{k}" for side in sides for k in (1, 5, 10)), "rsum")
        return Table(columns, tuple(told), "Recall in per cent", f"{len(self.controls)} controls")


def evaluate_edited(
    model: RetrievalModel,
    collection: Collection,
    edits_of: Callable[[Pair], Sequence[Edit]],
    *,
    controls: int = 3,
    seed: int = 0,
    device: str = "auto",
    at_once: int = 64,
) -> RecallChange:
    """Rank a collection whose images and captions are all edited.

    Args:
        model: is left where and as it was.
        collection: what is ranked; all scores [image caption] are held at once.
        edits_of: what to change in a pair; it is asked for every caption. Edits of regions and of edges
            between them are taken from an image's first caption, those of words from each. None: as it is.
        controls: how many more times everything is ranked, with the edits done to other things
            (`explanation.edits.elsewhere`); a pair without others stays as it is.
        seed: of these draws.
        device: "auto" is a GPU where there is one.
        at_once: images or captions in one forward; bounds the memory.

    Raises:
        ValueError: an edit of nothing, see `intervene`; nothing to rank.
    """
    if controls < 0 or at_once < 1:
        raise ValueError(f"wanted controls >= 0 and at_once >= 1, got {controls} and {at_once}")
    if not len(collection) or not all(len(collection.captions_of(image)) for image in range(len(collection))):
        raise ValueError(f"every image needs a caption to be edited; {collection.name} has some without")
    rng, worlds = np.random.default_rng(seed), 2 + controls
    images: list[list[Edited]] = [[] for _ in range(worlds)]
    captions: list[list[Edited]] = [[] for _ in range(worlds)]
    rows = []
    with at_rest(model, device), enough_memory("a block of edited pairs", model, "at_once"):
        for image in range(len(collection)):
            for place, row in enumerate(collection.captions_of(image)):
                pair = collection.pair(image, place, picture=False)
                asked = list(edits_of(pair))
                graphs = edge_weights(model, pair, asked)
                for change in asked:
                    check(change, pair, graphs.weights)
                drawn = elsewhere(pair, asked, *graphs, controls, rng) if asked else []
                repeated = [drawn[draw % len(drawn)] if drawn else () for draw in range(controls)]
                for world, edits in enumerate(((), asked, *repeated)):
                    of_words = [each for each in edits if _of_words(each, graphs.of_words)]
                    captions[world].append(edited(pair, of_words, graphs.of_words))
                    if place == 0:
                        of_image = [each for each in edits if each not in of_words]
                        images[world].append(edited(pair, of_image, graphs.of_words))
                rows.append(row)
        order = np.argsort(rows)
        ranked = [
            rank(
                _scores(model, images[world], [captions[world][at] for at in order], at_once),
                collection.image_of,
            )
            for world in range(worlds)
        ]
    return RecallChange(ranked[0], ranked[1], tuple(ranked[2:]))


def _scores(
    model: RetrievalModel, images: Sequence[Edited], captions: Sequence[Edited], at_once: int
) -> torch.Tensor:
    """[image caption]"""
    told = [(captions[at], encode_edited(model, captions[at])[1]) for at in slices(len(captions), at_once)]
    found = []
    for at in slices(len(images), at_once):
        seen = encode_edited(model, images[at])[0]
        blocks = []
        for versions, encoded in told:
            with rewiring(model, images[at], versions):
                blocks.append(model.score(seen, encoded).cpu())
        found.append(torch.cat(blocks, dim=1))
    return torch.cat(found)


def _of_words(change: Edit, of_words: frozenset[str]) -> bool:
    if isinstance(change, EdgeEdit):
        return change.tap in of_words
    return isinstance(change, ReplaceWord | RemoveWord)


def _recalls(found: Ranking) -> list[float]:
    return [*(found.recall_at(k)[side] for side in (0, 1) for k in (1, 5, 10)), found.rsum]
