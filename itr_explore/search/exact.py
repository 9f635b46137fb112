"""`ExactIndex`: every vector is compared with every query; nothing is missed.

Vectors are kept as float16, half of the memory, in segments of like size. A search reads them in chunks that
stay in the processor's cache, turns a chunk into float32, multiplies, and looks closer only where a score
beats the worst of the best so far. On disk a segment is one safetensors file that is memory-mapped when
opened. `manifest.json` says which belong together; it is written last, so that a save that was broken off
changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import save_file
from torch import Tensor

from itr_explore.data.files import read_json
from itr_explore.records import Nearest
from itr_explore.search.filters import FIELD_TYPES, ID, Filter
from itr_explore.search.index import VectorIndex, same_shape

FORMAT = 1  # raised whenever older readers would misread a folder
MANIFEST, LOCK = "manifest.json", ".lock"
ROWS = 65_536  # of a segment that is joined from smaller ones
CHUNK = 4096  # rows that are compared at once: 8 MB as float32 of dim 512
KINDS = {"float16": (np.float16, torch.float16), "float32": (np.float32, torch.float32)}
Stored = Literal["float16", "float32"]


@dataclass
class _Segment:
    """Some items. What is deleted is only marked, until the segment is written or joined with another."""

    ids: np.ndarray  # [row]
    vectors: Tensor  # [row dim]
    columns: dict[str, np.ndarray]  # [row]
    alive: np.ndarray  # [row]  bool
    file: str | None = None  # where it is on disk, as it is now
    sums: dict[str, str] = field(default_factory=dict)  # checksum of each tensor there
    order: np.ndarray = field(init=False)  # [row]  that sorts the ids

    def __post_init__(self):
        self.order = np.argsort(self.ids, kind="stable")

    def __len__(self) -> int:
        return int(self.alive.sum())

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """[id] the row of each, -1 where it is not there."""
        place = np.searchsorted(self.ids, ids, sorter=self.order)
        rows = self.order[np.minimum(place, len(self.order) - 1)]
        return np.where((self.ids[rows] == ids) & self.alive[rows], rows, -1)

    def delete(self, rows: np.ndarray) -> None:
        if len(rows):
            self.alive[rows] = False
            self.file = None


class ExactIndex(VectorIndex):
    """Exact search, in memory or memory-mapped.

    Args:
        dim, fields: as of every `VectorIndex`.
        dtype: float16 keeps 2 bytes a number and rounds it to 11 bits (inner products of unit vectors move by
            about 0.0001); float32 keeps 4 and rounds nothing.
        folder: where `save` writes; None: say so when saving.
    """

    exact = True

    def __init__(
        self,
        dim: int,
        fields: Mapping[str, type] | None = None,
        *,
        dtype: Stored = "float16",
        folder: str | os.PathLike | None = None,
    ):
        super().__init__(dim, fields)
        if dtype not in KINDS:
            raise ValueError(f"dtype is {' or '.join(KINDS)}, got {dtype!r}")
        self.dtype, self.folder = dtype, None if folder is None else Path(folder)
        self._segments: list[_Segment] = []
        self._written: str | None = None  # the mark of the save that this index is at

    @classmethod
    def open(cls, folder: str | os.PathLike) -> ExactIndex:
        """A saved index; its vectors stay on disk until a search reads them.

        Checksums of ids and fields are compared now, those of the vectors when `verify` is called.

        Raises:
            FileNotFoundError: no index was saved there.
            ValueError: a file is damaged or cut short; the message names it.
        """
        place = Path(folder)
        if not (place / MANIFEST).is_file():
            raise FileNotFoundError(
                f"no index was saved in {str(place)!r}; write one with index.save(folder)"
            )
        told = _manifest(place)
        fields = {name: FIELD_TYPES[kind] for name, kind in told["fields"].items()}
        index = cls(told["dim"], fields, dtype=told["dtype"], folder=place)
        index._written = told["mark"]
        index._segments = [_open_segment(place, part, index) for part in told["segments"]]
        return index

    @classmethod
    def at(
        cls,
        folder: str | os.PathLike,
        dim: int | None = None,
        fields: Mapping[str, type] | None = None,
        *,
        dtype: Stored = "float16",
    ) -> ExactIndex:
        """The index that a folder holds, or a new one that will be saved there.

        Raises:
            FileNotFoundError: there is none, and no dim to make one by.
            ValueError: the one that is there has another dim or other fields.
        """
        place = Path(folder)
        if (place / MANIFEST).is_file():
            index = cls.open(place)
            same_shape(f"the index in {str(place)!r}", index, dim, fields)
            return index
        if dim is None:
            raise FileNotFoundError(f"no index was saved in {str(place)!r}; say dim= to make a new one")
        return cls(dim, fields, dtype=dtype, folder=place)

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments)

    @property
    def kind(self) -> str:
        """How vectors are kept."""
        return f"exact, {self.dtype}"

    def describe(self) -> str:
        """Kind, size and folder."""
        place = "in memory" if self.folder is None else f"in {self.folder}"
        return f"{self.kind}, {len(self):,} vectors of {self.dim} {place}"

    def known(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """[id] bool, whether the index has them."""
        asked = np.asarray(ids, dtype=np.int64)
        found = np.zeros(len(asked), dtype=bool)
        for segment in self._segments:
            found |= segment.rows_of(asked) >= 0
        return found

    def vectors_of(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """[id dim] float32, as they are kept; KeyError names an id that is not there."""
        asked = np.asarray(ids, dtype=np.int64)
        found, there = np.empty((len(asked), self.dim), np.float32), np.zeros(len(asked), dtype=bool)
        for segment in self._segments:
            rows = segment.rows_of(asked)
            hit = rows >= 0
            found[hit] = segment.vectors[torch.from_numpy(rows[hit])].float().numpy()
            there |= hit
        if not there.all():
            raise KeyError(f"id {asked[~there][0]} is not in the index")
        return found

    def save(self, folder: str | os.PathLike | None = None) -> Path:  # type: ignore[override]
        """Write what has changed since the last save; either all of it is there afterwards or nothing.

        Returns:
            the folder.

        Raises:
            ValueError: no folder was named, here or when the index was made.
            FileExistsError: another index was saved there in the meantime; both are whole.
            OSError: it could not be written; what was there before is as it was.
        """
        place = self.folder if folder is None else Path(folder)
        if place is None:
            raise ValueError("this index lives in memory only; name a folder to save it in")
        try:
            place.mkdir(parents=True, exist_ok=True)
            with FileLock(place / LOCK):
                self._save(place)
        except FileExistsError:
            raise
        except (OSError, SafetensorError) as error:
            raise OSError(
                f"could not write the index to {str(place)!r} ({error}); what was there is as it was:"
                " make room, or name another folder"
            ) from error
        return place

    def verify(self) -> dict[str, str]:
        """Read every byte of what is on disk and compare checksums: damaged files, and what is wrong."""
        damaged = {}
        for segment in self._segments:
            if segment.file is not None and self.folder is not None:
                try:
                    _compare(_mapped(self.folder / segment.file), segment.sums)
                except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
                    damaged[segment.file] = str(error)
        return damaged

    def _save(self, place: Path) -> None:
        here = self.folder is not None and place.resolve() == self.folder.resolve()
        mark = _manifest(place)["mark"] if (place / MANIFEST).is_file() else None
        if mark != (self._written if here else None):
            raise FileExistsError(
                f"{str(place)!r} holds an index that was saved by another since this one was made or opened;"
                " neither was changed. Open that one and put your items in there, or name another folder"
            )
        segments = [_packed(segment) for segment in self._segments if len(segment)]
        new = []
        try:
            for segment in segments:
                if segment.file is None or not here:
                    segment.file = f"segment-{uuid.uuid4().hex[:12]}.safetensors"
                    new.append(place / segment.file)
                    segment.sums = _write_segment(place / segment.file, segment)
            mark = uuid.uuid4().hex
            _write_manifest(place, self._told(place, segments, mark))
        except BaseException:
            for file in new:
                file.unlink(missing_ok=True)
            for segment in self._segments:
                segment.file = None if place / str(segment.file) in new else segment.file
            raise
        self._segments, self._written, self.folder = segments, mark, place
        kept = {segment.file for segment in segments}
        for file in place.glob("segment-*.safetensors"):
            if file.name not in kept:
                _remove(file)

    def _told(self, place: Path, segments: list[_Segment], mark: str) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "mark": mark,
            "dim": self.dim,
            "dtype": self.dtype,
            "fields": {name: kind.__name__ for name, kind in self.fields.items()},
            "count": sum(len(segment) for segment in segments),
            "segments": [
                {
                    "file": one.file,
                    "rows": len(one),
                    "bytes": (place / str(one.file)).stat().st_size,
                    "sha256": one.sums,
                }
                for one in segments
            ],
        }

    def _put(
        self, ids: np.ndarray, vectors: np.ndarray, columns: dict[str, np.ndarray], *, new: bool
    ) -> None:
        if not len(ids):
            return
        kept = torch.from_numpy(vectors).to(KINDS[self.dtype][1], copy=True)
        if not torch.isfinite(kept).all():
            raise ValueError(f"vectors hold values that {self.dtype} cannot; take dtype='float32'")
        if not new:
            self._mark_deleted(ids)
        self._segments.append(_Segment(ids, kept, columns, np.ones(len(ids), dtype=bool)))
        while len(self._segments) > 1:
            last = self._segments[-2:]
            if len(last[0]) > 2 * len(last[1]) or sum(map(len, last)) > ROWS:
                break
            self._segments[-2:] = [_joined(last)]

    def _delete(self, ids: np.ndarray) -> None:
        self._mark_deleted(ids)

    def _mark_deleted(self, ids: np.ndarray) -> None:
        for segment in self._segments:
            rows = segment.rows_of(ids)
            segment.delete(rows[rows >= 0])
        self._segments = [segment for segment in self._segments if len(segment)]

    def _search(self, queries: np.ndarray, k: int, filter: Filter | np.ndarray | None) -> Nearest:
        best = _Best(len(queries), k)
        asked = torch.from_numpy(queries)
        room = torch.empty(CHUNK, self.dim)
        for segment in self._segments:
            passed = segment.alive & _passed(segment, filter)
            rows = None if passed.all() else np.flatnonzero(passed)
            for start in range(0, len(segment.ids) if rows is None else len(rows), CHUNK):
                at = slice(start, start + CHUNK)
                chunk = segment.vectors[at] if rows is None else segment.vectors[torch.from_numpy(rows[at])]
                if chunk.dtype != torch.float32:
                    chunk = room[: len(chunk)].copy_(chunk)
                best.take(asked @ chunk.T, segment.ids[at] if rows is None else segment.ids[rows[at]])
        return best.found()


class _Best:
    """The k largest scores of each query as chunks come in."""

    def __init__(self, queries: int, k: int):
        self.scores = torch.full((queries, k), -torch.inf)
        self.ids = torch.full((queries, k), -1)

    def take(self, scores: Tensor, ids: np.ndarray) -> None:
        """Scores [query row] of a chunk; only queries with one above their k-th are looked at."""
        some = (scores.amax(dim=1) > self.scores[:, -1]).nonzero().squeeze(1)
        if not len(some):
            return
        here = scores if len(some) == len(scores) else scores[some]
        first, rows = here.topk(min(self.scores.shape[1], scores.shape[1]))
        both = torch.cat([self.scores[some], first], dim=1)
        names = torch.cat([self.ids[some], torch.from_numpy(ids)[rows]], dim=1)
        kept, places = both.topk(self.scores.shape[1])
        self.scores[some], self.ids[some] = kept, names.gather(1, places)

    def found(self) -> Nearest:
        scores, ids = self.scores.double().numpy(), self.ids.numpy()
        return Nearest(ids, np.where(ids < 0, np.nan, scores))


def _passed(segment: _Segment, filter: Filter | np.ndarray | None) -> np.ndarray:
    """[row] bool"""
    if filter is None:
        return np.ones(len(segment.ids), dtype=bool)
    if isinstance(filter, np.ndarray):
        return np.isin(segment.ids, filter)
    return filter.passes({**segment.columns, ID: segment.ids}, len(segment.ids))


def _packed(segment: _Segment) -> _Segment:
    """Without what was deleted."""
    return segment if segment.alive.all() else _joined([segment])


def _joined(segments: list[_Segment]) -> _Segment:
    """One segment of what is alive in some."""
    rows = [np.flatnonzero(one.alive) for one in segments]
    pairs = list(zip(segments, rows, strict=True))
    return _Segment(
        np.concatenate([one.ids[at] for one, at in pairs]),
        torch.cat([one.vectors[torch.from_numpy(at)] for one, at in pairs]),
        {name: np.concatenate([one.columns[name][at] for one, at in pairs]) for name in segments[0].columns},
        np.ones(sum(map(len, rows)), dtype=bool),
    )


# ---------- on disk


def _manifest(folder: Path) -> dict[str, Any]:
    told = read_json(folder / MANIFEST)
    keys = {"format", "mark", "dim", "dtype", "fields", "segments"}
    if not isinstance(told, dict) or not keys <= told.keys():
        raise _no_manifest(folder, f"wanted {sorted(keys)}")
    if told["format"] != FORMAT:
        raise ValueError(
            f"{str(folder)!r} was written in format {told['format']!r}, this version reads {FORMAT};"
            " make the index again, or install the version that wrote it"
        )
    fields, segments = told["fields"], told["segments"]
    if type(told["dim"]) is not int or told["dim"] < 1:
        raise _no_manifest(folder, f"dim is {told['dim']!r}")
    if told["dtype"] not in list(KINDS):
        raise _no_manifest(folder, f"dtype is {told['dtype']!r}, wanted {' or '.join(KINDS)}")
    if not isinstance(fields, dict) or not all(kind in list(FIELD_TYPES) for kind in fields.values()):
        raise _no_manifest(folder, f"fields are {fields!r}, each wanted {', '.join(FIELD_TYPES)}")
    if not isinstance(segments, list) or not all(_is_segment(part) for part in segments):
        raise _no_manifest(folder, "wanted file, rows, bytes and sha256 of each segment")
    return told


def _is_segment(told: Any) -> bool:
    wanted = {"file": str, "rows": int, "bytes": int, "sha256": dict}
    return isinstance(told, dict) and all(isinstance(told.get(key), kind) for key, kind in wanted.items())


def _no_manifest(folder: Path, why: str) -> ValueError:
    return ValueError(
        f"{folder / MANIFEST} does not describe an index ({why}); copy it again, or make the index again"
    )


def _write_manifest(folder: Path, told: dict[str, Any]) -> None:
    scratch = folder / f".{MANIFEST}.writing"
    with scratch.open("w", encoding="utf-8") as file:
        file.write(json.dumps(told, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, folder / MANIFEST)


def _write_segment(file: Path, segment: _Segment) -> dict[str, str]:
    """Ids, vectors and columns as tensors, text as bytes with where each begins; checksums by name."""
    tensors: dict[str, np.ndarray] = {"vectors": segment.vectors.numpy(), "ids": segment.ids}
    for name, column in segment.columns.items():
        if column.dtype == object:
            words = [text.encode("utf-8", "surrogatepass") for text in column]
            tensors[f"text.{name}"] = np.frombuffer(b"".join(words), dtype=np.uint8)
            tensors[f"starts.{name}"] = np.cumsum([0, *map(len, words)])
        else:
            tensors[f"field.{name}"] = column
    tensors = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    save_file(tensors, file)
    with file.open("rb+") as written:
        os.fsync(written.fileno())
    return {name: _sum(values) for name, values in tensors.items()}


def _sum(values: np.ndarray) -> str:
    return hashlib.sha256(values.reshape(-1).view(np.uint8).data).hexdigest()


def _compare(arrays: Mapping[str, np.ndarray], sums: Mapping[str, str]) -> None:
    for name, told in sums.items():
        if _sum(arrays[name]) != told:
            raise ValueError(f"{name} are not what was written: the checksum differs")


def _open_segment(folder: Path, told: dict[str, Any], index: ExactIndex) -> _Segment:
    file = folder / told["file"]
    if not file.is_file():
        raise ValueError(f"{file} is missing; copy the whole folder again, or make the index again")
    if file.stat().st_size != told["bytes"]:
        raise ValueError(
            f"{file} has {file.stat().st_size:,} bytes, {told['bytes']:,} were written: it is cut short or"
            " from another save; copy it again, or make the index again"
        )
    try:
        arrays = _mapped(file)
        _compare(arrays, {name: told for name, told in told["sha256"].items() if name != "vectors"})
        columns = {}
        for name, kind in index.fields.items():
            if kind is str:
                text, starts = arrays[f"text.{name}"].tobytes(), arrays[f"starts.{name}"].tolist()
                words = [text[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(starts)]
                columns[name] = np.array(words, dtype=object)
            else:
                columns[name] = np.array(arrays[f"field.{name}"])
        ids = np.array(arrays["ids"])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*not writable")  # nothing writes to it
            vectors = torch.from_numpy(arrays["vectors"])
        if vectors.shape != (told["rows"], index.dim) or len(ids) != told["rows"]:
            raise ValueError(f"wanted {told['rows']} vectors of {index.dim}, got {list(vectors.shape)}")
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise ValueError(f"{file} is damaged ({error}); copy it again, or make the index again") from error
    return _Segment(ids, vectors, columns, np.ones(len(ids), dtype=bool), told["file"], told["sha256"])


def _mapped(file: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file, left on the disk."""
    types = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "u1", "BOOL": "?"}
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(size))
    whole = np.memmap(file, mode="r", dtype=np.uint8)
    return {
        name: whole[8 + size + told["data_offsets"][0] : 8 + size + told["data_offsets"][1]]
        .view(types[told["dtype"]])
        .reshape(told["shape"])
        for name, told in header.items()
        if name != "__metadata__"
    }


def _remove(file: Path) -> None:
    """Delete a file that nothing names any more; where someone still reads it, the next save does."""
    try:
        file.unlink()
    except OSError:
        return
