"""Who else is right? Retrieval judged by all that is true, and scores compared with what people say.

A collection calls an image's own captions right and all others wrong, and some of those are true too.
`relevance` takes a matrix of all right pairs (scenes know theirs) and asks for all of them to come first:

    R-precision = right ones among the first R, as a share of R, the number of right ones
    mAP@R       = 1/R sum_(i <= R) [the i-th is right] (right ones among the first i) / i

Musgrave, Belongie, Lim, "A Metric Learning Reality Check", ECCV 2020; Chun et al., ECCV Caption, ECCV 2022.
Both are 1 only if the first R are the right ones, in any order; to mAP@R an early wrong one costs more.

`agreement` correlates scores with experts' grades over pairs, beside how well experts agree with each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.judgments import Judgments
from itr_explore.data.mistakes import told
from itr_explore.data.relevance_files import Relevant
from itr_explore.evaluation.correlation import Crossed
from itr_explore.evaluation.encoding import score_matrix, score_pairs
from itr_explore.evaluation.intervals import INSIDE, Bootstrap
from itr_explore.evaluation.relations import TextModel
from itr_explore.records import Measured

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

MEASURES = ("mAP@R", "R-precision", "precision at 1")
SIDES = ("image to text", "text to image")


def relevance(
    model: RetrievalModel,
    collection: Collection,
    relevant: np.ndarray | Relevant | None = None,
    *,
    scores: np.ndarray | None = None,
    device: str = "auto",
) -> Measured:
    """mAP@R, R-precision and precision at 1, both ways, in per cent.

    Rows: the model by all right pairs; where there are others than the written ones, an image and its own
    captions, the model by those; and an order at random by all right pairs (its expectation, exact).

    Args:
        relevant: [image caption] bool, all right pairs; or what `read_relevance` read, where only some images
            and captions are asked. By default what is true of the scenes, and of any other collection the
            written pairs.
        scores: [image caption] of the model, where they are known (`score_matrix`).
        device: "auto" is a GPU where there is one.

    Raises:
        ValueError: `relevant` is of another shape or type, or says that nothing is right.
    """
    written: np.ndarray = np.equal(collection.image_of, np.arange(len(collection))[:, None])
    if relevant is None:
        try:
            relevant = told(collection).true
        except ValueError:
            relevant = written
    sides = _sides(relevant)
    if sides[0].shape != written.shape or sides[0].dtype != bool:
        raise ValueError(
            f"relevant must be [image caption] {list(written.shape)} booleans,"
            f" got {list(sides[0].shape)} {sides[0].dtype}"
        )
    if not any(side.any() for side in sides):
        raise ValueError("relevant says that no caption is right for any image")
    asked = written, written
    if isinstance(relevant, Relevant):
        asked = written & sides[0].any(axis=1, keepdims=True), written & sides[1].any(axis=0)
    scores = score_matrix(model, collection, device=device) if scores is None else scores
    rows = {model.name: _both_ways(scores, sides, collection.image_of)}
    if any((side != own).any() for side, own in zip(sides, asked, strict=True)):
        rows[f"{model.name}, written pairs only"] = _both_ways(scores, asked, collection.image_of)
    rows["random order"] = _both_ways(None, sides, collection.image_of)
    queries = [len(collection), len(collection.captions)]
    if isinstance(relevant, Relevant):
        queries = [int(side.any(axis=1 - axis).sum()) for axis, side in enumerate(sides)]
    each = [side.sum() / max(count, 1) for side, count in zip(sides, queries, strict=True)]
    return Measured(
        "per cent",
        tuple(rows),
        tuple(f"{side} {name}" for side in SIDES for name in MEASURES),
        np.array(list(rows.values())),
        "Retrieval by all right pairs",
        f"{each[0]:.1f} captions are right for an image, {each[1]:.1f} images for a caption",
    )


def _sides(relevant: np.ndarray | Relevant) -> tuple[np.ndarray, np.ndarray]:
    """[image caption] which captions are right for an image, and for which images a caption is right."""
    if isinstance(relevant, Relevant):
        return relevant.of_images, relevant.of_captions
    return np.asarray(relevant), np.asarray(relevant)


def _both_ways(
    scores: np.ndarray | None, relevant: tuple[np.ndarray, np.ndarray], image_of: np.ndarray
) -> np.ndarray:
    """[measure 3] of both sides, in per cent; without scores the expectation over all orders."""
    found = []
    of_images, of_captions = relevant[0], relevant[1].T
    for side, queries in ((of_images, np.arange(len(of_images))), (of_captions, image_of)):
        if scores is None:
            values = expected(side.sum(axis=1), side.shape[1])
        else:
            values = graded(scores if side is of_images else scores.T, side)
        found.append(100 * Bootstrap.of(queries).mean(values))
    return np.concatenate(found, axis=1).T


def graded(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """[query measure] mAP@R, R-precision and precision at 1, from 0 to 1; NaN where nothing is right.

    Args:
        scores: [query candidate]; of equal scores the wrong ones come first.
        relevant: [query candidate] bool.
    """
    found = np.full((len(scores), len(MEASURES)), np.nan)
    for row, (values, right) in enumerate(zip(scores, relevant, strict=True)):
        count = int(right.sum())
        if count:
            first = right[np.lexsort((right, -values))[:count]]
            precision = first.cumsum() / np.arange(1, count + 1)
            found[row] = (precision * first).sum() / count, first.mean(), first[0]
    return found


def expected(counts: np.ndarray, candidates: int) -> np.ndarray:
    """[query measure] the same for a random order of so many candidates, `counts [query]` of them right."""
    found = np.full((len(counts), len(MEASURES)), np.nan)
    for row, count in enumerate(counts.tolist()):
        if count:
            places, share = np.arange(1, count + 1), count / candidates
            others = (count - 1) / max(candidates - 1, 1)  # of those before a right one, so many are right
            found[row] = share * np.mean((1 + (places - 1) * others) / places), share, share
    return found


def agreement(
    model: RetrievalModel,
    collection: Collection,
    judgments: Judgments,
    training_captions: Iterable[str] = (),
    *,
    draws: int = 200,
    device: str = "auto",
    seed: int = 0,
) -> Measured:
    """Correlation of scores with experts' grades over all judged pairs: Spearman's rho and Kendall's tau-b.

    Each row is compared with the mean grade of all experts but one, and this is averaged over who is left
    out; so the experts, of whom each is compared with the others, stand on the same scale.

    Rows: the model; the experts (the ceiling); if there are training captions, `text only`, how likely a
    caption is by itself; and orders at random, with the ends of what they reach.

    Args:
        judgments: by `read_judgments`, two experts at least.
        training_captions: what the text-only scorer learns from.
        draws: of images, for the intervals.
        device: "auto" is a GPU where there is one.
        seed: of the random order.
    """
    experts = judgments.grades.shape[1]
    if experts < 2:
        raise ValueError("one expert can be compared with nobody; wanted grades of two at least")
    pairs = judgments.images, judgments.captions
    rows: dict[str, np.ndarray | None] = {model.name: score_pairs(model, collection, *pairs, device=device)}
    rows["one expert"] = None
    read = list(training_captions)
    if read:
        blind = TextModel(read)
        likely = {row: blind.score(collection.captions[row]) for row in set(pairs[1].tolist())}
        rows["text only"] = np.array([likely[row] for row in pairs[1].tolist()])

    again = Bootstrap.of(judgments.images, draws=draws)
    weights = [None, *(drawn[again.image_of] for drawn in again.drawn)]
    others = [np.delete(judgments.grades, expert, axis=1).mean(axis=1) for expert in range(experts)]
    values = []
    for scores in rows.values():
        crossed = [
            Crossed(judgments.grades[:, expert] if scores is None else scores, target)
            for expert, target in enumerate(others)
        ]
        found = np.array([[[one.spearman(w), one.kendall(w)] for one in crossed] for w in weights]).mean(
            axis=1
        )
        values.append(np.concatenate([found[:1], np.nanpercentile(found[1:], INSIDE, axis=0)]).T)
    random = np.random.default_rng(seed)
    orders = [Crossed(random.random(len(pairs[0])), others[draw % experts]) for draw in range(draws)]
    by_chance = np.array([[one.spearman(), one.kendall()] for one in orders])
    values.append(np.concatenate([np.zeros((1, 2)), np.nanpercentile(by_chance, INSIDE, axis=0)]).T)
    return Measured(
        "correlation",
        (*rows, "random order"),
        ("Spearman's rho", "Kendall's tau-b"),
        np.array(values),
        "Scores and what people say",
        f"{len(pairs[0])} pairs of {len(np.unique(pairs[0]))} images, {experts} experts",
        digits=3,
    )
