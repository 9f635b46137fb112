"""Where the rows of a set come from: the hub, a saved folder, local files, or a stream of the first few."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itr_explore.data.columns import Columns
from itr_explore.data.files import reading

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder

FindColumns = Callable[[Any], Columns]
Lost = tuple[tuple[str, str], ...]
WHOLE = "whole"  # what files are called inside where they have no split
SPLITS, STATE = "dataset_dict.json", "state.json"  # that `save_to_disk` writes: of several splits, and of one


@dataclass(frozen=True)
class Place:
    """A set, opened as far as to know its splits; none where all of it is whatever one asks for."""

    name: str
    config: str | None = None
    revision: str | None = None
    cache: str | None = None
    files: dict[str, list[str]] = field(default_factory=dict)  # local ones of each split
    saved: bool = False  # by `save_to_disk`
    splits: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()  # of what a stream reads: others where its files are

    def whole(self, splits: Sequence[str], skip_damaged: bool) -> tuple[Dataset, Lost]:
        """All rows of some splits, and the files that had to be left out.

        Raises:
            ValueError: a local file is damaged; names it.
        """
        from datasets import concatenate_datasets

        files = {split: list(self.files.get(split, [])) for split in splits or [""]}
        lost: Lost = ()
        try:
            parts = [self._part(split, found) for split, found in files.items()]
        except Exception as error:
            damaged = {path: why for found in files.values() for path in found if (why := _damage(path))}
            if not damaged:
                raise
            if not skip_damaged or all(path in damaged for found in files.values() for path in found):
                path, why = next(iter(damaged.items()))
                others = f", and {len(damaged) - 1} more" if len(damaged) > 1 else ""
                raise ValueError(
                    f"{path} is damaged ({why}){others};"
                    " copy it again, or take the others by skip_damaged=True: numbers on them are not"
                    " those of the whole set"
                ) from error
            lost = tuple((path, f"damaged: {why}") for path, why in damaged.items())
            good = {split: [path for path in found if path not in damaged] for split, found in files.items()}
            parts = [self._part(split, found, True) for split, found in good.items() if found]
        return (parts[0] if len(parts) == 1 else concatenate_datasets(parts)), lost

    def stream(
        self, splits: Sequence[str], columns_of: FindColumns, wanted: Sequence[str], limit: int
    ) -> tuple[Dataset, Columns]:
        """The rows of the first images, written once into the cache of `datasets`, and their columns."""
        from datasets import Dataset

        if self.saved:
            raise ValueError(f"{self.name} is on the disk already; leave streaming out, limit works alone")
        first = _stream(self, splits[0] if splits else "", None)
        columns = columns_of(first.features)
        rows = Dataset.from_generator(
            _first_rows,
            features=first.features,
            cache_dir=self.cache,
            gen_kwargs={
                "place": replace(self, stamps=self._stamps(splits)),
                "splits": tuple(splits) or ("",),
                "columns": columns,
                "wanted": tuple(wanted),
                "limit": limit,
            },
        )
        return rows, columns

    def _stamps(self, splits: Sequence[str]) -> tuple[str, ...]:
        """What the files of some splits are now: size and time of change, or the commit of the hub."""
        whole = not splits or not splits[0]
        builder = self.builder({WHOLE: self.files[""]} if whole and "" in self.files else None)
        by_split = getattr(builder.config, "data_files", None) or {}
        told = [str(builder.hash)]
        for split, files in by_split.items():
            if whole or str(split) in splits:
                told += [str(origin) for origin in getattr(files, "origin_metadata", ())]
                told += [_stamp(str(path)) for path in files]
        return tuple(told)

    def builder(self, files: dict[str, list[str]] | None = None) -> DatasetBuilder:
        """What prepares the rows."""
        from datasets import load_dataset_builder

        if files:
            kind = "parquet" if next(iter(files.values()))[0].endswith(".parquet") else "arrow"
            return load_dataset_builder(kind, data_files=files, cache_dir=self.cache)
        return load_dataset_builder(self.name, self.config, revision=self.revision, cache_dir=self.cache)

    def _part(self, split: str, files: list[str], some: bool = False) -> Dataset:
        """All rows of a split, or those in some of its files."""
        from datasets import Dataset, concatenate_datasets, load_from_disk

        if self.saved and some:
            return concatenate_datasets([Dataset.from_file(path) for path in files])
        if self.saved:
            folder = Path(self.name)
            return load_from_disk(str(folder if (folder / STATE).is_file() else folder / split))
        builder = self.builder({split or WHOLE: files} if some or not split else None)
        builder.download_and_prepare()
        return builder.as_dataset(split=split or WHOLE)


def open_place(name: str, config: str | None, revision: str | None, cache: str | None) -> Place:
    """What a name means: a saved folder, local files, or a set on the hub.

    Raises:
        FileNotFoundError: it is no folder here, and cannot be a name on the hub.
    """
    path = Path(name)
    place = Place(name, config, revision, cache)
    if (path / SPLITS).is_file():
        splits = json.loads((path / SPLITS).read_text(encoding="utf-8"))["splits"]
        files = {split: _saved_files(path / split)[1] for split in splits}
        return replace(place, files=files, saved=True, splits=tuple(splits))
    if (path / STATE).is_file():
        split, saved = _saved_files(path)
        return replace(place, files={split or "": saved}, saved=True, splits=(split,) if split else ())
    if path.is_file():
        if path.suffix != ".parquet":
            raise ValueError(f"{path} is no .parquet file; give a folder, or 'owner/name' on the hub")
        return replace(place, files={"": [name]})
    if not path.is_dir() and (path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1):
        raise FileNotFoundError(f"there is no file or folder {name}; wanted one, or 'owner/name' on the hub")
    builder = place.builder()
    by_split = getattr(builder.config, "data_files", None) or {}
    files = {str(split): [str(one) for one in found] for split, found in by_split.items()}
    there = tuple(str(split) for split in (builder.info.splits or files))
    here = {split: found for split, found in files.items() if all(Path(one).is_file() for one in found)}
    return replace(place, files=here, splits=there)


def without_decoding(table: Any, column: str | None) -> Any:
    """The table with its pictures as the bytes that they were stored as."""
    from datasets import Image

    if column is None or not isinstance((table.features or {}).get(column), Image):
        return table
    return table.cast_column(column, Image(decode=False))


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what `datasets` raises inside the block into one sentence that says what to do."""
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from pyarrow import ArrowException

    try:
        yield
    except DatasetNotFoundError as error:
        if "gated" in str(error):
            raise PermissionError(
                f"{name} is gated: its owner wants to know who uses it. Accept the terms on"
                f" https://huggingface.co/datasets/{name}, then log in by `hf auth login`, and try again"
            ) from error
        raise FileNotFoundError(
            f"there is no set {name!r} on the Hugging Face hub, nor a folder of that name here ({error}); it"
            " may have been renamed or be private: look for it on https://huggingface.co/datasets"
        ) from error
    except (ConnectionError, OfflineModeIsEnabled, HfHubHTTPError) as error:
        why = (
            "the environment variable HF_HUB_OFFLINE forbids to ask the hub"
            if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "TRUE", "YES", "ON")
            else "the hub cannot be reached"
        )
        raise ConnectionError(
            f"{name} is neither a folder here nor in the cache, and {why} ({error}). Where there is a"
            f" network, load_dataset({name!r}).save_to_disk(folder); then give that folder"
        ) from error
    except (DatasetsError, ArrowException, RuntimeError, OSError, KeyError) as error:
        if isinstance(error, FileNotFoundError | PermissionError) and not error.__cause__:
            raise
        causes = [str(one) for one in _causes(error)]
        if any(getattr(one, "errno", None) in (errno.ENOSPC, errno.EDQUOT) for one in _causes(error)):
            raise OSError(
                errno.ENOSPC,
                f"the disk is full while {name} was being prepared; make room, or say by cache= where to put"
                " it. What was there before is whole",
            ) from error
        if "scripts are no longer supported" in " ".join(causes):
            raise ValueError(
                f"{name} is made by a program of its own, which is not run; the hub keeps its rows, too: try"
                " revision='refs/convert/parquet'"
            ) from error
        raise ValueError(f"{name} cannot be read: {causes[-1]}") from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _saved_files(folder: Path) -> tuple[str | None, list[str]]:
    """The split that a folder of `save_to_disk` says it is, and its files."""
    with reading(folder / STATE):
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return state.get("_split"), [str(folder / one["filename"]) for one in state["_data_files"]]


def _damage(path: str) -> str | None:
    """What is wrong with a local file of rows; None where every row can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.endswith((".parquet", ".arrow")):
        return None
    try:
        if path.endswith(".parquet"):
            with pq.ParquetFile(path) as parquet:
                for _ in parquet.iter_batches(batch_size=64):
                    pass
        else:
            with pa.memory_map(path) as file, pa.ipc.open_stream(file) as rows:
                for _ in rows:
                    pass
    except (pa.ArrowException, OSError) as error:
        return str(error).split(". ")[0]
    return None


def _stamp(path: str) -> str:
    """A file's path, with its size and time of change where it is here; the hub's have their commit in it."""
    try:
        told = os.stat(path)
    except (OSError, ValueError):
        return path
    return f"{path} {told.st_size} {told.st_mtime_ns}"


def _stream(place: Place, split: str, column: str | None) -> Any:
    """The rows of a split one after another, as they come."""
    builder = place.builder({WHOLE: place.files[""]} if not split else None)
    rows = builder.as_streaming_dataset(split=split or WHOLE)
    return without_decoding(rows if rows.features else rows._resolve_features(), column)


def _first_rows(
    place: Place, splits: Sequence[str], columns: Columns, wanted: Sequence[str], limit: int
) -> Iterator[dict[str, Any]]:
    """All rows of the first images; what follows is not read."""
    seen: set[Any] = set()
    row = 0
    for split in splits:
        for cells in _stream(place, split, columns.image):
            row += 1
            if columns.split and str(cells[columns.split]) not in wanted:
                continue
            key = columns.key(cells, row)
            if key not in seen and len(seen) == limit:
                return
            seen.add(key)
            yield cells
