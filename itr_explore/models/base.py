"""What all retrieval models share: four questions, one config each, saving and loading.

A model answers `encode_images(batch)`, `encode_captions(batch)`, `score(images, captions) -> [image caption]`
and `training_loss(batch) -> {name: term}`. Inner values worth looking at pass through `Tap`s.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.models import storage
from itr_explore.nn.bert import BertEncoder
from itr_explore.nn.encoders import RegionEncoder, WordEncoder
from itr_explore.nn.losses import hardest_negative_loss, info_nce, sum_hinge_loss
from itr_explore.nn.together import mine, ours
from itr_explore.records import Batch, Encoded

# settings below 1
SHARES = (
    "dropout",
    "region_dropout",
    "word_dropout",
    "decoder_dropout",
    "attention_dropout",
    "guide_dropout",
    "momentum",
    "residual_weight",
    "transfer",
)
# settings that may be 0; all other numbers are above it
FROM_ZERO = (
    "margin",
    "foil_weight",
    "layers",
    "text_layers",
    "generation_weight",
    "coarse_weight",
    "reconstruction_weight",
)

# `base` of the systems whose words choose regions: what SCAN did best with on a validation split of photos
ON_PHOTOS = {
    "dim": 256,
    "word_dim": 300,
    "dropout": 0.1,
    "word_dropout": 0.1,
    "loss": "info_nce",
    "temperature": 0.03,
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What every model has to know; each model's own config adds to it."""

    region_dim: int  # length of a region's feature
    vocabulary_size: int  # number of token ids
    dim: int = 128  # length of a fragment
    word_dim: int = 64  # length of a word vector
    box: bool = True  # add each region's position and size to its feature
    loss: Literal["hardest_negative", "info_nce"] = "hardest_negative"  # the papers', or (ours) all negatives
    margin: float = 0.2  # of the hinge
    temperature: float = 0.05  # of info_nce
    foil_weight: float = 2.0  # of foils, where training brings them (ours)
    dropout: float = 0.0  # of region features and word vectors
    region_dropout: float = 0.0  # share of regions left out in training
    word_dropout: float = 0.0  # share of words made <unk> in training
    reader: Literal["gru", "lstm", "bert"] = "gru"  # what reads the words
    bert_config: str | None = field(default=None, repr=False)  # BERT's architecture; `create_model` sets it
    bert_rate: float = 0.1  # BERT's learning rate as a share of the others'
    freeze_bert: bool = False  # train all but BERT
    regions_from: str | None = None  # what made the features it was trained on, where known; `fit` says it

    def __post_init__(self):
        hints = get_type_hints(type(self))
        for name, value in asdict(self).items():
            wanted = _wanted(name, value, hints[name])
            if wanted:
                raise ValueError(f"{name} must be {wanted}, got {value!r}")


def _wanted(name: str, value: Any, hint: Any) -> str:
    """What a setting must be, in words, where a value is not that; else nothing."""
    allowed = get_args(hint) or (hint,)
    if get_origin(hint) is Literal:
        return "" if value in allowed else " or ".join(allowed)
    if value is None and type(None) in allowed:
        return ""
    if bool in allowed:
        return "" if isinstance(value, bool) else "True or False"
    if str in allowed:
        return "" if isinstance(value, str) else "a text"
    kind = "a whole number" if int in allowed else "a number"
    numbers = int if int in allowed else (int, float)
    fits = isinstance(value, numbers) and not isinstance(value, bool) and value < inf
    if name in SHARES:
        return "" if fits and 0 <= value < 1 else "a number at least 0 and below 1"
    if name in FROM_ZERO:
        return "" if fits and value >= 0 else f"{kind}, at least 0"
    return "" if fits and value > 0 else f"{kind} above 0"


def region_encoder(
    config: ModelConfig, hidden: int | None = None, count_padding: bool = False
) -> RegionEncoder:
    """The regions of a model: feature -> fragment, by the settings that all models share.

    With `hidden` a network with a hidden layer of that length is added (VSE-infinity).
    """
    return RegionEncoder(
        *(config.region_dim, config.dim, config.box, config.dropout, config.region_dropout),
        *(hidden, count_padding),
    )


def word_encoder(config: ModelConfig, bidirectional: bool = True) -> Any:
    """The words of a model: token ids -> states, by the settings that all models share.

    A `WordEncoder`, or a `BertEncoder`, which always reads both ways.

    Raises:
        ValueError: BERT is wanted and was not read.
    """
    if config.reader == "bert":
        if config.bert_config is None:
            raise ValueError(
                'reader="bert" needs a pretrained one; give create_model its name or folder, as in'
                ' bert="bert-base-uncased"'
            )
        return BertEncoder(
            config.vocabulary_size,
            config.dim,
            config.bert_config,
            dropout=config.dropout,
            word_dropout=config.word_dropout,
            frozen=config.freeze_bert,
        )
    return WordEncoder(
        config.vocabulary_size,
        config.word_dim,
        config.dim,
        bidirectional=bidirectional,
        dropout=config.dropout,
        word_dropout=config.word_dropout,
        reader=config.reader,
    )


class RetrievalModel(nn.Module, ABC):
    """Base of all models: each has a name, a config, presets, and answers to the first three questions."""

    name: ClassVar[str]
    Config: ClassVar[type[ModelConfig]]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer | None = None):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer

    @abstractmethod
    def encode_images(self, batch: Batch) -> Encoded:
        """One vector [image dim] and the fragments [image region dim] of every image."""

    @abstractmethod
    def encode_captions(self, batch: Batch) -> Encoded:
        """One vector [caption dim] and the fragments [caption word dim] of every caption."""

    @abstractmethod
    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """How well every caption fits every image, [image caption]: higher is better."""

    def forward(self, batch: Batch) -> Tensor:
        """Scores [image caption] of a batch.

        Several processes encode their shares of it, and each scores its own images with all captions.
        """
        images, captions = self.encode_images(batch), self.encode_captions(my_captions(batch))
        return ours(self.score(images, of_all(captions, len(batch.words))), batch.image_count)

    def slow_parameters(self) -> dict[str, float]:
        """How parameters' names begin that learn slower, and by which share of the learning rate: BERT's."""
        berts = [name for name, module in self.named_modules() if isinstance(module, BertEncoder)]
        return {f"{name}.transformer.": self.config.bert_rate for name in berts}

    def training_loss(self, batch: Batch, warming_up: bool = False) -> dict[str, Tensor]:
        """Named terms whose sum is to be minimised; `warming_up` hinges on all negatives, not the hardest."""
        return {"matching": self.matching_loss(self(batch), batch.image_of, warming_up)}

    def matching_loss(self, scores: Tensor, image_of: Tensor, warming_up: bool = False) -> Tensor:
        """The config's loss of scores [image caption] whose captions [caption] describe these images."""
        if self.config.loss == "info_nce":
            return info_nce(scores, image_of, self.config.temperature, self.config.foil_weight)
        hinge = sum_hinge_loss if warming_up else hardest_negative_loss
        return hinge(scores, image_of, self.config.margin, self.config.foil_weight)

    @classmethod
    def make_config(cls, values: Mapping[str, Any]) -> Any:
        """This model's config from plain values; `ValueError` names a key too many or too few."""
        known = [f.name for f in fields(cls.Config)]
        for key in values:
            if key not in known:
                raise ValueError(f"{cls.name} has no setting {key!r}{near(key, known)}")
        missing = [f.name for f in fields(cls.Config) if f.default is MISSING and f.name not in values]
        if missing:
            raise ValueError(f"{cls.name} cannot be made without {' and '.join(missing)}")
        return cls.Config(**values)

    def save_pretrained(self, folder: str | os.PathLike, *, half: bool = False) -> Path:
        """Write config.json, model.safetensors and, if there is one, tokenizer.json; returns the folder.

        `half` writes parameters in half precision, for files of half the size. Buffers stay whole: the
        variance of a batch norm can be larger than the largest number of half precision.
        """
        weights = self.state_dict()
        if half:
            weights |= {name: value.detach().half() for name, value in self.named_parameters()}
        path = Path(folder)
        storage.write_folder(path, self.name, asdict(self.config), weights, self.tokenizer)
        return path

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike, device: str | torch.device = "cpu") -> Self:
        """A saved model of this class, in eval mode; `source` is a zoo name, a folder or a hub id.

        Raises:
            FileNotFoundError: nothing is there, or files are missing.
            ValueError: another model's folder, another format, a misspelt setting, damaged or misfit weights.
        """
        folder = storage.find_folder(source)
        name, values = storage.read_config(folder)
        if name != cls.name:
            raise ValueError(
                f"{str(source)!r} holds a {name!r}, not a {cls.name!r}; load it with from_pretrained"
            )
        model = cls(cls.make_config(values), storage.read_tokenizer(folder))
        try:
            model.load_state_dict(storage.read_weights(folder))
        except RuntimeError as error:
            raise ValueError(
                f"the weights in {str(source)!r} do not fit its config, so they are another model's: {error}"
            ) from error
        return model.to(device).eval()

    def push_to_hub(self, repository: str, private: bool = False) -> str:
        """Save to the Hugging Face hub as `owner/name` (needs a login there); returns the address."""
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return storage.upload(Path(folder), repository, private)


def my_captions(batch: Batch) -> Batch:
    """The same images, and this process's share of the captions (`nn.together`)."""
    words, mask, image_of = mine(batch.words), mine(batch.word_mask), mine(batch.image_of)
    return replace(batch, words=words, word_mask=mask, image_of=image_of)


def of_all(share: Encoded, items: int) -> Encoded:
    """So many items, of which each process encoded its share."""
    return Encoded(*(ours(x, items) for x in (share.vectors, share.parts, share.mask)))


def near(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: what was probably meant, or all there is."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else f"; there is {', '.join(known)}"
