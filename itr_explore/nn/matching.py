"""SCAN's stacked cross attention of every image with every caption, by way of Gram matrices.

The published form builds, for each query of each pair, an attended context of size dim. Only its cosine with
the query is ever used, and for a unit query that needs no more than the similarities `s` of the query with
the context and the context's Gram matrix `G = context @ context.T`:

    cosine(query, sum_j a_j context_j) = (sum_j a_j s_j) / sqrt(a' G a)

Names: *query* fragments look at *context* fragments. Where words look at regions, captions are the query
items and images the context items. This page says plainly what is computed; `all_pairs.py` computes the same
scores in cache-sized chunks, many times faster.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.pooling import Pooling, pool_scores

NEGATIVE_SLOPE = 0.1  # of the leaky ReLU on similarities
SMALLEST_NORM = 1e-8  # added to the norm over queries, as published
SMALLEST_SQUARE = 1e-12  # least squared length of an attended context


def cross_similarities(
    query: Float[Tensor, "query_item query dim"], context: Float[Tensor, "context_item context dim"]
) -> Float[Tensor, "context_item query_item query context"]:
    """The dot product of every query with every context fragment."""
    return torch.einsum("qnd,cmd->cqnm", query, context)


def attention_weights(
    similarities: Float[Tensor, "context_item query_item query context"],
    query_mask: Bool[Tensor, "query_item query"],
    context_mask: Bool[Tensor, "context_item context"],
    sharpness: float,
) -> Float[Tensor, "context_item query_item query context"]:
    """Each query's weights over the context: rows sum to one, padded context gets none.

    SCAN (Lee et al. 2018, section 3.1): leaky ReLU with slope 0.1 (as in the code; the paper's slope is 0),
    divided by its length over the queries of the same item, softmax over the context with `sharpness`
    (lambda_1).
    """
    raised = nn.functional.leaky_relu(similarities, NEGATIVE_SLOPE) * query_mask[None, :, :, None]
    length = torch.linalg.vector_norm(raised, dim=2, keepdim=True)
    logits = sharpness * raised / (length + SMALLEST_NORM)
    return logits.masked_fill(~context_mask[:, None, None, :], float("-inf")).softmax(dim=-1)


def attended_cosines(
    weights: Float[Tensor, "context_item query_item query context"],
    similarities: Float[Tensor, "context_item query_item query context"],
    gram: Float[Tensor, "context_item context context"],
) -> Float[Tensor, "context_item query_item query"]:
    """The cosine of each unit query with its attended context, which is never formed.

    The weights need not sum to one: the cosine does not depend on their scale.
    """
    dots = (weights * similarities).sum(dim=-1)
    squares = (weights @ gram.unsqueeze(1) * weights).sum(dim=-1)
    return (dots / squares.clamp(min=SMALLEST_SQUARE).sqrt()).clamp(-1, 1)


def attended_parts(
    weights: Float[Tensor, "context_item query_item query context"],
    similarities: Float[Tensor, "context_item query_item query context"],
    gram: Float[Tensor, "context_item context context"],
) -> Float[Tensor, "context_item query_item query context"]:
    """What context fragments gave to an attended cosine, `weight similarity / length`; it is their sum."""
    squares = (weights @ gram.unsqueeze(1) * weights).sum(dim=-1, keepdim=True)
    return weights * similarities / squares.clamp(min=SMALLEST_SQUARE).sqrt()


def match(
    weights: Float[Tensor, "context_item query_item query context"],
    similarities: Float[Tensor, "context_item query_item query context"],
    context: Float[Tensor, "context_item context dim"],
    query_mask: Bool[Tensor, "query_item query"],
    pooling: Pooling,
    pool_sharpness: float,
) -> Float[Tensor, "context_item query_item"]:
    """The score of every pair from its attention weights: cosines, pooled over the queries."""
    cosines = attended_cosines(weights, similarities, context @ context.mT)
    return pool_scores(cosines, query_mask.expand(cosines.shape), pooling, pool_sharpness)
