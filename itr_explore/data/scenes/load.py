"""Scenes as a `Collection`: made once, then mapped from the cache; pictures and truth come when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.scenes.cache import FEATURES, SCENES, kept
from itr_explore.data.scenes.foils import foils_of
from itr_explore.data.scenes.language import Caption, truth_of
from itr_explore.data.scenes.splits import SIZES
from itr_explore.data.scenes.world import Scene

if TYPE_CHECKING:
    from datasets import Dataset
    from PIL.Image import Image

    from itr_explore.records import Truth

Offsets = tuple[tuple[int, int], ...]

BYTES_A_SCENE = 50_000  # room wanted on the disk; about twice what is used


def load_scenes(split: str = "train", size: int | None = None, seed: int = 0) -> Collection:
    """The embedded collection: drawn scenes with captions, regions and their truth.

    Made the first time it is asked for, with a progress bar; from then on read from the cache, whose folder
    `cache.cache_folder` names. Features stay on the disk until they are used.

    Args:
        split: a key of `splits.SIZES`: train, val, test, swap or compose.
        size: how many scenes; `SIZES` if not given. A smaller split is the beginning of a larger one.
        seed: another seed gives other scenes.

    Raises:
        ValueError: there is no such split, or no scene is wanted.
        OSError: the cache cannot be written.
    """
    return KeptScenes(split, size, seed).collection()


def open_dataset(split: str = "train", size: int | None = None, seed: int = 0) -> Dataset:
    """The same scenes as a `datasets.Dataset`, a row for each; `build.scenes_schema` says which columns."""
    from datasets import Dataset

    return Dataset.from_file(str(KeptScenes(split, size, seed).folder / SCENES))


class KeptScenes:
    """The files of one split, mapped into memory."""

    def __init__(self, split: str, size: int | None, seed: int):
        if split not in SIZES:
            raise ValueError(f"there is no split {split!r} of the scenes; wanted one of {', '.join(SIZES)}")
        size = SIZES[split] if size is None else size
        if size < 1 or seed < 0:
            raise ValueError(f"wanted one scene at least and a seed from 0, got size {size} and seed {seed}")
        if split == "swap" and size % 2:
            raise ValueError(f"scenes of the split swap come in pairs; wanted an even size, got {size}")

        def write(folder: Path) -> dict[str, Any]:
            from itr_explore.data.scenes.build import write_split  # brings torch, which reading does not need

            return write_split(folder, split, size, seed)

        self.split = split
        kept(f"scenes-{split}-{size}-{seed}", write, self._open, wanted_bytes=size * BYTES_A_SCENE)

    def _open(self, folder: Path) -> None:
        self.folder = folder
        self.scenes = _table(folder / SCENES)
        (features,) = _table(folder / FEATURES).column("features").chunks
        captions = self.scenes.column("captions").combine_chunks()
        self.captions, self.caption_starts = captions.flatten().to_pylist(), captions.offsets.to_numpy()
        self.features = features.values.to_numpy().reshape(len(features), -1)  # a view of the mapped file

    def collection(self) -> Collection:
        """The collection that looks into the files."""
        counts = np.diff(self.caption_starts)
        boxes = self.scenes.column("boxes").combine_chunks()
        starts = np.cumsum([0, *boxes.value_lengths().to_numpy()])
        labels = self.scenes.column("labels").combine_chunks().flatten().dictionary_encode()
        return Collection(
            name="scenes",
            split=self.split,
            captions=self.captions,
            image_of=np.repeat(np.arange(len(counts)), counts),
            image_ids=[f"{self.split}-{row:05}" for row in range(len(counts))],
            regions=Ragged(self.features, starts),
            boxes=boxes.flatten().flatten().to_numpy().reshape(-1, 4),
            label_codes=labels.indices.to_numpy(),
            label_names=labels.dictionary.to_pylist(),
            open_image=self.image,
            truth_of=self.truth,
            foils_of=self.foils,
            stamp_of=lambda row: f"{self.folder.name}/{row}",
            source=self,
        )

    def image(self, row: int) -> Image:
        """The picture of a scene."""
        from itr_explore.data.scenes.pixels import decode

        return decode(self.scenes.column("image")[row].as_py()["bytes"])

    def scene(self, row: int) -> Scene:
        """What there is in a scene."""
        return Scene.from_json(self.scenes.column("scene")[row].as_py())

    def truth(self, caption: int, words: tuple[str, ...], offsets: Offsets, boxes: np.ndarray) -> Truth:
        """What the words of a caption name, and which regions cover it."""
        return truth_of(*self.meaning(caption), words, offsets, boxes)

    def foils(self, caption: int) -> tuple[str, ...]:
        """What is false of its scene and differs from a caption by one exchange."""
        return tuple(foil.text for foil in foils_of(*self.meaning(caption)))

    def meaning(self, caption: int) -> tuple[Caption, Scene]:
        """What a caption claims, and the scene that it was made for."""
        row = int(np.searchsorted(self.caption_starts, caption, side="right")) - 1
        meaning = self.scenes.column("meanings")[row][caption - self.caption_starts[row]].as_py()
        return Caption.from_json(meaning), self.scene(row)


def _table(file: Path) -> Any:
    """An Arrow file, mapped: its columns are views of the disk."""
    import pyarrow as pa

    return pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
