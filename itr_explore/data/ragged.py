"""Rows of numbers that belong to images, any number an image, left on the disk until they are asked for."""

from __future__ import annotations

import mmap

import numpy as np

_RELEASE = 1 << 27  # bytes read from a mapped file after which its pages are handed back


class Ragged:
    """The regions of all images in one flat array; image `i` owns rows `starts[i]` to `starts[i + 1]`.

    Nothing is copied but the rows that are asked for. Pages of a memory-mapped file count as memory of the
    process for as long as they stay mapped, so they are handed back to the system every 128 MiB.

    Args:
        values: `[row feature]`, float16, float32, float64, int8 or uint8; an array, a memory map, or a view
            of an Arrow buffer.
        starts: `[image + 1]`.
        scale: what to multiply stored values by: a number, or one number a feature.
    """

    def __init__(self, values: np.ndarray, starts: np.ndarray, scale: np.ndarray | float | None = None):
        starts = np.asarray(starts, dtype=np.int64)
        if values.ndim != 2 or values.dtype.name not in {"float16", "float32", "float64", "int8", "uint8"}:
            raise ValueError(
                "wanted values [row feature] of float16, float32, float64, int8 or uint8, "
                f"got {values.dtype.name} {list(values.shape)}"
            )
        if starts.ndim != 1 or not len(starts) or starts[0] != 0 or starts[-1] != len(values):
            raise ValueError(f"starts must run from 0 to the {len(values)} rows there are, got {starts}")
        if scale is not None and np.shape(scale) not in {(), (1,), values.shape[1:]}:
            raise ValueError(f"scale has shape {np.shape(scale)}; values have {values.shape[1]} features")
        self.values = values
        self.scale = None if scale is None else np.asarray(scale, np.float32)
        self._begins, self._lengths = starts[:-1], np.diff(starts)
        self._map = _mapped_file(values)
        self._read = 0

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
        found = self.values[self.rows(images)]
        if self.scale is not None:
            found = found * self.scale
        self._hand_back(found.size * self.values.itemsize)
        return found.astype(np.float32, copy=False)

    def _hand_back(self, read: int) -> None:
        self._read += read
        if self._map is not None and self._read > _RELEASE:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0


def _mapped_file(values: np.ndarray) -> mmap.mmap | None:
    """The file map that an array looks into, where the system can hand its pages back."""
    array: object = values
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED") else None
