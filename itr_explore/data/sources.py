"""From what a user names to a collection: the scenes, a folder of any layout that is read, or the hub."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from itr_explore.data.collection import Collection
from itr_explore.data.columns import split_names
from itr_explore.data.folder import NoCaptions, NoSplits, find_pictures
from itr_explore.data.origin import Origin

HUB = "hub:"
FIELD = ("dataset*.json", "dataset*.json.gz", "*_caps.txt", "*_ims.npy", "regions*.npz")
SAVED = ("dataset_dict.json", "state.json", "*.parquet", "*/*.parquet")
HELD_OUT = 10  # of photos without splits, one in so many is held out for validation


def open_source(name: str | Path, split: str) -> Collection:
    """A split of what a name means.

    Args:
        name: `scenes`; `hub:owner/name`; a `.parquet` file; or a folder: in the field's layout, of
            Flickr30k Entities, of a saved set, or of photos with or without captions.
        split: photos without splits are all of it.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError, OSError: as the sources raise them.
    """
    told, path = str(name), Path(name)
    if told == "scenes":
        return Collection.scenes(split)
    if told.startswith(HUB):
        return Collection.from_hub(told.removeprefix(HUB), split)
    if path.suffix == ".parquet":
        return Collection.from_hub(path, split)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {told}; wanted one, `scenes`, or `{HUB}owner/name`")
    if is_field_layout(path):
        return Collection.from_karpathy(path, split)
    if (path / "Annotations").is_dir() and (path / "Sentences").is_dir():
        return Collection.from_entities(path, split)
    if _holds(path, SAVED):
        return Collection.from_hub(path, split)
    return _photos(path, split)


def open_training(name: str | Path) -> tuple[Collection, Collection]:
    """What to train on and what to choose on; of photos without splits every tenth is held out.

    Raises:
        ValueError: there are fewer than ten photos.
    """
    path = Path(name)
    if not path.is_dir() or _is_known_layout(path):
        return open_source(name, "train"), open_source(name, "val")
    found = _photos(path, "all")
    if isinstance(found.source, Origin) and found.source.splits:
        return _photos(path, "train"), _photos(path, "val")
    if len(found) < HELD_OUT:
        raise ValueError(
            f"{path} has {len(found)} photos; wanted {HELD_OUT} at least, as one in {HELD_OUT} is held out"
        )
    return _held_out(found)


def open_evaluation(name: str | Path, split: str) -> Collection:
    """A split to measure on: of photos without splits the tenth that `open_training` held out, or the others.

    Args:
        name: as `open_source` takes it.
        split: of photos without splits, `test` is what was held out, as `val` is, and `all` is all of them.
            So few photos that none can be held out are all of it.
    """
    path = Path(name)
    if split == "all" or not path.is_dir() or _is_known_layout(path):
        return open_source(name, split)
    try:
        return Collection.from_folder(path, split=split)
    except (NoCaptions, NoSplits):
        found = _photos(path, "all")
    if len(found) < HELD_OUT:
        return found
    training, validation = _held_out(found)
    return training if split in split_names("train") else validation


def _held_out(photos: Collection) -> tuple[Collection, Collection]:
    held = np.arange(len(photos)) % HELD_OUT == HELD_OUT - 1
    training, validation = (photos.subset(np.flatnonzero(rows)) for rows in (~held, held))
    training.split, validation.split = "train", "val"
    return training, validation


def _photos(folder: Path, split: str) -> Collection:
    """The photos of a split where they have such, else all."""
    try:
        return Collection.from_folder(folder, split=split)
    except NoSplits:
        found = Collection.from_folder(folder)
    except NoCaptions:
        found = Collection.from_folder(folder, False)
    found.split = split
    return found


def _is_known_layout(folder: Path) -> bool:
    return is_field_layout(folder) or (folder / "Annotations").is_dir() or _holds(folder, SAVED)


def is_field_layout(folder: str | Path) -> bool:
    """Whether a folder holds files of the field's layout."""
    return _holds(Path(folder), FIELD) and not _holds(Path(folder), SAVED[:2])


def is_another_source(name: str | Path) -> bool:
    """Whether a name means photos or a set, and neither the scenes nor the field's layout."""
    path = Path(name)
    if str(name).startswith(HUB) or path.suffix == ".parquet":
        return True
    return (
        path.is_dir() and not is_field_layout(path) and (_is_known_layout(path) or bool(find_pictures(path)))
    )


def _holds(folder: Path, patterns: Iterable[str]) -> bool:
    return any(next(folder.glob(pattern), None) is not None for pattern in patterns)
