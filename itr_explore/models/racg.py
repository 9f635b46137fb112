"""RACG: a graph of regions and a graph of words, each of which knows how its nodes are related. For a pair
the two graphs look at each other, strengthen the edges that both have, and are then compared node by node.

Peng, He, Liu, Cheung, Xu, Cui: Relation-Aggregated Cross-Graph Correlation Learning for Fine-Grained
Image-Text Retrieval, TNNLS 35(2), 2024. Its code is not public and its equations were not at hand: this whole
page is a *reconstruction* from the abstract (semantic-embedded graphs, a cross-graph relation encoder,
feature reconstruction, multi-head similarity alignment), filled in with parts that are public: the attention
of SCAN, the blocks of numbers and the small network of GSMN. *Ours* is what neither asks for.

| paper's idea         | name here                                  | shape                     |           |
| -------------------- | ------------------------------------------ | ------------------------- | --------- |
| nodes v_i, t_j       | `regions(...)`, `words(...)`, of length 1  | [item node dim]           | reconstr. |
| A_v, A_t             | taps `*_graph.edges`                       | [item node node]          | reconstr. |
| relations r_ij       | `*_graph`                                  | [item node node relation] | reconstr. |
| v'_i, t'_j           | the nodes after a round of messages        | [item node dim]           | reconstr. |
| P, Q                 | taps `*_side.attention`                    | [pair node other]         | reconstr. |
| relation transfer    | taps `*_side.edges`                        | [pair node node]          | reconstr. |
| gated fusion         | `nn.cross_graph.CrossGraph`                | [pair node match]         | reconstr. |
| multi-head alignment | taps `*_side.heads.N`, `.node_scores`      | [pair node]               | reconstr. |
| reconstruction error | taps `*_side.reconstruction`               | [pair node]               | reconstr. |
| coarse ranking       | `vectors`, the mean of v'_i or t'_j        | [item dim]                | reconstr. |
|                      | signed geometry, word order; also in r_ij  | [item node node]          | ours      |
|                      | r_ij by the pair's edges, in its own heads | [pair node]               | ours      |
|                      | the heads' mean beside their network       | [pair node]               | ours      |
|                      | `hard_pairs` in training, with the hinge   |                           | ours      |
|                      | the box, added (`box`, off in `paper`)     |                           | ours      |
|                      | `loss="info_nce"`, off in `paper`          |                           | ours      |

`*` is `region` or `word`, a pair `image caption`. There is one round between the graphs; the gate is one
number a node, and a node is part of its own sum (`nn.cross_graph`). A pair takes some hundred thousand
multiplications, so there are two ways not to score them all: in training `hard_pairs`, in search
`evaluation.two_stage`. Where a collection has no boxes there is no geometry. Left out: a parser for the
words; nearness stands for its arcs.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

from itr_explore.models.base import ModelConfig, RetrievalModel, my_captions, region_encoder, word_encoder
from itr_explore.nn.chunks import Side, score_in_blocks
from itr_explore.nn.cross_graph import EACH_WITH_EACH, IN_STEP, Axes, CrossGraph, Nodes, pack, unpack
from itr_explore.nn.losses import UNSCORED, hard_pairs
from itr_explore.nn.pooling import masked_mean, unit
from itr_explore.nn.semantic_graph import (
    GEOMETRY,
    ORDER,
    SemanticGraph,
    near_words,
    pair_geometry,
    word_order,
)
from itr_explore.nn.tap import capture
from itr_explore.nn.together import current_team, ours, summed
from itr_explore.records import Batch, Encoded

PAIRS_AT_ONCE = 256  # of pairs in a list: those of like length together


@dataclass(frozen=True, kw_only=True)
class RACGConfig(ModelConfig):
    """Settings of RACG."""

    relation_dim: int = 128  # numbers of a relation
    match_dim: int = 1024  # numbers in which nodes are compared
    geometry: bool | None = None  # regions' graph knows how boxes lie, if there are any; None: as `box`
    heads: int = 16  # blocks of these; relations are compared in blocks of the same size
    sharpness: float = 9.0  # lambda, of the attention between the graphs
    transfer: float = 0.5  # rho, share of the other graph in the edges
    hard_pairs: int | None = None  # negatives of each image and caption scored in training; None: all
    coarse_weight: float = 0.2  # of the matching loss of `vectors`
    reconstruction_weight: float = 0.1  # lambda_rec
    memory_budget: int = 2**30  # bytes that scoring may use at once

    def __post_init__(self):
        super().__post_init__()
        if self.match_dim % self.heads or self.relation_dim % (self.match_dim // self.heads):
            raise ValueError(
                "heads must divide match_dim, and their size relation_dim; got"
                f" {self.heads} heads, match_dim {self.match_dim} and relation_dim {self.relation_dim}"
            )


class RACG(RetrievalModel):
    """Cross-graph correlation; see the top of this file."""

    name = "racg"
    Config = RACGConfig
    config: RACGConfig
    presets: ClassVar = {
        "tiny": {
            "dim": 128,
            "word_dim": 64,
            "relation_dim": 16,
            "match_dim": 32,
            "heads": 4,
            "sharpness": 14.0,
            "loss": "info_nce",
        },
        "base": {
            "dim": 256,
            "word_dim": 300,
            "relation_dim": 32,
            "match_dim": 128,
            "heads": 8,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "loss": "info_nce",
            "temperature": 0.05,
        },
        "paper": {"dim": 1024, "word_dim": 300, "box": False, "geometry": True},
    }

    def __init__(self, config: RACGConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        dim = config.dim
        self.regions, self.words = region_encoder(config), word_encoder(config)
        self.sees_geometry = config.box if config.geometry is None else config.geometry
        self.region_graph = SemanticGraph(
            dim, config.relation_dim, "region", GEOMETRY if self.sees_geometry else 0
        )
        self.word_graph = SemanticGraph(dim, config.relation_dim, "word", ORDER)
        self.match = nn.Linear(dim, config.match_dim, bias=False)
        self.region_gates, self.word_gates = nn.Linear(dim, 2), nn.Linear(dim, 2)
        heads = config.heads + config.relation_dim * config.heads // config.match_dim
        self.region_side = CrossGraph(dim, "region", heads, config.sharpness, config.transfer)
        self.word_side = CrossGraph(dim, "word", heads, config.sharpness, config.transfer)

    def encode_images(self, batch: Batch) -> Encoded:
        """The mean node, and all that a pair needs to know of each region (`nn.cross_graph.pack`)."""
        return _encoded(self._region_nodes(batch))

    def encode_captions(self, batch: Batch) -> Encoded:
        """The same of words."""
        return _encoded(self._word_nodes(batch))

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption], in blocks; all at once if somebody watches a tap of a pair."""
        if self.region_side.watched or self.word_side.watched:
            return self._score(self._unpacked(images), self._unpacked(captions))
        return self._in_blocks(images, captions)

    def score_parts(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption word+1 region+1] what each word and region gave to the score (`explanation.parts`).

        A node's score is its own: words' stand in the last column, of no region, regions' in the last row.
        """
        with capture(self) as seen:
            self.score(images, captions)
        by_region, by_word = (seen[f"{side}_side.node_scores"].value for side in ("region", "word"))
        parts = pad(torch.zeros_like(by_word).unsqueeze(-1), (0, by_region.shape[-1], 0, 1))
        parts[..., :-1, -1] = by_word / captions.mask.sum(dim=1, keepdim=True)
        parts[..., -1, :-1] = by_region / images.mask.sum(dim=1)[:, None, None]
        return parts

    def training_loss(self, batch: Batch, warming_up: bool = False) -> dict[str, Tensor]:
        """`matching` of the full scores, `coarse` of the vectors' cosines, `reconstruction` of true pairs."""
        config = self.config
        images, captions = self._region_nodes(batch), self._word_nodes(my_captions(batch))
        captions = Nodes(*(ours(x, len(batch.words)) for x in captions))
        coarse = ours(_vectors(images), batch.image_count) @ _vectors(captions).T
        scores = self._scores_for(images, captions, coarse.detach(), batch.image_of)
        return {
            "matching": self.matching_loss(scores, batch.image_of, warming_up),
            "coarse": config.coarse_weight * self.matching_loss(coarse, batch.image_of, warming_up),
            "reconstruction": config.reconstruction_weight
            * self._reconstruction(images, captions, batch.image_of, len(coarse)),
        }

    def _scores_for(self, images: Nodes, captions: Nodes, coarse: Tensor, image_of: Tensor) -> Tensor:
        """[image caption] all that a loss looks at; of foils, the scores with their own image only.

        `images` are this process's, and each process scores its own.
        """
        few, told = self.config.hard_pairs, image_of >= 0
        scores = coarse.new_full((len(images.mask), len(told)), UNSCORED)
        if few is not None:
            pairs = hard_pairs(coarse, image_of, hardest=few, by_chance=few)
        else:
            scores[:, told] = self._in_blocks(_encoded(images), _encoded(captions)[told])
            foil = (~told).nonzero().squeeze(1)
            pairs = image_of[~image_of[foil]], foil
        pairs = _of_mine(*pairs, len(coarse))
        if len(pairs[0]):
            scores = scores.index_put(pairs, self._score_listed(images, captions, *pairs))
        return ours(scores, len(coarse))

    def _region_nodes(self, batch: Batch) -> Nodes:
        given, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        boxes = batch.boxes if self.sees_geometry else None
        geometry = None if boxes is None else pair_geometry(boxes)
        return self._nodes(unit(given), mask, self.region_graph, self.region_gates, geometry)

    def _word_nodes(self, batch: Batch) -> Nodes:
        given = unit(self.words(batch.words, batch.word_mask))
        order, near = (make(given.shape[1], given.device) for make in (word_order, near_words))
        return self._nodes(given, batch.word_mask, self.word_graph, self.word_gates, order, near)

    def _nodes(
        self,
        given: Tensor,
        mask: Tensor,
        graph: SemanticGraph,
        gates: nn.Linear,
        geometry: Tensor | None,
        bias: Tensor | None = None,
    ) -> Nodes:
        """Through the graph at length sqrt(dim): entries of a unit vector are too small for its tanh."""
        found = graph(given * given.shape[-1] ** 0.5, mask, geometry, bias)
        nodes = unit(found.nodes)
        gates_of = gates(nodes) * mask.unsqueeze(-1)
        return Nodes(
            mask, given, nodes, self.match(nodes), found.stated, gates_of, found.edges, found.relations
        )

    def _unpacked(self, side: Encoded | Side) -> Nodes:
        parts = side.parts if isinstance(side, Encoded) else side.tensors[0]
        return unpack(parts, side.mask, self.config.dim, self.config.match_dim, self.config.relation_dim)

    def _score(self, images: Nodes, captions: Nodes, axes: Axes = EACH_WITH_EACH) -> Tensor:
        """[image caption], or [pair] in step."""
        by_region, by_word = self.region_side(images, captions, axes), self.word_side(captions, images, axes)
        return by_region.T + by_word if axes is EACH_WITH_EACH else by_region + by_word

    def _in_blocks(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption]; with gradients, what does not fit into the budget is computed again backward."""
        regions, words = images.mask.shape[1], captions.mask.shape[1]
        width = self.config.match_dim + self.config.relation_dim
        bytes_a_pair = int(images.parts.element_size() * (16 + 8 * width * (1 / regions + 1 / words)))
        needed = bytes_a_pair * images.mask.numel() * captions.mask.numel()
        again = torch.is_grad_enabled() and needed > self.config.memory_budget

        def score(seen: Side, looking: Side) -> Tensor:
            sides = self._unpacked(seen), self._unpacked(looking)
            return checkpoint(self._score, *sides, use_reentrant=False) if again else self._score(*sides)

        context, query = Side((images.parts,), images.mask), Side((captions.parts,), captions.mask)
        return score_in_blocks(score, context, query, bytes_a_pair, self.config.memory_budget)

    def _score_listed(self, images: Nodes, captions: Nodes, image: Tensor, caption: Tensor) -> Tensor:
        """[pair] of these images with these captions."""
        lengths = captions.mask.sum(dim=1)[caption]
        order = lengths.argsort(stable=True)
        found = []
        for rows in order.split(PAIRS_AT_ONCE):
            own = images.pick(image[rows], images.mask.shape[1])
            found.append(self._score(own, captions.pick(caption[rows], int(lengths[rows[-1]])), IN_STEP))
        return torch.cat(found)[order.argsort()]

    def _reconstruction(self, images: Nodes, captions: Nodes, image_of: Tensor, image_count: int) -> Tensor:
        """Errors of the true pairs, each the mean over its nodes: a sum or a mean as the matching loss is."""
        told = (image_of >= 0).nonzero().squeeze(1)
        image, caption = _of_mine(image_of[told], told, image_count)
        own = images.pick(image, images.mask.shape[1])
        other = captions.pick(caption, captions.mask.shape[1])
        of_regions = self.region_side.reconstruction_errors(own, other, IN_STEP).sum(1) / own.mask.sum(1)
        of_words = self.word_side.reconstruction_errors(other, own, IN_STEP).sum(1) / other.mask.sum(1)
        errors = summed((of_regions + of_words).sum())
        return errors / len(told) if self.config.loss == "info_nce" else errors


def _of_mine(image: Tensor, caption: Tensor, image_count: int) -> tuple[Tensor, Tensor]:
    """Those of some pairs whose image is this process's, and where it stands among its own."""
    team = current_team()
    if team.size == 1:
        return image, caption
    share = team.share(image_count)
    own = (image >= share.start) & (image < share.stop)
    return image[own] - share.start, caption[own]


def _vectors(nodes: Nodes) -> Tensor:
    return unit(masked_mean(nodes.nodes, nodes.mask))


def _encoded(nodes: Nodes) -> Encoded:
    return Encoded(_vectors(nodes), pack(nodes), nodes.mask)
