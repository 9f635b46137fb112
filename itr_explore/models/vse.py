"""VSE++: an image is the mean of its regions, a caption the last state of what reads it, and only the hardest
negative of a batch counts. No fragment knows of another, which makes it the baseline of all that reason.

Faghri, Fleet, Kiros, Fidler: VSE++, BMVC 2018 (arXiv 1707.05612). *Exact* means: as in the code of the
paper, fartashf/vsepp.

| paper          | name here                                   | shape                 |       |
| -------------- | ------------------------------------------- | --------------------- | ----- |
| phi(i)         | mean of the regions' features, where the    | [image feature]       | ours  |
|                | paper has a CNN's one of the whole image    |                       |       |
| f(i) = W phi   | `images.vectors`, the mean of `regions(..)` | [image dim]           | exact |
| psi(c)         | `words(...)`, a GRU                         | [caption word dim]    | exact |
| g(c)           | `captions.vectors`, its last state          | [caption dim]         | exact |
| s(i, c)        | `score`, an inner product                   | [image caption]       | exact |
| l_MH           | `nn.losses.hardest_negative_loss`           |                       | exact |
|                | its mask: no caption of the same image      |                       | ours  |
|                | `text_pooling="mean"`, a GRU both ways      | [caption dim]         | ours  |
|                | the box, added (`box`, off in `paper`)      |                       | ours  |
|                | `loss="info_nce"`: `base`, and on scenes    |                       | ours  |

A linear map of a mean is the mean of linear maps, so here W is applied to each region. It also means that all
an image vector can tell (but for the boxes) stands in the mean feature: how much is red and how much is a
car, but not that the car is red.

`region_share` and `word_share` are tapped: the length of what each fragment gave to its vector, divided by
the sum of all. `image_parts` and `caption_parts` split a score exactly into what each region or word gave.

Left out: CNNs that are trained along, random crops, and order embeddings.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor

from itr_explore.models.base import ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.memory import memory_trace, shares
from itr_explore.nn.pooling import last_real, masked_mean, unit, unit_sum
from itr_explore.nn.tap import Tap
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class VSEConfig(ModelConfig):
    """Settings of VSE++."""

    text_pooling: Literal["last", "mean"] = "last"  # state of one GRU, or of all words of a GRU both ways


class VSE(RetrievalModel):
    """Visual-semantic embedding; see the top of this file."""

    name = "vse"
    Config = VSEConfig
    config: VSEConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64},
        "base": {"dim": 256, "word_dim": 300, "loss": "info_nce", "text_pooling": "mean"},
        "paper": {"dim": 1024, "word_dim": 300, "box": False},
    }

    def __init__(self, config: VSEConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        self.regions = region_encoder(config)
        self.words = word_encoder(config, bidirectional=config.text_pooling == "mean")
        self.region_share = Tap("per_region", "row_sum", derived=True)
        self.word_share = Tap("per_word", "row_sum", derived=True)

    def encode_images(self, batch: Batch) -> Encoded:
        """The mean region, of unit length."""
        parts, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        if self.region_share.watched:
            self.region_share(shares(parts))
        return Encoded(unit(masked_mean(parts, mask)), parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """The last state, or the mean of all, of unit length."""
        states, mask = self.words(batch.words, batch.word_mask), batch.word_mask
        if self.word_share.watched and (given := self._given(batch, states)) is not None:
            self.word_share(shares(given))
        pooled = masked_mean(states, mask) if self.config.text_pooling == "mean" else last_real(states, mask)
        return Encoded(unit(pooled), states, mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption] cosines."""
        return images.vectors @ captions.vectors.T

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score; the rest is zero.
        """
        parts, _ = self.regions(batch.regions, batch.region_mask, batch.boxes)
        return unit_sum(parts), torch.zeros_like(parts[:, 0])

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim], zero.

        Raises:
            ValueError: a last state that no GRU left has no additive parts.
        """
        states = self.words(batch.words, batch.word_mask)
        given = self._given(batch, states)
        if given is None:
            raise ValueError(
                "what each word left in the last state is known for a GRU only; create the model with"
                ' reader="gru" or text_pooling="mean"'
            )
        return unit_sum(given), torch.zeros_like(states[:, 0])

    def _given(self, batch: Batch, states: Tensor) -> Tensor | None:
        """What each word gave to its caption's vector, up to a factor [caption word dim]; None: not known."""
        if self.config.text_pooling == "mean":
            return states
        if self.config.reader != "gru":
            return None
        steps = self.words.vectors(batch.words)
        return memory_trace(self.words.reader, steps, states, batch.word_mask)
