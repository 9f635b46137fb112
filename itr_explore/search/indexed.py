"""One side of a collection in a `VectorIndex`: what is in it already is not encoded again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from itr_explore.evaluation.encoding import Encoder
from itr_explore.evaluation.shelf import AT_ONCE, Shelf
from itr_explore.records import Encoded
from itr_explore.records.found import Side
from itr_explore.search.index import VectorIndex

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

SAVE_EVERY = 60.0  # seconds
LOOKED_AT = 64  # images whose features tell a collection from another


class IndexedShelf(Shelf):
    """A shelf that keeps nothing in memory: vectors go to the index, fragments are encoded when needed.

    Args:
        index: ids are rows of the collection.
        columns: [item] the metadata of each field of the index.
        anew: write all items, whatever is there.
    """

    def __init__(
        self,
        model: RetrievalModel,
        collection: Collection,
        side: Side,
        index: VectorIndex,
        columns: Mapping[str, np.ndarray],
        anew: bool = False,
    ):
        super().__init__(model, collection, side, memory=0)
        self.whole, self.index = False, index
        self.columns = {name: columns[name] for name in index.fields}
        count = len(self.order)
        there = np.zeros(count, bool) if anew or not len(index) else index.known(np.arange(count))
        self.order = np.concatenate([self.order[there[self.order]], self.order[~there[self.order]]])
        self.done, self._saved = int(there.sum()), time.monotonic()

    def add(self, encoder: Encoder) -> None:
        """Encode one more piece and put it into the index; what is there stays there if that fails."""
        rows = self.order[self.done : self.done + AT_ONCE]
        found = list(self._encoded(rows, encoder))
        at = np.concatenate([known for known, _ in found])
        vectors = torch.cat([piece.vectors for _, piece in found])
        self.index.upsert(at, vectors, {name: column[at] for name, column in self.columns.items()})
        self.done += len(rows)
        if self.full or time.monotonic() - self._saved > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Have the index keep what it has, where it has a place."""
        if getattr(self.index, "folder", True) is not None:
            self.index.save()
        self._saved = time.monotonic()

    def everything(self, encoder: Encoder) -> Iterator[tuple[np.ndarray, Encoded]]:
        """Rows and all that the model's score needs of them, encoded again piece by piece."""
        yield from self.some(self.order, encoder)


def facts_of(collection: Collection, side: Side, more: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What filters can ask of each item: `image_id`, `regions` or `words`, and what the user knows besides.

    Raises:
        ValueError: a field that is given has not one value an item, or values that are neither text, numbers
            nor yes and no.
    """
    names = np.array(collection.image_ids, dtype=object)
    if side == "images":
        facts = {"image_id": names, "regions": np.asarray(collection.region_counts).astype(np.int64)}
    else:
        words = [len(caption.split()) for caption in collection.captions]
        facts = {"image_id": names[collection.image_of], "words": np.array(words, dtype=np.int64)}
    count = len(facts["image_id"])
    for name, values in more.items():
        column = np.asarray(values)
        if column.dtype.kind == "U":
            column = column.astype(object)
        fits = column.dtype.kind in "biuf" or all(isinstance(value, str) for value in column.tolist())
        if column.shape != (count,) or not fits:
            raise ValueError(
                f"metadata {name!r} of {side} wants {count:,} values, text, numbers or True and False;"
                f" got {column.dtype} {list(column.shape)}"
            )
        facts[name] = column
    return facts


def fields_of(facts: Mapping[str, np.ndarray]) -> dict[str, type]:
    """The type of each column."""
    kinds = {"O": str, "b": bool, "i": int, "u": int, "f": float}
    return {name: kinds[column.dtype.kind] for name, column in facts.items()}


def mark_of(model: RetrievalModel, collection: Collection, facts: Mapping[str, np.ndarray]) -> str:
    """Twelve letters that change with the weights, the captions, the images, their features or the facts."""
    digest = hashlib.sha256(f"{model.name} {model.config}".encode())
    for name, weight in model.state_dict().items():
        digest.update(
            name.encode() + weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    for texts in (collection.image_ids, collection.captions):
        digest.update("\0".join(texts).encode("utf-8", "surrogatepass"))
    digest.update(np.asarray(collection.image_of).tobytes() + np.asarray(collection.region_counts).tobytes())
    if len(collection):
        for row in np.unique(np.linspace(0, len(collection) - 1, LOOKED_AT).astype(np.int64)).tolist():
            digest.update(np.ascontiguousarray(collection.regions(row)).tobytes())
    for name, column in facts.items():
        values = (
            "\0".join(column).encode("utf-8", "surrogatepass") if column.dtype == object else column.tobytes()
        )
        digest.update(f"{name} {column.dtype}".encode() + values)
    return digest.hexdigest()[:12]
