"""`Gallery`: a collection encoded once by a model, then searched by a sentence or by an image.

Every image, or caption, is scored by the model itself as long as that is quick. A model whose score needs
both sides at once searches a large collection in two stages (`evaluation.two_stage`): one vector an item
gives the candidates, the model scores those. With an index (`search.index`) the vectors live there, on disk
or on a server, and it gives the candidates. Each answer says which way it was found.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.text import UNKNOWN, encode, split_words
from itr_explore.evaluation.encoding import Encoder
from itr_explore.evaluation.shelf import Shelf, has_one_vector
from itr_explore.nn.modes import evaluating
from itr_explore.records import Batch, Encoded, Example, Found
from itr_explore.records.found import Side
from itr_explore.search.filters import read_filter
from itr_explore.search.index import VectorIndex, open_index
from itr_explore.search.indexed import IndexedShelf, facts_of, fields_of, mark_of

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

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
        index: where vectors live, if not in memory: a folder, a Milvus Lite file (`.db`) or the URI of a
            Milvus server (`open_index`), where each model and collection has its own; or an index for each
            side, taken for this model's and collection's. What is there already is not encoded again, what
            is missing is written. So ids are rows of the collection and none else, and the gallery has no
            `add` or `delete`: what is searched is decided by the collection (`subset`) or for one search by
            `among` and `filter`. An item that was deleted from an index by its owner is written again when
            the index is next opened for a collection that has it.
        metadata: for each side, what filters can ask besides `image_id` and `regions` (images) or `words`
            (captions): fields with a value for each item.

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
        index: str | os.PathLike | Mapping[Side, VectorIndex] | None = None,
        metadata: Mapping[Side, Mapping[str, Any]] | None = None,
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
        self.one_vector = has_one_vector(model)
        self._given: Mapping[Side, VectorIndex] = index if isinstance(index, Mapping) else {}
        self._place = None if isinstance(index, Mapping) else index
        self._metadata, self._facts = metadata or {}, dict[Side, dict[str, np.ndarray]]()
        self._opened: list[VectorIndex] = []
        self._anew: set[Side] = set()  # whose index holds vectors of other weights
        self._shelves: dict[Side, Shelf] = {}
        self._weights: tuple = ()
        self._by_text: dict[str, list[int]] | None = None

    def __len__(self) -> int:
        return len(self.collection)

    def encode(self, side: Side, seconds: float = float("inf")) -> tuple[int, int]:
        """Encode images or captions, for about so many seconds; call again to go on.

        Returns:
            how many are encoded, of how many.
        """
        shelf, until = self.shelf(side), time.perf_counter() + seconds
        with self.at_rest() as encoder:
            while not shelf.full:
                shelf.add(encoder)
                if time.perf_counter() >= until:
                    break
        return shelf.done, len(shelf.order)

    def images_for(
        self, text: str, k: int = 10, *, among: np.ndarray | None = None, filter: str | None = None
    ) -> Found:
        """The images that fit a sentence best.

        Where the sentence is a caption of the collection, the right answers are its images.

        Args:
            text: any sentence with a word.
            k: how many results.
            among: [image] bool, only these are results. In memory ranks stay those among all, and in two
                stages the first of these are candidates, too. An index looks at nothing else, so that ranks
                count among these only (`Found.among_some`).
            filter: only what passes is a result, as in `regions >= 10 and image_id != "a.jpg"`
                (`search.filters`); ranks as for `among`.

        Raises:
            ValueError: there is no word, or far too many; the filter does not fit; a score is NaN; or the
                index holds ids that are no rows of the collection.
            ConnectionError: the index is on a server that does not answer.
        """
        words = split_words(text)[0]
        if not words:
            raise ValueError("there is no word to search for; type a sentence")
        if len(words) > MOST_WORDS:
            raise ValueError(f"the sentence has {len(words):,} words; at most {MOST_WORDS:,} are read")
        self._check("images", filter)
        self.encode("images")
        start = time.perf_counter()
        with self.at_rest() as encoder:
            ids, mask = encode(self._tokenizer, [text])
            query = self.model.encode_captions(self._batch(words=ids, word_mask=mask).to(encoder.device))
            unseen = (ids[0, 1 : 1 + len(words)] == UNKNOWN).tolist()
        unknown = dict.fromkeys(word for word, new in zip(words, unseen, strict=True) if new)
        right = self.right_of(text)
        return self._found("images", text, query, k, (among, filter), right, start, tuple(unknown))

    def captions_for(
        self,
        image: int | Example,
        k: int = 10,
        *,
        among: np.ndarray | None = None,
        filter: str | None = None,
    ) -> Found:
        """The captions that fit an image best.

        Args:
            image: a row of the collection; or any image with its regions, whose right answers nobody knows.
            k: how many results.
            among, filter: [caption] bool, and an expression, as for `images_for`.

        Raises:
            ValueError: the image's regions do not fit the model, or a score is NaN.
        """
        self._check("captions", filter)
        self.encode("captions")
        start = time.perf_counter()
        with self.at_rest() as encoder:
            if isinstance(image, Example):
                batch = self._batch_of(image)
                query, name = self.model.encode_images(batch.to(encoder.device)), image.image_id
            else:
                query, name = encoder.images([image]), self.collection.image_ids[image]
        return self._found("captions", name, query, k, (among, filter), self.right_of(image), start, ())

    def right_of(self, query: str | int | Example) -> np.ndarray:
        """The rows of all right answers: images of a sentence, captions of an image; none where nobody knows.

        The images of a sentence are those with such a caption. The captions of an image are its own and all
        that say the same.
        """
        if isinstance(query, Example):
            return np.zeros(0, dtype=np.int64)
        if isinstance(query, str):
            return np.unique(self.collection.image_of[self.rows_of(query)])
        captions = self.collection.captions
        own = self.collection.captions_of(query)
        same = {row for caption in own for row in self.rows_of(captions[caption])}
        return np.array(sorted(same), dtype=np.int64)

    def shelf(self, side: Side) -> Shelf:
        """What is encoded by now of one side, with the weights that the model has now."""
        if side not in get_args(Side):
            raise ValueError(f"a side is {' or '.join(get_args(Side))}, got {side!r}")
        weights = self.stamp()
        if weights != self._weights:
            self._anew = set(self._given) if self._weights else set()
            self.close()
            self._shelves, self._weights = {}, weights
        if side not in self._shelves:
            self._shelves[side] = self._new_shelf(side)
        return self._shelves[side]

    def facts(self, side: Side) -> dict[str, np.ndarray]:
        """[item] what filters can ask of a side, by name."""
        if side not in self._facts:
            self._facts[side] = facts_of(self.collection, side, self._metadata.get(side, {}))
        return self._facts[side]

    def close(self) -> None:
        """Save and let go of the indexes that were opened here; they open again when they are needed."""
        for side, shelf in list(self._shelves.items()):
            if isinstance(shelf, IndexedShelf) and shelf.index in self._opened:
                if not shelf.full:
                    shelf.save()
                shelf.index.close()
                del self._shelves[side]
        self._opened = []

    def _check(self, side: Side, filter: str | None) -> None:
        """Refuse a bad filter before anything is encoded."""
        if filter is not None:
            read_filter(filter, fields_of(self.facts(side)))

    def _new_shelf(self, side: Side) -> Shelf:
        if side in self._given:
            index, anew = self._given[side], side in self._anew
        elif self._place is not None:
            index, anew = self._open(side), False
        else:
            return Shelf(self.model, self.collection, side, self.memory)
        return IndexedShelf(self.model, self.collection, side, index, self.facts(side), anew)

    def _open(self, side: Side) -> VectorIndex:
        """The index of this model, collection and side at the place that was named."""
        assert self._place is not None
        with self.at_rest() as encoder:
            first = encoder.images([0]) if side == "images" else encoder.captions([0])
            dim = first.vectors.shape[1]
        name = f"{side}_{mark_of(self.model, self.collection, self.facts(side))}"
        expected = len(self.collection if side == "images" else self.collection.captions)
        index = open_index(self._place, name, dim, fields_of(self.facts(side)), expected=expected)
        self._opened.append(index)
        return index

    def stamp(self) -> tuple:
        """What changes whenever the model's weights do."""
        return tuple((weight.data_ptr(), weight._version) for weight in self.model.parameters())

    def _found(
        self,
        side: Side,
        name: str,
        query: Encoded,
        k: int,
        only: tuple[np.ndarray | None, str | None],
        right: np.ndarray,
        start: float,
        unknown: tuple[str, ...],
    ) -> Found:
        shelf, (among, filter) = self.shelf(side), only
        if k < 1:
            raise ValueError(f"wanted one result at least, got k={k}")
        if filter is not None and (among is not None or not isinstance(shelf, IndexedShelf)):
            facts = {**self.facts(side), "id": np.arange(len(shelf.order))}
            passed = read_filter(filter, fields_of(self.facts(side))).passes(facts, len(shelf.order))
            among, filter = passed if among is None else passed & np.asarray(among, dtype=bool), None
        if among is not None:
            among = np.asarray(among, dtype=bool)
            if among.shape != (len(shelf.order),):
                raise ValueError(f"among must be [{len(shelf.order)}] booleans, got {list(among.shape)}")
        seconds = {"read": time.perf_counter() - start}
        if isinstance(shelf, IndexedShelf):
            asked = filter if among is None else np.flatnonzero(among)
            return self._found_by(shelf, name, query, k, asked, right, seconds, unknown)
        with self.at_rest() as encoder:
            order, scores, scored = self._ranked(shelf, query, k, among, encoder, seconds)
        start = time.perf_counter()
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        first = order[:scored]
        rows = first[:k] if among is None else first[among[first]][:k]
        own = scores[rows]
        after = np.append(scores[order], np.nan)[ranks[rows] + 1]
        right = right[np.argsort(ranks[right], kind="stable")]
        names = self.collection.image_ids if side == "images" else self.collection.captions
        seen = scores[first]
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

    def _found_by(
        self,
        shelf: IndexedShelf,
        name: str,
        query: Encoded,
        k: int,
        asked: str | np.ndarray | None,
        right: np.ndarray,
        seconds: dict[str, float],
        unknown: tuple[str, ...],
    ) -> Found:
        """What the index brings, in its order, or in the model's where that needs both sides."""
        start = time.perf_counter()
        wanted = k + 1 if self.one_vector else max(k, self.candidates or CANDIDATES_ENCODED_AGAIN)
        came = shelf.index.search(query.vectors, min(wanted, len(shelf.order)), filter=asked)
        rows, scores = (values[0][came.ids[0] >= 0] for values in (came.ids, came.scores))
        shelf.refuse_foreign(rows)
        seconds["coarse"] = time.perf_counter() - start
        if not self.one_vector:
            start = time.perf_counter()
            rows, scores = self._rescored(shelf, rows, query)
            seconds["re-rank"] = time.perf_counter() - start
        names = self.collection.image_ids if shelf.side == "images" else self.collection.captions
        ranks = {row: rank for rank, row in enumerate(rows.tolist())}
        found = sorted((row for row in right.tolist() if row in ranks), key=ranks.__getitem__)
        return Found(
            name,
            shelf.side,
            self.model.name,
            f"{self.collection.name}, {self.collection.split}",
            rows[:k],
            np.arange(len(rows))[:k],
            scores[:k],
            -np.diff(scores, append=np.nan)[:k],
            np.isin(rows[:k], right),
            tuple(names[row] for row in rows[:k].tolist()),
            np.array(found, dtype=np.int64),
            np.array([ranks[row] for row in found], dtype=np.int64),
            len(shelf.order),
            len(rows),
            (float(scores.min()), float(scores.mean()), float(scores.max())) if len(rows) else (np.nan,) * 3,
            seconds,
            unknown,
            shelf.index.kind,
            tuple(row for row in right.tolist() if row not in ranks),
            asked is not None,
        )

    def _rescored(self, shelf: Shelf, rows: np.ndarray, query: Encoded) -> tuple[np.ndarray, np.ndarray]:
        """The same rows by the model's own score, and these scores."""
        rows, scores = shelf.by_length(rows), np.empty(len(rows))
        place = {row: at for at, row in enumerate(rows.tolist())}
        with self.at_rest() as encoder:
            for some, piece in shelf.some(rows, encoder):
                scores[[place[row] for row in some.tolist()]] = self.score(shelf.side, piece, query)
        refuse_nan(scores, self.model.name)
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]

    def _ranked(
        self,
        shelf: Shelf,
        query: Encoded,
        k: int,
        among: np.ndarray | None,
        encoder: Encoder,
        seconds: dict[str, float],
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """All rows best first; [item] scores, NaN where the model gave none; how many it gave."""
        start = time.perf_counter()
        count = len(shelf.order)
        scores = np.full(count, np.nan)
        candidates = max(k, self.candidates or (CANDIDATES if shelf.whole else CANDIDATES_ENCODED_AGAIN))
        exact = self.one_vector or (shelf.whole and count <= max(self.exact_up_to, candidates))
        if exact:
            for rows, piece in shelf.everything(encoder):
                scores[rows] = self.score(shelf.side, piece, query)
            refuse_nan(scores, self.model.name)
            order = np.argsort(-scores, kind="stable")
            seconds["score"] = time.perf_counter() - start
            return order, scores, count
        coarse = (shelf.vectors @ query.vectors[0]).double().cpu().numpy()
        refuse_nan(coarse, self.model.name)
        order = np.argsort(-coarse, kind="stable")
        chosen = np.arange(count) < candidates
        if among is not None:
            chosen |= among[order] & (np.cumsum(among[order]) <= candidates)
        first = shelf.by_length(order[chosen])
        seconds["coarse"] = time.perf_counter() - start
        start = time.perf_counter()
        for rows, piece in shelf.some(first, encoder):
            scores[rows] = self.score(shelf.side, piece, query)
        first = np.sort(first)
        refuse_nan(scores[first], self.model.name)
        order = np.concatenate([first[np.argsort(-scores[first], kind="stable")], order[~chosen]])
        seconds["re-rank"] = time.perf_counter() - start
        return order, scores, len(first)

    def score(self, side: Side, piece: Encoded, query: Encoded) -> np.ndarray:
        """[item] the model's scores of some items with one query."""
        found = (
            self.model.score(piece, query)[:, 0] if side == "images" else self.model.score(query, piece)[0]
        )
        return found.double().cpu().numpy()

    @contextmanager
    def at_rest(self) -> Iterator[Encoder]:
        """The model in evaluation mode where it is, as an encoder of the collection."""
        with evaluating(self.model), torch.no_grad():
            yield Encoder(self.model, self.collection, next(self.model.parameters()).device)

    def rows_of(self, text: str) -> list[int]:
        """The captions that are this sentence, but for case and outer punctuation."""
        if self._by_text is None:
            self._by_text = {}
            for row, caption in enumerate(self.collection.captions):
                self._by_text.setdefault(_bare(caption), []).append(row)
        return self._by_text.get(_bare(text), [])

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


def refuse_nan(scores: np.ndarray, model: str) -> None:
    """ValueError where a model gives scores that are no numbers."""
    if np.isnan(scores).any():
        raise ValueError(f"{model} gives scores that are NaN; look at its weights and at the features")


def _bare(caption: str) -> str:
    """A caption without case and without what stands around it; quick, as all captions are read at once."""
    return caption.casefold().strip(" .!?\"'\n\t")
