"""`RetrievalDemo`: type a sentence and see images ranked, choose an image and see captions ranked, ask why.

All that it shows can be had in code: `demo.gallery.images_for(text)`, `demo.gallery.captions_for(row)`,
`explain`, `contrast_pairs`, `compare_images`, `query_ranks`, `error_classes`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from itr_explore.data.mistakes import false_claims
from itr_explore.data.pictures import MOST_BYTES, small_enough
from itr_explore.data.scenes.load import KeptScenes
from itr_explore.data.sliding import sliding_regions
from itr_explore.data.text import split_words
from itr_explore.data.thumbnails import summary as summary_of
from itr_explore.evaluation.errors import error_classes
from itr_explore.explanation.contrast import contrast_pairs
from itr_explore.explanation.contrast_images import compare_images
from itr_explore.explanation.maps import explain
from itr_explore.records import Example, Found, Pair
from itr_explore.records.found import Side
from itr_explore.search.gallery import Gallery
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.found import Result, found_still
from itr_explore.widgets.payload import payload as pair_payload
from itr_explore.widgets.retrieval_filters import Filters
from itr_explore.widgets.retrieval_payload import (
    Thumbnails,
    contrast_json,
    found_json,
    thumbnail,
    worst_json,
)
from itr_explore.widgets.uploads import Regions, Uploads
from itr_explore.widgets.view import LiveView, Theme, is_dark
from itr_explore.widgets.worst_queries import WorstQueries

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

Query = dict[str, Any]  # {"text": sentence}, {"image": row} or {"upload": number}

SHOWN = 12  # results
EXAMPLES = 4
BROWSED = 12  # images at once to choose from
LABELS = 80  # most frequent ones that are offered
A_MOMENT = 0.25  # seconds of work for one question, so that others are answered between
PRINTED = 200  # pixels of a result's shorter side in a still, at least twice as many in truth
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
    latest = traitlets.Dict(help="the last answer, and what was chosen of it").tag(sync=True)

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
        self._filters = Filters(collection)
        self._uploads = None if regions_of is None else Uploads(regions_of)
        self._worst = WorstQueries(self.gallery)
        self._latest: dict[str, Any] = {}
        text = collection.captions[0] if query is None else query
        super().__init__(payload=self._about())
        self.answer_search({"text": text})
        if self.found is not None and len(self.found.rows):
            self.answer_pair({"text": text}, int(self.found.rows[0]))
        self.settle()

    def title(self) -> str:
        """The model and the collection."""
        return f"{self.model.name}: search in {self.collection.name}, {self.collection.split}"

    def summary(self) -> str:
        """The last answer as text."""
        return f"{summary_of(self.collection)}\n{self.found}"

    def drawn_now(self) -> dict[str, Any]:
        """The payload with the last answer."""
        return {**self.payload, "latest": self._latest}

    def settle(self) -> None:
        """Let displays that are opened from now on begin with the last answer."""
        self.latest = self._latest

    def still(self, *, width: float = 1000, theme: Theme = "light") -> Drawing:
        """The last answer: the query, its results with score and margin, where the right answers stand.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.

        Raises:
            ValueError: as of `View.still`.
        """
        dark, told, found = is_dark(theme), self._latest["answer"], self.found
        assert found is not None, "the first query is answered when the demo is made"
        query = told["asked"]
        passed = told["eligible"] < told["of"]
        return found_still(
            found,
            [self._shown_result(found.side, one) for one in told["results"]],
            asked=None if found.side == "images" else self._asked_picture(query),
            note=f"{told['eligible']:,} pass the filters." if passed else "",
            width=width,
            dark=dark,
            title=f"{self.title()}: {found.query}",
            description=self.summary(),
        )

    # ---------- questions of the front end

    def answer_search(
        self, query: Query, wrong: bool = False, word: str = "", label: str = ""
    ) -> dict[str, Any]:
        """Results of a query, only those that pass the filters."""
        side = _side(query)
        without = self.gallery.right_of(self._asked(query)) if wrong else None
        among = self._filters.passed(side, word, label, without)
        found = self._search(query, self.shown, among)
        eligible = found.of if among is None else int(among.sum())
        asked = query.get("image")
        if side == "images":
            asked = next(iter(self.gallery.rows_of(query["text"])), None)
        told = found_json(found, self.collection, self._thumbnails, asked, eligible)
        told |= {"asked": query, "filters": {"wrong": wrong, "word": word, "label": label}}
        if side == "captions":
            told["picture"] = self._shown_query(query)
        self.found = found
        self._latest = {"answer": told, "chosen": None}
        return told

    def answer_prepare(self, side: Side) -> dict[str, int]:
        """Encode a little more of one side; how many are done, of how many."""
        done, total = self.gallery.encode(side, A_MOMENT)
        return {"done": done, "total": total}

    def answer_pair(self, query: Query, row: int) -> dict[str, Any]:
        """The linked view of a query with one of its results."""
        explanation = explain(self.model, self._pair(query, row))
        chosen = {"row": row, "pair": pair_payload(explanation), "why": None}
        self._latest = {**self._latest, "chosen": chosen}
        return chosen

    def answer_why(self, query: Query, row: int) -> dict[str, Any]:
        """A result against the right answer; a right one against the best other one."""
        side = _side(query)
        found = self._search(query, 2 + len(self.gallery.right_of(self._asked(query))), None)
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
        chosen = self._latest.get("chosen")
        if chosen and chosen["row"] == row:
            self._latest = {**self._latest, "chosen": {**chosen, "why": told}}
        return told

    def answer_browse(self, start: int = 0, word: str = "", label: str = "") -> dict[str, Any]:
        """Some images to choose from."""
        among = self._filters.passed("images", word, label)
        rows = np.arange(len(self.collection)) if among is None else np.flatnonzero(among)
        start = max(0, min(start, (max(len(rows), 1) - 1) // BROWSED * BROWSED))
        return {
            "start": start,
            "page": BROWSED,
            "of": len(rows),
            "images": [self._thumbnails(row) for row in rows[start : start + BROWSED].tolist()],
        }

    def answer_upload(self, key: str, name: str, part: int, parts: int, data: str) -> dict[str, Any]:
        """A piece of a file, in base64; the last one makes it a query. Each upload has a `key` of its own."""
        number = self._want_uploads().receive(key, name, part, parts, data)
        return {"done": part + 1, "total": parts} if number is None else {"upload": number}

    def take_picture(self, file: bytes | Image, name: str = "picture") -> Query:
        """Make a picture from anywhere a query; `demo.search` takes what is returned.

        Raises:
            ValueError: it is no picture, or nobody says what its regions are.
        """
        return {"upload": self._want_uploads().take(file, name)}

    def answer_worst(self, side: Side, by: str = "rank") -> dict[str, Any]:
        """A little more of the ranks of all queries, or, when they are there, the worst of them."""
        found = self._worst.go_on(side)
        if isinstance(found, tuple):
            return {"done": found[0], "total": found[1]}
        return worst_json(found, 20, by, self.collection, self._thumbnails)

    def answer_classes(self) -> dict[str, Any]:
        """What is false in the wrong captions that rank first, as a table."""
        device = str(next(self.model.parameters()).device)
        table = error_classes(self.model, self.collection, device=device).table()
        head, *rows = table.cells()
        return {"head": head, "rows": rows, "title": table.title, "note": table.note}

    # ---------- in between

    def search(self, query: str | int | Query) -> Found:
        """Ask as a person would: a sentence, the row of an image, or what `take_picture` returned."""
        asked: Query = {"text": query} if isinstance(query, str) else query  # type: ignore[assignment]
        self.answer_search({"image": query} if isinstance(query, int) else asked)
        self.settle()
        assert self.found is not None
        return self.found

    def _about(self) -> dict[str, Any]:
        collection, model = self.collection, self.model
        labels = self._filters.images_by_label()
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
        }

    def _examples(self) -> list[str]:
        """Short captions from all over the collection."""
        captions, near = self.collection.captions, 20
        starts = range(0, len(captions), max(1, len(captions) // EXAMPLES))
        return [min(captions[start : start + near], key=len) for start in starts][:EXAMPLES]

    def _asked(self, query: Query) -> str | int | Example:
        """A query as `Gallery` takes it."""
        if _side(query) == "captions":
            return self._upload(query) if "upload" in query else int(query["image"])
        text = query["text"]
        if len(text) > MOST_TEXT:
            raise ValueError(f"the query has {len(text):,} letters; at most {MOST_TEXT:,} are read")
        return text

    def _search(self, query: Query, k: int, among: np.ndarray | None) -> Found:
        asked = self._asked(query)
        if isinstance(asked, str):
            return self.gallery.images_for(asked, k, among=among)
        return self.gallery.captions_for(asked, k, among=among)

    def _want_uploads(self) -> Uploads:
        if self._uploads is None:
            raise ValueError(self.payload["upload"]["say"])
        return self._uploads

    def _upload(self, query: Query) -> Example:
        return self._want_uploads()[query["upload"]]

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
            regions_from=self.collection.regions_from,
        )

    def _shown_result(self, side: Side, told: dict[str, Any]) -> Result:
        """A result that was told to the front end, as a still shows it."""
        says = told["false"] or ""
        if side == "captions":
            return Result(told["text"], told["state"], says)
        with small_enough(PRINTED):
            picture = self._picture(told["row"])
        return Result(told["caption"] or told["name"], told["state"], says or told["problem"], picture)

    def _asked_picture(self, query: Query) -> Image | None:
        return self._upload(query).image if "upload" in query else self._picture(int(query["image"]))

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


def _side(query: Query) -> Side:
    """What a query searches."""
    if not isinstance(query, dict) or len(query) != 1 or not set(query) <= {"text", "image", "upload"}:
        raise ValueError(f"a query is a sentence, the row of an image or an uploaded one, got {query!r}")
    return "images" if "text" in query else "captions"
