"""How each query of a collection fares by itself: which are worst, and what stood above the right answer.

`evaluate` counts ranks and keeps nothing else. Here each query keeps its rank, its margin (best right score
minus best wrong one) and what the two were, so that a person can look at those that failed.

Right is what `evaluate` counts: the captions written for an image, the image that a caption was written for;
equal scores stand in the middle of each other. `Gallery`, which answers people, also takes as right what says
the same, and leaves equal scores in the collection's order, so its ranks may be better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.evaluation.encoding import EncodedCaptions, Encoder, at_rest
from itr_explore.evaluation.ranking import rank_among
from itr_explore.evaluation.shelf import Shelf
from itr_explore.records import Encoded, QueryRanks
from itr_explore.records.found import Side

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

AT_ONCE = 256  # queries encoded together
MOST_PAIRS = 4_000_000  # that are scored where nobody says which queries


def query_ranks(
    model: RetrievalModel,
    collection: Collection,
    side: Side = "images",
    *,
    queries: Sequence[int] | np.ndarray | None = None,
    device: str = "auto",
    seed: int = 0,
) -> QueryRanks:
    """Rank and margin of each query; `.worst()` of them is what to look at.

    Args:
        side: what is searched: images by captions, or captions by images.
        queries: rows of captions, or of images. By default all; of a large collection so many, drawn at
            random, that four million pairs are scored.
        device: "auto" takes a GPU where there is one.
        seed: of the draw.

    Raises:
        ValueError: there are fewer than two images, or no captions of two; a query has no right answer; or a
            score is NaN.
    """
    *_, (_, _, found) = query_ranks_in_steps(
        model, collection, side, queries=queries, device=device, seed=seed
    )
    assert found is not None
    return found


def query_ranks_in_steps(
    model: RetrievalModel,
    collection: Collection,
    side: Side = "images",
    *,
    queries: Sequence[int] | np.ndarray | None = None,
    device: str = "auto",
    seed: int = 0,
    shelf: Shelf | None = None,
) -> Iterator[tuple[int, int, QueryRanks | None]]:
    """The same, little by little: after each step how many are done, of how many, and at the end the ranks.

    A step encodes some items, or scores some against some queries. Between two steps the model is as it was,
    so that others may use it.

    Args:
        shelf: of the same model, collection and side (`Gallery.shelf`), so that nothing is encoded and kept
            twice; `device` must be where its model is.
    """
    rows = _chosen(collection, side, queries, seed)
    shelf = Shelf(model, collection, side) if shelf is None else shelf
    items = len(shelf.order)
    total = items + len(rows)
    while not shelf.full:
        with at_rest(model, device) as device_used:
            shelf.add(Encoder(model, collection, device_used))
        yield shelf.done, total, None
    found = []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        with at_rest(model, device) as device_used:
            encoder = Encoder(model, collection, device_used)
            asked = encoder.captions(some) if side == "images" else encoder.images(some.tolist())
        scores, scored = np.empty((len(some), items)), 0
        pieces = shelf.everything(encoder)
        while scored < items:
            with at_rest(model, device):
                at, piece = next(pieces)
                scores[:, at] = _scores(model, asked, piece)
            scored += len(at)
            yield items + start + len(some) * scored // items, total, None
        if np.isnan(scores).any():
            raise ValueError(
                f"{model.name} gives scores that are NaN; look at its weights and at the features"
            )
        found.append(outcomes(scores, _right(collection, side, some)))
    ranks, right, wrong, right_scores, wrong_scores = map(np.concatenate, zip(*found, strict=True))
    names = collection.captions if side == "images" else collection.image_ids
    yield (
        total,
        total,
        QueryRanks(
            model.name,
            f"{collection.name}, {collection.split}",
            side,
            rows,
            tuple(names[row] for row in rows.tolist()),
            *(ranks, right, wrong, right_scores, wrong_scores),
            len(collection.captions) if side == "images" else len(collection),
        ),
    )


def outcomes(scores: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each query: rank, best right item, best wrong item, and the scores of these two.

    Args:
        scores: [query item].
        right: [query item] bool, each query with a right item and a wrong one.
    """
    own, others = np.where(right, scores, -np.inf), np.where(right, -np.inf, scores)
    each = np.arange(len(scores))
    best, worst = own.argmax(axis=1), others.argmax(axis=1)
    return rank_among(scores, right), best, worst, scores[each, best], scores[each, worst]


def _chosen(
    collection: Collection, side: Side, queries: Sequence[int] | np.ndarray | None, seed: int
) -> np.ndarray:
    if side not in ("images", "captions"):
        raise ValueError(f"what is searched is images or captions, got {side!r}")
    images, captions = len(collection), len(collection.captions)
    described = np.unique(collection.image_of)
    if images < 2 or not captions or (side == "captions" and len(described) < 2):
        raise ValueError(
            "each query needs a right answer and a wrong one: wanted two images and a caption at least, and"
            f" where captions are searched captions of two images; got {images:,} images and {captions:,}"
            f" captions of {len(described):,} of them"
        )
    answered = np.arange(captions) if side == "images" else described
    if queries is None:
        most = max(1, MOST_PAIRS // (images if side == "images" else captions))
        if len(answered) <= most:
            return answered
        return np.sort(np.random.default_rng(seed).choice(answered, most, replace=False))
    rows = np.asarray(queries, dtype=np.int64)
    if not len(rows) or not np.isin(rows, answered).all():
        what = "captions" if side == "images" else "images that have captions"
        raise ValueError(f"wanted rows of {what}, 0 to {answered[-1]}, got {rows.tolist()[:5]}")
    return rows


def _scores(model: RetrievalModel, asked: Encoded | EncodedCaptions, piece: Encoded) -> np.ndarray:
    """[query item]"""
    if isinstance(asked, EncodedCaptions):
        return asked.scores(model, piece).T.double().cpu().numpy()
    return model.score(asked, piece).double().cpu().numpy()


def _right(collection: Collection, side: Side, rows: np.ndarray) -> np.ndarray:
    """[query item] bool"""
    if side == "images":
        return collection.image_of[rows][:, None] == np.arange(len(collection))
    return rows[:, None] == collection.image_of
