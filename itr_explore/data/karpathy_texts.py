"""Captions and ids as the field's text files have them: `S_caps.txt` and `S_ids.txt`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from itr_explore.data.files import read_lines
from itr_explore.data.ragged import Ragged


class Texts(NamedTuple):
    """Captions of some images of a file of regions."""

    captions: list[str]
    image_of: np.ndarray  # [caption]
    image_ids: list[str]  # one an image
    rows: np.ndarray  # [image]  which image of the file each is


def read_captions(path: Path) -> list[str]:
    """One caption a line."""
    captions = read_lines(path)
    if captions and all(line.startswith(("b'", 'b"')) for line in captions[:5]):
        raise ValueError(
            f"{path} holds the print of byte strings ({captions[0][:40]}...); "
            "write it again from captions that were read as text"
        )
    return captions


def read_texts(folder: Path, split: str, regions: Ragged, regions_path: Path) -> Texts:
    """The captions that belong to a file of regions.

    The number of captions an image follows from the two counts (the field's `im_div`). Arrays that repeat an
    image once for each of its captions, as the oldest do, are known by their ids or equal rows; read once.

    Raises:
        ValueError: counts do not fit.
    """
    path = folder / f"{split}_caps.txt"
    captions, images = read_captions(path), len(regions)
    if not captions or len(captions) % images:
        raise ValueError(
            f"{path} has {len(captions):,} captions and {regions_path} {images:,} images; "
            "wanted the same number of captions for every image"
        )
    each = len(captions) // images
    ids = _read_ids(folder / f"{split}_ids.txt", images, len(captions)) or [
        f"{split}-{i:05}" for i in range(images)
    ]
    image_of = np.repeat(np.arange(images), each)
    rows = np.arange(images)
    if each == 1:
        rows, image_of = _merged(ids, regions)
    return Texts(captions, image_of, [ids[row] for row in rows], rows)


def _merged(ids: list[str], regions: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """Where an image is repeated for each caption: the first row of each, and which image each row shows."""
    names, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    if len(names) < len(ids):
        order = np.argsort(first)
        return first[order], np.argsort(order)[inverse]
    if len(ids) % 5 == 0 and len(set(regions.lengths[:5])) == 1:
        five = regions.gather(np.arange(5)).reshape(5, -1)
        if (five == five[0]).all():
            return np.arange(0, len(ids), 5), np.arange(len(ids)) // 5
    return np.arange(len(ids)), np.arange(len(ids))


def _read_ids(path: Path, images: int, captions: int) -> list[str] | None:
    """One id for each image; a file that has one for each caption is read at each image's first."""
    if not path.exists():
        return None
    ids = [line.strip() for line in read_lines(path)]
    if len(ids) not in (images, captions):
        raise ValueError(f"{path} has {len(ids):,} ids; wanted one for each of {images:,} images")
    return ids[:: len(ids) // images]
