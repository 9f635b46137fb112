"""Finding a pretrained model of `transformers`: in a folder, in the zoo or on the hub."""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

SCENES_CLIP = "clip-tiny-scenes"  # of the zoo, by `python -m itr_explore.data.scenes.train_clip`
WEIGHTS = (".json", ".safetensors", ".bin", ".txt")  # what a checkpoint's answers depend on


def find_checkpoint(name: str | os.PathLike, kind: str) -> tuple[str, str]:
    """Where `transformers` finds a model, and a text that tells its checkpoint from all others.

    Args:
        name: a folder, a name of the zoo, or `owner/name` on the hub.
        kind: of model, for messages: "a CLIP".

    Raises:
        FileNotFoundError: it is neither here nor to be had.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    told = str(name)
    shipped = Path(str(files("itr_explore.zoo") / told))
    folder = Path(name) if Path(name).is_dir() else shipped
    if folder.is_dir():
        return str(folder), file_digest(*(path for path in folder.iterdir() if path.suffix in WEIGHTS))
    if told.count("/") != 1 or told.startswith((".", "/", "~")):
        raise FileNotFoundError(
            f"there is no folder {told!r}; wanted a folder with {kind}, 'owner/name' on the Hugging Face"
            f" hub, or {SCENES_CLIP!r}, which comes with the package"
        )
    try:
        config = hf_hub_download(told, "config.json")
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise FileNotFoundError(
            f"{told!r} is no folder here and could not be had from the Hugging Face hub: {error}"
        ) from error
    return told, Path(config).parent.name  # the commit


def checkpoint_name(name: str | os.PathLike) -> str:
    """What a model is called, wherever its folder lies."""
    return Path(name).resolve().name if Path(name).is_dir() else str(name)


def file_digest(*paths: Path) -> str:
    """Of some files, their names and what they hold."""
    told = hashlib.sha256()
    for path in sorted(paths):
        with path.open("rb") as file:
            told.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return told.hexdigest()


def load_vision(place: str, kind: str, auto: Any, unused: str | None = None) -> tuple[Any, Any]:
    """A model in float32, ready for use, and what prepares pictures for it (by Pillow, on every machine).

    Args:
        place: from `find_checkpoint`.
        kind: of model, for messages.
        auto: the class of `transformers` that reads it, such as `AutoModel`.
        unused: weights whose names begin so may be missing.

    Raises:
        ValueError: it cannot be read, or weights are missing.
    """
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor

    try:
        model, told = auto.from_pretrained(place, output_loading_info=True)
        processor = AutoImageProcessor.from_pretrained(place, backend="pil")
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, ImportError) as error:
        raise ValueError(f"{place} holds no {kind} that transformers can read: {error}") from error
    missing = sorted(key for key in told["missing_keys"] if unused is None or not key.startswith(unused))
    if missing:
        raise ValueError(
            f"{place} holds a {type(model).__name__} without {', '.join(missing[:3])};"
            f" wanted a {kind} with all its weights"
        )
    return model.float().eval(), processor
