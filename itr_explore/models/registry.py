"""Models by name: create a fresh one, load a trained one, list what there is."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import torch
from tokenizers import Tokenizer

from itr_explore.models import storage
from itr_explore.models.base import RetrievalModel, near

_HOME = {  # where each model lives
    "chan": "chan.CHAN",
    "lgsf": "lgsf.LGSF",
    "scan": "scan.SCAN",
    "vse": "vse.VSE",
    "vsrnpp": "vsrnpp.VSRNpp",
}


def list_models() -> list[str]:
    """The names that `create_model` knows."""
    return sorted(_HOME)


def list_pretrained() -> list[str]:
    """The trained models that come with the package, for `from_pretrained`."""
    return storage.zoo_names()


def model_class(name: str) -> type[RetrievalModel]:
    """The class of a model; `ValueError` lists near names."""
    if not isinstance(name, str) or name not in _HOME:
        raise ValueError(f"there is no model {name!r}{near(str(name), _HOME)}")
    module, attribute = _HOME[name].split(".")
    return getattr(import_module(f"itr_explore.models.{module}"), attribute)


def create_model(
    name: str, preset: str = "tiny", *, region_dim: int, tokenizer: Tokenizer, **overrides: Any
) -> RetrievalModel:
    """A fresh model with random weights.

    Args:
        name: one of `list_models()`.
        preset: `tiny` (scenes, on a laptop's CPU), `base` (real photos) or `paper` (the published sizes).
        region_dim: length of a region's feature, `collection.region_dim`.
        tokenizer: what turns captions into token ids; saved with the model.
        overrides: settings that differ from the preset's.

    Raises:
        ValueError: an unknown model, preset or setting; near names are listed.
    """
    found = model_class(name)
    if not isinstance(preset, str) or preset not in found.presets:
        raise ValueError(f"{name} has no preset {preset!r}{near(str(preset), found.presets)}")
    given = {"region_dim": region_dim, "vocabulary_size": tokenizer.get_vocab_size()}
    return found(found.make_config({**found.presets[preset], **given, **overrides}), tokenizer)


def from_pretrained(source: str | os.PathLike, device: str | torch.device = "cpu") -> RetrievalModel:
    """A trained model of whatever kind `source` holds, in eval mode: a zoo name, a folder or a hub id.

    Raises:
        FileNotFoundError: nothing is there, or files are missing.
        ValueError: the folder is another format's, or damaged (see `RetrievalModel.from_pretrained`).
    """
    folder = storage.find_folder(source)
    name, _ = storage.read_config(folder)
    return model_class(name).from_pretrained(folder, device)
