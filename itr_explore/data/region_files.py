"""Regions from the field's files: features, boxes and labels of `regions*.npz`, or `*_ims.npy` and boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from itr_explore.data.boxes import clip_to_image
from itr_explore.data.coco_names import COCO_NAMES
from itr_explore.data.files import map_array, read_arrays, read_sizes
from itr_explore.data.ragged import Ragged

PROJECTION = "regions-projection.npz"
WHOLE_IMAGE = 255  # label code of a region that is the image itself
WHOLE = "whole image"  # its label


class RegionFile(NamedTuple):
    """What a file of regions holds, as it stands there."""

    path: Path
    regions: Ragged
    boxes: np.ndarray | None = None  # [row 4]  pixels, fractions, or uint16 of 65535ths
    labels: np.ndarray | None = None  # [row]
    image_ids: np.ndarray | None = None  # [image]  the JSON's imgid
    sizes: np.ndarray | None = None  # [image 2]  widths and heights that boxes in pixels are measured by
    scores: np.ndarray | None = None  # [row]

    def take(self, images: np.ndarray) -> RegionFile:
        """Some images in the order given, copied, so that the rest can be forgotten."""
        rows = self.regions.rows(images)
        starts = np.cumsum([0, *self.regions.lengths[images]])
        boxes, labels, scores = (
            None if array is None else array[rows] for array in (self.boxes, self.labels, self.scores)
        )
        ids, sizes = (None if array is None else array[images] for array in (self.image_ids, self.sizes))
        regions = Ragged(self.regions.values[rows], starts, self.regions.scale)
        return RegionFile(self.path, regions, boxes, labels, ids, sizes, scores)


def read_npz(path: Path) -> RegionFile:
    """A `.npz` of regions, in memory.

    It holds `features` (float) or `codes` (int8; with `scale` there or in `regions-projection.npz`), either
    `[image region feature]`, or `[row feature]` with `starts [image + 1]`; and, if known, `imgid [image]`,
    `sizes [image 2]` (width and height), and `boxes`, `labels` and `scores` laid out like the features.
    """
    told = read_arrays(path)
    values = told.get("features", told.get("codes"))
    if values is None:
        raise ValueError(f"{path} holds {sorted(told)}; wanted an array 'features' or 'codes'")
    scale = told.get("scale")
    if scale is None and "features" not in told:
        scale = _projection_scale(path.parent)
    regions, ids = _ragged(path, values, scale, told.get("starts")), told.get("imgid")
    if ids is not None and (ids.shape != (len(regions),) or len(np.unique(ids)) != len(ids)):
        raise ValueError(f"{path}: imgid must be {len(regions):,} different numbers, got {list(ids.shape)}")
    sizes = told.get("sizes")
    if sizes is not None and (sizes.shape != (len(regions), 2) or sizes.dtype.kind not in "fiu"):
        raise ValueError(f"{path}: sizes must be numbers [{len(regions)} 2], got {list(sizes.shape)}")
    rows = len(regions.values)
    boxes, labels, scores = (
        _flat(path, told.get(name), name, rows, n)
        for name, n in (("boxes", (4,)), ("labels", ()), ("scores", ()))
    )
    return RegionFile(path, regions, boxes, labels, ids, sizes, scores)


def read_npy(folder: Path, split: str) -> RegionFile:
    """`<split>_ims.npy`, left on the disk, with boxes of `<split>_boxes.npy` or `<split>_ims_bbx.npy` if any.

    Boxes in pixels are measured by `<split>_ims_size.npy`. An array `[image feature]` is one region an image.
    """
    path = folder / f"{split}_ims.npy"
    regions = _ragged(path, map_array(path), None, None)
    places = [folder / f"{split}_{name}.npy" for name in ("boxes", "ims_bbx", "bbx", "ims_size", "sizes")]
    boxes = next(
        (_flat(p, map_array(p), "boxes", len(regions.values), (4,)) for p in places[:3] if p.exists()), None
    )
    sizes = next((read_sizes(place) for place in places[3:] if place.exists()), None)
    if sizes is not None and len(sizes) != len(regions):
        raise ValueError(f"{path} has {len(regions):,} images but there are sizes of {len(sizes):,}")
    return RegionFile(path, regions, boxes, sizes=sizes)


def box_fractions(file: RegionFile, sizes: np.ndarray | None, names: Sequence[str]) -> np.ndarray | None:
    """The boxes of a file `[row 4]`, checked: float32 fractions, or uint16 of 65535ths as they stand there.

    Args:
        file: of regions.
        sizes: `[image 2]` widths and heights, if known from elsewhere; the file's own come first.
        names: of the file's images, for messages.

    Raises:
        ValueError: a box lies outside its image, or boxes are pixels and no sizes are known.
    """
    if file.boxes is None:
        return None
    sizes = sizes if file.sizes is None else file.sizes

    def name(row: int) -> str:
        image = int(np.searchsorted(np.cumsum(file.regions.lengths), row, side="right"))
        return f"{file.path}: a region of image {names[image]!r}"

    if file.boxes.dtype == np.uint16 and file.sizes is None:
        if (file.boxes[:, 2:] < file.boxes[:, :2]).any():
            clip_to_image(file.boxes / np.float32(65535), name)
        return file.boxes
    boxes = np.array(file.boxes, np.float32)
    if len(boxes) and np.nanmax(boxes) > 1.5:
        if sizes is None or len(sizes) != len(file.regions):
            raise ValueError(
                f"{file.path}: boxes up to {np.nanmax(boxes):.0f} are pixels, and the images' sizes are not "
                "known; add width and height to the JSON, or a <split>_ims_size.npy [image 2]"
            )
        boxes /= np.repeat(np.tile(sizes, 2), file.regions.lengths, axis=0)
    return clip_to_image(boxes, name)


def label_names(told: tuple[str, ...] | None) -> Mapping[int, str]:
    """The word for every label code: the categories that a JSON lists, else those of MS COCO."""
    return {**dict(enumerate(told or COCO_NAMES)), WHOLE_IMAGE: WHOLE}


def _ragged(path: Path, values: np.ndarray, scale: np.ndarray | None, starts: np.ndarray | None) -> Ragged:
    try:
        if starts is None:
            if values.ndim not in (2, 3) or not values.size:
                raise ValueError(f"wanted features [image region feature], got {list(values.shape)}")
            images, each = len(values), values.shape[1] if values.ndim == 3 else 1
            starts = np.arange(images + 1) * each
            values = values.reshape(images * each, values.shape[-1])
        return Ragged(values, starts, scale)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _flat(
    path: Path, found: np.ndarray | None, name: str, rows: int, tail: tuple[int, ...]
) -> np.ndarray | None:
    """An array that has one entry for each region, its first axes made one."""
    if found is None:
        return None
    if found.size != rows * int(np.prod(tail)) or found.shape[found.ndim - len(tail) :] != tail:
        wanted = " ".join(["region", *map(str, tail)])
        raise ValueError(f"{path}: {name} must be [{wanted}] of {rows:,} regions, got {list(found.shape)}")
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{path}: {name} must be numbers, got {found.dtype}")
    if name == "labels" and not (np.isfinite(found) & (found == np.rint(found))).all():
        raise ValueError(
            f"{path}: labels must be integers, got {found.dtype} with NaN or fractions among them"
        )
    return found.reshape(rows, *tail)


def _projection_scale(folder: Path) -> np.ndarray:
    """The scale of int8 codes, kept beside them, or beside those of a neighbour that shares it."""
    found = (
        [folder / PROJECTION]
        if (folder / PROJECTION).exists()
        else sorted(folder.parent.glob(f"*/{PROJECTION}"))
    )
    if len(found) != 1:
        raise ValueError(
            f"codes in {folder} need a scale; wanted {PROJECTION} there, or in just one folder beside it, "
            f"found {len(found)}"
        )
    told = read_arrays(found[0])
    if "scale" not in told:
        raise ValueError(f"{found[0]} holds {sorted(told)}; wanted an array 'scale'")
    return told["scale"]
