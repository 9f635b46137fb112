"""Image-caption sets of the Hugging Face hub, or in its formats on the disk, by `datasets`.

`Collection.from_hub` opens a name on the hub, a folder that `save_to_disk` wrote, or local files that
`load_dataset` reads. Pictures stay in a memory-mapped file until one is asked for. See `columns.py` for the
shapes that are understood, and `hub_tables.py` for where the rows come from. An image may have a row for each
of its captions: rows with one name are one image, and where there are no names, rows with one picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.collection import Collection
from itr_explore.data.columns import Columns, find_columns, kinds_of, split_names, texts_of
from itr_explore.data.hub_tables import explained, open_place, without_decoding
from itr_explore.data.origin import Origin
from itr_explore.data.pictures import Pictures, decode_picture, open_picture

if TYPE_CHECKING:
    from datasets import Dataset
    from PIL.Image import Image

AT_ONCE = 1000  # rows read together


def load_hub(
    name: str | Path,
    split: str = "test",
    *,
    config: str | None = None,
    image: str | None = None,
    caption: str | Sequence[str] | None = None,
    image_id: str | None = None,
    split_column: str | None = None,
    restval: bool = False,
    captions_per_image: int | None = None,
    limit: int | None = None,
    streaming: bool = False,
    pictures: str | Path | None = None,
    revision: str | None = None,
    cache: str | Path | None = None,
    skip_damaged: bool = False,
) -> Collection:
    """A split of an image-caption set; see `Collection.from_hub`."""
    for what, value in (("limit", limit), ("captions_per_image", captions_per_image)):
        if value is not None and value < 1:
            raise ValueError(f"{what} must be at least 1, or None for all, got {value}")
    if streaming and limit is None:
        raise ValueError("streaming needs a limit: how many images to take from the front of the set")
    wanted = split_names(split, restval)
    lost: tuple[tuple[str, str], ...] = ()
    with explained(str(name)):
        place = open_place(str(name), config, revision, None if cache is None else str(cache))
        splits = [one for one in place.splits if one in wanted]

        def columns_of(features: Any) -> Columns:
            found = find_columns(
                kinds_of(features),
                str(name),
                image=image,
                caption=caption,
                image_id=image_id,
                split_column=split_column,
            )
            if place.splits and not splits and found.split is None:
                raise ValueError(f"{name} has no split {split!r}; its splits are {', '.join(place.splits)}")
            return found

        if streaming:
            assert limit is not None
            table, columns = place.stream(splits or place.splits, columns_of, sorted(wanted), limit)
        else:
            table, lost = place.whole(splits or place.splits, skip_damaged)
            columns = columns_of(table.features)
        found = _read(table, columns, wanted, f"{name}, {split}", captions_per_image, limit)
    shown = None
    if columns.image or pictures is not None:
        shown = HubPictures(table, columns.image, found.firsts, found.image_ids, pictures)
    origin = Origin(str(name), columns.note, (*lost, *found.skipped))
    origin.warn()
    return Collection(
        name=Path(name).resolve().name.removesuffix(".parquet") if Path(name).exists() else str(name),
        split=split,
        captions=found.captions,
        image_of=np.array(found.image_of, dtype=np.int64),
        image_ids=found.image_ids,
        caption_ids=found.caption_ids if all(one is not None for one in found.caption_ids) else None,
        open_image=shown,
        stamp_of=None if shown is None else shown.stamp,
        source=origin,
    )


class _Found:
    """Images and captions as rows told of them."""

    def __init__(self) -> None:
        self.image_ids: list[str] = []
        self.firsts: list[int] = []  # [image] its first row in the table
        self.captions: list[str] = []
        self.caption_ids: list[Any] = []
        self.image_of: list[int] = []
        self.skipped: list[tuple[str, str]] = []


def _read(
    table: Dataset, columns: Columns, wanted: set[str], where: str, keep: int | None, limit: int | None
) -> _Found:
    """All rows of a split: what its images and captions are."""
    rows = np.arange(len(table))
    if columns.split:
        told = table.select_columns([columns.split]).with_format("arrow")[:][columns.split].to_pylist()
        rows = np.array([row for row, one in enumerate(told) if str(one) in wanted], dtype=np.int64)
        if not len(rows):
            there = ", ".join(sorted({str(one) for one in told}))
            raise ValueError(f"{where}: no row's {columns.split!r} says so; it says {there or 'nothing'}")
    names = columns.small
    asked = without_decoding(table, columns.image).select_columns(names) if names else table
    found, image_at, kept = _Found(), {}, {}  # type: ignore[var-annotated]
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        batch = asked[some.tolist()] if names else {}
        for at, row in enumerate(some.tolist()):
            cells = {name: batch[name][at] for name in names}
            key = columns.key(cells, row)
            image = image_at.get(key)
            if image is None:
                if len(image_at) == limit:
                    continue
                image = image_at[key] = len(image_at)
                found.image_ids.append(str(key) if columns.image_id else f"{len(found.image_ids):06}")
                found.firsts.append(row)
            for text, number in _captions(cells, columns, f"{where}, row {row}"):
                if not text.strip():
                    found.skipped.append((found.image_ids[image], "a caption without words"))
                elif keep is None or kept.get(image, 0) < keep:
                    kept[image] = kept.get(image, 0) + 1
                    found.captions.append(text)
                    found.caption_ids.append(number)
                    found.image_of.append(image)
    if columns.captions and not found.captions:
        raise ValueError(
            f"{where}: no row has a caption in {' or '.join(columns.captions)}; say which column has, by"
            " caption='...', or caption=() where there are none"
        )
    return found


def _captions(cells: dict[str, Any], columns: Columns, where: str) -> list[tuple[str, Any]]:
    """The captions of a row and their numbers."""
    try:
        texts = [found for name in columns.captions for found in texts_of(cells[name])]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    numbers = cells.get(columns.sentence_ids or "")
    numbers = numbers if isinstance(numbers, list) else [numbers]
    if len(numbers) != len(texts):
        return texts
    return [(text, own if own is not None else one) for (text, own), one in zip(texts, numbers, strict=True)]


class HubPictures:
    """The pictures of a table by image row, opened when asked for.

    Args:
        table: with a column of pictures, or of their names.
        column: which; None where the names are the images' own.
        rows: [image] of the table.
        names: [image]
        folder: where pictures lie that the table only names.
    """

    def __init__(
        self,
        table: Dataset,
        column: str | None,
        rows: Sequence[int],
        names: Sequence[str],
        folder: str | Path | None,
    ):
        self.table = without_decoding(table, column).select_columns([column]) if column else None
        self.column, self.rows, self.names = column, list(rows), list(names)
        self.folder = None if folder is None else Path(folder)

    def __call__(self, row: int) -> Image:
        """The picture.

        Raises:
            ValueError: there is none, it is damaged, or only its address is known.
            FileNotFoundError: it is not where the table says.
        """
        found = self._find(row)
        if isinstance(found, bytes):
            return decode_picture(found, f"the picture of {self.names[row]!r}")
        return open_picture(found)

    def stamp(self, row: int) -> str:
        """A digest of the picture's bytes, or its file's size and time of change."""
        found = self._find(row)
        if isinstance(found, bytes):
            return hashlib.blake2b(found, digest_size=16).hexdigest()
        told = found.stat()
        return f"{found.name} {told.st_size} {told.st_mtime_ns}"

    def _find(self, row: int) -> bytes | Path:
        value = self.names[row] if self.table is None else self.table[self.rows[row]][self.column]
        if isinstance(value, dict):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes) or not value:
            if not value:
                raise ValueError(f"image {self.names[row]!r} has no picture; leave it out with subset()")
            return value
        if not isinstance(value, str):
            raise ValueError(
                f"column {self.column!r} has no picture of {self.names[row]!r} but {type(value).__name__};"
                " say which column has, by image='...'"
            )
        if "://" in value:
            raise ValueError(
                f"of image {self.names[row]!r} only the address is known ({value}); nothing is fetched from"
                " there: download the pictures and say where they are, by pictures=folder"
            )
        if self.folder is None:
            if not Path(value).is_file():
                raise FileNotFoundError(
                    f"there is no picture {value}, which column {self.column!r} names for image"
                    f" {self.names[row]!r}; say where the pictures are, by pictures=folder"
                )
            return Path(value)
        path = Pictures(self.folder, [value]).find(0)
        if path is None:
            raise FileNotFoundError(f"there is no picture {value} in {self.folder}; copy it there")
        return path
