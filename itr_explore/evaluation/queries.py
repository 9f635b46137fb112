"""How each query of a collection fares by itself: which are worst, and what stood above the right answer.

`evaluate` counts ranks and keeps nothing else. Here each query keeps its rank, its margin (best right score
minus best wrong one) and what the two were, so that a person can look at those that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.evaluation.encoding import EncodedCaptions, Encoder, at_rest
from itr_explore.evaluation.ranking import rank_among
from itr_explore.records import Encoded, QueryRanks
from itr_explore.records.found import Side

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

AT_ONCE = 256  # items, or queries, encoded together
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
        ValueError: there are fewer than two images, a query has no right answer, or a score is NaN.
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
) -> Iterator[tuple[int, int, QueryRanks | None]]:
    """The same, little by little: after each step how many are done, of how many, and at the end the ranks.

    Between two steps the model is at rest, so that others may use it.
    """
    rows = _chosen(collection, side, queries, seed)
    items = len(collection) if side == "images" else len(collection.captions)
    starts, query_starts = range(0, items, AT_ONCE), range(0, len(rows), AT_ONCE)
    total, done = items + len(rows), 0
    seen: list[Encoded] = []
    texts: list[EncodedCaptions] = []
    for start in starts:
        with at_rest(model, device) as device_used:
            encoder = Encoder(model, collection, device_used)
            some = np.arange(start, min(start + AT_ONCE, items))
            if side == "images":
                seen.append(encoder.images(some.tolist()))
            else:
                texts.append(encoder.captions(some))
        done += len(some)
        yield done, total, None
    found = []
    for start in query_starts:
        some = rows[start : start + AT_ONCE]
        with at_rest(model, device) as device_used:
            encoder = Encoder(model, collection, device_used)
            if side == "images":
                asked = encoder.captions(some)
                blocks = [asked.scores(model, piece).T for piece in seen]
            else:
                shown = encoder.images(some.tolist())
                blocks = [piece.scores(model, shown) for piece in texts]
            scores = np.concatenate([block.double().cpu().numpy() for block in blocks], axis=1)
        if np.isnan(scores).any():
            raise ValueError(
                f"{model.name} gives scores that are NaN; look at its weights and at the features"
            )
        found.append(outcomes(scores, _right(collection, side, some)))
        done += len(some)
        yield done, total, None
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
    if images < 2:
        raise ValueError(f"a wrong answer is one of another image; wanted two images at least, got {images}")
    answered = np.arange(captions) if side == "images" else np.unique(collection.image_of)
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


def _right(collection: Collection, side: Side, rows: np.ndarray) -> np.ndarray:
    """[query item] bool"""
    if side == "images":
        return collection.image_of[rows][:, None] == np.arange(len(collection))
    return rows[:, None] == collection.image_of
