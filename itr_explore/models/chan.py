"""CHAN: each word is given to the one region that is most like it, and a pair's score says how like they are.
Regions that no word asks for never touch the score, so there is nothing to attend to wrongly.

Pan, Wu, Zhang: Fine-grained Image-text Matching by Cross-modal Hard Aligning Network, CVPR 2023. Exact after
ppanzx/CHAN, with its BiGRU on words.

| paper or code            | name here                              | shape                       |       |
| ------------------------ | -------------------------------------- | --------------------------- | ----- |
| v_i                      | `images.parts`                         | [image region dim]          | exact |
| self-attention of v_i    | `region_attention`, on in `paper`      | [image region dim]          | exact |
| t_j                      | `captions.parts`                       | [caption word dim]          | exact |
| s_ij                     | tap `cosines`                          | [image caption word region] | exact |
| hard assignment coding   | tap `word_to_region`, one-hot          | [image caption word region] | exact |
| s_j = max_i s_ij         | tap `per_word`                         | [image caption word]        | exact |
| LSE pooling, temperature | `pooling="LSE"`, `pool_temperature`    | [image caption]             | exact |
| mean pooling (BERT)      | `pooling="AVG"`                        | [image caption]             | exact |
| hinge                    | `nn.losses`, all negatives at first    |                             | exact |
|                          | its mask: no caption of the same image |                             | ours  |
|                          | the box, added (`box`, off in `paper`) |                             | ours  |
|                          | `loss="info_nce"`, off in `paper`      |                             | ours  |

The code's quirk is a setting, on in `paper`: `scaled_back=False`, log-sum-exp is not multiplied by its
temperature, so scores are ten times as large and the margin of 0.05 is one of 0.005. Another is not kept: its
self-attention also reads padding. The words of a caption include its <start> and <end>. `vectors`, the mean
of the parts, take no part in the score. Where that is a mean, `score_parts` splits it into what each word and
region gave. Left out: GloVe's word vectors to begin with (give them by `load_word_vectors`), words that
training drops or changes into others (ours become <unk>), an ensemble of two models (add their scores).
"""

from dataclasses import dataclass
from typing import ClassVar

from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import pad

from itr_explore.models.base import ON_PHOTOS, ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.assignment import assignment, scores_by_best_match
from itr_explore.nn.attention import SelfAttention
from itr_explore.nn.matching import cross_similarities
from itr_explore.nn.pooling import Pooling, masked_mean, pool_scores, unit
from itr_explore.nn.tap import Tap
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class CHANConfig(ModelConfig):
    """Settings of CHAN."""

    pooling: Pooling = "AVG"  # over the words: the mean (the code's, for BERT) or log-sum-exp (for a GRU)
    pool_temperature: float = 0.1  # of LSE
    scaled_back: bool = True  # LSE times its temperature, so that scores are as large as cosines
    region_attention: bool = False  # regions look at each other first
    memory_budget: int = 2**30  # bytes that scoring may use at once


class CHAN(RetrievalModel):
    """Hard alignment of words with regions; see the top of this file."""

    name = "chan"
    Config = CHANConfig
    config: CHANConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64},
        "base": ON_PHOTOS,
        "paper": {
            "dim": 1024,
            "word_dim": 300,
            "box": False,
            "margin": 0.05,
            "pooling": "LSE",
            "region_attention": True,
            "region_dropout": 0.2,
            "word_dropout": 0.2,
            "scaled_back": False,
        },
    }

    def __init__(self, config: CHANConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        self.regions = region_encoder(config)
        self.relations = SelfAttention(config.dim, "region") if config.region_attention else None
        self.words = word_encoder(config)
        self.word_to_region = Tap("word_to_region", "row_sum")
        self.cosines = Tap("word_to_region", "cosine")
        self.per_word = Tap("per_word", "cosine")

    def encode_images(self, batch: Batch) -> Encoded:
        """Regions of unit length."""
        parts, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        if self.relations is not None:
            parts = self.relations(parts, mask)
        parts = unit(parts)
        return Encoded(unit(masked_mean(parts, mask)), parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """Words in context, of unit length."""
        parts = unit(self.words(batch.words, batch.word_mask))
        return Encoded(unit(masked_mean(parts, batch.word_mask)), parts, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption]; if somebody watches a tap, by the plain way that forms the assignment."""
        config = self.config
        sharpness = 1 / config.pool_temperature
        if self.word_to_region.watched or self.cosines.watched or self.per_word.watched:
            best = self._watched(images, captions)
            scores = pool_scores(best, captions.mask.expand(best.shape), config.pooling, sharpness)
        else:
            scores = scores_by_best_match(
                *(captions.parts, captions.mask, images.parts, images.mask),
                *(config.pooling, sharpness, config.memory_budget),
            )
        return scores if config.scaled_back or config.pooling == "AVG" else sharpness * scores

    def score_parts(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption word+1 region+1] what each word and region gave to the score (`explanation.parts`).

        Each word's is its region's too; the last row and column, what belongs to none, are zero.

        Raises:
            ValueError: the score is a log-sum-exp, which has no parts.
        """
        if self.config.pooling != "AVG":
            raise ValueError(
                f"a score pooled by {self.config.pooling} is no sum; only pooling='AVG' has parts"
            )
        cosines = cross_similarities(captions.parts, images.parts)
        share = captions.mask / captions.mask.sum(dim=1, keepdim=True)
        return pad(assignment(cosines, images.mask) * cosines * share.unsqueeze(-1), (0, 1, 0, 1))

    def _watched(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption word] the best cosine of each word, through the taps."""
        cosines = cross_similarities(captions.parts, images.parts) * images.mask[:, None, None, :]
        one_hot = self.word_to_region(assignment(cosines, images.mask))
        return self.per_word((one_hot * self.cosines(cosines)).sum(dim=-1))
