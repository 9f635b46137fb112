"""Guide vectors: what a frozen CLIP makes of each picture, for models that are led by an outside look.

USER's CLIP-guided enhancement (Zhang et al., IEEE TIP 2024) reads one vector an image. Any CLIP-like model
that `transformers` loads gives them; since its weights never change, each collection is looked at once.
"""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from itr_explore.data.devices import choose_device
from itr_explore.data.scenes.cache import kept

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection

SCENES_CLIP = "clip-tiny-scenes"  # of the zoo, by `python -m itr_explore.data.scenes.train_clip`
VECTORS = "guide.npy"
WEIGHTS = (".json", ".safetensors", ".bin")  # the files of a checkpoint that its vectors depend on
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
    place, checkpoint = _find(clip)
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
    """A CLIP in float32, ready for use, and what prepares pictures for it (by Pillow, on every machine)."""
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor, AutoModel

    try:
        model, told = AutoModel.from_pretrained(place, output_loading_info=True)
        processor = AutoImageProcessor.from_pretrained(place, backend="pil")
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{place} holds no CLIP that transformers can read: {error}") from error
    if not hasattr(model, "get_image_features") or told["missing_keys"]:
        lacking = ", ".join(sorted(told["missing_keys"])[:3])
        raise ValueError(
            f"{place} holds a {type(model).__name__}{lacking and f' without {lacking}'}; wanted a CLIP:"
            " a model with get_image_features and all its weights"
        )
    return model.float().eval(), processor


def _find(clip: str | os.PathLike) -> tuple[str, str]:
    """Where `transformers` finds a model, and a text that tells its checkpoint from all others."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    name = str(clip)
    shipped = Path(str(files("itr_explore.zoo") / name))
    folder = Path(clip) if Path(clip).is_dir() else shipped
    if folder.is_dir():
        return str(folder), _digest(folder)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise FileNotFoundError(
            f"there is no folder {name!r}; wanted a folder with a CLIP, 'owner/name' on the Hugging Face"
            f" hub, or {SCENES_CLIP!r}, which comes with the package"
        )
    try:
        config = hf_hub_download(name, "config.json")
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise FileNotFoundError(
            f"{name!r} is no folder here and could not be had from the Hugging Face hub: {error}"
        ) from error
    return name, Path(config).parent.name  # the commit


def _digest(folder: Path) -> str:
    """Of the files in a folder that a model is made of."""
    told = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in WEIGHTS):
        with path.open("rb") as file:
            told.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return told.hexdigest()


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
