"""Who else is right, as others have found out: files that say which captions describe which images.

- ECCV Caption (Chun et al., ECCV 2022): `eccv_image_to_caption.json` and `eccv_caption_to_image.json`, from
  the numbers of some images to those of all captions that are right for them, and the other way round. Only
  these are asked; the same folder has `cxc_...` and `original_...` in this form.
- Crisscrossed Captions (Parekh et al., EACL 2021): `sits_test.csv` with `caption,image,agg_score,...`, grades
  from 0 to 5 of pairs besides the written ones.
- A matrix `[image caption]` of booleans in a `.npy`, in the collection's order.

Images are known by the number in their names (`COCO_val2014_000000391895.jpg` is 391895), captions by the
collection's `caption_ids`, which COCO's files call `sentid`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.files import Misfit, map_array, read_json, read_lines, reading

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection

TO_CAPTION, TO_IMAGE = "_image_to_caption", "_caption_to_image"


@dataclass(frozen=True)
class Relevant:
    """All right pairs, as far as they were asked for: an image or a caption without any was not asked."""

    of_images: np.ndarray  # [image caption] bool: which captions are right for an image
    of_captions: np.ndarray  # [image caption] bool: for which images a caption is right

    def __post_init__(self):
        shapes = [list(side.shape) for side in (self.of_images, self.of_captions)]
        kinds = {side.dtype for side in (self.of_images, self.of_captions)}
        if shapes[0] != shapes[1] or len(shapes[0]) != 2 or kinds != {np.dtype(bool)}:
            raise ValueError(
                f"wanted two matrices [image caption] of booleans, got {shapes[0]} and {shapes[1]}"
            )


def read_relevance(path: str | Path, collection: Collection, *, at_least: float = 3.0) -> Relevant:
    """All right pairs of a collection by a file; images and captions that it does not have are left out.

    Args:
        path: one of two JSON files (the other lies beside it), a table of grades, or a matrix in a `.npy`.
        collection: whose images and captions the file names.
        at_least: from which grade on a pair of a table is right; written pairs are right in any case.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another form, or of another collection.
    """
    path = Path(path)
    if path.suffix == ".npy":
        return _matrix(path, collection)
    found = _table(path, collection, at_least) if path.suffix == ".csv" else _both(path, collection)
    if not found.of_images.any() and not found.of_captions.any():
        raise ValueError(
            f"no pair of {path} is in {collection.name} ({collection.split}); is it of another set?"
        )
    return found


def number_of(name: str) -> int | None:
    """The number in an image's name: its last one, without the zeros before it."""
    found = re.findall(r"\d+", Path(name).stem)
    return int(found[-1]) if found else None


def rows_of_images(names: Sequence[str]) -> dict[int | None, int]:
    """The image of each number, those left out that are in two names."""
    rows: dict[int | None, int] = {}
    twice = set()
    for row, name in enumerate(names):
        number = number_of(name)
        if number is not None and rows.setdefault(number, row) != row:
            twice.add(number)
    return {number: row for number, row in rows.items() if number not in twice}


def _rows_of_captions(collection: Collection) -> dict[int, int]:
    if collection.caption_ids is None:
        raise ValueError(
            f"{collection.name} does not know the numbers of its captions, by which files of right pairs call"
            " them; read it from a JSON whose sentences have sentid, or from a set with sentids"
        )
    told = enumerate(map(str, collection.caption_ids))
    return {int(number): row for row, number in told if number.isdigit()}


def _written(collection: Collection) -> np.ndarray:
    return collection.image_of == np.arange(len(collection))[:, None]


def _matrix(path: Path, collection: Collection) -> Relevant:
    found, shape = map_array(path), (len(collection), len(collection.captions))
    if found.shape != shape or found.dtype != bool:
        raise ValueError(
            f"{path}: wanted booleans [image caption] {list(shape)}, got {found.dtype} {list(found.shape)}"
        )
    return Relevant(np.asarray(found), np.asarray(found))


def _both(path: Path, collection: Collection) -> Relevant:
    """From two JSON files, each from a number to numbers."""
    mark = next((mark for mark in (TO_CAPTION, TO_IMAGE) if path.stem.endswith(mark)), None)
    if path.suffix != ".json" or mark is None:
        raise ValueError(
            f"{path}: wanted ...{TO_CAPTION}.json or ...{TO_IMAGE}.json, a .csv of grades, or a .npy"
        )
    stem = path.stem.removesuffix(mark)
    images, captions = rows_of_images(collection.image_ids), _rows_of_captions(collection)
    of_images = np.zeros((len(collection), len(collection.captions)), dtype=bool)
    of_captions = np.zeros_like(of_images)
    for image, right in _numbers(path.with_name(f"{stem}{TO_CAPTION}.json")).items():
        if image in images:
            of_images[images[image], [captions[one] for one in right if one in captions]] = True
    for caption, right in _numbers(path.with_name(f"{stem}{TO_IMAGE}.json")).items():
        if caption in captions:
            of_captions[[images[one] for one in right if one in images], captions[caption]] = True
    return Relevant(of_images, of_captions)


def _numbers(path: Path) -> Mapping[int, list[int]]:
    told = read_json(path)
    with reading(path):
        try:
            return {int(key): [int(one) for one in values] for key, values in told.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise Misfit(f"wanted an object from numbers to lists of numbers ({error})") from error


def _table(path: Path, collection: Collection, at_least: float) -> Relevant:
    """From a table of grades; the written pairs are right, too."""
    images, captions = rows_of_images(collection.image_ids), _rows_of_captions(collection)
    found, known = _written(collection), 0
    rows = list(csv.reader(read_lines(path)))
    with reading(path):
        if not rows or [cell.strip() for cell in rows[0][:3]] != ["caption", "image", "agg_score"]:
            raise Misfit(f"wanted a header caption,image,agg_score ..., got {rows[:1]}")
        for line, row in enumerate(rows[1:], 2):
            caption = number_of(row[0].replace(":", "_")) if row else None
            try:
                image, grade = number_of(row[1]), float(row[2])
            except (IndexError, ValueError) as error:
                raise Misfit(f"line {line}: wanted a caption, an image and a grade, got {row}") from error
            if image in images and caption in captions:
                known += 1
                if grade >= at_least:
                    found[images[image], captions[caption]] = True
    if not known:
        raise ValueError(
            f"no pair of {path} is in {collection.name} ({collection.split}); is it of another set?"
        )
    return Relevant(found, found)
