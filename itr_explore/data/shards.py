"""One long array whose rows lie in several files, mapped when they are asked for and let go again."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from itr_explore.data.files import map_array

RELEASE = 1 << 27  # bytes read from mapped files after which their pages are handed back
MOST_OPEN = 256  # files mapped at a time; each costs one of the process's open files


class Shards:
    """Rows `[row feature]` of several `.npy` files, end to end, as far as `Ragged` needs an array.

    Pages that were touched count as the process's memory while their file is mapped. So files are mapped when
    rows of them are wanted, and all of them are let go every 128 MiB.

    Args:
        files: `.npy` arrays `[row feature]`, of one type.
        counts: how many rows each has.
        dim: how many features.
        dtype: their type.
    """

    ndim = 2

    def __init__(self, files: Sequence[Path], counts: Sequence[int], dim: int, dtype: np.dtype | str):
        self.files = list(files)
        self._ends = np.cumsum(np.asarray(counts, dtype=np.int64))
        self._begins = self._ends - np.asarray(counts, dtype=np.int64)
        self.shape, self.dtype = (int(self._ends[-1]) if len(self._ends) else 0, dim), np.dtype(dtype)
        self._open: dict[int, np.ndarray] = {}
        self._touched = 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Some rows, copied, in the order given."""
        found = np.empty((len(rows), self.shape[1]), self.dtype)
        if not len(rows):
            return found
        shard_of = self._shard_of(rows)
        order = np.argsort(shard_of, kind="stable")
        shards, firsts = np.unique(shard_of[order], return_index=True)
        for shard, places in zip(shards.tolist(), np.split(order, firsts[1:]), strict=True):
            found[places] = self._values(shard)[rows[places] - self._begins[shard]]
        return found

    def announce(self, begins: np.ndarray, lengths: np.ndarray) -> None:
        """Have the system read stretches of rows, each within one file, before they are touched."""
        if self._touched > RELEASE:
            self.release()
        row_bytes = self.shape[1] * self.dtype.itemsize
        shards = self._shard_of(begins)
        for shard, begin, length in zip(shards, begins - self._begins[shards], lengths, strict=True):
            announce(*mapped_file(self._values(int(shard))), int(begin) * row_bytes, int(length) * row_bytes)
        self._touched += int(lengths.sum()) * row_bytes

    def release(self) -> None:
        """Let all files go, and with them the memory that their pages count as."""
        self._open.clear()
        self._touched = 0

    def _shard_of(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._ends, rows, side="right")

    def _values(self, shard: int) -> np.ndarray:
        if shard not in self._open:
            if len(self._open) >= MOST_OPEN:
                self.release()
            values = map_array(self.files[shard])
            wanted = (int(self._ends[shard] - self._begins[shard]), self.shape[1])
            if values.shape != wanted or values.dtype != self.dtype:
                raise ValueError(
                    f"{self.files[shard]} is damaged: wanted {self.dtype} {list(wanted)}, found"
                    f" {values.dtype} {list(values.shape)}"
                )
            self._open[shard] = values
        return self._open[shard]


def mapped_file(values: np.ndarray) -> tuple[mmap.mmap | None, int]:
    """The file map that an array looks into, if it can be advised, and where in it the array begins."""
    array: object = values
    while isinstance(array, np.ndarray):
        array = array.base
    if (
        not isinstance(array, mmap.mmap)
        or not values.flags.c_contiguous
        or not hasattr(mmap, "MADV_WILLNEED")
    ):
        return None, 0
    start = np.frombuffer(array, np.uint8).__array_interface__["data"][0]
    return array, values.__array_interface__["data"][0] - start


def announce(file: mmap.mmap | None, place: int, begin: int, length: int) -> None:
    """Have the system read `length` bytes of an array that begins at `place` in its file."""
    if file is not None and length:
        begin += place
        excess = begin % mmap.PAGESIZE
        file.madvise(mmap.MADV_WILLNEED, begin - excess, length + excess)
