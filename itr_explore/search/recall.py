"""How much of a model's own first answers a coarse stage keeps among its candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from itr_explore.records import CoarseRecall
from itr_explore.records.found import Side
from itr_explore.search.gallery import refuse_nan
from itr_explore.search.indexed import IndexedShelf

if TYPE_CHECKING:
    from itr_explore.search.gallery import Gallery


def coarse_recall(
    gallery: Gallery,
    side: Side = "images",
    *,
    k: int = 10,
    candidates: tuple[int, ...] = (50, 100, 200, 500),
    queries: int = 50,
    seed: int = 0,
) -> CoarseRecall:
    """How much of the model's own first k the coarse stage keeps, for some queries of the collection.

    The model scores every item for each of these queries, which takes its time.

    Args:
        gallery: of a model and a collection, with or without an index.
        side: what is searched; queries are captions where these are images, else images.
        candidates: how many the coarse stage may keep.
        queries, seed: how many are drawn, and how.

    Raises:
        ValueError: a number is below 1, or a score is NaN.
    """
    if k < 1 or queries < 1 or not candidates or min(candidates) < 1:
        raise ValueError(f"wanted numbers from 1, got k={k}, queries={queries}, candidates={candidates}")
    gallery.encode(side)
    shelf, most = gallery.shelf(side), max(candidates)
    there = len(gallery.collection.captions if side == "images" else gallery.collection)
    rows = np.random.default_rng(seed).permutation(there)[:queries].tolist()
    with gallery.at_rest() as encoder:
        asked = [
            encoder.captions([row]).groups[0] if side == "images" else encoder.images([row]) for row in rows
        ]
        scores = np.empty((len(rows), len(shelf.order)), np.float32)
        for at, piece in shelf.everything(encoder):
            for place, query in enumerate(asked):
                scores[place, at] = gallery.score(side, piece, query)
        vectors = torch.cat([query.vectors for query in asked])
        if isinstance(shelf, IndexedShelf):
            coarse, kind = shelf.index.search(vectors, most).ids, shelf.index.kind
        else:
            found = (vectors @ shelf.vectors.T).topk(min(most, len(shelf.order)))
            coarse, kind = found.indices.cpu().numpy(), "exact inner products of one vector each"
    refuse_nan(scores, gallery.model.name)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    right = [gallery.right_of(gallery.collection.captions[row] if side == "images" else row) for row in rows]
    answered = [place for place, answers in enumerate(right) if len(answers)]
    kept = [
        100
        * float(np.mean([np.isin(one, own[:count]).mean() for one, own in zip(first, coarse, strict=True)]))
        for count in candidates
    ]
    hits = [
        100 * float(np.mean([np.isin(right[place], coarse[place, :count]).any() for place in answered]))
        if answered
        else None
        for count in candidates
    ]
    return CoarseRecall(
        *(gallery.model.name, f"{gallery.collection.name}, {gallery.collection.split}", side, kind, k),
        *(candidates, tuple(kept), tuple(hits), len(rows), len(shelf.order)),
    )
