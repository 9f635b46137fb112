"""VSE-infinity: how to pool is learned. Each channel of the fragments is sorted, and each place in that order
gets a weight, so that mean, maximum and all between them are within reach.

Chen, Hu, Wu, Jiang, Wang: Learning the Best Pooling Strategy for Visual Semantic Embedding, CVPR 2021 (arXiv
2011.04305). *Exact* means: as in the code of the paper, woodfrog/vse_infty.

| paper             | name here                                        | shape              |       |
| ----------------- | ------------------------------------------------ | ------------------ | ----- |
| phi(x)            | `images.parts`: a linear map and a small network | [image region dim] | exact |
| psi(t)            | `captions.parts`: a GRU both ways, or BERT       | [caption word dim] | exact |
|                   | of BERT, the mean over a word's pieces           | [caption word dim] | ours  |
| theta_k           | `image_side.pool.weights`, `caption_side.pool`   | [item place]       | exact |
| v, u              | `images.vectors`, `captions.vectors`             | [item dim]         | exact |
| s(v, u)           | `score`, an inner product                        | [image caption]    | exact |
| l_MH              | `nn.losses.hardest_negative_loss`, and           |                    | exact |
|                   | `sum_hinge_loss` in the first epoch              |                    |       |
|                   | their mask: no caption of the same image         |                    | ours  |
| size augmentation | `region_dropout`: regions are left out           |                    | exact |
|                   | `word_dropout`: words are hidden, never dropped  |                    | ours  |
|                   | the box, added, also in the network (`box`)      |                    | ours  |
|                   | `loss="info_nce"`: `base`, and on scenes         |                    | ours  |

The two `share`s are tapped: the length of what each fragment gave to its vector, divided by the sum of all.
`image_parts` and `caption_parts` split a score exactly into what each region or word gave.

A quirk of the code is a setting: `count_padding`, on in `paper`. In training its batch norm counts padding as
regions. Otherwise than there, BERT's pieces are not pooled one by one, and of the fifth of the words that
training there hides (half), drops or changes into others, all are hidden: <unk>, or BERT's mask. Left out:
grids from a trained CNN.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.models.base import ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.gpo import GPO
from itr_explore.nn.pooling import unit, unit_sum
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class VSEInfinityConfig(ModelConfig):
    """Settings of VSE-infinity."""

    hidden_dim: int = 64  # of the network that is added to the regions' linear map
    count_padding: bool = False  # padding counts in that network's batch norm (the paper's code)


class ImageSide(nn.Module):
    """Regions, encoded and pooled."""

    def __init__(self, config: VSEInfinityConfig):
        super().__init__()
        self.regions = region_encoder(config, config.hidden_dim, config.count_padding)
        self.pool = GPO("per_region")

    def forward(self, regions: Tensor, mask: Tensor, boxes: Tensor | None) -> Encoded:
        """The image's vector, and its regions before pooling."""
        parts, mask = self.regions(regions, mask, boxes)
        return Encoded(unit(self.pool(parts, mask)), parts, mask)

    def parts_of_vector(self, regions: Tensor, mask: Tensor, boxes: Tensor | None) -> Tensor:
        """What each region gave to its image's vector [image region dim]."""
        return unit_sum(self.pool.contributions(*self.regions(regions, mask, boxes)))


class CaptionSide(nn.Module):
    """Words, read and pooled."""

    def __init__(self, config: VSEInfinityConfig):
        super().__init__()
        self.words = word_encoder(config)
        self.pool = GPO("per_word")

    def forward(self, words: Tensor, mask: Tensor) -> Encoded:
        """The caption's vector, and its words before pooling."""
        parts = self.words(words, mask)
        return Encoded(unit(self.pool(parts, mask)), parts, mask)

    def parts_of_vector(self, words: Tensor, mask: Tensor) -> Tensor:
        """What each word gave to its caption's vector [caption word dim]."""
        return unit_sum(self.pool.contributions(self.words(words, mask), mask))


class VSEInfinity(RetrievalModel):
    """Visual-semantic embedding with learned pooling; see the top of this file."""

    name = "vse_infty"
    Config = VSEInfinityConfig
    config: VSEInfinityConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64},
        "base": {
            "dim": 256,
            "word_dim": 300,
            "hidden_dim": 128,
            "dropout": 0.2,
            "word_dropout": 0.1,
            "loss": "info_nce",
        },
        "paper": {
            "dim": 1024,
            "word_dim": 300,
            "hidden_dim": 512,
            "box": False,
            "region_dropout": 0.2,
            "word_dropout": 0.2,
            "count_padding": True,
        },
    }

    def __init__(self, config: VSEInfinityConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        self.image_side, self.caption_side = ImageSide(config), CaptionSide(config)

    def encode_images(self, batch: Batch) -> Encoded:
        """The pooled regions, of unit length."""
        return self.image_side(batch.regions, batch.region_mask, batch.boxes)

    def encode_captions(self, batch: Batch) -> Encoded:
        """The pooled words, of unit length."""
        return self.caption_side(batch.words, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption] cosines."""
        return images.vectors @ captions.vectors.T

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score; the rest is zero.
        """
        parts = self.image_side.parts_of_vector(batch.regions, batch.region_mask, batch.boxes)
        return parts, torch.zeros_like(parts[:, 0])

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim], zero."""
        parts = self.caption_side.parts_of_vector(batch.words, batch.word_mask)
        return parts, torch.zeros_like(parts[:, 0])
