"""`Gallery`: a collection encoded once by a model, then searched by a sentence or by an image.

Every image, or caption, is scored by the model itself as long as that is quick. A model whose score needs
both sides at once searches a large collection in two stages (`evaluation.two_stage`): one vector an item
gives the candidates, the model scores those. Each answer says which way it was found.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.text import UNKNOWN, encode, split_words
from itr_explore.evaluation.encoding import Encoder
from itr_explore.nn.modes import evaluating
from itr_explore.records import Batch, Encoded, Example, Found
from itr_explore.records.found import Side

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

AT_ONCE = 256  # items encoded together
CANDIDATES, CANDIDATES_ENCODED_AGAIN = 2000, 200
MOST_WORDS = 1000  # of a sentence


class Gallery:
    """A collection encoded once, image by image and caption by caption, each side when first asked for.

    Args:
        model: stays where it is and as it is; where its weights have changed since, all is encoded anew.
        collection: what is searched.
        candidates: how many the model scores itself, where there are two stages; by default 2,000 where their
            fragments are kept, and 200 where they are encoded again.
        exact_up_to: items up to which a model whose score needs both sides at once scores all of them. Models
            of one vector an item always do.
        memory: bytes that may be kept of each side besides one vector an item; where all fragments need more,
            there are two stages, and candidates are encoded again for each query.

    Raises:
        ValueError: the collection does not fit the model, or a number is below 1.
    """

    def __init__(
        self,
        model: RetrievalModel,
        collection: Collection,
        *,
        candidates: int | None = None,
        exact_up_to: int = 10_000,
        memory: int = 2**30,
    ):
        if (candidates is not None and candidates < 1) or exact_up_to < 0 or memory < 0:
            raise ValueError(
                "wanted one candidate at least, exact_up_to and memory from 0; got"
                f" {candidates}, {exact_up_to} and {memory}"
            )
        if model.tokenizer is None:
            raise ValueError(f"{model.name} has no tokenizer; give it the one it was trained with")
        if collection.region_dim != model.config.region_dim:
            raise ValueError(
                f"{model.name} was built for region features of size {model.config.region_dim}, those of"
                f" {collection.name} have size {collection.region_dim}; take the collection that it was"
                " trained on, or a model trained on this one"
            )
        self.model, self.collection, self._tokenizer = model, collection, model.tokenizer
        self.candidates, self.exact_up_to, self.memory = candidates, exact_up_to, memory
        self.one_vector = hasattr(model, "image_parts")  # scores are products of vectors (explanation.parts)
        self._shelves: dict[Side, _Shelf] = {}
        self._weights: tuple = ()

    def __len__(self) -> int:
        return len(self.collection)

    def encode(self, side: Side, seconds: float = float("inf")) -> tuple[int, int]:
        """Encode images or captions, for about so many seconds; call again to go on.

        Returns:
            how many are encoded, of how many.
        """
        shelf, until = self._shelf(side), time.perf_counter() + seconds
        with self._at_rest() as encoder:
            while not shelf.full and shelf.add(encoder) and time.perf_counter() < until:
                pass
        return shelf.done, len(shelf.order)

    def images_for(self, text: str, k: int = 10, *, among: np.ndarray | None = None) -> Found:
        """The images that fit a sentence best.

        Where the sentence is a caption of the collection, the right answers are its images.

        Args:
            text: any sentence with a word.
            k: how many results.
            among: [image] bool, only these are results; ranks stay those among all.

        Raises:
            ValueError: there is no word, or far too many; or a score is NaN.
        """
        words = split_words(text)[0]
        if not words:
            raise ValueError("there is no word to search for; type a sentence")
        if len(words) > MOST_WORDS:
            raise ValueError(f"the sentence has {len(words):,} words; at most {MOST_WORDS:,} are read")
        self.encode("images")
        start = time.perf_counter()
        with self._at_rest() as encoder:
            ids, mask = encode(self._tokenizer, [text])
            query = self.model.encode_captions(self._batch(words=ids, word_mask=mask).to(encoder.device))
            unseen = (ids[0, 1 : 1 + len(words)] == UNKNOWN).tolist()
        right = np.unique(self.collection.image_of[self.rows_of(text)])
        unknown = dict.fromkeys(word for word, new in zip(words, unseen, strict=True) if new)
        return self._found("images", text, query, k, among, right, start, tuple(unknown))

    def captions_for(self, image: int | Example, k: int = 10, *, among: np.ndarray | None = None) -> Found:
        """The captions that fit an image best.

        Args:
            image: a row of the collection; or any image with its regions, whose right answers nobody knows.
            k: how many results.
            among: [caption] bool, only these are results; ranks stay those among all.

        Raises:
            ValueError: the image's regions do not fit the model, or a score is NaN.
        """
        self.encode("captions")
        start = time.perf_counter()
        with self._at_rest() as encoder:
            if isinstance(image, Example):
                batch = self._batch_of(image)
                query, name, right = self.model.encode_images(batch.to(encoder.device)), image.image_id, []
            else:
                query, name = encoder.images([image]), self.collection.image_ids[image]
                right = self._same_text(self.collection.captions_of(image))
        return self._found("captions", name, query, k, among, np.asarray(right, dtype=np.int64), start, ())

    def stamp(self) -> tuple:
        """What changes whenever the model's weights do."""
        return tuple((weight.data_ptr(), weight._version) for weight in self.model.parameters())

    def _found(
        self,
        side: Side,
        name: str,
        query: Encoded,
        k: int,
        among: np.ndarray | None,
        right: np.ndarray,
        start: float,
        unknown: tuple[str, ...],
    ) -> Found:
        shelf = self._shelf(side)
        if k < 1:
            raise ValueError(f"wanted one result at least, got k={k}")
        if among is not None and np.shape(among) != (len(shelf.order),):
            raise ValueError(f"among must be [{len(shelf.order)}] booleans, got {list(np.shape(among))}")
        seconds = {"read": time.perf_counter() - start}
        with self._at_rest() as encoder:
            order, scores, scored = self._ranked(shelf, query, k, encoder, seconds)
        start = time.perf_counter()
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        eligible = order[:scored] if among is None else order[:scored][np.asarray(among)[order[:scored]]]
        rows = eligible[:k]
        own = scores[rows]
        after = np.append(scores[order], np.nan)[ranks[rows] + 1]
        right = right[np.argsort(ranks[right], kind="stable")]
        names = self.collection.image_ids if side == "images" else self.collection.captions
        seen = scores[order[:scored]]
        seconds["order"] = time.perf_counter() - start
        return Found(
            name,
            side,
            self.model.name,
            f"{self.collection.name}, {self.collection.split}",
            rows,
            ranks[rows],
            own,
            own - after,
            np.isin(rows, right),
            tuple(names[row] for row in rows.tolist()),
            right,
            ranks[right],
            len(order),
            scored,
            (float(seen.min()), float(seen.mean()), float(seen.max())),
            seconds,
            unknown,
        )

    def _ranked(
        self, shelf: _Shelf, query: Encoded, k: int, encoder: Encoder, seconds: dict[str, float]
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """All rows best first; [item] scores, NaN where the model gave none; how many it gave."""
        start = time.perf_counter()
        count = len(shelf.order)
        scores = np.full(count, np.nan)
        candidates = max(k, self.candidates or (CANDIDATES if shelf.whole else CANDIDATES_ENCODED_AGAIN))
        exact = self.one_vector or (shelf.whole and count <= max(self.exact_up_to, candidates))
        if exact:
            for rows, piece in shelf.everything():
                scores[rows] = self._score(shelf.side, piece, query)
            _refuse_nan(scores, self.model.name)
            order = np.argsort(-scores, kind="stable")
            seconds["score"] = time.perf_counter() - start
            return order, scores, count
        coarse = (shelf.vectors @ query.vectors[0]).double().cpu().numpy()
        _refuse_nan(coarse, self.model.name)
        order = np.argsort(-coarse, kind="stable")
        first = shelf.by_length(order[:candidates])
        seconds["coarse"] = time.perf_counter() - start
        start = time.perf_counter()
        for rows, piece in shelf.some(first, encoder):
            scores[rows] = self._score(shelf.side, piece, query)
        first = np.sort(first)
        _refuse_nan(scores[first], self.model.name)
        order[: len(first)] = first[np.argsort(-scores[first], kind="stable")]
        seconds["re-rank"] = time.perf_counter() - start
        return order, scores, len(first)

    def _score(self, side: Side, piece: Encoded, query: Encoded) -> np.ndarray:
        """[item]"""
        found = (
            self.model.score(piece, query)[:, 0] if side == "images" else self.model.score(query, piece)[0]
        )
        return found.double().cpu().numpy()

    @contextmanager
    def _at_rest(self) -> Iterator[Encoder]:
        with evaluating(self.model), torch.no_grad():
            yield Encoder(self.model, self.collection, next(self.model.parameters()).device)

    def _shelf(self, side: Side) -> _Shelf:
        if side not in get_args(Side):
            raise ValueError(f"a side is {' or '.join(get_args(Side))}, got {side!r}")
        weights = self.stamp()
        if weights != self._weights:
            self._shelves, self._weights = {}, weights
        if side not in self._shelves:
            memory = 0 if self.one_vector else self.memory
            self._shelves[side] = _Shelf(side, self.collection, self._tokenizer, memory)
        return self._shelves[side]

    def rows_of(self, text: str) -> list[int]:
        """The captions that are this sentence, but for case and outer punctuation."""
        if not hasattr(self, "_by_text"):
            self._by_text: dict[str, list[int]] = {}
            for row, caption in enumerate(self.collection.captions):
                self._by_text.setdefault(_bare(caption), []).append(row)
        return self._by_text.get(_bare(text), [])

    def _same_text(self, rows: np.ndarray) -> list[int]:
        """The captions that say the same as these."""
        return sorted({same for row in rows for same in self.rows_of(self.collection.captions[row])})

    def _batch_of(self, image: Example) -> Batch:
        """A batch of one image from anywhere."""
        count, size = image.regions.shape
        wanted = self.model.config.region_dim
        if size != wanted or count == 0:
            raise ValueError(
                f"{self.model.name} wants one region at least, of {wanted} features; image {image.image_id!r}"
                f" has {count} of {size}"
            )
        if not np.isfinite(image.regions).all():
            raise ValueError(f"the region features of image {image.image_id!r} hold NaN or infinite values")
        if getattr(self.model.config, "guide_dim", None):
            raise ValueError(
                f"{self.model.name} reads a guide vector beside each image, which is known of the"
                " collection's images only; search with one of these, or with a model without guides"
            )
        if self.model.config.box and image.boxes is None:
            raise ValueError(f"{self.model.name} reads boxes, and image {image.image_id!r} has none")
        return self._batch(
            regions=torch.as_tensor(image.regions, dtype=torch.float32)[None],
            region_mask=torch.ones(1, count, dtype=torch.bool),
            boxes=None if image.boxes is None else torch.as_tensor(image.boxes, dtype=torch.float32)[None],
        )

    def _batch(self, **parts: Tensor | None) -> Batch:
        """A batch of what is given, and nothing else."""
        none = {
            "regions": torch.zeros(0, 0, self.model.config.region_dim),
            "region_mask": torch.zeros(0, 0, dtype=torch.bool),
            "words": torch.zeros(0, 0, dtype=torch.int64),
            "word_mask": torch.zeros(0, 0, dtype=torch.bool),
        }
        found = {**none, **parts}
        return Batch(**found, image_of=torch.zeros(len(found["words"]), dtype=torch.int64))  # type: ignore[arg-type]


class _Shelf:
    """One side of a collection, encoded in pieces of like length: vectors of all, fragments if they fit.

    Args:
        memory: bytes for fragments; 0 where the model's score needs none.
    """

    def __init__(self, side: Side, collection: Collection, tokenizer: Tokenizer, memory: int):
        self.side, self.memory = side, memory
        if side == "images":
            lengths = collection.region_counts
        else:
            lengths = np.diff(collection.token_ids(tokenizer)[1])
        self.lengths, self.parts = lengths, int(lengths.sum())
        self.order = np.argsort(lengths, kind="stable")
        self.pieces: list[tuple[np.ndarray, Encoded]] = []
        self.done, self.whole = 0, True
        self._vectors: Tensor | None = None
        self._places: np.ndarray | None = None  # [2 item]

    @property
    def full(self) -> bool:
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

    def add(self, encoder: Encoder) -> bool:
        """Encode one more piece."""
        rows = self.order[self.done : self.done + AT_ONCE]
        for at, piece in self._encoded(rows, encoder):
            if self.whole and self.parts * piece.parts.shape[2] * piece.parts.element_size() > self.memory:
                self.whole = False
                self.pieces = [(known, _light(kept)) for known, kept in self.pieces]
            self.pieces.append((at, piece if self.whole else _light(piece)))
        self.done += len(rows)
        return True

    def everything(self) -> Iterator[tuple[np.ndarray, Encoded]]:
        """Rows and what they were encoded to, piece by piece; all at once where there are vectors only."""
        if self.whole:
            yield from self.pieces
            return
        vectors = self.vectors
        yield np.arange(len(vectors)), _bare_vectors(vectors)

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


def _refuse_nan(scores: np.ndarray, model: str) -> None:
    if np.isnan(scores).any():
        raise ValueError(f"{model} gives scores that are NaN; look at its weights and at the features")


def _bare(caption: str) -> str:
    """A caption without case and without what stands around it; quick, as all captions are read at once."""
    return caption.casefold().strip(" .!?\"'\n\t")
