"""Models by name: create a fresh one, load a trained one, list what there is."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import torch
from tokenizers import Tokenizer

from itr_explore.models import storage
from itr_explore.models.base import RetrievalModel, near
from itr_explore.models.bert import read_bert

_HOME = {  # where each model lives
    "bssan": "bssan.BSSAN",
    "chan": "chan.CHAN",
    "lgsf": "lgsf.LGSF",
    "racg": "racg.RACG",
    "scan": "scan.SCAN",
    "user": "user.USER",
    "vse": "vse.VSE",
    "vse_infty": "vse_infty.VSEInfinity",
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
    name: str,
    preset: str = "tiny",
    *,
    region_dim: int,
    tokenizer: Tokenizer,
    bert: str | os.PathLike | None = None,
    **overrides: Any,
) -> RetrievalModel:
    """A fresh model with random weights; with `bert`, words are read by a pretrained BERT.

    Args:
        name: one of `list_models()`.
        preset: `tiny` (scenes, on a laptop's CPU), `base` (real photos) or `paper` (the published sizes).
        region_dim: length of a region's feature, `collection.region_dim`.
        tokenizer: what turns captions into token ids; saved with the model.
        bert: a name on the Hugging Face hub ("bert-base-uncased") or a folder. It is trained along at a tenth
            of the learning rate (`bert_rate`) unless `freeze_bert=True`. With a tokenizer that was built with
            `min_count=1` rare words are read by their pieces instead of as <unk>.
        overrides: settings that differ from the preset's.

    Raises:
        ValueError: an unknown model, preset or setting; near names are listed.
        FileNotFoundError: the BERT is neither here nor to be had.
    """
    found = model_class(name)
    if not isinstance(preset, str) or preset not in found.presets:
        raise ValueError(f"{name} has no preset {preset!r}{near(str(preset), found.presets)}")
    given = {"region_dim": region_dim, "vocabulary_size": tokenizer.get_vocab_size()}
    settings = {**found.presets[preset], **given, **overrides}
    if bert is None:
        return found(found.make_config(settings), tokenizer)
    if overrides.get("reader", "bert") != "bert":
        raise ValueError(f"bert={os.fspath(bert)!r} was given with reader={overrides['reader']!r}; drop one")
    found.make_config({**settings, "reader": "bert"})  # a misspelt setting is told before anything is read
    pretrained = read_bert(bert, tokenizer)
    known = {"reader": "bert", "bert_config": pretrained.architecture}
    model = found(found.make_config({**settings, **known}), tokenizer)
    pretrained.fill(model)
    return model


def from_pretrained(source: str | os.PathLike, device: str | torch.device = "cpu") -> RetrievalModel:
    """A trained model of whatever kind `source` holds, in eval mode: a zoo name, a folder or a hub id.

    Raises:
        FileNotFoundError: nothing is there, or files are missing.
        ValueError: the folder is another format's, or damaged (see `RetrievalModel.from_pretrained`).
    """
    folder = storage.find_folder(source)
    name, _ = storage.read_config(folder)
    return model_class(name).from_pretrained(folder, device)
