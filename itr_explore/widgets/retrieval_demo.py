"""`RetrievalDemo`: type a sentence and see images ranked, choose an image and see captions ranked, ask why.

All that it shows can be had in code: `demo.gallery.images_for(text)`, `demo.gallery.captions_for(row)`,
`explain`, `contrast_pairs`, `compare_images`, `query_ranks`, `error_classes`.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.mistakes import false_claims
from itr_explore.data.pictures import MOST_BYTES, read_picture
from itr_explore.data.scenes.load import KeptScenes
from itr_explore.data.sliding import sliding_regions
from itr_explore.data.text import split_words
from itr_explore.data.thumbnails import summary as summary_of
from itr_explore.evaluation.errors import error_classes
from itr_explore.evaluation.queries import query_ranks_in_steps
from itr_explore.explanation.contrast import contrast_pairs
from itr_explore.explanation.contrast_images import compare_images
from itr_explore.explanation.maps import explain
from itr_explore.records import Example, Found, Pair, QueryRanks
from itr_explore.records.found import Side
from itr_explore.search.gallery import Gallery
from itr_explore.widgets.payload import payload as pair_payload
from itr_explore.widgets.retrieval_payload import (
    Thumbnails,
    contrast_json,
    found_json,
    thumbnail,
    worst_json,
)
from itr_explore.widgets.view import LiveView

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

Regions = Callable[["Image"], tuple[np.ndarray, np.ndarray]]
Query = dict[str, Any]  # {"text": sentence}, {"image": row} or {"upload": number}

SHOWN = 12  # results
EXAMPLES = 4
BROWSED = 12  # images at once to choose from
LABELS = 80  # most frequent ones that are offered
UPLOADS = 8  # kept
A_MOMENT = 0.25  # seconds of work for one question, so that others are answered between
MOST_TEXT = 20_000  # characters of a query


class RetrievalDemo(LiveView):
    """Search a collection by a sentence or an image, and look into what was found.

    Args:
        model: trained on such a collection.
        collection: what is searched.
        query: the sentence of the first display; by default the collection's first caption.
        regions_of: the regions of any picture, so that people can search with their own: from an RGB image to
            features [region feature] and boxes [region 4] (fractions). For scenes it is known.
        shown: how many results.
        gallery: one that has been made before, of the same model and collection.

    Raises:
        ValueError: the collection is empty or does not fit the model.
    """

    view = "retrieval_demo"

    def __init__(
        self,
        model: RetrievalModel,
        collection: Collection,
        *,
        query: str | None = None,
        regions_of: Regions | None = None,
        shown: int = SHOWN,
        gallery: Gallery | None = None,
    ):
        if not len(collection) or not collection.captions:
            raise ValueError(
                f"nothing to search: {len(collection)} images and {len(collection.captions)} captions"
            )
        self.model, self.collection = model, collection
        self.gallery = Gallery(model, collection) if gallery is None else gallery
        if regions_of is None and isinstance(collection.source, KeptScenes):
            regions_of = sliding_regions
        self.regions_of, self.shown = regions_of, shown
        self.found: Found | None = None  # the last answer
        self._thumbnails = Thumbnails(collection)
        self._labels: dict[str, set[int]] | None = None
        self._incoming: dict[str, list[str]] = {}
        self._uploads: OrderedDict[int, Example] = OrderedDict()
        self._worst: dict[Side, Iterator[tuple[int, int, QueryRanks | None]]] = {}
        self._ranked: dict[Side, QueryRanks] = {}
        self._ranked_with: tuple = ()
        text = collection.captions[0] if query is None else query
        super().__init__(payload=self._about())
        self.answer_search({"text": text})
        if self.found is not None and len(self.found.rows):
            self.answer_pair({"text": text}, int(self.found.rows[0]))
        self.send_state("payload")  # the front end's copy is older than these answers

    def title(self) -> str:
        """The model and the collection."""
        return f"{self.model.name}: search in {self.collection.name}, {self.collection.split}"

    def summary(self) -> str:
        """The last answer as text."""
        return f"{summary_of(self.collection)}\n{self.found}"

    # ---------- questions of the front end

    def answer_search(
        self, query: Query, wrong: bool = False, word: str = "", label: str = ""
    ) -> dict[str, Any]:
        """Results of a query, only those that pass the filters."""
        side = _side(query)
        among, eligible = self._among(side, query, wrong, word.strip(), label.strip())
        found = self._search(query, self.shown, among)
        asked = query.get("image")
        if side == "images":
            asked = next(iter(self.gallery.rows_of(query["text"])), None)
        told = found_json(found, self.collection, self._thumbnails, asked, eligible)
        told |= {"asked": query, "filters": {"wrong": wrong, "word": word, "label": label}}
        if side == "captions":
            told["picture"] = self._shown_query(query)
        self.found = found
        self.payload["latest"] = {"answer": told, "chosen": None}
        return told

    def answer_prepare(self, side: Side) -> dict[str, int]:
        """Encode a little more of one side; how many are done, of how many."""
        done, total = self.gallery.encode(side, A_MOMENT)
        return {"done": done, "total": total}

    def answer_pair(self, query: Query, row: int) -> dict[str, Any]:
        """The linked view of a query with one of its results."""
        explanation = explain(self.model, self._pair(query, row))
        chosen = {"row": row, "pair": pair_payload(explanation), "why": None}
        self._choose(chosen)
        return chosen

    def answer_why(self, query: Query, row: int) -> dict[str, Any]:
        """A result against the right answer; a right one against the best other one."""
        side = _side(query)
        found = self._search(query, 2 + len(self._right(query)), None)
        right = found.right_rows.tolist()
        others = [other for other in found.rows.tolist() if other != row and other not in right]
        if row not in right and right:
            against, called = right[0], "the right answer"
        elif others:
            against, called = others[0], "the best wrong one" if right else "the best other one"
        else:
            raise ValueError("there is nothing to compare it with; the collection has no other answer")
        names = (called, "the chosen one")
        pairs = self._pair(query, against), self._pair(query, row)
        if side == "images":
            told = contrast_json(compare_images(self.model, *pairs), names)
        else:
            apart = contrast_pairs(self.model, *pairs)
            if "image" in query:
                apart = replace(apart, false=false_claims(self.collection, row, query["image"]))
            told = contrast_json(apart, names)
        told["against"] = {"row": against, "rank": self._rank(found, against)}
        told["captions"] = [pair.caption for pair in pairs]
        told["images"] = [pair.image_id for pair in pairs]
        told["pictures"] = [self._thumbnails(at) for at in (against, row)] if side == "images" else []
        latest = self.payload.get("latest") or {}
        if latest.get("chosen") and latest["chosen"]["row"] == row:
            latest["chosen"]["why"] = told
        return told

    def answer_browse(self, start: int = 0, word: str = "", label: str = "") -> dict[str, Any]:
        """Some images to choose from."""
        among, _ = self._among("images", {"text": ""}, False, word.strip(), label.strip())
        rows = np.arange(len(self.collection)) if among is None else np.flatnonzero(among)
        start = max(0, min(start, (max(len(rows), 1) - 1) // BROWSED * BROWSED))
        return {
            "start": start,
            "of": len(rows),
            "images": [self._thumbnails(row) for row in rows[start : start + BROWSED].tolist()],
        }

    def answer_upload(self, number: int, name: str, part: int, parts: int, data: str) -> dict[str, Any]:
        """A piece of a file, in base64; the last one makes it a query."""
        if self.regions_of is None:
            raise ValueError(self.payload["upload"]["say"])
        pieces = self._incoming.setdefault(str(number), [])
        if part == 0:
            pieces.clear()
        pieces.append(data)
        if sum(map(len, pieces)) > MOST_BYTES * 4 / 3 + 4 * parts:
            del self._incoming[str(number)]
            raise ValueError(f"{name} is larger than {MOST_BYTES // 2**20} MB; make it smaller")
        if part + 1 < parts:
            return {"done": part + 1, "total": parts}
        del self._incoming[str(number)]
        try:
            file = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
        except binascii.Error as error:
            raise ValueError(f"{name} did not arrive whole ({error}); send it again") from error
        return self.take_picture(file, name)

    def take_picture(self, file: bytes | Image, name: str = "picture") -> Query:
        """Make a picture from anywhere a query; `demo.search` takes what is returned.

        Raises:
            ValueError: it is no picture, or nobody says what its regions are.
        """
        if self.regions_of is None:
            raise ValueError(self.payload["upload"]["say"])
        image = read_picture(file, name) if isinstance(file, bytes) else file.convert("RGB")
        features, boxes = self.regions_of(image)
        features = np.asarray(features, dtype=np.float32)
        example = Example(name, image, features, None if boxes is None else np.asarray(boxes, np.float32), ())
        number = max(self._uploads, default=0) + 1
        self._uploads[number] = example
        if len(self._uploads) > UPLOADS:
            self._uploads.popitem(last=False)
        return {"upload": number}

    def answer_worst(self, side: Side, by: str = "rank") -> dict[str, Any]:
        """A little more of the ranks of all queries, or, when they are there, the worst of them."""
        if self.gallery.stamp() != self._ranked_with:  # trained since
            self._worst, self._ranked, self._ranked_with = {}, {}, self.gallery.stamp()
        if side not in self._ranked:
            if side not in self._worst:
                device = str(next(self.model.parameters()).device)
                self._worst[side] = query_ranks_in_steps(self.model, self.collection, side, device=device)
            try:
                done, total, ranks = next(self._worst[side])
            except Exception:
                del self._worst[side]
                raise
            if ranks is None:
                return {"done": done, "total": total}
            self._ranked[side] = ranks
            del self._worst[side]
        return worst_json(self._ranked[side], 20, by, self.collection, self._thumbnails)

    def answer_classes(self) -> dict[str, Any]:
        """What is false in the wrong captions that rank first, as a table."""
        device = str(next(self.model.parameters()).device)
        table = error_classes(self.model, self.collection, device=device).table()
        head, *rows = table._cells()
        return {"head": head, "rows": rows, "title": table.title, "note": table.note}

    # ---------- in between

    def search(self, query: str | int | Query) -> Found:
        """Ask as a person would: a sentence, the row of an image, or what `take_picture` returned."""
        asked: Query = {"text": query} if isinstance(query, str) else query  # type: ignore[assignment]
        self.answer_search({"image": query} if isinstance(query, int) else asked)
        assert self.found is not None
        return self.found

    def _about(self) -> dict[str, Any]:
        collection, model = self.collection, self.model
        labels = self._images_by_label()
        offered = sorted(labels, key=lambda label: (-len(labels[label]), label))[:LABELS]
        scale = "cosines" if self.gallery.one_vector else "the model’s own scores"
        if self.regions_of is None:
            say = (
                "A picture of your own has to be turned into regions first. Give"
                " RetrievalDemo(..., regions_of=f), where f(image) returns features"
                f" [region {collection.region_dim}] and boxes [region 4]."
            )
        elif self.regions_of is sliding_regions:
            say = (
                "Boxes of an uploaded picture are a grid slid over it, kept where the scenes' region network"
                " sees a thing; nothing else is known of it."
            )
        else:
            say = "Regions of an uploaded picture come from the function that was given."
        return {
            "model": model.name,
            "collection": f"{collection.name}, {collection.split}",
            "images": len(collection),
            "captions": len(collection.captions),
            "scale": scale,
            "labels": offered,
            "examples": self._examples(),
            "upload": {"can": self.regions_of is not None, "say": say, "most": MOST_BYTES},
            "classes": isinstance(collection.source, KeptScenes),
            "latest": None,
        }

    def _examples(self) -> list[str]:
        """Short captions from all over the collection."""
        captions, near = self.collection.captions, 20
        starts = range(0, len(captions), max(1, len(captions) // EXAMPLES))
        return [min(captions[start : start + near], key=len) for start in starts][:EXAMPLES]

    def _search(self, query: Query, k: int, among: np.ndarray | None) -> Found:
        if _side(query) == "images":
            text = query["text"]
            if len(text) > MOST_TEXT:
                raise ValueError(f"the query has {len(text):,} letters; at most {MOST_TEXT:,} are read")
            return self.gallery.images_for(text, k, among=among)
        if "upload" in query:
            return self.gallery.captions_for(self._upload(query), k, among=among)
        return self.gallery.captions_for(int(query["image"]), k, among=among)

    def _upload(self, query: Query) -> Example:
        if query["upload"] not in self._uploads:
            raise ValueError("this picture is no longer kept; upload it again")
        return self._uploads[query["upload"]]

    def _right(self, query: Query) -> list[int]:
        if "text" in query:
            return np.unique(self.collection.image_of[self.gallery.rows_of(query["text"])]).tolist()
        return [] if "upload" in query else self.collection.captions_of(query["image"]).tolist()

    def _rank(self, found: Found, row: int) -> int | None:
        """From 1, where it is known."""
        for rows, ranks in ((found.rows, found.ranks), (found.right_rows, found.right_ranks)):
            if row in rows:
                return int(ranks[rows.tolist().index(row)]) + 1
        return None

    def _pair(self, query: Query, row: int) -> Pair:
        """A query with one of its results."""
        if "upload" in query:
            example = self._upload(query)
            words, offsets = split_words(self.collection.captions[row])
            return Pair(
                *(example.image_id, example.image, example.regions, example.boxes),
                *(self.collection.captions[row], words, offsets),
            )
        image = row if "text" in query else int(query["image"])
        caption = query["text"] if "text" in query else self.collection.captions[row]
        known = self.gallery.rows_of(caption) if "text" in query else [row]
        own = self.collection.captions_of(image).tolist()
        same = [own.index(at) for at in known if at in own and self.collection.captions[at] == caption]
        if same:
            pair = self.collection.pair(image, same[0], picture=False)
            return replace(pair, image=self._picture(image))
        words, offsets = split_words(caption)
        guide = self.collection.guide_of(np.array([image]))
        return Pair(
            self.collection.image_ids[image],
            self._picture(image),
            self.collection.regions(image),
            self.collection.boxes(image),
            caption,
            words,
            offsets,
            labels=self.collection.labels(image),
            guide=None if guide is None else guide[0],
        )

    def _picture(self, image: int) -> Image | None:
        try:
            return self.collection.image(image)
        except (OSError, ValueError):  # the thumbnail says what is wrong with it
            return None

    def _shown_query(self, query: Query) -> dict[str, Any]:
        if "upload" not in query:
            return self._thumbnails(int(query["image"]))
        example = self._upload(query)
        return {
            "image": None,
            "name": example.image_id,
            "src": None if example.image is None else thumbnail(example.image),
            "caption": "",
            "problem": "",
            "regions": len(example.regions),
        }

    def _choose(self, chosen: dict[str, Any]) -> None:
        if self.payload.get("latest"):
            self.payload["latest"]["chosen"] = chosen

    def _among(
        self, side: Side, query: Query, wrong: bool, word: str, label: str
    ) -> tuple[np.ndarray | None, int]:
        """[item] bool, which pass the filters (None: all), and how many these are."""
        collection = self.collection
        count = len(collection) if side == "images" else len(collection.captions)
        if not (wrong or word or label):
            return None, count
        passed = np.ones(count, dtype=bool)
        if wrong:
            passed[self._right(query)] = False
        if word:
            has = np.array([word.casefold() in caption.casefold() for caption in collection.captions])
            if side == "captions":
                passed &= has
            else:
                of_image = np.zeros(count, dtype=bool)
                of_image[collection.image_of[has]] = True
                passed &= of_image
        if label:
            images = np.zeros(len(collection), dtype=bool)
            for name, rows in self._images_by_label().items():
                if label.casefold() in name.casefold():
                    images[list(rows)] = True
            passed &= images if side == "images" else images[collection.image_of]
        return passed, int(passed.sum())

    def _images_by_label(self) -> dict[str, set[int]]:
        if self._labels is None:
            self._labels = {}
            for row in range(len(self.collection)):
                for label in self.collection.labels(row):
                    self._labels.setdefault(label, set()).add(row)
        return self._labels


def _side(query: Query) -> Side:
    """What a query searches."""
    if not isinstance(query, dict) or len(query) != 1 or not set(query) <= {"text", "image", "upload"}:
        raise ValueError(f"a query is a sentence, the row of an image or an uploaded one, got {query!r}")
    return "images" if "text" in query else "captions"
