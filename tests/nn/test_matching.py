"""The Gram form and the chunked form against the published form, which makes every attended context."""

from itertools import product

import pytest
import torch
from torch import nn

from itr_explore.nn import all_pairs, chunks
from itr_explore.nn.all_pairs import scores_of_all_pairs
from itr_explore.nn.matching import (
    attended_cosines,
    attended_parts,
    attention_weights,
    cross_similarities,
    match,
)
from itr_explore.nn.pooling import unit

EVERY = list(product(["AVG", "LSE"], [(4.0, 5.0), (9.0, 6.0), (9.0, 20.0)]))
SIZES = {
    "ragged": ([5, 1, 7, 3, 7], [2, 6, 4, 1, 4, 9]),
    "one of each": ([1], [1]),
    "alike": ([4, 4, 4], [5, 5]),
}


def fragments(counts, dim=6, dtype=torch.float64):
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    return torch.randn(*mask.shape, dim, dtype=dtype, requires_grad=True), mask


def published(query, query_mask, context, context_mask, sharpness, pooling, pool_sharpness):
    """One pair at a time, padding cut off, the attended context formed (Lee et al. 2018)."""
    scores = torch.empty(len(context), len(query), dtype=query.dtype)
    for c, q in product(range(len(context)), range(len(query))):
        looking, seen = query[q][query_mask[q]], context[c][context_mask[c]]
        raised = nn.functional.leaky_relu(seen @ looking.T, 0.1)  # [context query]
        raised = raised / (raised.square().sum(dim=1, keepdim=True).sqrt() + 1e-8)
        attended = (sharpness * raised.T).softmax(dim=1) @ seen  # [query dim]
        cosines = nn.functional.cosine_similarity(looking, attended, dim=1)
        mean, soft = cosines.mean(), (pool_sharpness * cosines).logsumexp(dim=0) / pool_sharpness
        scores[c, q] = mean if pooling == "AVG" else soft
    return scores


def plainly(query, query_mask, context, context_mask, sharpness, pooling, pool_sharpness):
    similarities = cross_similarities(query, context)
    weights = attention_weights(similarities, query_mask, context_mask, sharpness)
    return match(weights, similarities, context, query_mask, pooling, pool_sharpness)


def with_gradients(scores_of, query, query_mask, context, context_mask, *settings):
    scores = scores_of(unit(query), query_mask, unit(context), context_mask, *settings)
    slope = torch.linspace(-1, 2, scores.numel(), dtype=scores.dtype).view_as(scores)
    return scores, *torch.autograd.grad((scores * slope).sum(), (query, context))


@pytest.mark.parametrize("ways", [plainly, scores_of_all_pairs], ids=["plain", "chunked"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("pooling", "sharpness"), EVERY)
def test_scores_and_gradients_are_those_of_the_published_form(ways, sizes, pooling, sharpness):
    query, context = (fragments(counts) for counts in SIZES[sizes])
    settings = (sharpness[0], pooling, sharpness[1])
    ours = with_gradients(ways, *query, *context, *settings)
    theirs = with_gradients(published, *query, *context, *settings)
    for found, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)


def test_in_single_precision_they_agree_to_one_in_a_hundred_thousand():
    (query, query_mask), (context, context_mask) = (
        fragments(counts, dim=64, dtype=torch.float32) for counts in SIZES["ragged"]
    )
    arguments = unit(query), query_mask, unit(context), context_mask, 9.0, "LSE", 6.0
    torch.testing.assert_close(scores_of_all_pairs(*arguments), published(*arguments), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("chunk", "columns", "budget"), [(1, 1, 0), (40, 7, 2**30), (2**19, 5, 0)])
def test_groups_chunks_and_memory_change_nothing(monkeypatch, chunk, columns, budget):
    (query, query_mask), (context, context_mask) = (fragments(counts) for counts in SIZES["ragged"])
    settings = query, query_mask, context, context_mask, 9.0, "LSE", 6.0
    wanted = with_gradients(scores_of_all_pairs, *settings)
    monkeypatch.setattr(chunks, "FEW", 1)
    monkeypatch.setattr(all_pairs, "PAIRS", chunk)
    monkeypatch.setattr(all_pairs, "COLUMNS", columns)
    for found, whole in zip(with_gradients(scores_of_all_pairs, *settings, budget), wanted, strict=True):
        torch.testing.assert_close(found, whole)


def test_the_hand_written_gradient_is_the_numerical_one():
    (query, query_mask), (context, context_mask) = fragments([2, 3], 3), fragments([3, 1, 2], 3)

    def scores(q, c):
        return scores_of_all_pairs(unit(q), query_mask, unit(c), context_mask, 4.0, "LSE", 5.0)

    assert torch.autograd.gradcheck(scores, (query, context))


def test_rubbish_in_padded_places_changes_nothing():
    (query, query_mask), (context, context_mask) = (fragments(counts) for counts in SIZES["ragged"])
    dirty = [
        torch.where(mask[..., None], x, 1e3) for x, mask in ((query, query_mask), (context, context_mask))
    ]
    for ways in (plainly, scores_of_all_pairs):
        torch.testing.assert_close(
            ways(dirty[0], query_mask, dirty[1], context_mask, 9.0, "AVG", 6.0),
            ways(query, query_mask, context, context_mask, 9.0, "AVG", 6.0),
        )


def test_weights_are_those_worked_out_by_hand():
    similarities = torch.tensor([[[[0.6, 0.0], [0.8, -1.0]]]])  # two queries, two regions
    ones = torch.ones(1, 2, dtype=torch.bool)
    weights = attention_weights(similarities, ones, ones, 1.0)
    logits = torch.tensor([[0.6, 0.0], [0.8, -1.0]])  # 0.1 * -1 over the length 0.1 of its column is -1 again
    torch.testing.assert_close(weights[0, 0], logits.softmax(dim=1))


def test_a_context_that_cancels_out_gives_no_score_and_finite_gradients():
    ones = torch.ones(1, 2, dtype=torch.bool)
    context = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], requires_grad=True)
    query = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]], requires_grad=True)
    for ways in (plainly, scores_of_all_pairs):
        scores = ways(query, ones, context, ones, 9.0, "AVG", 6.0)
        gradients = torch.autograd.grad(scores.sum(), (query, context))
        assert scores.item() == 0
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_zero_vectors_give_finite_scores_and_gradients():
    ones = torch.ones(1, 2, dtype=torch.bool)
    query, context = torch.zeros(1, 2, 3, requires_grad=True), torch.zeros(1, 2, 3, requires_grad=True)
    for ways in (plainly, scores_of_all_pairs):
        scores = ways(query, ones, context, ones, 9.0, "LSE", 6.0)
        assert all(g.isfinite().all() for g in torch.autograd.grad(scores.sum(), (query, context)))


def test_the_cosine_does_not_depend_on_the_scale_of_weights():
    query, context = unit(torch.randn(1, 3, 4)), unit(torch.randn(2, 5, 4))
    weights, similarities = torch.rand(2, 1, 3, 5), cross_similarities(query, context)
    gram = context @ context.mT
    torch.testing.assert_close(
        attended_cosines(7 * weights, similarities, gram), attended_cosines(weights, similarities, gram)
    )


def test_too_sharp_an_attention_is_refused():
    query, mask = fragments([2])
    with pytest.raises(ValueError, match="sharpness must be above 0 and at most 30"):
        scores_of_all_pairs(query, mask, query, mask, 31.0)


def test_under_autocast_scores_stay_single_precision_and_close():
    (query, query_mask), (context, context_mask) = (
        fragments(counts, dim=16, dtype=torch.float32) for counts in SIZES["ragged"]
    )
    settings = query, query_mask, context, context_mask, 9.0, "AVG", 6.0
    wanted = with_gradients(scores_of_all_pairs, *settings)
    with torch.autocast("cpu", torch.bfloat16):
        found = with_gradients(scores_of_all_pairs, *settings)
    for rough, exact in zip(found, wanted, strict=True):
        assert rough.dtype == torch.float32
        assert (rough - exact).norm() < 0.03 * exact.norm()


def test_the_parts_of_an_attended_cosine_are_each_fragments_share_of_the_attended_context():
    query, context = unit(torch.randn(1, 2, 6)), unit(torch.randn(1, 3, 6))
    weights = torch.rand(1, 1, 2, 3)
    similarities = cross_similarities(query, context)
    found = attended_parts(weights, similarities, context @ context.mT)
    for word, region in product(range(2), range(3)):
        length = (weights[0, 0, word] @ context[0]).norm()
        share = weights[0, 0, word, region] * context[0, region] @ query[0, word] / length
        torch.testing.assert_close(found[0, 0, word, region], share)
    cosines = attended_cosines(weights, similarities, context @ context.mT)
    torch.testing.assert_close(found.sum(dim=-1), cosines)
