"""Attention across the samples of a batch: each image (or caption) takes up what others of the batch show.

It is for training. A vector that went through it depends on its batch-mates, so a score made of such vectors
is no function of the pair (Hou et al., BatchFormer, CVPR 2022, and CrossmodalGroup/HREM drop it at the end).
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from itr_explore.nn.graph_attention import AttentionBlock
from itr_explore.nn.matching import NEGATIVE_SLOPE, cross_similarities
from itr_explore.nn.pooling import pool_scores, unit

MAXIMA = 10  # of a pair's word-region similarities, that its relevance is read from
CONNECTED = 0.5  # share of a modality's samples that a sample is connected with


def own_image(image_of: Int[Tensor, "caption"]) -> Int[Tensor, "caption"]:
    """The image of each caption; of a foil (`~row` of its caption, see `losses.py`) that of its caption."""
    return torch.where(image_of < 0, image_of[(~image_of).clamp(min=0)], image_of)


def hidden_samples(image: Int[Tensor, "sample"]) -> Bool[Tensor, "sample sample"]:
    """True where two different samples belong to one image."""
    itself = torch.eye(len(image), dtype=torch.bool, device=image.device)
    return (image.unsqueeze(1) == image) & ~itself


class SampleAttention(nn.Module):
    """The samples of one modality, as one sequence, through one layer of a Transformer encoder.

    Taps: `layer.edges` [sample sample], see `nn.graph_attention.HeadTaps`.

    Args:
        dim: size of a vector, a multiple of `heads`.
        heads: how many ways of weighing.
        kind: of samples.
        dropout: of the layer.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        kind: Literal["image_to_image", "caption_to_caption"],
        dropout: float = 0.1,
    ):
        super().__init__()
        self.layer = AttentionBlock(dim, heads, kind, dropout, "layer")

    def forward(
        self, vectors: Float[Tensor, "sample dim"], hidden: Bool[Tensor, "sample sample"] | None = None
    ) -> Float[Tensor, "sample dim"]:
        """Vectors of unit length; `hidden` is True where the row must not see the column."""
        bias = None
        if hidden is not None:
            bias = vectors.new_zeros(hidden.shape).masked_fill(hidden, float("-inf"))
        return unit(self.layer(vectors, vectors.new_ones(len(vectors), dtype=torch.bool), bias))


class Samples(NamedTuple):
    """One side of a batch: vectors [sample dim], fragments [sample part dim] and which of them are real."""

    vectors: Tensor
    parts: Tensor
    mask: Tensor


class FusedSampleAttention(nn.Module):
    """Images and captions together, images first, as one sequence through one layer of a Transformer encoder.

    Logits get `relation_weight * relation`, and -inf where two samples are not connected (reconstructed from
    CrossmodalGroup/HREM). Within a modality the relation is `nearness`, and connected are the nearest half;
    across, it is the mean of `best_matches` plus what a small network makes of the ten largest, and connected
    are those with the highest mean. HREM's code connects images by their scores with captions instead,
    which needs as many captions as images. A sample is always connected with itself.

    Taps: `layer.edges` [sample sample], see `nn.graph_attention.HeadTaps`.

    Args:
        dim: size of a vector, a multiple of `heads`.
        heads: how many ways of weighing.
        dropout: of the layer.
        relation_weight: of the relation; HREM has 1.0 for Flickr30K and 1.5 for COCO.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.1, relation_weight: float = 1.0):
        super().__init__()
        self.layer = AttentionBlock(dim, heads, "sample_to_sample", dropout, "layer")
        self.of_words, self.of_regions = (
            nn.Sequential(nn.Linear(MAXIMA, MAXIMA), nn.ReLU(), nn.Linear(MAXIMA, 1)) for _ in range(2)
        )
        self.relation_weight = relation_weight

    def forward(
        self, images: Samples, captions: Samples, hidden: Bool[Tensor, "sample sample"] | None = None
    ) -> tuple[Float[Tensor, "image dim"], Float[Tensor, "caption dim"], Float[Tensor, ""]]:
        """Image and caption vectors of unit length, and how far the relations across are from nearness."""
        vectors = torch.cat([images.vectors, captions.vectors])
        similarities = cross_similarities(unit(captions.parts.detach()), unit(images.parts.detach()))
        by_words, words_mean = _relation(similarities, captions.mask, images.mask, self.of_words)
        back = similarities.permute(1, 0, 3, 2)  # [caption image region word]
        by_regions, regions_mean = _relation(back, images.mask, captions.mask, self.of_regions)

        near = nearness(vectors, vectors)
        count = len(images.vectors)
        among_images, among_captions = near[:count, :count], near[count:, count:]
        relation = _blocks(among_images, by_regions, by_words, among_captions)
        connected = _blocks(*(strongest(x) for x in (among_images, regions_mean, words_mean, among_captions)))
        if hidden is not None:
            connected = connected & ~hidden
        connected = connected | torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
        bias = (self.relation_weight * relation).masked_fill(~connected, float("-inf"))
        fused = unit(self.layer(vectors, vectors.new_ones(len(vectors), dtype=torch.bool), bias))

        guide = near[:count, count:].detach()
        divergence = relation_divergence(by_regions, guide) + relation_divergence(by_words, guide.T)
        return fused[:count], fused[count:], divergence


def nearness(
    rows: Float[Tensor, "row dim"], columns: Float[Tensor, "column dim"], width: float = 1.0
) -> Float[Tensor, "row column"]:
    """`exp(-|x - y| / width)`: 1 for the same vector, e^-2 for opposite unit vectors."""
    return (-torch.cdist(rows, columns) / width).exp()


def best_matches(
    similarities: Float[Tensor, "context_item query_item query context"],
    query_mask: Bool[Tensor, "query_item query"],
    context_mask: Bool[Tensor, "context_item context"],
) -> Float[Tensor, "context_item query_item query"]:
    """For each query the largest of its similarities, raised and scaled as in SCAN, with the real context."""
    raised = nn.functional.leaky_relu(similarities, NEGATIVE_SLOPE) * query_mask[None, :, :, None]
    return unit(raised, dim=2).masked_fill(~context_mask[:, None, None, :], float("-inf")).amax(dim=-1)


def strongest(scores: Float[Tensor, "row column"], share: float = CONNECTED) -> Bool[Tensor, "row column"]:
    """True for the highest share of each row's scores, at least one a row."""
    count = max(1, int(share * scores.shape[1]))
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    return chosen.scatter(1, scores.topk(count, dim=1).indices, True)


def relation_divergence(
    relation: Float[Tensor, "row column"], guide: Float[Tensor, "row column"]
) -> Float[Tensor, ""]:
    """The Kullback-Leibler divergence of a row's softmax from the guide's, the mean over the rows."""
    learned, wanted = relation.log_softmax(dim=1), guide.log_softmax(dim=1)
    return (learned.exp() * (learned - wanted)).sum(dim=1).mean()


def _relation(
    similarities: Tensor, query_mask: Tensor, context_mask: Tensor, network: nn.Module
) -> tuple[Tensor, Tensor]:
    """Relation and mean of the best matches, both [query_item context_item]."""
    matches = best_matches(similarities, query_mask, context_mask)
    real = query_mask.expand(matches.shape)
    mean = pool_scores(matches, real, "AVG")
    missing = max(0, MAXIMA - matches.shape[-1])
    largest = nn.functional.pad(matches.masked_fill(~real, float("-inf")), (0, missing), value=float("-inf"))
    largest = largest.topk(MAXIMA, dim=-1).values
    relation = mean + network(largest.masked_fill(largest.isinf(), 0.0)).squeeze(-1)
    return relation.T, mean.T


def _blocks(top_left: Tensor, top_right: Tensor, bottom_left: Tensor, bottom_right: Tensor) -> Tensor:
    return torch.cat([torch.cat([top_left, top_right], dim=1), torch.cat([bottom_left, bottom_right], dim=1)])
