"""VSRN++: fragments first reason about their relations on a graph, then a gated memory reads them one by one
and keeps what matters. Each side becomes one vector, so retrieval is an inner product; in training the
regions must also be good for writing the caption.

Li, Zhang, Li, Li, Fu: Image-Text Embedding Learning via Visual and Textual Semantic Reasoning, TPAMI 2023;
after Visual Semantic Reasoning for Image-Text Matching, ICCV 2019 (arXiv 1909.02701). *Exact* means: as in
the code of the latter, KunpengLi1994/VSRN. No code of the text side is public: it is a reconstruction.

| paper or code            | name here                              | shape                 |                |
| ------------------------ | -------------------------------------- | --------------------- | -------------- |
| V                        | `regions(...)`                         | [image region dim]    | exact          |
| R, divided by regions    | tap `image_side.layers.N.affinity`     | [image region region] | exact          |
| V* = BN(R V W_g W_r) + V | `image_side.layers`                    | [image region dim]    | exact          |
| m_i                      | `image_side.memory`, a GRU             | [image region dim]    | exact          |
| I, the last m_i          | `images.vectors`                       | [image dim]           | exact          |
| words                    | `words(...)`: GRU both ways, or BERT;  | [caption word dim]    | reconstruction |
|                          | and `word_nodes`, a linear map         |                       |                |
| words, reasoned          | `caption_side.layers`, the same layers | [caption word dim]    | reconstruction |
| T                        | `captions.vectors`, the last memory    | [caption dim]         | reconstruction |
| T of VSRN                | `text="plain"`, last state of one GRU  | [caption dim]         | exact          |
| L_M                      | `matching_loss`                        |                       | exact          |
|                          | an image's captions are no negatives   |                       | ours           |
| L_G                      | `captioner`, times `generation_weight` |                       | exact          |
| alpha_t of L_G           | tap `decoder`                          | as word_to_region     | exact, derived |
|                          | `norm_axis="channels"`, `text_norm`    |                       | ours           |
|                          | `region_order`                         |                       | ours           |
|                          | the box, added (`box`, off in `paper`) |                       | ours           |
|                          | `loss="info_nce"`, off in `paper`      |                       | ours           |

How much a layer's edges matter is tapped as `strength`, what each region or word left in the last memory as
`trace`; `image_parts` and `caption_parts` split a score exactly into what each region or word gave. No score
is computed from the captioner: its attention shows where it would look while it wrote a caption.

VSRN's quirks are settings, in `paper` as for Flickr30K: `norm_axis="regions"`, `final_norm=True`,
`norm_after_linear=False`, `affinity_divisor=36`, `padding_target=True`. For COCO: `final_norm=False`,
`norm_after_linear=True`. With `text="plain"` the preset is VSRN itself. Words, <start> and <end> among them,
are always normalised over channels; with BERT these are [CLS] and [SEP], which the paper may drop, and words
pass two linear maps, BERT's and the graph's, where it may have one. The published code does not save the
captioner: see `without_captioner`.
It also cuts captions at 60 tokens. Left out: a sentence's parse as the words' adjacency, and the ICCV paper's
heat map, which ranks regions by their product with I.
"""

import copy
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.models.base import ModelConfig, RetrievalModel, my_captions, region_encoder, word_encoder
from itr_explore.nn.captioner import Captioner
from itr_explore.nn.encoders import read
from itr_explore.nn.memory import memory_trace
from itr_explore.nn.pooling import last_real, unit
from itr_explore.nn.reasoning import NormAxis, Order, ReasoningSide, normalised
from itr_explore.nn.tap import Tap
from itr_explore.nn.together import ours
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class VSRNppConfig(ModelConfig):
    """Settings of VSRN++."""

    layers: int = 4  # of region reasoning
    text: Literal["reasoning", "plain"] = "reasoning"  # the VSRN++ text side, or VSRN's
    text_layers: int = 4  # of word reasoning
    norm_axis: NormAxis = "channels"  # regions: each to length sqrt(dim), or (VSRN) each channel over them
    norm_after_linear: bool = False  # normalise regions also before reasoning (VSRN on COCO)
    final_norm: bool = False  # batch norm on the image's last memory (VSRN on Flickr30K)
    text_norm: bool = False  # batch norm on the reasoned caption's last memory
    affinity_divisor: int | None = None  # VSRN: 36; None: each image's number of regions
    region_order: Order = "given"  # in which the memory reads; it remembers best what comes last
    generation_weight: float = 0.0  # of the caption-generation loss (VSRN: 1); 0: no captioner
    padding_target: bool = False  # the captioner must also write one <pad> after each caption (VSRN)
    decoder_dim: int = 512  # length of the captioner's states
    decoder_word_dim: int = 300  # length of its word vectors
    decoder_dropout: float = 0.2  # of what its two GRUs read


class VSRNpp(RetrievalModel):
    """Visual and textual semantic reasoning; see the top of this file."""

    name = "vsrnpp"
    Config = VSRNppConfig
    config: VSRNppConfig
    presets: ClassVar = {
        "tiny": {
            "dim": 128,
            "word_dim": 64,
            "layers": 2,
            "text_layers": 1,
            "final_norm": True,
            "text_norm": True,
            "decoder_dim": 128,
            "decoder_word_dim": 64,
        },
        "base": {
            "dim": 256,
            "word_dim": 300,
            "layers": 2,
            "text_layers": 1,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "final_norm": True,
            "text_norm": True,
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
            "generation_weight": 1.0,
            "padding_target": True,
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
            self.caption_side = ReasoningSide(dim, config.text_layers, "word", final_norm=config.text_norm)
        self.captioner: Captioner | None = None
        if config.generation_weight > 0:
            sizes = config.decoder_dim, config.decoder_word_dim, config.decoder_dropout
            self.captioner = Captioner(config.vocabulary_size, dim, *sizes)
            self.decoder = Tap("word_to_region", "softmax", derived=True)

    def encode_images(self, batch: Batch) -> Encoded:
        """The image's last memory, and its relation-enhanced regions."""
        nodes, mask = self._region_nodes(batch)
        vectors, parts = self.image_side(nodes, mask)
        if self.captioner is not None and self.decoder.watched and len(batch.words):
            self.decoder(self._looks(self.captioner, parts, mask, batch.words))
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

    def training_loss(self, batch: Batch, warming_up: bool = False) -> dict[str, Tensor]:
        """The terms `matching` and, if there is a captioner, `generation`."""
        images, captions = self.encode_images(batch), self.encode_captions(my_captions(batch))
        x, y = ours(images.vectors, batch.image_count), ours(captions.vectors, len(batch.words))
        terms = {"matching": self.matching_loss(x @ y.T, batch.image_of, warming_up)}
        if self.captioner is not None:
            seen = ours(images.parts, len(x)), ours(images.mask, len(x))
            told = batch.words, batch.word_mask, batch.image_of
            loss = self.captioner.loss(*seen, *told, self.config.padding_target)
            terms["generation"] = self.config.generation_weight * loss
        return terms

    def without_captioner(self) -> Self:
        """The same model with the same scores, fewer weights and no caption-generation loss."""
        config = replace(self.config, generation_weight=0.0)
        slim = copy.deepcopy(self)
        slim.config, slim.captioner = config, None
        if self.captioner is not None:
            del slim.decoder
        return slim

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score, `rest @ t` the remainder.
        """
        return self.image_side.parts_of_vector(*self._region_nodes(batch))

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim].

        Raises:
            ValueError: the words of `text="plain"` have another reader than a GRU.
        """
        if self.config.text == "reasoning":
            return self.caption_side.parts_of_vector(self._word_nodes(batch), batch.word_mask)
        if self.config.reader != "gru":
            raise ValueError(
                "what each word left can be told of a GRU only, and this model's words have the reader"
                f' {self.config.reader!r}; create it with reader="gru" or text="reasoning"'
            )
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

    @staticmethod
    def _looks(captioner: Captioner, parts: Tensor, mask: Tensor, words: Tensor) -> Tensor:
        """[image caption word region] where the captioner looks before it writes each word of each caption.

        Nobody writes <start>; its row is that of the first word.
        """
        images = torch.arange(len(parts), device=parts.device).repeat_interleave(len(words))
        _, looks = captioner(parts, mask, words.repeat(len(parts), 1), images)
        looks = torch.cat([looks[:, :1], looks[:, :-1]], dim=1)
        return looks.unflatten(0, (len(parts), len(words)))
