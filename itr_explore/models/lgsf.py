"""LGSF: regions, and words, take up each other's features on a graph with attention before they become one
vector; in training the vectors of a batch look at each other too, and what comes of it must match as well.

Local and Global Semantic Fusion, Science Technology and Engineering 26(13):5574, 2026; in English,
Fine-Grained Local and Global Semantic Fusion for Multimodal Image-Text Retrieval, Big Data and Cognitive
Computing 9(3):53, 2025. No code is public and only the abstracts were at hand. They name the parts and their
order; every equation is a reconstruction from a source that is named below.

| paper                  | name here                               | shape                 |                |
| ---------------------- | --------------------------------------- | --------------------- | -------------- |
| v_i                    | `regions(...)`                          | [image region dim]    | reconstruction |
| alpha_ij of a head     | tap `image_side.layers.N.edges.heads.H` | [image region region] | reconstruction |
| v_i, relation-enhanced | `images.parts`                          | [image region dim]    | reconstruction |
| x, local               | `images.vectors`                        | [image dim]           | reconstruction |
| w_j and y              | `words(...)`, `caption_side`            | [caption word dim]    | reconstruction |
| x~ and y~, global      | `across_images`, `across_captions`;     | [item dim]            | reconstruction |
|                        | with `fusion` both come of `across`     |                       |                |
| who looks at whom      | tap `across_images.layer.edges.heads.H` | [image image]         | reconstruction |
| triangular constraint  | `constraint`                            |                       | reconstruction |
|                        | the box, added (`box`, off in `paper`)  |                       | ours           |
|                        | `final_norm`, `loss="info_nce"`         |                       | ours           |

Sources. Graph: `gat` after Velickovic et al. 2018, `attention` after kywen1119/DSRAN. Pooling, `fusion` with
its regulariser, the sum l(x, y) + l(x, y~) + l(x~, y) + l(x~, y~): CrossmodalGroup/HREM. The constraint, read
as `angular`: Wang et al. 2017; read as `triangle_intra`: MariodotR/FullHN.

What looks across a batch is dropped at inference, so that a score is a function of its pair; with
`cross_at_inference` it is not. Samples of one image do not see each other (`hide_same_image`; HREM's do).
A short item lowers k of the top-k for itself; in HREM's code also for those after it in the batch.
`image_parts` and `caption_parts` split a score exactly into what each region or word gave.

Left out: negatives drawn by their distance (HREM), and its 8,000 steps without the sum's other three terms:
here they join after the warm-up. Of the fifth of the words that HREM masks, changes or drops, all are masked
here (`word_dropout`; <unk> for a GRU). Of DSRAN, its features of box and class and its gates between heads.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor

from itr_explore.models.base import ModelConfig, RetrievalModel, my_captions, region_encoder, word_encoder
from itr_explore.nn.angular import angular_loss, intra_triangle_loss
from itr_explore.nn.cross_sample import (
    FusedSampleAttention,
    SampleAttention,
    Samples,
    hidden_samples,
    own_image,
)
from itr_explore.nn.graph_side import Form, GraphPool, GraphSide
from itr_explore.nn.together import ours
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class LGSFConfig(ModelConfig):
    """Settings of LGSF."""

    hidden_dim: int | None = None  # of a network added to the linear map of regions (HREM: dim / 2)
    graph: Form = "gat"  # additive logits (form A), or scaled dot products with batch norm (form B)
    layers: int = 1  # of region graphs
    text_layers: int = 1  # of word graphs
    heads: int = 8  # of each graph; `dim` is a multiple of it
    top_k: int = 2  # largest values of a channel that pooling takes the mean of
    residual_weight: float = 0.8  # of fragments before the graph, in the vector; the graph's get the rest
    graph_pool: GraphPool = "mean"  # of the graph's nodes; or (ours) max-k, as of those before it
    final_norm: bool = False  # batch norm on both vectors (ours)
    attention_dropout: float = 0.0  # in graphs and across samples
    cross_instance: Literal["none", "intra", "fusion"] = "intra"  # who looks at whom across a batch
    cross_heads: int = 4  # `dim` is a multiple of it
    hide_same_image: bool = True  # across a batch, samples of one image do not see each other
    relation_weight: float = 1.0  # of fusion's relation; HREM: 1.0 for Flickr30K, 1.5 for COCO
    regulariser_weight: float = 10.0  # of fusion's divergence
    cross_at_inference: bool = False  # experimental: scores then depend on batch-mates
    constraint: Literal["angular", "triangle_intra", "none"] = "angular"  # what joins the matching loss
    constraint_weight: float = 0.01  # of its sum over pairs, as hinges are sums; of its mean with info_nce
    angle: float = 45.0  # of the angular constraint, in degrees
    angular_form: Literal["smooth", "hinge"] = "smooth"
    intra_margin: float = 0.2  # of triangle_intra

    def __post_init__(self):
        super().__post_init__()
        for name in ("heads", "cross_heads"):
            if self.dim % getattr(self, name):
                raise ValueError(
                    f"dim must be a multiple of {name}, got dim={self.dim} and {name}={getattr(self, name)}"
                )
        if self.angle >= 90:
            raise ValueError(f"angle must be above 0 and below 90 degrees, got {self.angle}")
        if self.cross_at_inference and self.cross_instance != "intra":
            raise ValueError(
                f"cross_at_inference needs cross_instance='intra', got {self.cross_instance!r}: at inference"
                " images and captions are encoded apart"
            )


class LGSF(RetrievalModel):
    """Local and global semantic fusion; see the top of this file."""

    name = "lgsf"
    Config = LGSFConfig
    config: LGSFConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64, "heads": 4},
        "base": {
            "dim": 256,
            "word_dim": 300,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "attention_dropout": 0.1,
            "loss": "info_nce",
        },
        "paper": {
            "dim": 1024,
            "word_dim": 300,
            "box": False,
            "region_dropout": 0.2,
            "word_dropout": 0.2,
            "attention_dropout": 0.1,
            "cross_heads": 16,
            "hide_same_image": False,
        },
    }

    def __init__(self, config: LGSFConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        dim, heads, dropout = config.dim, config.cross_heads, config.attention_dropout
        pooling = (
            config.graph,
            config.heads,
            dropout,
            config.top_k,
            config.residual_weight,
            config.final_norm,
            config.graph_pool,
        )
        self.regions = region_encoder(config, config.hidden_dim)
        self.image_side = GraphSide(dim, config.layers, "region", *pooling)
        self.words = word_encoder(config)
        self.caption_side = GraphSide(dim, config.text_layers, "word", *pooling)
        if config.cross_instance == "intra":
            self.across_images = SampleAttention(dim, heads, "image_to_image", dropout)
            self.across_captions = SampleAttention(dim, heads, "caption_to_caption", dropout)
        elif config.cross_instance == "fusion":
            self.across = FusedSampleAttention(dim, heads, dropout, config.relation_weight)

    def encode_images(self, batch: Batch) -> Encoded:
        """The image's pooled vector, and its relation-enhanced regions."""
        nodes, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        vectors, parts = self.image_side(nodes, mask)
        if self._across_now:
            vectors = self.across_images(vectors)
        return Encoded(vectors, parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """The caption's pooled vector, and its relation-enhanced words."""
        vectors, parts = self.caption_side(self.words(batch.words, batch.word_mask), batch.word_mask)
        if self._across_now:
            vectors = self.across_captions(vectors)
        return Encoded(vectors, parts, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption] cosines."""
        return images.vectors @ captions.vectors.T

    def training_loss(self, batch: Batch, warming_up: bool = False) -> dict[str, Tensor]:
        """`matching`, the `constraint`, and once warm the `across` terms of vectors that saw their batch."""
        images, captions = self.encode_images(batch), self.encode_captions(my_captions(batch))
        x, y = ours(images.vectors, batch.image_count), ours(captions.vectors, len(batch.words))
        terms = {"matching": self.matching_loss(x @ y.T, batch.image_of, warming_up)}
        if self.config.constraint != "none":
            terms[self.config.constraint] = self._constraint(x, y, batch.image_of)
        if self.config.cross_instance != "none" and not warming_up:
            terms |= self._across(x, y, images, captions, batch.image_of)
        return terms

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score, `rest @ t` the remainder.
        """
        return self.image_side.parts_of_vector(*self.regions(batch.regions, batch.region_mask, batch.boxes))

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim]."""
        return self.caption_side.parts_of_vector(self.words(batch.words, batch.word_mask), batch.word_mask)

    @property
    def _across_now(self) -> bool:
        return self.config.cross_at_inference and not self.training

    def _constraint(self, x: Tensor, y: Tensor, image_of: Tensor) -> Tensor:
        config, grams = self.config, (x @ y.T, x @ x.T, y @ y.T)
        if config.constraint == "angular":
            losses = angular_loss(*grams, image_of, config.angle, config.angular_form)
        else:
            losses = intra_triangle_loss(*grams, image_of, config.intra_margin)
        return config.constraint_weight * (losses.mean() if config.loss == "info_nce" else losses.sum())

    def _across(
        self, x: Tensor, y: Tensor, images: Encoded, captions: Encoded, image_of: Tensor
    ) -> dict[str, Tensor]:
        """The matching loss where one side or both saw the other samples of the batch."""
        config, image, terms = self.config, own_image(image_of), {}
        if config.cross_instance == "intra":
            hidden = hidden_samples(image) if config.hide_same_image else None
            more_x, more_y = self.across_images(x), self.across_captions(y, hidden)
        else:
            image = torch.cat([torch.arange(len(x), device=x.device), image])
            hidden = hidden_samples(image) if config.hide_same_image else None
            sides = (
                Samples(all_of, ours(side.parts, len(all_of)), ours(side.mask, len(all_of)))
                for all_of, side in ((x, images), (y, captions))
            )
            more_x, more_y, divergence = self.across(*sides, hidden)
            terms["relation"] = config.regulariser_weight * divergence
        scores = (x @ more_y.T, more_x @ y.T, more_x @ more_y.T)
        return terms | {"across": sum(self.matching_loss(s, image_of) for s in scores)}
