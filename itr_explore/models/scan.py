"""SCAN: each word looks at the regions (or each region at the words), and a pair's score says how well what
was seen fits. The score of a pair needs both sides at once, so nothing can be pooled beforehand.

Lee, Chen, Hua, Hu, He: Stacked Cross Attention for Image-Text Matching, ECCV 2018 (arXiv 1803.08024).
*Exact* means: as in the code of the paper, kuanghuei/SCAN. Scores are computed by way of Gram matrices
(`nn.matching`), which changes their cost and not their value. A prime stands where words look at regions.

| paper               | name here                                | shape                       |       |
| ------------------- | ---------------------------------------- | --------------------------- | ----- |
| v_i                 | `images.parts`                           | [image region dim]          | exact |
| e_j                 | `captions.parts`, a GRU both ways        | [caption word dim]          | exact |
| s_ij                | `similarities`                           | [image caption word region] | exact |
| alpha'_ij, lambda_1 | tap `word_to_region`, `sharpness`        | [image caption word region] | exact |
| alpha_ij, lambda_1  | tap `region_to_word`, `sharpness`        | [image caption region word] | exact |
| a'_j, a_i           | what was attended to, never formed       |                             | exact |
| R'(e_j, a'_j)       | `attended_cosines`, of words             | [image caption word]        | exact |
| R(v_i, a_i)         | `attended_cosines`, of regions           | [image caption region]      | exact |
| S_AVG               | `pooling="AVG"`                          | [image caption]             | exact |
| S_LSE, lambda_2     | `pooling="LSE"`, `pool_sharpness`        | [image caption]             | exact |
| hinge               | `nn.losses.hardest_negative_loss`        |                             | exact |
|                     | its mask: no caption of the same image   |                             | ours  |
|                     | the box, added (`box`, off in `paper`)   |                             | ours  |
|                     | `loss="info_nce"`, off in `paper`        |                             | ours  |

Paper and code differ in one thing, and this follows the code: before the softmax the paper cuts negative
similarities to zero, the code keeps a tenth of them. The words of a caption include its <start> and <end>.
`vectors`, the mean of the parts, take no part in the score. Where that is a mean, `score_parts` splits it
into what each word and region gave. Left out: the ensemble of both directions (train two models and add their
scores).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import pad

from itr_explore.models.base import ON_PHOTOS, ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.all_pairs import scores_of_all_pairs
from itr_explore.nn.matching import attended_parts, attention_weights, cross_similarities, match
from itr_explore.nn.pooling import Pooling, masked_mean, unit
from itr_explore.nn.tap import Tap
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class SCANConfig(ModelConfig):
    """Settings of SCAN."""

    direction: Literal["text_to_image", "image_to_text"] = "text_to_image"  # words look at regions, or back
    pooling: Pooling = "AVG"  # over the words (or regions) that look: mean, or log-sum-exp
    sharpness: float | None = None  # lambda_1; None: the paper's for the direction
    pool_sharpness: float | None = None  # lambda_2, for LSE; None: the paper's for the direction
    memory_budget: int = 2**30  # bytes that scoring may keep at once

    @property
    def both_sharpnesses(self) -> tuple[float, float]:
        """lambda_1 and lambda_2; the paper's are 9 and 6 from text to image, 4 and 5 (COCO: 20) back."""
        first, second = (9.0, 6.0) if self.direction == "text_to_image" else (4.0, 5.0)
        return (
            first if self.sharpness is None else self.sharpness,
            second if self.pool_sharpness is None else self.pool_sharpness,
        )


class SCAN(RetrievalModel):
    """Stacked cross attention; see the top of this file."""

    name = "scan"
    Config = SCANConfig
    config: SCANConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64},
        "base": ON_PHOTOS,
        "paper": {"dim": 1024, "word_dim": 300, "box": False},
    }

    def __init__(self, config: SCANConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        self.regions = region_encoder(config)
        self.words = word_encoder(config)
        if config.direction == "text_to_image":
            self.word_to_region = Tap("word_to_region", "softmax")
        else:
            self.region_to_word = Tap("region_to_word", "softmax")

    def encode_images(self, batch: Batch) -> Encoded:
        """Regions of unit length."""
        parts, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        parts = unit(parts)
        return Encoded(unit(masked_mean(parts, mask)), parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """Words in context, of unit length."""
        parts = unit(self.words(batch.words, batch.word_mask))
        return Encoded(unit(masked_mean(parts, batch.word_mask)), parts, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption]; if somebody watches the tap, by the plain way that forms the attention."""
        config = self.config
        sharpness, pool_sharpness = config.both_sharpnesses
        words_look = config.direction == "text_to_image"
        query, context = (captions, images) if words_look else (images, captions)
        if (self.word_to_region if words_look else self.region_to_word).watched:
            scores = self._watched(query, context)
        else:
            scores = scores_of_all_pairs(
                *(query.parts, query.mask, context.parts, context.mask),
                *(sharpness, config.pooling, pool_sharpness, config.memory_budget),
            )
        return scores if words_look else scores.T

    def score_parts(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption word+1 region+1] what each word and region gave to the score (`explanation.parts`).

        A word's cosine is split by its attention; the last row and column, what belongs to none, are zero.

        Raises:
            ValueError: the score is a log-sum-exp, which has no parts.
        """
        config = self.config
        if config.pooling != "AVG":
            raise ValueError(f"a score pooled by {config.pooling} is no sum; only pooling='AVG' has parts")
        words_look = config.direction == "text_to_image"
        query, context = (captions, images) if words_look else (images, captions)
        similarities = cross_similarities(query.parts, context.parts)
        sharpness, _ = config.both_sharpnesses
        weights = attention_weights(similarities, query.mask, context.mask, sharpness)
        gram = context.parts @ context.parts.mT
        share = query.mask / query.mask.sum(dim=1, keepdim=True)
        parts = attended_parts(weights, similarities, gram) * share.unsqueeze(-1)
        return pad(parts if words_look else parts.permute(1, 0, 3, 2), (0, 1, 0, 1))

    def _watched(self, query: Encoded, context: Encoded) -> Tensor:
        """The scores [context_item query_item] from attention weights that passed through the tap."""
        config = self.config
        sharpness, pool_sharpness = config.both_sharpnesses
        similarities = cross_similarities(query.parts, context.parts)
        weights = attention_weights(similarities, query.mask, context.mask, sharpness)
        if config.direction == "text_to_image":
            weights = self.word_to_region(weights)
        else:  # the tap's axes begin with the image, which is the query item here
            weights = self.region_to_word(weights.transpose(0, 1)).transpose(0, 1)
        return match(weights, similarities, context.parts, query.mask, config.pooling, pool_sharpness)
