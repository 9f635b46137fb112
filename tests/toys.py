"""The smallest collection and model that training and evaluation can work with."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from itr_explore.data.batching import collate
from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer
from itr_explore.models.base import ModelConfig, RetrievalModel
from itr_explore.records import Encoded

COLOURS = ("red", "green", "blue", "white", "black", "yellow", "purple", "orange")
THINGS = ("dog", "car", "house", "tree", "ball", "kite", "boat")


def toy_collection(images: int = 40, captions: int = 3, split: str = "train", seed: int = 0) -> Collection:
    """Each image is a colour and a thing, no two the same (up to 56), told by its regions' noisy features."""
    rng = np.random.default_rng(seed)
    colour, thing = np.divmod(rng.permutation(max(images, 56))[:images] % 56, len(THINGS))
    lengths = rng.integers(2, 5, size=images)
    of = np.repeat(np.arange(images), lengths)
    features = np.concatenate([np.eye(len(COLOURS))[colour[of]], np.eye(len(THINGS))[thing[of]]], axis=1)
    features += 0.1 * rng.normal(size=features.shape)
    words = [f"{COLOURS[c]} {THINGS[t]}" for c, t in zip(colour, thing, strict=True)]
    starts = ("a {}", "there is one {} over here", "look at the {}", "the {}")
    return Collection(
        name="toy",
        split=split,
        captions=[starts[j % 4].format(words[i]) for i in range(images) for j in range(captions)],
        image_of=np.repeat(np.arange(images), captions),
        image_ids=[f"{split}-{i}" for i in range(images)],
        regions=Ragged(features.astype(np.float32), np.concatenate([[0], np.cumsum(lengths)])),
    )


@dataclass(frozen=True, kw_only=True)
class ToyConfig(ModelConfig):
    dim: int = 8


class ToyModel(RetrievalModel):
    """Mean region, mean word, their cosine; with dropout, so that chance plays a part in training."""

    name = "toy"
    Config = ToyConfig
    presets: ClassVar = {}

    def __init__(self, config, tokenizer):
        super().__init__(config, tokenizer)
        self.look = nn.Linear(config.region_dim, config.dim)
        self.read = nn.Embedding(config.vocabulary_size, config.dim)
        self.dropout = nn.Dropout(0.1)

    def encode_images(self, batch):
        return self._pooled(self.look(batch.regions), batch.region_mask)

    def encode_captions(self, batch):
        return self._pooled(self.read(batch.words), batch.word_mask)

    def score(self, images, captions):
        return images.vectors @ captions.vectors.T

    def whole_matrix(self, collection):
        """[image caption] scores, made one caption at a time."""
        everything = collate(collection, range(len(collection)), [], None)
        with torch.no_grad():
            images = self.eval().encode_images(everything)
            columns = [
                self.score(images, self.encode_captions(collate(collection, [], [row], self.tokenizer)))
                for row in range(len(collection.captions))
            ]
        return torch.cat(columns, dim=1)

    def _pooled(self, parts, mask):
        parts = self.dropout(parts) * mask.unsqueeze(-1)
        vectors = nn.functional.normalize(parts.sum(dim=1) / mask.sum(dim=1, keepdim=True), dim=-1)
        return Encoded(vectors, parts, mask)


def toy_model(collection: Collection, seed: int = 0) -> ToyModel:
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    torch.manual_seed(seed)
    config = ToyConfig(region_dim=collection.region_dim, vocabulary_size=tokenizer.get_vocab_size())
    return ToyModel(config, tokenizer)
