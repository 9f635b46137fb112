from itertools import product

import pytest
import torch

from itr_explore.nn import chunks
from itr_explore.nn.assignment import assignment, best_similarities, scores_by_best_match
from itr_explore.nn.pooling import unit

REGIONS, WORDS = [5, 1, 7, 3, 7], [2, 6, 4, 1, 4, 9]


def fragments(counts, dim=6):
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    return torch.randn(*mask.shape, dim, dtype=torch.float64, requires_grad=True), mask


def published(query, query_mask, context, context_mask, pooling, sharpness):
    """One pair at a time, padding cut off (Pan et al. 2023)."""
    scores = torch.empty(len(context), len(query), dtype=query.dtype)
    for c, q in product(range(len(context)), range(len(query))):
        best = (query[q][query_mask[q]] @ context[c][context_mask[c]].T).max(dim=1).values
        soft = (best * sharpness).logsumexp(dim=0) / sharpness
        scores[c, q] = best.mean() if pooling == "AVG" else soft
    return scores


def with_gradients(scores_of, query, query_mask, context, context_mask, *settings):
    scores = scores_of(unit(query), query_mask, unit(context), context_mask, *settings)
    slope = torch.linspace(-1, 2, scores.numel(), dtype=scores.dtype).view_as(scores)
    return scores, *torch.autograd.grad((scores * slope).sum(), (query, context))


@pytest.mark.parametrize(("few", "pairs", "columns"), [(256, 2**20, 2**11), (1, 40, 7), (1, 1, 1)])
@pytest.mark.parametrize("pooling", ["AVG", "LSE"])
def test_scores_and_gradients_are_those_of_the_loop_over_pairs(monkeypatch, pooling, few, pairs, columns):
    monkeypatch.setattr(chunks, "FEW", few)
    monkeypatch.setattr(chunks, "PAIRS", pairs)
    monkeypatch.setattr(chunks, "COLUMNS", columns)
    sides = *fragments(WORDS), *fragments(REGIONS)
    ours = with_gradients(scores_by_best_match, *sides, pooling, 10.0)
    theirs = with_gradients(published, *sides, pooling, 10.0)
    for found, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, wanted)


def test_the_best_similarities_are_those_worked_out_by_hand():
    words, regions = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]), torch.tensor([[[0.6, 0.8], [-1.0, 0.0]]])
    real = torch.tensor([[True, True]])
    assert best_similarities(words, regions, real)[0, 0].tolist() == pytest.approx([0.6, 0.8])
    assert best_similarities(-words, regions, real)[0, 0].tolist() == pytest.approx([1.0, 0.0])


def test_each_query_is_given_to_the_real_fragment_most_like_it():
    similarities = torch.tensor([[[[0.1, 0.7, 0.9], [0.3, 0.3, 0.4]]]])
    mask = torch.tensor([[True, True, False]])
    assert assignment(similarities, mask).tolist() == [[[[0, 1, 0], [1, 0, 0]]]]
