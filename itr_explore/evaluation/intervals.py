"""Means with intervals, where items are not independent: captions of an image stand or fall together.

The bootstrap (Efron, 1979) draws images with replacement, each with all its items, and repeats the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.records import Interval

INSIDE = (2.5, 97.5)  # per cent: the ends of a 95 per cent interval


@dataclass(frozen=True)
class Bootstrap:
    """How often each image was drawn in each repetition."""

    image_of: np.ndarray  # [item]  the image of each item, counted from 0
    drawn: np.ndarray  # [draw image]

    @classmethod
    def of(cls, images: np.ndarray, draws: int = 1000, seed: int = 0) -> Bootstrap:
        """For items of these images `[item]`, any integers; the same seed draws the same images."""
        known, image_of = np.unique(images, return_inverse=True)
        count = len(known)
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
        return cls(image_of, drawn.astype(float))

    def mean(self, values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """[3 ...] the weighted mean of values [item ...] over items, and the ends of its interval.

        Items whose value is NaN are left out. What has no weight is NaN; with weight on one image only so are
        the ends.

        Args:
            values: already multiplied by their weights.
            weights: [item] or as `values`; by default each item counts once.
        """
        known = ~np.isnan(values)
        heavy = np.ones(len(values)) if weights is None else weights
        heavy = heavy.reshape(heavy.shape + (1,) * (values.ndim - heavy.ndim)) * known
        above, below = self._by_image(np.where(known, values, 0.0)), self._by_image(heavy)
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = above.sum(axis=0) / below.sum(axis=0)
            again = np.tensordot(self.drawn, above, 1) / np.tensordot(self.drawn, below, 1)
        middle, again = (np.where(np.isfinite(found), found, np.nan) for found in (middle, again))
        spread = (below != 0).sum(axis=0) > 1
        ends = np.nanpercentile(np.where(spread, again, 0.0), INSIDE, axis=0)
        return np.stack([middle, *np.where(spread, ends, np.nan)])

    def interval(self, values: np.ndarray, weights: np.ndarray | None = None) -> Interval:
        """The same of one number an item, values [item]."""
        return Interval(*(float(number) for number in self.mean(values, weights)))

    def _by_image(self, values: np.ndarray) -> np.ndarray:
        sums = np.zeros((self.drawn.shape[1], *values.shape[1:]))
        np.add.at(sums, self.image_of, values)
        return sums
