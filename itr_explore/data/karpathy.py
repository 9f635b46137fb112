"""The field's layout: a folder with captions and regions of one or more splits.

What a folder may hold, for a split `S`:

- `dataset_*.json[.gz]` or `dataset.json[.gz]`, Karpathy's JSON: images with `filename`, `split`, `sentences`;
  and if known `imgid`, `width`, `height`, human boxes and the phrases linked to them, labelled `objects`.
- `S_caps.txt`, one caption a line, an image's captions one after the other; `S_ids.txt`, one id an image.
  Where there is a JSON besides, captions come from the JSON, and the two must agree.
- `regions-S.npz` or `regions.npz` (see `region_files.read_npz`), or `S_ims.npy` with boxes if there are any.
- `images/`, the pictures.

`dev` and `testall` are the arrays' names of val and test, and either is understood.
Sources: github.com/karpathy/neuraltalk2 (JSON), github.com/kuanghuei/SCAN (arrays and texts).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from itr_explore.data.collection import Collection
from itr_explore.data.karpathy_json import (
    Described,
    image_sizes,
    labelled_objects,
    read_split,
    truth_of_phrases,
)
from itr_explore.data.karpathy_texts import read_captions, read_texts
from itr_explore.data.pictures import Pictures
from itr_explore.data.region_files import RegionFile, box_fractions, label_names, read_npy, read_npz

OTHER_NAME = {"test": "testall", "testall": "test", "val": "dev", "dev": "val"}


def load_karpathy(
    folder: str | Path, split: str = "test", *, restval: bool = False, captions_per_image: int | None = None
) -> Collection:
    """A split of a folder in the field's layout; see `Collection.from_karpathy`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; wanted one in the field's layout")
    if captions_per_image is not None and captions_per_image < 1:
        raise ValueError(f"captions_per_image must be at least 1, or None for all, got {captions_per_image}")
    found = sorted(path for end in ("json", "json.gz") for path in folder.glob(f"dataset*.{end}"))
    if len(found) > 1:
        raise ValueError(
            f"{folder} has {len(found)} files dataset*.json; wanted one collection a folder: {found}"
        )
    if found:
        return _with_json(folder, found[0], split, restval, captions_per_image)
    return _with_texts(folder, split, captions_per_image)


def _with_json(folder: Path, path: Path, split: str, restval: bool, keep: int | None) -> Collection:
    images, categories = read_split(path, split, restval)
    file, array_split = _find_regions(folder, split)
    rows = (
        _rows_by_id(file, path, images, split)
        if file.image_ids is not None
        else _rows_in_order(file, path, images)
    )
    if (folder / f"{array_split}_caps.txt").exists():
        _want_agreement(folder / f"{array_split}_caps.txt", path, images)
    if keep is not None:
        images = [image._replace(sentences=image.sentences[:keep]) for image in images]
    if file.path.suffix == ".npz":
        file, rows = file.take(rows), np.arange(len(rows))
    names = [image.name for image in images]
    pictures = Pictures(folder, [_place(image) for image in images])
    sentences = [sentence.text for image in images for sentence in image.sentences]
    return Collection(
        name=folder.resolve().name,
        split=split,
        captions=sentences,
        image_of=np.repeat(np.arange(len(images)), [len(image.sentences) for image in images]),
        image_ids=names,
        caption_ids=_caption_ids(images),
        regions=file.regions.subset(rows),
        boxes=box_fractions(file, image_sizes(images), names),
        label_codes=file.labels,
        label_names=label_names(categories),
        open_image=pictures,
        stamp_of=pictures.stamp,
        truth_of=truth_of_phrases(images, path),
        objects_of=labelled_objects(images, path),
    )


def _with_texts(folder: Path, split: str, keep: int | None) -> Collection:
    file, split = _find_regions(folder, split)
    texts = read_texts(folder, split, file.regions, file.path)
    chosen = np.arange(len(texts.captions))
    if keep is not None:
        starts = np.searchsorted(texts.image_of, np.arange(len(texts.image_ids)))
        chosen = chosen[chosen - starts[texts.image_of] < keep]
    names = [""] * len(file.regions)
    for row, name in zip(texts.rows, texts.image_ids, strict=True):
        names[row] = name
    return Collection(
        name=folder.resolve().name,
        split=split,
        captions=[texts.captions[row] for row in chosen],
        image_of=texts.image_of[chosen],
        image_ids=texts.image_ids,
        regions=file.regions.subset(texts.rows),
        boxes=box_fractions(file, None, names),
        label_codes=file.labels,
        label_names=label_names(None),
    )


def _find_regions(folder: Path, split: str) -> tuple[RegionFile, str]:
    """The file of regions of a split, and the split's name there."""
    names = [split, OTHER_NAME[split]] if split in OTHER_NAME else [split]
    tried = []
    for name in names:
        if (folder / f"regions-{name}.npz").exists():
            return read_npz(folder / f"regions-{name}.npz"), name
        if (folder / f"{name}_ims.npy").exists():
            return read_npy(folder, name), name
        tried += [f"regions-{name}.npz", f"{name}_ims.npy"]
    if (folder / "regions.npz").exists():
        return read_npz(folder / "regions.npz"), split
    raise FileNotFoundError(
        f"no regions of split {split!r} in {folder}; wanted {', '.join(tried)} or regions.npz"
    )


def _rows_by_id(file: RegionFile, path: Path, images: Sequence[Described], split: str) -> np.ndarray:
    """Which image of the file each image of the JSON is, by `imgid`."""
    assert file.image_ids is not None
    row_of = {imgid: row for row, imgid in enumerate(file.image_ids.tolist())}
    rows = np.array([row_of.get(image.record.get("imgid"), -1) for image in images])
    if (rows < 0).any():
        missing, there = images[int(rows.argmin())], int((rows >= 0).sum())
        raise ValueError(
            f"{path} has {len(images):,} images in split {split!r}, {file.path} has {there:,} of them; "
            f"image {missing.name!r} (imgid {missing.record.get('imgid')}) is missing"
        )
    if file.path.name != "regions.npz" and len(images) < len(file.regions):
        raise ValueError(
            f"{file.path} has {len(file.regions):,} images, split {split!r} of {path} only {len(images):,}; "
            "where the others are COCO's restval, ask for restval=True"
        )
    return rows


def _rows_in_order(file: RegionFile, path: Path, images: Sequence[Described]) -> np.ndarray:
    """Which image of a file without ids each image of the JSON is: in order, once each or once a caption."""
    starts = np.cumsum([0, *(len(image.sentences) for image in images)])
    if len(file.regions) == len(images):
        return np.arange(len(images))
    if len(file.regions) == starts[-1]:
        return starts[:-1]
    raise ValueError(
        f"{file.path} has {len(file.regions):,} images, but the split has {len(images):,} images in {path}; "
        "COCO's train arrays want restval=True; or take the JSON away to read arrays with S_caps.txt"
    )


def _want_agreement(texts: Path, path: Path, images: Sequence[Described]) -> None:
    """Refuse a text file whose captions are not those of the JSON, in its order."""
    captions = read_captions(texts)
    each = len(captions) // len(images)
    for row, image in enumerate(images):
        line = captions[row * each] if row * each < len(captions) else ""
        if not image.sentences or _letters(line) != _letters(image.sentences[0].text):
            first = image.sentences[0].text if image.sentences else "no caption"
            raise ValueError(
                f"{texts} and {path} disagree on image {row} (counted from 0): {line!r} against {first!r}; "
                "take one of the two away"
            )


def _letters(text: str) -> str:
    """A caption without what tokenizers differ in."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _caption_ids(images: Sequence[Described]) -> list[int | str] | None:
    """The numbers of all captions, where each has one of its own."""
    found = [sentence.number for image in images for sentence in image.sentences]
    known = [number for number in found if isinstance(number, int | str)]
    return known if len(set(known)) == len(found) else None


def _place(image: Described) -> str:
    """Where a picture is said to lie; COCO's JSON names the folder apart."""
    return f"{image.record['filepath']}/{image.name}" if image.record.get("filepath") else image.name
