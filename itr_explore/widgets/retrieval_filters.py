"""The filters of a `RetrievalDemo`: only wrong answers, captions with a word, images with a thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records.found import Side

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection


class Filters:
    """Which items of a collection pass; what it has to know of the collection is looked up once."""

    def __init__(self, collection: Collection):
        self.collection = collection
        self._labels: dict[str, set[int]] | None = None

    def passed(
        self, side: Side, word: str = "", label: str = "", without: np.ndarray | None = None
    ) -> np.ndarray | None:
        """[item] bool of the images or captions; None where all pass.

        Args:
            word: letters of a caption, whatever their case; an image passes with one of its captions.
            label: letters of a region's label; a caption passes with its image.
            without: rows that do not pass.
        """
        word, label = word.strip().casefold(), label.strip().casefold()
        if not (word or label) and without is None:
            return None
        collection = self.collection
        count = len(collection) if side == "images" else len(collection.captions)
        passed = np.ones(count, dtype=bool)
        if without is not None:
            passed[without] = False
        if word:
            has = np.array([word in caption.casefold() for caption in collection.captions])
            passed &= has if side == "captions" else np.isin(np.arange(count), collection.image_of[has])
        if label:
            images = np.zeros(len(collection), dtype=bool)
            for name, rows in self.images_by_label().items():
                if label in name.casefold():
                    images[list(rows)] = True
            passed &= images if side == "images" else images[collection.image_of]
        return passed

    def images_by_label(self) -> dict[str, set[int]]:
        """The images that have a region of a label."""
        if self._labels is None:
            self._labels = {}
            for row in range(len(self.collection)):
                for label in self.collection.labels(row):
                    self._labels.setdefault(label, set()).add(row)
        return self._labels
