"""What an extractor finds in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itr_explore.records.checks import want, want_shape


@dataclass(frozen=True)
class RegionsOf:
    """The regions of one picture: what they look like, where they are and what they were called."""

    features: np.ndarray  # [region dim]  float
    boxes: np.ndarray | None = None  # [region 4]  x1 y1 x2 y2, fractions of width and height
    labels: Sequence[str] = ()  # one a region, or none at all
    scores: np.ndarray | None = None  # [region]
    size: tuple[int, int] | None = None  # width and height of the picture in pixels, where known

    def __post_init__(self):
        want_shape("features", self.features, ("region", "dim"))
        regions = len(self.features)
        want(regions > 0, "a picture needs one region at least (the whole of it, say), got none")
        want(bool(np.isfinite(self.features).all()), "features have NaN or infinite values")
        if self.boxes is not None:
            want_shape("boxes", self.boxes, (regions, 4))
            boxes = np.asarray(self.boxes)
            inside = (boxes >= 0) & (boxes <= 1)
            want(
                bool(inside.all() and (boxes[:, 2:] >= boxes[:, :2]).all()),
                "boxes must be x1 y1 x2 y2 between 0 and 1 with x1 <= x2 and y1 <= y2, as fractions of width"
                " and height",
            )
        if self.scores is not None:
            want_shape("scores", self.scores, (regions,))
        want(len(self.labels) in (0, regions), f"{regions} regions but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.features)
