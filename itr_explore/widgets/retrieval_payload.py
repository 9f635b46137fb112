"""What a `RetrievalDemo` sends to its front end: results with small pictures, contrasts, worst queries."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.mistakes import false_claims
from itr_explore.data.pictures import small_enough
from itr_explore.data.text import split_words
from itr_explore.data.thumbnails import data_uri
from itr_explore.records import Contrast, Found, ImageContrast, QueryRanks

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection

LONG_SIDE = 200  # of a thumbnail, in pixels
KEPT = 2000  # thumbnails
RIGHT_NAMED = 5  # right answers told one by one
REGIONS_NAMED = 6  # of each image in a contrast


class Thumbnails:
    """Small pictures of a collection as data URIs, made once, the latest kept."""

    def __init__(self, collection: Collection):
        self.collection = collection
        self._made: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def __call__(self, row: int) -> dict[str, Any]:
        """The picture of an image and its name; where it cannot be opened, what is wrong with it."""
        if row not in self._made:
            self._made[row] = {"image": row, "name": self.collection.image_ids[row], **self._picture(row)}
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(row)
        return self._made[row]

    def _picture(self, row: int) -> dict[str, Any]:
        captions = self.collection.captions_of(row)
        caption = self.collection.captions[captions[0]] if len(captions) else ""
        try:
            with small_enough(LONG_SIDE):
                image = self.collection.image(row)
        except (OSError, ValueError) as error:  # one bad picture does not hide the others
            return {"src": None, "caption": caption, "problem": str(error)}
        return {"src": thumbnail(image) if image else None, "caption": caption, "problem": ""}


def thumbnail(image: Image) -> str:
    """A picture as a small data URI."""
    return data_uri(image, LONG_SIDE, quality=70)


def found_json(
    found: Found, collection: Collection, thumbnails: Thumbnails, asked: int | None, eligible: int
) -> dict[str, Any]:
    """An answer with all that its results show.

    Args:
        asked: the row of the caption, or of the image, that was the query; None for one from elsewhere.
        eligible: how many passed the filters.
    """
    results = [
        {
            **_item(found.side, row, collection, thumbnails),
            "row": row,
            "rank": rank + 1,
            "score": score,
            "margin": None if np.isnan(margin) else margin,
            **_state(found, bool(right), row, collection, asked),
        }
        for row, rank, score, margin, right in zip(
            *(getattr(found, name).tolist() for name in ("rows", "ranks", "scores", "margins", "right")),
            strict=True,
        )
    ]
    right = [
        {"row": row, "rank": rank + 1}
        for row, rank in zip(
            found.right_rows[:RIGHT_NAMED].tolist(), found.right_ranks[:RIGHT_NAMED].tolist(), strict=True
        )
    ]
    return {
        "side": found.side,
        "query": found.query,
        "results": results,
        "right": right,
        "rightInAll": len(found.right_rows) + len(found.beyond),
        "known": found.known,
        "of": found.of,
        "eligible": eligible,
        "stages": found.stages,
        "exact": found.exact,
        "milliseconds": 1000 * found.took,
        "spread": list(found.spread),
        "unknown": list(found.unknown),
        "lost": bool(found.unknown) and set(split_words(found.query)[0]) <= set(found.unknown),
    }


def contrast_json(found: Contrast | ImageContrast, names: tuple[str, str]) -> dict[str, Any]:
    """Why one result scores above another: parts above 0 speak for it, those below 0 for the other.

    Args:
        names: what the reference and the chosen one are called.
    """
    exact = found.method == "parts"
    told: dict[str, Any] = {
        "names": list(names),
        "scores": list(found.scores),
        "difference": found.difference,
        "gap": found.gap,
        "exact": exact,
        "model": found.model,
        "method": "the score is a sum of these parts" if exact else f"attributed by {found.method}",
        "rests": [[name, value] for name, value in found.word_rests.items()],
    }
    if isinstance(found, Contrast):
        right, wrong = found.pairs
        signed = (*(-found.words[0]).tolist(), *found.words[1].tolist())
        sides = (*("reference" for _ in right.words), *("chosen" for _ in wrong.words))
        return {
            **told,
            "words": list(map(list, zip((*right.words, *wrong.words), sides, signed, strict=True))),
            "regions": _strongest(found.evidence, right.labels),
            "regionRests": [[name, value] for name, value in found.region_rests.items()],
            "each": [],
            "false": None if found.false is None else list(found.false),
        }
    words, (one, two) = found.pairs[0].words, found.words
    return {
        **told,
        "words": [[w, "both", b - a] for w, a, b in zip(words, one.tolist(), two.tolist(), strict=True)],
        "regions": [],
        "regionRests": [],
        "each": [
            _strongest(values, pair.labels) for values, pair in zip(found.regions, found.pairs, strict=True)
        ],
        "false": None,
    }


def worst_json(
    found: QueryRanks, count: int, by: str, collection: Collection, thumbnails: Thumbnails
) -> dict[str, Any]:
    """The worst queries, and of how many."""
    worst = found.worst(count, "margin" if by == "margin" else "rank")
    rows = []
    for row, name, rank, margin, wrong in zip(
        worst.queries.tolist(),
        worst.names,
        worst.ranks.tolist(),
        worst.margins.tolist(),
        worst.wrong.tolist(),
        strict=True,
    ):
        image = int(collection.image_of[row]) if found.side == "images" else row
        rival: dict[str, Any] = {"rival": None if found.side == "images" else collection.captions[wrong]}
        rival["rivalPicture"] = thumbnails(wrong) if found.side == "images" else None
        told = {"row": row, "text": name, "rank": 1 + rank, "margin": margin}
        rows.append({**thumbnails(image), **told, **rival})
    failed = int((found.ranks > 0).sum())
    return {
        "side": found.side,
        "rows": rows,
        "queries": len(found.names),
        "of": found.of,
        "failed": failed,
        "median": 1 + float(np.median(found.ranks)),
    }


def _item(side: str, row: int, collection: Collection, thumbnails: Thumbnails) -> dict[str, Any]:
    """What a result shows of itself: a picture, or a sentence."""
    if side == "images":
        return thumbnails(row)
    return {"text": collection.captions[row], "image": int(collection.image_of[row])}


def _state(
    found: Found, right: bool, row: int, collection: Collection, asked: int | None
) -> dict[str, str | None]:
    """Right, wrong (and what is false, where that is known), true all the same, or nobody knows."""
    if not found.known:
        return {"state": "unknown", "false": None}
    if right:
        return {"state": "right", "false": None}
    false = None
    if asked is not None:
        caption, image = (asked, row) if found.side == "images" else (row, asked)
        false = false_claims(collection, caption, image)
    if false is None:
        return {"state": "wrong", "false": None}
    if not false:
        return {"state": "true", "false": None}
    ways = dict.fromkeys(" or ".join(false).split(" or "))  # two things of one name are false in one way
    return {"state": "wrong", "false": " or ".join(ways)}


def _strongest(values: np.ndarray, labels: tuple[str, ...]) -> list[list[Any]]:
    """The regions with the largest values and what all the others come to."""
    order = np.argsort(-np.abs(values), kind="stable")
    first, rest = order[:REGIONS_NAMED].tolist(), order[REGIONS_NAMED:]
    first = [row for row in first if abs(values[row]) >= 0.00005]  # not drawn as four zeros
    rows = [[f"region {row}" + (f" ({labels[row]})" if labels else ""), float(values[row])] for row in first]
    if len(rest) and abs(values[rest].sum()) >= 0.00005:
        rows.append([f"{len(rest)} other regions", float(values[rest].sum())])
    return rows
