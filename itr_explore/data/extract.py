"""Regions from pictures: any extractor over any collection, kept on the disk, resumed where it stopped.

An extractor is an object with two methods: `describe()` says as JSON can say it what its regions depend on,
and a call takes a list of RGB pictures and returns as many `RegionsOf`. `GridExtractor`, `DetectorExtractor`
and `OnnxDetector` are such; so is any class of yours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from itr_explore.data.scenes.cache import cache_folder
from itr_explore.data.store import FILE, RegionStore, RegionWriter, extractor_name, read_manifest
from itr_explore.records import RegionsOf

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection
    from itr_explore.data.ragged import Ragged

NAMES = "names.jsonl"  # which key the picture of an image has, so that it need not be opened to be known

Item = TypeVar("Item")
Made = TypeVar("Made")


class Extractor(Protocol):
    """What turns pictures into regions."""

    def describe(self) -> dict[str, Any]:
        """All that its regions depend on."""

    def __call__(self, pictures: list[Image]) -> list[RegionsOf]:
        """The regions of each picture."""


class Found(NamedTuple):
    """The regions of a collection's images, in the collection's order."""

    regions: Ragged
    boxes: np.ndarray | None
    label_codes: np.ndarray | None
    label_names: list[str]
    made_by: str | None


def extract_regions(
    collection: Collection,
    extractor: Extractor,
    folder: str | Path | None = None,
    *,
    batch_size: int = 32,
    progress: bool = True,
) -> RegionStore:
    """Look at all pictures of a collection and keep their regions in a folder; returns the store.

    Pictures are known by what they hold, so that none is looked at twice: not when an interrupted or killed
    run is started again, not when files were moved, and not in another collection. After a kill at most the
    last 512 pictures are looked at again. `collection.with_regions(folder)` takes them.

    Args:
        collection: images with pictures, which are opened a batch at a time.
        extractor: what looks at them; see the module's text.
        folder: of the store, made or gone on with; by default one in the cache for each extractor.
        batch_size: pictures at a time; halved by itself where a GPU's memory does not suffice.
        progress: show a bar with an estimate.

    Raises:
        ValueError: the collection has no pictures, one is damaged, or the folder holds another extractor's.
        FileNotFoundError: a picture is missing.
        OSError: another process writes there, or the disk is full. What was done is kept, whatever is raised.
    """
    if batch_size < 1:
        raise ValueError(f"a batch needs a size of at least 1, got {batch_size}")
    description = _described(extractor)
    folder = default_folder(description) if folder is None else Path(folder)
    with RegionWriter(folder, description) as writer:
        names = Names(folder, collection)
        todo = [row for row in range(len(collection)) if (names.key(row) or "") not in writer]
        with _bar(collection, "regions", progress, done=len(collection) - len(todo)) as bar:
            rows = [todo[first : first + batch_size] for first in range(0, len(todo), batch_size)]
            for seen in ahead(lambda batch: [_see(collection, row) for row in batch], rows):
                fresh = {key: picture for _, key, picture in seen if key not in writer}
                for key, found in zip(fresh, _look(extractor, list(fresh.values())), strict=True):
                    writer.add(key, replace(found, size=fresh[key].size))
                names.add([(row, key) for row, key, _ in seen])
                bar.update(len(seen))
    return RegionStore(folder)


def regions_for(
    collection: Collection,
    source: Extractor | str | Path,
    *,
    cache: str | Path | None = None,
    batch_size: int = 32,
    progress: bool = True,
) -> Found:
    """The regions of a collection's images: from a store, or made by an extractor and kept in one.

    Raises:
        ValueError: images are missing from the store; says which, and whether shards are damaged.
    """
    if isinstance(source, str | Path):
        if cache is not None:
            raise ValueError(f"{source} is a folder of regions, which needs no cache; leave it out")
        store = _store(source)
        return _found(collection, store, _rows(collection, store, progress, hash_pictures=True))
    description = _described(source)
    folder = default_folder(description) if cache is None else Path(cache)
    if read_manifest(folder) is not None:
        store = RegionStore(folder)
        if store.extractor == description:
            rows = _rows(collection, store, progress, hash_pictures=False)
            if (rows >= 0).all():  # nothing to be made, so nothing to be locked
                return _found(collection, store, rows)
    store = extract_regions(collection, source, folder, batch_size=batch_size, progress=progress)
    return _found(collection, store, _rows(collection, store, progress, hash_pictures=True))


def default_folder(description: dict[str, Any]) -> Path:
    """Where the cache keeps the regions of an extractor, for all collections."""
    told = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / f"regions-{told}"


def content_key(picture: Image) -> str:
    """Of what is to be seen in a picture: the same for copies, another for any other picture."""
    told = hashlib.sha256(f"{picture.mode} {picture.size} ".encode())
    told.update(picture.tobytes())
    return told.hexdigest()[:32]


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """`map`, with the next one made in a thread while the last one is in use."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = None
        for item in items:
            following = pool.submit(make, item)
            if coming is not None:
                yield coming.result()
            coming = following
        if coming is not None:
            yield coming.result()


class Names:
    """Which key the picture of each image of a collection has in a store, as noted when it was seen.

    Kept as lines of JSON that are only ever added; a line cut short by a kill is passed over.
    """

    def __init__(self, folder: Path, collection: Collection):
        self.file, self.collection = folder / NAMES, collection
        self.of = f"{collection.name}/{collection.split}"
        self.known: dict[tuple[str, str], tuple[str | None, str]] = {}
        self.anywhere: dict[str, set[str]] = {}
        with suppress(FileNotFoundError):
            for line in self.file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    told = json.loads(line)
                    self.known[told["of"], told["image"]] = (told["stamp"], told["key"])
                    self.anywhere.setdefault(told["image"], set()).add(told["key"])

    def key(self, row: int) -> str | None:
        """Of an image whose picture is the one that was seen then, told without opening it."""
        stamp, key = self.known.get((self.of, self.collection.image_ids[row]), (None, None))
        return key if stamp and stamp == self.collection.stamp(row) else None

    def key_by_name(self, row: int) -> str | None:
        """Of an image whose picture is not here, if its name stands for one picture."""
        keys = self.anywhere.get(self.collection.image_ids[row], set())
        return next(iter(keys)) if len(keys) == 1 else None

    def add(self, seen: Sequence[tuple[int, str]]) -> None:
        """Note the keys of some images."""
        lines = [
            {
                "of": self.of,
                "image": self.collection.image_ids[row],
                "stamp": self.collection.stamp(row),
                "key": key,
            }
            for row, key in seen
        ]
        with self.file.open("a", encoding="utf-8") as file:
            file.write("".join(f"\n{json.dumps(line)}" for line in lines))


def _store(folder: str | Path) -> RegionStore:
    try:
        return RegionStore(folder)
    except FileNotFoundError as error:
        told = str(folder)
        if Path(folder).is_dir() and not (Path(folder) / "config.json").is_file():
            raise
        raise FileNotFoundError(
            f"{error}. If {told!r} is the name of a vision model, hand on what looks at pictures with it:"
            f" with_regions(GridExtractor({told!r}))"
        ) from error


def _described(extractor: Extractor) -> dict[str, Any]:
    if not callable(extractor) or not hasattr(extractor, "describe"):
        raise ValueError(
            "wanted an extractor, such as GridExtractor('openai/clip-vit-base-patch32'), or the folder of a"
            f" region store; got {type(extractor).__name__}"
        )
    try:
        return json.loads(json.dumps(extractor.describe()))
    except TypeError as error:
        raise ValueError(
            f"{type(extractor).__name__}.describe() must give what JSON can say: {error}"
        ) from error


def _see(collection: Collection, row: int) -> tuple[int, str, Image]:
    picture = collection.image(row)
    if picture is None:
        raise ValueError(
            f"{collection.name}, {collection.split} has no picture of image {collection.image_ids[row]!r}, so"
            " no extractor can look at it; add the pictures, or hand on a store that was made where they are"
        )
    return row, content_key(picture), picture


def _look(extractor: Extractor, pictures: list[Image]) -> list[RegionsOf]:
    """An extractor's answers; half as many pictures at a time where a GPU's memory does not suffice."""
    import torch

    if not pictures:
        return []
    try:
        found = list(extractor(pictures))
    except torch.OutOfMemoryError as error:
        if len(pictures) == 1:
            raise RuntimeError(
                f"the GPU's memory does not suffice for one picture of {pictures[0].size}; give the extractor"
                ' device="cpu"'
            ) from error
        torch.cuda.empty_cache()
        half = len(pictures) // 2
        return _look(extractor, pictures[:half]) + _look(extractor, pictures[half:])
    if len(found) != len(pictures):
        raise ValueError(
            f"{type(extractor).__name__} was given {len(pictures)} pictures and returned {len(found)} answers"
            "; wanted one RegionsOf for each"
        )
    return found


def _rows(collection: Collection, store: RegionStore, progress: bool, hash_pictures: bool) -> np.ndarray:
    """Which image of a store each image of the collection is, -1 where it is none."""
    names = Names(store.folder, collection)
    rows = np.full(len(collection), -1)
    for image, name in enumerate(collection.image_ids):
        rows[image] = store.row_of.get(names.key(image) or name, -1)
    unknown = np.flatnonzero(rows < 0).tolist()
    if not unknown or not hash_pictures:
        return rows
    if collection.image(unknown[0]) is None:
        for image in unknown:
            rows[image] = store.row_of.get(names.key_by_name(image) or "", -1)
        return rows
    with _bar(collection, "pictures", progress, done=len(collection) - len(unknown)) as bar:
        for image, key, _ in ahead(lambda row: _see(collection, row), unknown):
            rows[image] = store.row_of.get(key, -1)
            bar.update()
    return rows


def _found(collection: Collection, store: RegionStore, rows: np.ndarray) -> Found:
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        raise ValueError(
            f"{store.folder} lacks the regions of {len(missing):,} of {len(collection):,} images of"
            f" {collection.name}, {collection.split}, such as {collection.image_ids[missing[0]]!r}"
            + (store.loss() or "; extract them into it, or leave those images out with subset()")
        )
    return Found(
        store.regions.subset(rows),
        store.boxes,
        store.label_codes,
        store.label_names,
        None if store.extractor.get("kind") == FILE else extractor_name(store.extractor),
    )


def _bar(collection: Collection, what: str, progress: bool, done: int) -> Any:
    from tqdm.auto import tqdm

    title = f"{what} of {collection.name}, {collection.split}"
    return tqdm(total=len(collection), initial=done, desc=title, unit="photo", delay=2, disable=not progress)
