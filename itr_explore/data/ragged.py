"""Rows of numbers that belong to images, any number an image, left on the disk until they are asked for."""

from __future__ import annotations

import mmap

import numpy as np

from itr_explore.data.shards import RELEASE, Shards, announce, mapped_file


class Ragged:
    """The regions of all images, end to end; image `i` owns rows `starts[i]` to `starts[i + 1]`.

    Nothing is copied but the rows that are asked for. Of a memory-mapped file, an image's rows are announced
    to the system before they are touched, so that they are read at once and not page by page; and pages that
    were touched are handed back every 128 MiB, since they count as the process's memory while mapped.

    Args:
        values: `[row feature]`, float16, float32, float64, int8 or uint8; an array, a memory map, a view of
            an Arrow buffer, or the `Shards` of a store.
        starts: `[image + 1]`.
        scale: what to multiply stored values by: a number, or one number a feature.
    """

    def __init__(
        self, values: np.ndarray | Shards, starts: np.ndarray, scale: np.ndarray | float | None = None
    ):
        starts = np.asarray(starts, dtype=np.int64)
        if values.ndim != 2 or values.dtype.name not in {"float16", "float32", "float64", "int8", "uint8"}:
            raise ValueError(
                "wanted values [row feature] of float16, float32, float64, int8 or uint8, "
                f"got {values.dtype.name} {list(values.shape)}"
            )
        if starts.ndim != 1 or not len(starts) or starts[0] != 0 or starts[-1] != len(values):
            raise ValueError(f"starts must run from 0 to the {len(values)} rows there are, got {starts}")
        if (np.diff(starts) < 0).any():
            image = int(np.argmax(np.diff(starts) < 0))
            raise ValueError(
                f"starts must never fall, but image {image} has rows {starts[image]} to {starts[image + 1]}; "
                "write where each image's rows begin, in the order of the rows"
            )
        if scale is not None and np.shape(scale) not in {(), (1,), values.shape[1:]}:
            raise ValueError(f"scale has shape {np.shape(scale)}; values have {values.shape[1]} features")
        self.values = values
        self.scale = None if scale is None else np.asarray(scale, np.float32)
        self._begins, self._lengths = starts[:-1], np.diff(starts)
        self._map, self._place = (None, 0) if isinstance(values, Shards) else mapped_file(values)
        self._touched = 0

    def __len__(self) -> int:
        return len(self._begins)

    @property
    def lengths(self) -> np.ndarray:
        """How many rows each image has, `[image]`."""
        return self._lengths

    def subset(self, images: np.ndarray) -> Ragged:
        """The same values for some of the images, in the order given."""
        chosen = object.__new__(Ragged)
        chosen.__dict__.update(self.__dict__)
        chosen._begins, chosen._lengths = self._begins[images], self._lengths[images]
        return chosen

    def rows(self, images: np.ndarray) -> np.ndarray:
        """Where the rows of some images stand in `values`, end to end."""
        lengths = self._lengths[images]
        ends = np.cumsum(lengths)
        return np.repeat(self._begins[images] - ends + lengths, lengths) + np.arange(lengths.sum())

    def gather(self, images: np.ndarray) -> np.ndarray:
        """The values of some images end to end, float32 `[row feature]`, a copy; not checked."""
        self._announce(images)
        found = self.values[self.rows(images)]
        if self.scale is not None:
            found = found * self.scale
        return found.astype(np.float32, copy=False)

    def _announce(self, images: np.ndarray) -> None:
        if isinstance(self.values, Shards):
            self.values.announce(self._begins[images], self._lengths[images])
            return
        if self._map is None:
            return
        if self._touched > RELEASE:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        row_bytes = self.values.shape[1] * self.values.itemsize
        for begin, length in zip(self._begins[images].tolist(), self._lengths[images].tolist(), strict=True):
            announce(self._map, self._place, begin * row_bytes, length * row_bytes)
            self._touched += length * row_bytes
