"""A user's own photos: a folder of pictures, in sub-folders or not, and captions beside them.

Captions are a file (`captions.csv`, see `caption_files.py`) or a text beside each picture: `a.txt` for
`a.jpg`, a caption a line. Each picture is opened once at the start, at a small size: what cannot be opened is
left out and told, and so is a copy of another picture, whose captions the first one gets.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from tqdm.auto import tqdm

from itr_explore.data.caption_files import KINDS, Said, decoded, read_captions
from itr_explore.data.collection import Collection
from itr_explore.data.columns import split_names
from itr_explore.data.files import reading
from itr_explore.data.origin import Origin
from itr_explore.data.pictures import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
STEMS = ("captions", "metadata", "results", "annotations")  # of files that hold captions
LEFT_ASIDE = {"__macosx", "@eadir", "$recycle.bin"}
WORKERS = 8
SMALL = 256  # a JPEG is decoded at an eighth of its size or so to see whether it is whole


def load_folder(
    folder: str | Path,
    captions: str | Path | Literal[False] | None = None,
    *,
    split: str = "all",
    image: str | None = None,
    caption: str | Sequence[str] | None = None,
    captions_per_image: int | None = None,
    check: bool = True,
) -> Collection:
    """A folder of pictures; see `Collection.from_folder`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; wanted one with pictures")
    if captions_per_image is not None and captions_per_image < 1:
        raise ValueError(f"captions_per_image must be at least 1, or None for all, got {captions_per_image}")
    paths = find_pictures(folder)
    if not paths:
        raise ValueError(
            f"{folder} has no pictures ({', '.join(sorted(SUFFIXES))}), nor have its sub-folders"
        )
    names = _names(folder, paths)
    finder = _Finder(names)
    said, note, skipped = _captions(folder, captions, paths, names, finder, image, caption)
    if split != "all" and all(one.split is None for one in said):
        raise NoSplits(
            f"{folder} has no split {split!r}: nothing says which picture is in which split. Leave split out"
            " for all of them, add a column 'split' to the captions, or divide them by subset()"
        )
    found = [finder(one.name) for one in said]
    apart = _splits(names, said, found, refuse=split != "all")
    broken, first_of = _checked(paths) if check else ({}, {})
    for row, first in first_of.items():
        if row in apart:
            apart.setdefault(first, apart[row])
    skipped = [(names[row], why) for row, why in broken.items()] + skipped
    foreign = {
        row for row, first in first_of.items() if split != "all" and _differ(apart.get(row), apart.get(first))
    }
    for row, first in first_of.items():
        which = f"is in the split {apart[first]}" if row in foreign else "has its captions"
        skipped.append((names[row], f"the same picture as {names[first]}, which {which}"))
    texts: dict[int, list[str]] = defaultdict(list)
    for one, place in zip(said, found, strict=True):
        if place is None:
            skipped.append((one.name, "has a caption, but no picture of that name is there"))
        elif not one.text.strip():
            skipped.append((one.name, "a caption without words"))
        elif place not in foreign:
            texts[first_of.get(place, place)].append(one.text)
    kept = [row for row in range(len(paths)) if row not in broken and row not in first_of]
    if split != "all":
        wanted = split_names(split)
        kept = [row for row in kept if apart.get(row) in wanted]
        if not kept:
            raise ValueError(
                f"{folder} has no split {split!r}; its splits are {', '.join(sorted(set(apart.values())))}"
            )
    if not kept:
        why = next(iter(broken.values()))
        raise ValueError(f"none of the {len(paths):,} pictures of {folder} can be opened; the first: {why}")
    each = [texts[row][:captions_per_image] for row in kept]
    if said and not any(each):
        raise ValueError(
            f"no caption of {folder} belongs to a picture there; the first names {said[0].name!r}"
        )
    silent = sum(not some for some in each)
    if said and silent:
        note += f", {silent:,} pictures without a caption"
    origin = Origin(str(folder), note, tuple(skipped), tuple(sorted(set(apart.values()))))
    origin.warn()
    shown = FolderPictures([paths[row] for row in kept])
    return Collection(
        name=folder.resolve().name,
        split=split,
        captions=[text for some in each for text in some],
        image_of=np.repeat(np.arange(len(kept)), [len(some) for some in each]),
        image_ids=[names[row] for row in kept],
        open_image=shown,
        stamp_of=shown.stamp,
        source=origin,
    )


class NoCaptions(ValueError):
    """A folder has pictures and nothing that says anything of them."""


class NoSplits(ValueError):
    """A split is asked for where nothing says which picture is in which."""


def _splits(
    names: Sequence[str], said: Sequence[Said], rows: Sequence[int | None], refuse: bool
) -> dict[int, str]:
    """The split of each row that has one; `refuse` that one has two."""
    apart: dict[int, str] = {}
    for one, row in zip(said, rows, strict=True):
        if row is None or one.split is None:
            continue
        known = apart.setdefault(row, one.split)
        if refuse and _differ(known, one.split):
            raise ValueError(
                f"{names[row]} is in two splits, {known} and {one.split}, so one of them would be measured on"
                " what the other trained on; leave it in one"
            )
    return apart


def _differ(split: str | None, other: str | None) -> bool:
    return split is not None and other is not None and other not in split_names(split)


class FolderPictures:
    """Pictures by row, opened when asked for."""

    def __init__(self, paths: Sequence[Path]):
        self.paths = paths

    def __call__(self, row: int) -> Image:
        """The picture, upright and RGB."""
        return open_picture(self.paths[row])

    def stamp(self, row: int) -> str:
        """The file's name, size and time of change: other pictures have other stamps."""
        told = self.paths[row].stat()
        return f"{self.paths[row].name!a} {told.st_size} {told.st_mtime_ns}"


class _Finder:
    """From a picture's name as somebody wrote it to its row.

    Upper and lower case, the form of accents and the slash do not matter where no two pictures differ by them
    alone; folders may be left out, or be those of another machine; the end may be left out, `a` for `a.jpg`.
    What could be two pictures is none.
    """

    def __init__(self, names: Sequence[str]):
        self.spellings = [_Spelling(names, form) for form in (_slashed, _composed, _plain)]

    def __call__(self, name: str) -> int | None:
        """The row, or None."""
        ways = [spelling.whole for spelling in self.spellings] + [
            spelling.ends for spelling in self.spellings
        ]
        found = next(filter(None, (way(name) for way in ways)), [])
        return found[0] if len(found) == 1 else None


class _Spelling:
    """Rows by their names in one form of them."""

    def __init__(self, names: Sequence[str], form: Callable[[str], str]):
        self.form, self.paths = form, [form(name) for name in names]
        self.rows: dict[str, list[int]] = defaultdict(list)
        self.bare: dict[str, list[int]] = defaultdict(list)
        for row, path in enumerate(self.paths):
            self.rows[path].append(row)
            bare = path.rpartition("/")[2]
            self.bare[bare].append(row)
            self.bare[bare.rpartition(".")[0]].append(row)

    def whole(self, name: str) -> list[int]:
        """Rows of the very path."""
        return self.rows.get(self.form(name), [])

    def ends(self, name: str) -> list[int]:
        """Rows whose path ends so, or that the path ends in."""
        path = self.form(name)
        return [row for row in self.bare.get(path.rpartition("/")[2], ()) if _same_end(path, self.paths[row])]


def _slashed(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", _slashed(name))


def _plain(name: str) -> str:
    return _composed(name).casefold()


def _same_end(written: str, path: str) -> bool:
    """Whether one of two paths ends in the other; `.jpg` is left out where nobody wrote it."""
    if not written.lower().endswith(tuple(SUFFIXES)):
        path = path.rpartition(".")[0]
    return f"/{written}".endswith(f"/{path}") or f"/{path}".endswith(f"/{written}")


def find_pictures(folder: Path) -> list[Path]:
    """All pictures in a folder and its sub-folders, in order; hidden ones and a system's own left aside."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name.lower() not in LEFT_ASIDE
        )
        found += [
            Path(place, name)
            for name in sorted(files)
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    return found


def _names(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Paths inside the folder as text; bytes that are no text in a file's name show as such."""
    found: list[str] = []
    seen: set[str] = set()
    for path in paths:
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", errors="backslashreplace")
        while name in seen:
            name += "~"
        seen.add(name)
        found.append(name)
    return found


def _checked(paths: Sequence[Path]) -> tuple[dict[int, str], dict[int, int]]:
    """Rows of pictures that cannot be opened, with the reason; and of copies, with the row of the first."""
    with ThreadPoolExecutor(WORKERS) as pool:
        told = list(tqdm(pool.map(_fault, paths), total=len(paths), desc="photos looked at", delay=2))
    broken = {row: why for row, why in enumerate(told) if why is not None}
    sizes: dict[int, list[int]] = defaultdict(list)
    for row, path in enumerate(paths):
        if row not in broken:
            sizes[path.stat().st_size].append(row)
    first_of: dict[int, int] = {}
    for rows in sizes.values():
        seen: dict[bytes, int] = {}
        for row in rows if len(rows) > 1 else ():
            with paths[row].open("rb") as file:
                first = seen.setdefault(hashlib.file_digest(file, "blake2b").digest(), row)
            if first != row:
                first_of[row] = first
    return broken, first_of


def _fault(path: Path) -> str | None:
    """Why a picture cannot be opened; None where it can."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (SMALL, SMALL))
            opened.load()
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, Image.UnidentifiedImageError):
            return "no picture that can be read"
        return str(error) or type(error).__name__
    return None


def _captions(
    folder: Path,
    captions: str | Path | Literal[False] | None,
    paths: Sequence[Path],
    names: Sequence[str],
    finder: _Finder,
    image: str | None,
    caption: str | Sequence[str] | None,
) -> tuple[list[Said], str, list[tuple[str, str]]]:
    """What is said of the pictures, where, and what had to be left out."""
    if captions is False:
        return [], "no captions", []
    if captions is None:
        found = [
            path
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in KINDS
            and (path.stem.lower() in STEMS or path.suffix.lower() == ".token")
        ]
        if len(found) > 1:
            raise ValueError(
                f"{folder} has {len(found)} files that may hold captions:"
                f" {', '.join(path.name for path in found)}; say which one by captions='...'"
            )
        if not found:
            return (*_beside(folder, paths, names), [])
        captions = found[0]
    path = Path(captions)
    if not path.is_file() and (folder / path).is_file():
        path = folder / path
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path}, nor is it in {folder}; say by captions= where the captions are, or"
            " False where there are none"
        )
    return read_captions(path, finder, image=image, caption=caption)


def _beside(folder: Path, paths: Sequence[Path], names: Sequence[str]) -> tuple[list[Said], str]:
    """The lines of a text beside each picture: `a.txt` or `a.jpg.txt` for `a.jpg`."""
    said, read_as = [], set()
    for path, name in zip(paths, names, strict=True):
        for text in (path.with_suffix(".txt"), path.with_name(path.name + ".txt")):
            if text.is_file():
                with reading(text):
                    lines, encoding = decoded(text.read_bytes())
                read_as.add(encoding)
                said += [Said(name, line.strip()) for line in lines.splitlines() if line.strip()]
                break
    if not said:
        raise NoCaptions(
            f"{folder} has no captions: no {STEMS[0]}.csv (or {', '.join(KINDS[1:])}) and no .txt beside a"
            " picture. Say where they are by captions='file', or captions=False where there are none: such"
            " photos can be searched for, but nothing can be trained on them"
        )
    odd = "".join(f", read as {encoding}" for encoding in sorted(read_as - {"UTF-8"}))
    return said, f"captions from .txt beside the pictures{odd}"
