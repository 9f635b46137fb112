"""A run on disk: one safetensors file, replaced as a whole, whose header says in JSON what it is.

Nothing is pickled. The file is written beside the old one and then renamed over it, so that at every instant
there is a whole checkpoint: a killed process, a full disk or a power cut costs at most the steps since.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

FILE = "checkpoint.safetensors"
FORMAT = 1
FACTS = {"run", "place", "best"}  # what `fit` needs to go on


def save_checkpoint(folder: Path, groups: dict[str, dict[str, Tensor]], facts: dict[str, Any]) -> None:
    """Replace the checkpoint in `folder` by named groups of tensors and JSON facts.

    Raises:
        OSError: it could not be written; the previous checkpoint is still there and whole.
    """
    tensors = {
        f"{group}/{name}": tensor.detach().to("cpu", copy=True).contiguous()
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    target, beside = folder / FILE, folder / f"{FILE}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, beside, metadata={"facts": json.dumps({"format": FORMAT, **facts})})
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, target)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            beside.unlink()
        kept = "the previous checkpoint is whole" if target.exists() else "there is no checkpoint yet"
        raise OSError(
            f"could not write a checkpoint to {folder} ({error}); {kept}. Make room, or name another folder"
        ) from error


def load_checkpoint(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None:
    """The groups of tensors and the facts of the checkpoint in `folder`; None where there is none.

    Raises:
        ValueError: the file is damaged, or was written by another version of this package.
    """
    path = folder / FILE
    if not path.exists():
        return None
    advice = "delete it to train from the start"
    groups: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as opened:
            facts = json.loads((opened.metadata() or {})["facts"])
            version = facts["format"]
            missing = FACTS - facts.keys() if version == FORMAT else set()
            if missing:
                raise ValueError(f"its header lacks {', '.join(sorted(missing))}")
            for key in opened.keys():  # noqa: SIM118  (not a dict)
                group, name = key.split("/", 1)
                groups.setdefault(group, {})[name] = opened.get_tensor(key)
    except (SafetensorError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint, or a damaged one ({error}); {advice}") from error
    if version != FORMAT:
        raise ValueError(f"{path} has format {version}, this version reads {FORMAT}; {advice}")
    return groups, facts


def describe_run(
    model: RetrievalModel, training: Collection, validation: Collection, settings: dict[str, Any]
) -> dict[str, Any]:
    """What fixes the course of a run: two runs with the same description can be one run."""

    def fingerprint(collection: Collection) -> str:
        text = "\n".join(collection.captions).encode()
        return f"{len(collection)} images, {len(collection.captions)} captions, crc {zlib.crc32(text):08x}"

    tokenizer = (
        None if model.tokenizer is None else f"crc {zlib.crc32(model.tokenizer.to_str().encode()):08x}"
    )
    config = {f"config.{name}": value for name, value in asdict(model.config).items()}
    described = {
        "model": model.name,
        **config,
        "tokenizer": tokenizer,
        "training": fingerprint(training),
        "validation": fingerprint(validation),
        **settings,
    }
    return json.loads(json.dumps(described, default=str))


def refuse_another_run(
    folder: Path, there: dict[str, Any], here: dict[str, Any], model: RetrievalModel
) -> None:
    """A `ValueError` that names each difference, unless both descriptions are the same.

    A setting of the model that is newer than the checkpoint had its default there.
    """
    newer = {f"config.{f.name}": f.default for f in fields(model.Config) if f.default is not MISSING}
    there = {**json.loads(json.dumps(newer, default=str)), **there}
    differences = [
        f"{name} is {there.get(name)!r} there, {here.get(name)!r} here"
        for name in [*here, *(name for name in there if name not in here)]
        if there.get(name) != here.get(name)
    ]
    if differences:
        raise ValueError(
            f"{folder} holds a checkpoint of another run: {'; '.join(differences)}. Name another folder, or"
            " delete this one to train anew"
        )


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments of an optimiser, named by parameter and kind."""
    return {
        f"{parameter}/{kind}": value
        for parameter, kinds in optimiser.state_dict()["state"].items()
        for kind, value in kinds.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put moments from `optimiser_tensors` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        parameter, kind = name.split("/")
        state.setdefault(int(parameter), {})[kind] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
