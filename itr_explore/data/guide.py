"""Guide vectors: what a frozen CLIP makes of each picture, for models that are led by an outside look.

USER's CLIP-guided enhancement (Zhang et al., IEEE TIP 2024) reads one vector an image. Any CLIP-like model
that `transformers` loads gives them; since its weights never change, each collection is looked at once.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from itr_explore.data.checkpoints import SCENES_CLIP, find_checkpoint, load_vision
from itr_explore.data.devices import choose_device
from itr_explore.data.scenes.cache import kept

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection

VECTORS = "guide.npy"
BYTES_A_VECTOR = 8192  # room wanted on the disk; twice the longest CLIP's


def guide_vectors(
    collection: Collection,
    clip: str | os.PathLike = SCENES_CLIP,
    *,
    batch_size: int = 64,
    device: str = "auto",
) -> np.ndarray:
    """What a CLIP makes of a collection's pictures: `[image guide]` float32, each vector of length 1.

    Computed the first time, with a progress bar where that is long; from then on read from the cache. Other
    pictures, another order of them or another checkpoint are other vectors. Hand them on by
    `collection.with_guide(vectors)`.

    Args:
        collection: images with pictures, which are opened a batch at a time.
        clip: a model with an image side in the manner of CLIP: a folder, a hub id such as
            `openai/clip-vit-base-patch32`, or `clip-tiny-scenes`, which comes with the
            package.
        batch_size: pictures at a time.
        device: "auto" is a GPU where there is one.

    Raises:
        FileNotFoundError: there is no such model here and none could be had from the hub; or a picture is
            missing.
        ValueError: the collection has no pictures, one is damaged, or the model is no CLIP.
        OSError: the cache cannot be written.
    """
    if batch_size < 1:
        raise ValueError(f"a batch needs a size of at least 1, got {batch_size}")
    place, checkpoint = find_checkpoint(clip, "a CLIP")
    chosen = choose_device(device)

    def write(folder: Path) -> dict[str, Any]:
        np.save(folder / VECTORS, _look(collection, place, batch_size, chosen))
        return {"collection": collection.name, "split": collection.split, "clip": str(clip)}

    return kept(
        "guide",
        write,
        lambda folder: np.load(folder / VECTORS, allow_pickle=False),
        wanted_bytes=len(collection) * BYTES_A_VECTOR,
        what="guide vectors",
        version=hashlib.sha256(f"{_fingerprint(collection)} {checkpoint}".encode()).hexdigest()[:16],
    )


def _look(collection: Collection, place: str, batch_size: int, device: torch.device) -> np.ndarray:
    """The vectors of all pictures, computed."""
    _picture(collection, 0)  # before the model is read, which takes longer
    model, processor = _load(place)
    model.to(device)
    found = []
    with torch.inference_mode(), tqdm(total=len(collection), desc="guide vectors", delay=2) as bar:
        for first in range(0, len(collection), batch_size):
            rows = range(first, min(first + batch_size, len(collection)))
            pictures = [_picture(collection, row) for row in rows]
            vectors = model.get_image_features(**processor(images=pictures, return_tensors="pt").to(device))
            vectors = getattr(vectors, "pooler_output", vectors)  # a record since transformers 5
            found.append(normalize(vectors.float(), dim=-1).cpu().numpy())
            bar.update(len(rows))
    return np.concatenate(found)


def _picture(collection: Collection, row: int) -> Image:
    picture = collection.image(row)
    if picture is None:
        name = collection.image_ids[row]
        raise ValueError(
            f"{collection.name}, {collection.split} has no picture of image {name!r}, so no CLIP can look at"
            " it; add the pictures, or hand on vectors computed where they are: collection.with_guide(file)"
        )
    return picture


def _load(place: str) -> tuple[Any, Any]:
    """A CLIP and what prepares pictures for it."""
    from transformers import AutoModel

    model, processor = load_vision(place, "CLIP", AutoModel)
    if not hasattr(model, "get_image_features"):
        raise ValueError(
            f"{place} holds a {type(model).__name__}; wanted a CLIP: a model with get_image_features"
        )
    return model, processor


def _fingerprint(collection: Collection) -> str:
    """Of all pictures in their order; pixels are looked at only where the source has no stamp for them."""
    told = hashlib.sha256()
    for row in range(len(collection)):
        stamp = collection.stamp(row)
        if stamp is None:
            picture = _picture(collection, row)
            stamp = f"{picture.size} {hashlib.sha256(picture.tobytes()).hexdigest()}"
        told.update(stamp.encode() + b"\0")
    return told.hexdigest()
