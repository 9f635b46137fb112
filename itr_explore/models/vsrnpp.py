"""VSRN++: fragments first reason about their relations on a graph, then a gated memory reads them one by one
and keeps what matters. Each side becomes one vector, so retrieval is an inner product.

Li, Zhang, Li, Li, Fu: Image-Text Embedding Learning via Visual and Textual Semantic Reasoning, TPAMI 2023;
after Visual Semantic Reasoning for Image-Text Matching, ICCV 2019 (arXiv 1909.02701). *Exact* means: as in
the code of the latter, KunpengLi1994/VSRN. No code of the text side is public: it is a reconstruction.

| paper                 | name here                               | shape                 |                |
| --------------------- | --------------------------------------- | --------------------- | -------------- |
| V                     | `regions(...)`                          | [image region dim]    | exact          |
| R, divided by N       | tap `image_side.layers.N.affinity`      | [image region region] | exact          |
| V* = W_r(R V W_g) + V | `image_side.layers`                     | [image region dim]    | exact          |
| m_i                   | `image_side.memory`, a GRU              | [image region dim]    | exact          |
| I = m_N               | `images.vectors`                        | [image dim]           | exact          |
| words                 | `words(...)`, a GRU both ways, not BERT | [caption word dim]    | reconstruction |
| words, reasoned       | `caption_side.layers`, the same layers  | [caption word dim]    | reconstruction |
| T                     | `captions.vectors`, the last memory     | [caption dim]         | reconstruction |
| T of VSRN             | `text="plain"`, last state of one GRU   | [caption dim]         | exact          |
|                       | the box, added (`box`, off in `paper`)  |                       | ours           |
|                       | `loss="info_nce"`, in `base` only       |                       | ours           |

How much a layer's edges matter is tapped as `strength`, what each region or word left in the last memory as
`trace`; `image_parts` and `caption_parts` split a score exactly into what each region or word gave.

VSRN's quirks are settings, in `paper` as for Flickr30K: `norm_axis="regions"`, `final_norm=True`,
`norm_after_linear=False`, `affinity_divisor=36`. For COCO: `final_norm=False`, `norm_after_linear=True`.
Left out: the caption-generation loss L_G with its decoder, BERT, other orders of regions than the given.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.models.base import ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.encoders import read
from itr_explore.nn.memory import memory_trace
from itr_explore.nn.pooling import last_real, unit
from itr_explore.nn.reasoning import NormAxis, Order, ReasoningSide, normalised
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class VSRNppConfig(ModelConfig):
    """Settings of VSRN++."""

    layers: int = 4  # of region reasoning
    text: Literal["reasoning", "plain"] = "reasoning"  # the VSRN++ text side, or VSRN's
    text_layers: int = 4  # of word reasoning
    norm_axis: NormAxis = (
        "channels"  # each region to length sqrt(dim), or (VSRN) each channel over the regions
    )
    norm_after_linear: bool = False  # normalise regions also before reasoning (VSRN on COCO)
    final_norm: bool = False  # batch norm on both last memories (VSRN on Flickr30K: on the image's)
    affinity_divisor: int | None = None  # VSRN: 36; None: each image's number of regions
    region_order: Order = "given"  # in which the memory reads; it remembers best what comes last


class VSRNpp(RetrievalModel):
    """Visual and textual semantic reasoning; see the top of this file."""

    name = "vsrnpp"
    Config = VSRNppConfig
    config: VSRNppConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64, "layers": 2, "text_layers": 1, "final_norm": True},
        "base": {
            "dim": 256,
            "word_dim": 300,
            "layers": 2,
            "text_layers": 1,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "final_norm": True,
            "region_order": "reversed",
            "loss": "info_nce",
        },
        "paper": {
            "dim": 2048,
            "word_dim": 300,
            "box": False,
            "norm_axis": "regions",
            "final_norm": True,
            "affinity_divisor": 36,
        },
    }

    def __init__(self, config: VSRNppConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        dim = config.dim
        self.regions = region_encoder(config)
        self.image_side = ReasoningSide(
            *(dim, config.layers, "region", config.norm_axis, config.final_norm),
            *(config.affinity_divisor, config.region_order),
        )
        self.words = word_encoder(config, bidirectional=config.text == "reasoning")
        if config.text == "reasoning":
            self.word_nodes = nn.Linear(dim, dim)
            self.caption_side = ReasoningSide(dim, config.text_layers, "word", final_norm=config.final_norm)

    def encode_images(self, batch: Batch) -> Encoded:
        """The image's last memory, and its relation-enhanced regions."""
        nodes, mask = self._region_nodes(batch)
        vectors, parts = self.image_side(nodes, mask)
        return Encoded(vectors, parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """The caption's last memory, and its relation-enhanced words."""
        if self.config.text == "plain":
            states = self.words(batch.words, batch.word_mask)
            return Encoded(unit(last_real(states, batch.word_mask)), states, batch.word_mask)
        vectors, parts = self.caption_side(self._word_nodes(batch), batch.word_mask)
        return Encoded(vectors, parts, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption] cosines."""
        return images.vectors @ captions.vectors.T

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score, `rest @ t` the remainder.
        """
        return self.image_side.parts_of_vector(*self._region_nodes(batch))

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim]."""
        if self.config.text == "reasoning":
            return self.caption_side.parts_of_vector(self._word_nodes(batch), batch.word_mask)
        steps = self.words.vectors(batch.words)
        states = read(self.words.reader, steps, batch.word_mask)
        traces = memory_trace(self.words.reader, steps, states, batch.word_mask)
        length = last_real(states, batch.word_mask).norm(dim=-1, keepdim=True)
        return traces / length.unsqueeze(1), states[:, 0].new_zeros(states[:, 0].shape)

    def _region_nodes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        nodes, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        if self.config.norm_after_linear:
            nodes = normalised(nodes, self.config.norm_axis)
        return nodes, mask

    def _word_nodes(self, batch: Batch) -> Tensor:
        return self.word_nodes(self.words(batch.words, batch.word_mask)) * batch.word_mask.unsqueeze(-1)
