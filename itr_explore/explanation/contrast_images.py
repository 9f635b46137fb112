"""Why did this image outrank the right one? The difference of a caption's two scores, word by word.

The sentence is the same for both images, so what a word gave to one score can be set against what it gave to
the other. `contrast` is the same question with one image and two captions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from itr_explore.data.text import UNKNOWN
from itr_explore.explanation.attribution import attribute
from itr_explore.explanation.maps import batch_of
from itr_explore.explanation.parts import NotAdditive, score_parts
from itr_explore.explanation.scorer import still
from itr_explore.records import ImageContrast, Pair

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel


def compare_images(
    model: RetrievalModel, right: Pair, other: Pair, *, method: str | None = None, **options: Any
) -> ImageContrast:
    """Why a caption scores higher, or lower, with another image than with the right one.

    Args:
        model: is left as it was found, on its device.
        right, other: the caption with both images.
        method: "parts" or a method of `attribute`; by default "parts" where the model's score has them, and
            integrated gradients where it has not.
        options: for `attribute`; parts want none.

    Raises:
        ValueError: the pairs have two captions, or no word that the model knows; or the model cannot serve
            the method.
    """
    if right.words != other.words:
        raise ValueError(
            f"two images are compared by one caption, got {right.caption!r} and {other.caption!r}"
        )
    if method in (None, "parts"):
        try:
            return _by_parts(model, right, other)
        except NotAdditive:
            if method == "parts":
                raise
    chosen: Any = method or "integrated_gradients"
    one, two = (attribute(model, pair, chosen, **options) for pair in (right, other))
    rests = {
        "all regions": float(two.regions.sum() - one.regions.sum()),
        "the baselines": two.baseline_score - one.baseline_score,
    }
    return ImageContrast(
        model.name,
        one.method,
        (right, other),
        (one.score, two.score),
        (one.words, two.words),
        (one.regions, two.regions),
        rests,
        two.gap - one.gap,
    )


def _by_parts(model: RetrievalModel, right: Pair, other: Pair) -> ImageContrast:
    count = len(right.words)
    words, regions, scores, rests = [], [], [], []
    with still(model), torch.no_grad():
        for pair in (right, other):
            batch = batch_of(model, [pair])
            if bool((batch.words[0, 1 : 1 + count] == UNKNOWN).all()):
                raise ValueError(
                    f"{model.name} knows none of the words of {pair.caption!r}, so no word can be told from"
                    " another; take a sentence of words that the model has seen"
                )
            parts = score_parts(model, batch)[0, 0].double().cpu().numpy()  # [word+1 region+1]
            scores.append(float(model(batch)[0, 0]))
            words.append(parts[1 : 1 + count].sum(axis=1))
            regions.append(parts[:, : len(pair.regions)].sum(axis=0))
            marks = parts[:-1].sum() - words[-1].sum()
            rests.append(np.array([marks, parts[-1].sum(), scores[-1] - parts.sum()]))
    marks, none, gap = (rests[1] - rests[0]).tolist()
    return ImageContrast(
        model.name,
        "parts",
        (right, other),
        (scores[0], scores[1]),
        (words[0], words[1]),
        (regions[0], regions[1]),
        {"<start> and <end>": marks, "of no single word": none},
        gap,
    )
