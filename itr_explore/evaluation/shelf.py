"""`Shelf`: one side of a collection as a model encodes it, kept piece by piece as far as memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from itr_explore.evaluation.encoding import Encoder
from itr_explore.records import Encoded
from itr_explore.records.found import Side

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

AT_ONCE = 256  # items encoded together


class Shelf:
    """One side of a collection, encoded in pieces of like length: vectors of all, fragments if they fit.

    Args:
        memory: bytes for fragments, of a model whose score needs them.
    """

    def __init__(
        self, model: RetrievalModel, collection: Collection, side: Side, memory: float = float("inf")
    ):
        self.side = side
        self.one_vector = has_one_vector(model)
        self.memory = 0 if self.one_vector else memory
        if side == "images":
            lengths = collection.region_counts
        else:
            assert model.tokenizer is not None
            lengths = np.diff(collection.token_ids(model.tokenizer)[1])
        self.lengths, self.parts = lengths, int(lengths.sum())
        self.order = np.argsort(lengths, kind="stable")
        self.pieces: list[tuple[np.ndarray, Encoded]] = []
        self.done, self.whole = 0, True
        self._vectors: Tensor | None = None
        self._places: np.ndarray | None = None  # [2 item]

    @property
    def full(self) -> bool:
        """Whether all items are encoded."""
        return self.done == len(self.order)

    @property
    def vectors(self) -> Tensor:
        """[item dim] in the collection's order."""
        if self._vectors is None:
            first = self.pieces[0][1].vectors
            self._vectors = first.new_empty(len(self.order), first.shape[1])
            for rows, piece in self.pieces:
                self._vectors[torch.from_numpy(rows).to(first.device)] = piece.vectors
            if not self.whole:
                self.pieces = []
        return self._vectors

    def by_length(self, rows: np.ndarray) -> np.ndarray:
        """The same rows, those of like length next to each other."""
        return rows[np.argsort(self.lengths[rows], kind="stable")]

    def add(self, encoder: Encoder) -> None:
        """Encode one more piece."""
        rows = self.order[self.done : self.done + AT_ONCE]
        for at, piece in self._encoded(rows, encoder):
            if self.whole and self.parts * piece.parts.shape[2] * piece.parts.element_size() > self.memory:
                self.whole = False
                self.pieces = [(known, _light(kept)) for known, kept in self.pieces]
            self.pieces.append((at, piece if self.whole else _light(piece)))
        self.done += len(rows)

    def everything(self, encoder: Encoder) -> Iterator[tuple[np.ndarray, Encoded]]:
        """Rows and all that the model's score needs of them, piece by piece.

        All at once where that is one vector an item; encoded again where fragments were not kept.
        """
        if self.whole:
            yield from self.pieces
        elif self.one_vector:
            yield np.arange(len(self.order)), _bare_vectors(self.vectors)
        else:
            yield from self.some(self.order, encoder)

    def some(self, rows: np.ndarray, encoder: Encoder) -> Iterator[tuple[np.ndarray, Encoded]]:
        """The same of a few rows, whose fragments are encoded again if they were not kept."""
        if not self.whole:
            for start in range(0, len(rows), AT_ONCE):
                yield from self._encoded(rows[start : start + AT_ONCE], encoder)
            return
        which, places = self._where(rows)
        for start in range(0, len(rows), AT_ONCE):
            at = slice(start, start + AT_ONCE)
            yield rows[at], _joined([self.pieces[p][1] for p in which[at]], places[at])

    def _where(self, rows: np.ndarray) -> tuple[list[int], list[int]]:
        """In which piece some rows are, and at which place; rows of like length stand next to each other."""
        if self._places is None:
            known = np.concatenate([known for known, _ in self.pieces])
            sizes = [len(known) for known, _ in self.pieces]
            self._places = np.empty((2, len(known)), dtype=np.int64)
            self._places[:, known] = (
                np.repeat(np.arange(len(sizes)), sizes),
                np.concatenate([np.arange(size) for size in sizes]),
            )
        which, places = self._places[:, rows]
        return which.tolist(), places.tolist()

    def _encoded(self, rows: np.ndarray, encoder: Encoder) -> Iterator[tuple[np.ndarray, Encoded]]:
        if self.side == "images":
            yield rows, encoder.images(rows.tolist())
            return
        found = encoder.captions(rows)
        given, first = found.back.argsort().cpu().numpy(), 0
        for group in found.groups:
            yield rows[given[first : first + len(group)]], group
            first += len(group)


def _joined(pieces: list[Encoded], places: list[int]) -> Encoded:
    """One item of each piece, padded to the longest."""
    longest = max(piece.mask.shape[1] for piece in pieces)
    first = pieces[0]
    parts = first.parts.new_zeros(len(pieces), longest, first.parts.shape[2])
    mask = first.mask.new_zeros(len(pieces), longest)
    for row, (piece, place) in enumerate(zip(pieces, places, strict=True)):
        length = piece.mask.shape[1]
        parts[row, :length], mask[row, :length] = piece.parts[place], piece.mask[place]
    vectors = torch.stack([piece.vectors[place] for piece, place in zip(pieces, places, strict=True)])
    return Encoded(vectors, parts, mask)


def _light(piece: Encoded) -> Encoded:
    """Without fragments."""
    return _bare_vectors(piece.vectors.clone())


def _bare_vectors(vectors: Tensor) -> Encoded:
    none = vectors.new_zeros(len(vectors), 0, vectors.shape[1])
    return Encoded(vectors, none, none.new_zeros(len(vectors), 0, dtype=torch.bool))


def has_one_vector(model: RetrievalModel) -> bool:
    """Whether a model's scores are products of one vector an item (`explanation.parts`)."""
    return hasattr(model, "image_parts")
