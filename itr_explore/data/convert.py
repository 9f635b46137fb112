"""Region features from the field's files to a store, and from a store to the field's files.

- a region store: a folder, see `store.py`;
- `*.tsv`, bottom-up attention: `image_id image_w image_h num_boxes boxes features`, the last two base64 of
  float32; or LXMERT's ten columns, with scores of objects and, as labels, their numbers; also the parts of a
  release, `*.tsv.0`, `*.tsv.1` ..., each of them by itself;
- `*.npz`: see `region_files.read_npz`;
- `*_ims.npy`: `[image region feature]`, with boxes, sizes and ids in files beside it.

Boxes and sizes go along, labels and scores where a form has a place for them. Image ids, too: those of an
archive or array from `<name>_ids.txt` (or `imgid`), else they are the rows.
Sources: github.com/peteranderson80/bottom-up-attention and github.com/airsplay/lxmert (the TSV files),
github.com/kuanghuei/SCAN (the arrays).
"""

from __future__ import annotations

import base64
import csv
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from itr_explore.data.boxes import clip_to_image
from itr_explore.data.files import read_lines, reading
from itr_explore.data.region_files import RegionFile, box_fractions, label_names, read_npy, read_npz
from itr_explore.data.store import FILE, RegionStore, RegionWriter
from itr_explore.records import RegionsOf

IMS, IDS = "_ims.npy", "_ids.txt"
PART = re.compile(r"(?<=\.tsv)\.\d+$")  # of a release in several files
BOTTOM_UP = ("image_id", "image_w", "image_h", "num_boxes", "boxes", "features")
LXMERT = (
    *("img_id", "img_h", "img_w", "objects_id", "objects_conf", "attrs_id", "attrs_conf"),
    *("num_boxes", "boxes", "features"),
)

Rows = Iterator[tuple[str, RegionsOf]]


def convert_features(
    source: str | Path, target: str | Path, *, extractor: str | None = None, progress: bool = True
) -> Path:
    """Turn features of one form into another; the forms are told by the names, see the module's text.

    A store that is there already is gone on with; a file is replaced when the new one is complete.

    Args:
        source: a store's folder, `.tsv`, `.npz` or `_ims.npy`.
        target: the same.
        extractor: what made a file's features, in your words; a store takes several files of one name. By
            default the file's own name, without the number of a `.tsv.0`.
        progress: show a bar.

    Returns:
        the target.

    Raises:
        FileNotFoundError: there is no source.
        ValueError: a name says no form, the source is damaged, the target cannot hold what it has, or an
            extractor is named where it has no place.
    """
    from tqdm.auto import tqdm

    source, target = Path(source), Path(target)
    read, write = _reader(source), _writer(target)
    if extractor is not None:
        if read is read_store or write is not write_store:
            raise ValueError(
                "an extractor is named when a file's features go into a store: a store knows its own, and"
                f" files keep none; got {source.name} to {target.name}, leave extractor out"
            )
        write = partial(write_store, extractor=extractor)
    with tqdm(
        read(source), desc=f"{source.name} to {target.name}", unit="image", disable=not progress
    ) as rows:
        write(target, iter(rows), source)
    return target


def read_store(folder: Path) -> Rows:
    """All images of a store; of a damaged shard none is passed over in silence."""
    store = RegionStore(folder)
    if store.damaged:
        raise ValueError(f"{folder} is not whole{store.loss()}")
    for key in store.keys:
        yield key, store[key]


def read_tsv(path: Path) -> Rows:
    """The images of a bottom-up-attention file, one a line; six columns, or LXMERT's ten."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(newline="", encoding="utf-8") as file:
        for number, fields in enumerate(csv.reader(file, delimiter="\t"), start=1):
            names = {len(BOTTOM_UP): BOTTOM_UP, len(LXMERT): LXMERT}.get(len(fields))
            if names is None:
                raise ValueError(
                    f"{path}, line {number} has {len(fields)} columns; wanted the {len(BOTTOM_UP)} of"
                    f" bottom-up attention ({' '.join(BOTTOM_UP)}) or LXMERT's {len(LXMERT)}; a line may be"
                    " cut short"
                )
            if fields[0] != names[0]:  # no header
                yield _row(dict(zip(names, fields, strict=True)), f"{path}, line {number}")


def read_archive(path: Path) -> Rows:
    """The images of a `.npz`."""
    yield from _from_file(read_npz(path), path.with_name(f"{path.stem}{IDS}"))


def read_array(path: Path) -> Rows:
    """The images of a `_ims.npy`, with the boxes beside it."""
    name = path.name.removesuffix(IMS)
    yield from _from_file(read_npy(path.parent, name), path.with_name(f"{name}{IDS}"))


def write_store(folder: Path, rows: Rows, source: Path, extractor: str | None = None) -> None:
    """Into a store; images that are there already are passed over."""
    if source.is_dir():
        told = RegionStore(source).extractor
    else:
        told = {"kind": FILE, "model": extractor or PART.sub("", source.name)}
    with RegionWriter(folder, told) as writer:
        for key, regions in rows:
            if key not in writer:
                writer.add(key, regions)


def write_tsv(path: Path, rows: Rows, source: Path) -> None:
    """Into a bottom-up-attention file; boxes in pixels."""
    with _beside(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, delimiter="\t", lineterminator="\n")
        for key, regions in rows:
            if regions.boxes is None or regions.size is None:
                raise ValueError(
                    f"image {key!r} has no {'boxes' if regions.boxes is None else 'size in pixels'}, which a"
                    " TSV needs; write .npz instead"
                )
            boxes = (regions.boxes * np.array(regions.size * 2)).astype(np.float32)
            coded = (
                base64.b64encode(np.asarray(one, np.float32).tobytes()).decode()
                for one in (boxes, regions.features)
            )
            out.writerow([key, *regions.size, len(regions), *coded])


def write_archive(path: Path, rows: Rows, source: Path) -> None:
    """Into a `.npz`, any number of regions an image; all of it is in memory meanwhile."""
    every = list(rows)
    if not every:
        raise ValueError(f"{source} has no images")
    keys, found = zip(*every, strict=True)
    told: dict[str, np.ndarray] = {
        "features": np.concatenate([np.asarray(one.features, np.float16) for one in found]),
        "starts": np.cumsum([0, *(len(one) for one in found)]),
    }
    if all(one.boxes is not None for one in found):
        told["boxes"] = np.concatenate([one.boxes for one in found])
    if all(one.scores is not None for one in found):
        told["scores"] = np.concatenate([one.scores for one in found])
    if all(one.size is not None for one in found):
        told["sizes"] = np.array([one.size for one in found])
    if all(key.isdecimal() for key in keys):
        told["imgid"] = np.array([int(key) for key in keys])
    code_of = {name: code for code, name in label_names(None).items()}
    labels = [label for one in found for label in one.labels]
    if labels and all(label in code_of for label in labels):
        told["labels"] = np.array([code_of[label] for label in labels], np.uint8)
    with _beside(path) as new, new.open("wb") as file:
        np.savez(file, **told)  # type: ignore[arg-type]
    _write_ids(path.with_name(f"{path.stem}{IDS}"), keys)


def write_array(path: Path, rows: Rows, source: Path) -> None:
    """Into `_ims.npy` with `_boxes.npy` (fractions), `_ims_size.npy` and `_ids.txt` beside it."""
    name, keys = path.name.removesuffix(IMS), list[str]()
    boxes, sizes = list[np.ndarray | None](), list[tuple[int, int] | None]()
    shape: tuple[int, ...] | None = None
    with _beside(path) as new, new.open("wb") as file:
        for key, regions in rows:
            shape = regions.features.shape if shape is None else shape
            if regions.features.shape != shape:
                raise ValueError(
                    f"image {key!r} has {len(regions)} regions, those before it {shape[0]}; an array holds"
                    " the same number for each image: write .npz or .tsv, or extract with least_score=0"
                )
            if not keys:
                _write_header(file, (0, *shape))
            file.write(np.asarray(regions.features, np.float32).tobytes())
            keys.append(key)
            boxes.append(regions.boxes)
            sizes.append(regions.size)
        if shape is None:
            raise ValueError(f"{source} has no images")
        file.seek(0)
        _write_header(file, (len(keys), *shape))
    if all(one is not None for one in boxes):
        with _beside(path.with_name(f"{name}_boxes.npy")) as new, new.open("wb") as file:
            np.save(file, np.array(boxes, np.float32))
    if all(one is not None for one in sizes):
        with _beside(path.with_name(f"{name}_ims_size.npy")) as new, new.open("wb") as file:
            np.save(file, np.array(sizes))
    _write_ids(path.with_name(f"{name}{IDS}"), keys)


def _write_header(file: Any, shape: tuple[int, ...]) -> None:
    """Of a `.npy`; its length is the same for any number of images."""
    told = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, told)


def _write_ids(path: Path, keys: Any) -> None:
    with _beside(path) as new:
        new.write_text("\n".join(keys) + "\n", encoding="utf-8")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A place to write to that takes the path's when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
        yield Path(scratch) / path.name
        os.replace(Path(scratch) / path.name, path)


def _row(told: dict[str, str], where: str) -> tuple[str, RegionsOf]:
    key = told.get("image_id", told.get("img_id", ""))
    try:
        size = tuple(int(float(told.get(f"image_{side}") or told[f"img_{side}"])) for side in "wh")
        count = int(told["num_boxes"])
        boxes = _decoded(told["boxes"], count, "boxes")
        features = _decoded(told["features"], count, "features")
        labels, scores = tuple[str, ...](), None
        if "objects_id" in told:
            ids = _decoded(told["objects_id"], count, "objects_id", np.int64)
            labels = tuple(str(number) for number in ids[:, 0].tolist())
            scores = _decoded(told["objects_conf"], count, "objects_conf")[:, 0]
    except (ValueError, KeyError) as error:
        raise ValueError(f"{where}, image {key!r}: {error}; the line may be cut short") from error
    if boxes.shape[1] != 4 or min(size) < 1:
        raise ValueError(
            f"{where}, image {key!r}: wanted boxes of four numbers in a picture of some size, got"
            f" {list(boxes.shape)} and {size[0]} x {size[1]}"
        )
    inside = clip_to_image(
        boxes / np.array(size * 2, np.float32), lambda row: f"{where}, image {key!r}: region {row}"
    )
    return key, RegionsOf(features, inside, labels, scores, (size[0], size[1]))


def _decoded(text: str, count: int, what: str, dtype: type = np.float32) -> np.ndarray:
    data = base64.b64decode(text, validate=True)
    if count < 1 or len(data) % (np.dtype(dtype).itemsize * count):
        raise ValueError(f"{len(data):,} bytes of {what} are no {dtype.__name__} numbers of {count} regions")
    return np.frombuffer(data, dtype).reshape(count, -1)


def _from_file(file: RegionFile, ids: Path) -> Rows:
    if ids.exists():
        keys = read_lines(ids)
    else:
        keys = [str(key) for key in (range(len(file.regions)) if file.image_ids is None else file.image_ids)]
    if len(keys) != len(file.regions) or len(set(keys)) != len(keys):
        raise ValueError(
            f"{file.path} has {len(file.regions):,} images, {ids.name} {len(set(keys)):,} different ids;"
            " wanted one for each. Where an array repeats each image for its captions, read it by"
            " Collection.from_karpathy"
        )
    boxes, names = box_fractions(file, None, keys), label_names(None)
    for image, key in enumerate(keys):
        row = np.array([image])
        rows = file.regions.rows(row)
        where = None if boxes is None else boxes[rows].astype(np.float32)
        if where is not None and boxes is not None and boxes.dtype == np.uint16:
            where /= 65535
        size = None if file.sizes is None else (int(file.sizes[image, 0]), int(file.sizes[image, 1]))
        labels = (
            () if file.labels is None else tuple(names.get(int(c), str(int(c))) for c in file.labels[rows])
        )
        scores = None if file.scores is None else file.scores[rows]
        with reading(file.path):
            yield key, RegionsOf(file.regions.gather(row), where, labels, scores, size)


def _form(path: Path) -> str:
    suffix = Path(PART.sub("", path.name)).suffix
    if suffix in {".tsv", ".npz"}:
        return suffix
    if path.name.endswith(IMS):
        return IMS
    if path.suffix:
        raise ValueError(
            f"{path} is of no form that is known; wanted a store's folder, a .tsv, a .npz or a *{IMS}"
        )
    return "store"


def _reader(path: Path) -> Callable[[Path], Rows]:
    form = "store" if path.is_dir() else _form(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; wanted features in the form that its name says")
    return {".tsv": read_tsv, ".npz": read_archive, IMS: read_array, "store": read_store}[form]


def _writer(path: Path) -> Callable[[Path, Rows, Path], None]:
    form = "store" if path.is_dir() else _form(path)
    writers: dict[str, Callable[[Path, Rows, Path], None]] = {
        ".tsv": write_tsv,
        ".npz": write_archive,
        IMS: write_array,
        "store": write_store,
    }
    return writers[form]
