"""`VectorIndex`: what every index of vectors can do, and the checks that all share.

| back end | where | found are |
| --- | --- | --- |
| `ExactIndex` | this process; a folder when saved, memory-mapped when opened | exactly the nearest |
| `MilvusIndex` | Milvus Lite by a file's name, a server or cluster by URI | nearly always the nearest |

Vectors are compared by inner product, as the scores of models are. An item has an id (an integer from 0), a
vector and a value for each of the index's fields, which filters read (`search.filters`).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from itr_explore.records import Nearest
from itr_explore.search.filters import FIELD_TYPES, ID, Filter, can_be_named, read_filter

Metadata = Mapping[str, Sequence[Any] | np.ndarray]
SERVERS = ("http://", "https://", "tcp://", "unix:")
LITE = ".db"
INTEGERS = np.iinfo(np.int64)


class VectorIndex(ABC):
    """Vectors with ids and metadata, searched by inner product.

    Args:
        dim: numbers a vector.
        fields: the type of each field of metadata: str, int, float or bool; every item has all of them.
    """

    exact = False  # what is found is certain to be the nearest

    def __init__(self, dim: int, fields: Mapping[str, type] | None = None):
        if dim < 1:
            raise ValueError(f"vectors have one number at least, got dim={dim}")
        self.dim, self.fields = dim, dict(fields or {})
        for name, kind in self.fields.items():
            if kind not in FIELD_TYPES.values():
                raise ValueError(f"field {name!r} may be {', '.join(FIELD_TYPES)}, got {kind!r}")
            if not can_be_named(name) or name in (ID, "vector"):
                raise ValueError(
                    "a field is named by letters, digits and _, and neither 'id', 'vector' nor a word of"
                    f" filters such as 'in'; got {name!r}"
                )

    def add(self, ids: Sequence[int] | np.ndarray, vectors: Any, metadata: Metadata | None = None) -> None:
        """Put in new items.

        Args:
            ids: [item], whole numbers from 0.
            vectors: [item dim]
            metadata: [item] values of each field.

        Raises:
            ValueError: an id is there already or occurs twice, or anything does not fit; nothing is put in.
        """
        items = self._items(ids, vectors, metadata)
        there = items[0][self.known(items[0])]
        if len(there):
            raise ValueError(
                f"{_some(there)} {'is' if len(there) == 1 else 'are'} in the index already; nothing was"
                " added. Take upsert to put others in their place"
            )
        self._put(*items, new=True)

    def upsert(self, ids: Sequence[int] | np.ndarray, vectors: Any, metadata: Metadata | None = None) -> None:
        """Put in items, in the place of those that have the same ids; done twice it changes nothing more.

        Raises:
            ValueError: an id occurs twice, or anything does not fit; nothing is put in.
        """
        self._put(*self._items(ids, vectors, metadata), new=False)

    def delete(self, ids: Sequence[int] | np.ndarray) -> None:
        """Take out items.

        Raises:
            KeyError: an id is not there; nothing is taken out.
        """
        asked = _ids(ids)
        unknown = asked[~self.known(asked)]
        if len(unknown):
            raise KeyError(
                f"{_some(unknown)} {'is' if len(unknown) == 1 else 'are'} not in the index, which has"
                f" {len(self):,} items; nothing was deleted"
            )
        if len(asked):
            self._delete(np.unique(asked))

    def search(self, queries: Any, k: int = 10, *, filter: str | np.ndarray | None = None) -> Nearest:
        """The items of the largest inner products with each query.

        Args:
            queries: [query dim], or [dim] for one.
            k: how many.
            filter: only items that pass are found: an expression over the fields (`search.filters`), or the
                ids that may be found.

        Raises:
            ValueError: a wrong dim, values that are not finite, k below 1, or a filter that does not fit.
        """
        wanted = np.atleast_2d(_numbers(queries, "queries"))
        if wanted.ndim != 2 or wanted.shape[1] != self.dim:
            raise ValueError(f"queries must be [query {self.dim}], got {list(wanted.shape)}")
        if k < 1:
            raise ValueError(f"wanted one result at least, got k={k}")
        if isinstance(filter, str):
            return self._search(wanted, k, read_filter(filter, self.fields))
        return self._search(wanted, k, None if filter is None else np.unique(_ids(filter)))

    @abstractmethod
    def known(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """[id] bool, whether the index has them."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def kind(self) -> str:
        """In a few words, what it is."""

    @abstractmethod
    def describe(self) -> str:
        """Its kind, how much it holds, and where."""

    @abstractmethod
    def save(self) -> None:
        """Make sure that all is kept where the index lives."""

    def close(self) -> None:  # noqa: B027
        """Let go of files and connections; nothing is deleted."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.describe()}>"

    @abstractmethod
    def _put(
        self, ids: np.ndarray, vectors: np.ndarray, columns: dict[str, np.ndarray], *, new: bool
    ) -> None: ...

    @abstractmethod
    def _delete(self, ids: np.ndarray) -> None: ...

    @abstractmethod
    def _search(self, queries: np.ndarray, k: int, filter: Filter | np.ndarray | None) -> Nearest: ...

    def _items(
        self, ids: Sequence[int] | np.ndarray, vectors: Any, metadata: Metadata | None
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Items that fit the index and each other."""
        names, numbers = _ids(ids), _numbers(vectors, "vectors")
        if numbers.shape != (len(names), self.dim):
            raise ValueError(
                f"wanted vectors [{len(names)} {self.dim}], one for each id, got {list(numbers.shape)}"
            )
        unique, counts = np.unique(names, return_counts=True)
        if len(unique) < len(names):
            raise ValueError(f"{_some(unique[counts > 1])} occur more than once; give every item its own id")
        given = dict(metadata or {})
        if given.keys() != self.fields.keys():
            raise ValueError(f"wanted the fields {sorted(self.fields)} of every item, got {sorted(given)}")
        return names, numbers, {name: self._column(name, given[name], len(names)) for name in self.fields}

    def _column(self, name: str, values: Sequence[Any] | np.ndarray, count: int) -> np.ndarray:
        kind, column = self.fields[name], np.asarray(values)
        accepted = {str: "UTO", bool: "b", int: "iu", float: "fiu"}[kind]
        fits = column.shape == (count,) and (column.dtype.kind in accepted or not count)
        if fits and kind is str:
            column = np.array([str(value) for value in column], dtype=object)
            fits = all(isinstance(value, str) for value in values)
        if not fits:
            raise ValueError(
                f"field {name!r} wants {count} values of {kind.__name__}, got {column.dtype}"
                f" {list(column.shape)}"
            )
        if kind is float and not np.isfinite(column.astype(float)).all():
            raise ValueError(f"field {name!r} has values that are NaN or infinite")
        return column if kind is str else column.astype({bool: bool, int: np.int64, float: np.float64}[kind])


def open_index(
    where: str | os.PathLike,
    name: str = "vectors",
    dim: int | None = None,
    fields: Mapping[str, type] | None = None,
    *,
    expected: int = 1_000_000,
    **settings: Any,
) -> VectorIndex:
    """An index by where it lives: made new where there is none, opened where there is one.

    Args:
        where: `FILE.db` is Milvus Lite, `http://...` a Milvus server or cluster, any other path a folder of
            an `ExactIndex`.
        name: which of the indexes that live there.
        dim, fields: of a new index; where one is opened they must be the same, if they are given.
        expected: how many vectors there will be; decides on the kind of a new index in Milvus.
        settings: of `ExactIndex` or `MilvusIndex`.

    Raises:
        ValueError: what is there has another dim or other fields.
        ConnectionError: no server answers.
        FileNotFoundError: there is none, and no dim to make one by.
    """
    place = os.fspath(where)
    if place.startswith(SERVERS) or place.endswith(LITE):
        from itr_explore.search.milvus import MilvusIndex

        return MilvusIndex(place, name, dim, fields, expected=expected, **settings)
    if "://" in place:
        raise ValueError(f"{place!r} is no Milvus URI; one begins with {', '.join(SERVERS)}")
    from itr_explore.search.exact import ExactIndex

    return ExactIndex.at(Path(place) / name, dim, fields, **settings)


def same_shape(where: str, index: VectorIndex, dim: int | None, fields: Mapping[str, type] | None) -> None:
    """Refuse an index that has another dim or other fields than are wanted."""
    if dim not in (None, index.dim):
        raise ValueError(
            f"{where} holds vectors of {index.dim} numbers, wanted {dim}; it was made by another model or"
            " preset: name another place, or take that model"
        )
    if fields is not None and dict(fields) != index.fields:
        has, wants = ({name: kind.__name__ for name, kind in of.items()} for of in (index.fields, fields))
        raise ValueError(f"{where} has the fields {has}, wanted {wants}; name another place")


def _ids(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    found = np.asarray(ids)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise ValueError(f"ids are whole numbers [item], got {found.dtype} {list(found.shape)}")
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) <= INTEGERS.max:
        raise ValueError(f"ids run from 0 to {INTEGERS.max}, got {found.min()} to {found.max()}")
    return found.astype(np.int64)


def _numbers(values: Any, what: str) -> np.ndarray:
    """Finite float32 values of a tensor or an array."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    found = np.asarray(values)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{what} must be numbers, got {found.dtype}")
    if not np.isfinite(found).all():
        raise ValueError(f"{what} hold NaN or infinite values; look at what made them")
    return np.ascontiguousarray(found, dtype=np.float32)


def _some(ids: np.ndarray) -> str:
    """The first few ids in words."""
    first = ", ".join(map(str, ids[:5].tolist()))
    more = f" and {len(ids) - 5:,} more" if len(ids) > 5 else ""
    return f"id{'s' if len(ids) > 1 else ''} {first}{more}"
