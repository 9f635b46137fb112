"""Where images and captions lie in the space that a system compares them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records.checks import want, want_shape
from itr_explore.records.tables import ShownAsTable, Table

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, repr=False)
class Space(ShownAsTable):
    """Vectors of images and captions, seen along the two directions in which they differ most.

    Two axes show a part of a space only: `explained` says how much. What lies apart here lies apart there;
    what lies together here may not.
    """

    model: str
    images: np.ndarray  # [image 2]
    captions: np.ndarray  # [caption 2]
    image_of: np.ndarray  # [caption]  the row of `images` that each caption describes
    explained: tuple[float, float]  # share of the variance of all vectors along each axis
    image_ids: tuple[str, ...]
    texts: tuple[str, ...]  # of the captions
    pictures: tuple[Image | None, ...]  # small ones, of at most 64 pixels a side

    def __post_init__(self):
        want_shape("images", self.images, (len(self.image_ids), 2))
        want_shape("captions", self.captions, (len(self.texts), 2))
        want_shape("image_of", self.image_of, (len(self.texts),))
        told = f"a picture, or None, for each of {len(self.image_ids)} images is wanted"
        want(len(self.pictures) == len(self.image_ids), f"{told}, got {len(self.pictures)}")

    def table(self) -> Table:
        """How much of the variance each axis has."""
        rows = tuple((f"component {n}", 100 * share) for n, share in enumerate(self.explained, start=1))
        counts = f"{len(self.image_ids)} images and {len(self.texts)} captions"
        return Table(("axis", "% of the variance"), rows, self.model, counts)

    def to_frame(self):
        """A pandas `DataFrame` with a row for each image and each caption: where it lies, and whose it is."""
        import pandas as pd

        rows = [("image", name, at, *self.images[at]) for at, name in enumerate(self.image_ids)]
        rows += [
            ("caption", text, int(at), *place)
            for text, at, place in zip(self.texts, self.image_of, self.captions, strict=True)
        ]
        return pd.DataFrame(rows, columns=["kind", "name", "image", "x", "y"])
