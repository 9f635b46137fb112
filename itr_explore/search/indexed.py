"""One side of a collection in a `VectorIndex`: what is in it already is not encoded again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from itr_explore.data.files import read_json
from itr_explore.data.shards import Shards
from itr_explore.data.store import CARD
from itr_explore.evaluation.encoding import Encoder
from itr_explore.evaluation.shelf import AT_ONCE, Shelf
from itr_explore.records import Encoded
from itr_explore.records.found import Side
from itr_explore.search.index import VectorIndex

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

SAVE_EVERY = 60.0  # seconds
LOOKED_AT = 1024  # images whose features are read at once

_contents: WeakKeyDictionary[Collection, bytes] = WeakKeyDictionary()  # large ones take a while to read


class IndexedShelf(Shelf):
    """A shelf that keeps nothing in memory: vectors go to the index, fragments are encoded when needed.

    Args:
        index: ids are rows of the collection.
        columns: [item] the metadata of each field of the index.
        anew: write all items, whatever is there.

    Raises:
        ValueError: the index holds ids that are no rows.
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
        held = len(index)
        there = index.known(np.arange(count)) if held else np.zeros(count, bool)
        if held > there.sum():
            raise self._foreign(f"{held - int(there.sum()):,} of its {held:,} ids are others")
        there &= not anew
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

    def refuse_foreign(self, ids: np.ndarray) -> None:
        """ValueError where what the index brings is not of this collection."""
        others = ids[ids >= len(self.order)]
        if len(others):
            raise self._foreign(f"it brought id {others[0]}")

    def _foreign(self, what: str) -> ValueError:
        return ValueError(
            f"the index of {self.side} holds what is not in the collection, whose {self.side} are the ids 0"
            f" to {len(self.order) - 1:,}: {what}. Give the gallery an index of its own, or the whole"
            " collection that this one was made for"
        )

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
    """Twelve letters that change with whatever vectors or facts depend on.

    That is weights and vocabulary of the model; captions, images and all that the model reads of them: every
    feature, boxes, guides, and who made the regions; and the facts. Of a region store the checksums that it
    keeps are read instead of its features, so that a large one takes no longer.
    """
    digest = hashlib.sha256(f"{model.name} {model.config}".encode())
    if model.tokenizer is not None:
        _tell(digest, "vocabulary", model.tokenizer.to_str().encode())
    for name, weight in model.state_dict().items():
        _tell(digest, name, weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    if collection not in _contents:
        _contents[collection] = _content_of(collection)
    digest.update(_contents[collection])
    for name, column in facts.items():
        values = _joined(column) if column.dtype == object else column
        _tell(digest, f"{name} {column.dtype}", values)
    return digest.hexdigest()[:12]


def _content_of(collection: Collection) -> bytes:
    """A digest of all that a model may read of a collection."""
    digest = hashlib.sha256()
    _tell(digest, "images", _joined(collection.image_ids))
    _tell(digest, "captions", _joined(collection.captions))
    _tell(digest, "image of", collection.image_of)
    _tell(digest, "regions", collection.region_counts)
    _tell(digest, "made by", str(collection.regions_from).encode())
    kept = _checksums(collection)
    for what, told in kept:
        _tell(digest, what, told)
    for start in range(0, len(collection), LOOKED_AT):
        images = np.arange(start, min(start + LOOKED_AT, len(collection)))
        parts = {
            "features": None if kept else collection.regions_of(images)[0],
            "boxes": collection.boxes_of(images),
            "guides": collection.guide_of(images),
        }
        for what, values in parts.items():
            if values is not None:
                _tell(digest, f"{what} {values.shape}", values)
    return digest.digest()


def _checksums(collection: Collection) -> list[tuple[str, Any]]:
    """What a region store says of its features, and which rows are whose; empty where there is none."""
    regions = collection._regions
    if regions is None or not isinstance(regions.values, Shards):
        return []
    try:
        cards = [read_json(file.with_name(CARD))["files"][file.name] for file in regions.values.files]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    sums = _joined([str(card.get("sha256")) for card in cards])
    return [("checksums", sums), ("rows", regions.rows(np.arange(len(collection))))]


def _joined(texts: Iterable[str]) -> bytes:
    """Texts one after another, each behind its length."""
    words = [text.encode("utf-8", "surrogatepass") for text in texts]
    return np.array([len(words), *map(len, words)], np.int64).tobytes() + b"".join(words)


def _tell(digest: hashlib._Hash, what: str, values: bytes | np.ndarray) -> None:
    """Add a named value, so that no two different lists of them look alike."""
    told = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
    digest.update(f"{what} {len(told)} ".encode())
    digest.update(told)
