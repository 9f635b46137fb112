"""A model on disk: config.json, model.safetensors and tokenizer.json in a folder; nothing is unpickled."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

FORMAT = 1  # raised whenever older readers would misread a folder
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
ZOO = Path(__file__).resolve().parents[1] / "zoo"


def write_folder(
    folder: Path,
    name: str,
    config: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    tokenizer: Tokenizer | None,
) -> None:
    """Write a model's files. All are complete before they take the place of older ones.

    Raises:
        OSError: they could not be written; what was in the folder is still there.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as scratch:
            new = Path(scratch)
            described = {"model": name, "format": FORMAT, "config": dict(config)}
            (new / CONFIG).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
            save_file(tensors, new / WEIGHTS)
            if tokenizer is not None:
                (new / TOKENIZER).write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
            for file in sorted(new.iterdir()):
                os.replace(file, folder / file.name)
        if tokenizer is None:  # an older model's would be taken for this one's
            (folder / TOKENIZER).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"could not write the model to {str(folder)!r} ({error}); make room, or name another folder"
        ) from error


def read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    """The model's name and its config.

    Raises:
        FileNotFoundError: no such folder, or files are missing from it.
        ValueError: config.json is not one of ours, or of another version.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r} to read a model from")
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{str(folder)!r} is not a saved model: {' and '.join(missing)} missing;"
            " write one with model.save_pretrained(folder)"
        )
    try:
        described = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        name, version, config = described["model"], described["format"], dict(described["config"])
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(folder / CONFIG)!r} does not describe a model of itr_explore"
            f" (wanted the keys model, format and config): {error}"
        ) from error
    if version != FORMAT:
        raise ValueError(
            f"{str(folder)!r} was written in format {version!r}, this version of itr_explore reads {FORMAT};"
            " save the model again with this version, or install the version that wrote it"
        )
    return name, config


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The weights by name; `ValueError` if the file is damaged."""
    file = folder / WEIGHTS
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(
            f"{str(file)!r} ({file.stat().st_size} bytes) is damaged or cut short: {error};"
            " copy or download it again"
        ) from error


def read_tokenizer(folder: Path) -> Tokenizer | None:
    """The tokenizer that was saved with the model, or None; `ValueError` if the file is damaged."""
    file = folder / TOKENIZER
    if not file.is_file():
        return None
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ValueError(f"{str(file)!r} is not a tokenizer: {error}; copy it again") from error


def find_folder(source: str | os.PathLike) -> Path:
    """The folder that a zoo name, a path or a hub id ("owner/name") stands for, downloaded if need be.

    Raises:
        FileNotFoundError: it is none of the three; the message lists the zoo.
    """
    if Path(source).is_dir():
        return Path(source)
    if str(source) in zoo_names():
        return ZOO / str(source)
    if str(source).count("/") == 1 and not str(source).startswith((".", "/", "~")):
        return _download(str(source))
    raise FileNotFoundError(
        f"no folder and no model of the zoo is called {str(source)!r}; the zoo has {zoo_names()},"
        " and a model on the Hugging Face hub is named 'owner/name'"
    )


def zoo_names() -> list[str]:
    """The trained models that come with the package."""
    return sorted(file.parent.name for file in ZOO.glob(f"*/{CONFIG}") if _describes_a_model(file))


def _describes_a_model(file: Path) -> bool:
    return {"model", "format", "config"} <= json.loads(file.read_text(encoding="utf-8")).keys()


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=[CONFIG, WEIGHTS, TOKENIZER]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise FileNotFoundError(
            f"{repository!r} is no folder here and could not be had from the Hugging Face hub: {error}"
        ) from error


def upload(folder: Path, repository: str, private: bool = False) -> str:
    """Put a model's folder on the Hugging Face hub; returns its address."""
    from huggingface_hub import HfApi

    api = HfApi()
    where = api.create_repo(repository, private=private, exist_ok=True)
    api.upload_folder(repo_id=repository, folder_path=folder)
    return str(where)
