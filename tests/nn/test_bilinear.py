"""Bilinear attention against loops over pairs, and its fits against the sights that they never form."""

import math
from itertools import product

import pytest
import torch
from torch import nn

from itr_explore.nn.bilinear import BilinearAttention, LocalMatch, attended, fits, read_beside
from itr_explore.nn.pooling import unit

REGIONS, WORDS = [5, 1, 7, 3], [2, 6, 4, 1, 9]


def fragments(counts, dim=6):
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    return torch.randn(*mask.shape, dim, dtype=torch.float64, requires_grad=True), mask


@pytest.fixture
def attention():
    """As after some training: P and Q differ and P has a bias."""
    attention = BilinearAttention(6, 4).double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.normal_()
    return attention


def plainly(attention, query, query_mask, context, context_mask):
    """One pair at a time, padding cut off, what was seen formed."""
    found = torch.zeros(len(context), *query_mask.shape, dtype=query.dtype)
    for c, q in product(range(len(context)), range(len(query))):
        looking, seen = query[q][query_mask[q]], context[c][context_mask[c]]
        keys, values = attention.query_key(looking), attention.context_key(seen)
        sight = (keys @ values.T).softmax(dim=1) @ seen
        fit = nn.functional.cosine_similarity(keys, attention.context_key(sight), dim=1)
        found[c, q, : len(looking)] = fit
    return found


def test_fits_and_their_gradients_are_those_of_the_loop_over_pairs(attention):
    (words, word_mask), (regions, region_mask) = fragments(WORDS), fragments(REGIONS)
    quickly = fits(attention.query_key(words), attention.context_key(regions), region_mask) * word_mask
    slowly = plainly(attention, words, word_mask, regions, region_mask)
    torch.testing.assert_close(quickly, slowly)
    slope = torch.linspace(-1, 2, slowly.numel(), dtype=slowly.dtype).view_as(slowly)
    of = (words, regions, *attention.parameters())
    for found, wanted in zip(
        torch.autograd.grad((quickly * slope).sum(), of),
        torch.autograd.grad((slowly * slope).sum(), of),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)


def test_fit_of_what_was_seen_is_the_same_as_fits(attention):
    (words, _), (regions, mask) = fragments(WORDS), fragments(REGIONS)
    context = regions.unsqueeze(1)
    sight = attended(attention(words, context, mask.unsqueeze(1)), context)
    quickly = fits(attention.query_key(words), attention.context_key(regions), mask)
    torch.testing.assert_close(attention.fit(words, sight), quickly)


def test_weights_are_those_worked_out_by_hand():
    attention = BilinearAttention(2, 1)
    with torch.no_grad():
        attention.query_key.weight.copy_(torch.tensor([[1.0, 0.0]]))
        attention.query_key.bias.fill_(1.0)
        attention.context_key.weight.copy_(torch.tensor([[0.0, math.log(3.0)]]))
    context, mask = torch.tensor([[0.0, 1.0], [5.0, 0.0], [9.0, 9.0]]), torch.tensor([True, True, False])
    weights = attention(torch.tensor([[0.0, 7.0], [1.0, 7.0]]), context, mask)
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25, 0.0], [0.9, 0.1, 0.0]]))


def test_before_training_queries_look_at_what_they_are_like():
    parts = nn.functional.rms_norm(torch.randn(5, 32), (32,))
    weights = BilinearAttention(32, 32)(parts, parts, torch.ones(5, dtype=torch.bool))
    assert torch.equal(weights.argmax(dim=1), torch.arange(5))


def test_a_sight_that_cancels_out_fits_nothing_with_a_finite_gradient():
    context = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], requires_grad=True)
    query = torch.tensor([[[0.0, 1.0]]], requires_grad=True)
    found = fits(query, context, torch.ones(1, 2, dtype=torch.bool))
    assert found.item() == 0
    assert all(g.isfinite().all() for g in torch.autograd.grad(found.sum(), (query, context)))


def test_a_local_match_is_its_formula():
    match, query, sight = LocalMatch(3), torch.randn(4, 3), torch.randn(4, 3)
    parts = torch.cat([query, sight, query * match.value(sight)], dim=1)
    whole = torch.cat([layer.weight for layer in (match.from_query, match.from_sight, match.from_product)], 1)
    torch.testing.assert_close(match(query, sight), (parts @ whole.T + match.from_query.bias).tanh())


@pytest.fixture
def reading():
    """An LSTM, what gives it its sights, words and regions."""
    (words, _), (regions, mask) = fragments(WORDS, dim=5), fragments(REGIONS, dim=6)
    reader = nn.LSTM(5, 6, batch_first=True).double()
    return reader, nn.Linear(6, 24, bias=False).double(), words, regions, mask


def test_reading_beside_images_is_a_cell_run_for_each_pair(attention, reading):
    reader, from_sight, words, regions, mask = reading
    found = read_beside(reader, from_sight, attention, words, regions, mask)
    cell = nn.LSTMCell(5 + 6, 6).double()
    cell.weight_ih = nn.Parameter(torch.cat([reader.weight_ih_l0, from_sight.weight], dim=1))
    cell.weight_hh, cell.bias_ih, cell.bias_hh = reader.weight_hh_l0, reader.bias_ih_l0, reader.bias_hh_l0
    for image, caption in ((0, 1), (2, 4), (3, 0)):
        seen = regions[image][mask[image]]
        state, memory, sight = (torch.zeros(6, dtype=torch.float64) for _ in range(3))
        for word in range(WORDS[caption]):
            state, memory = cell(torch.cat([words[caption, word], sight]), (state, memory))
            look = unit(state) * 6**0.5
            torch.testing.assert_close(found[image, caption, word], look)
            sight = (attention.query_key(look) @ attention.context_key(seen).T).softmax(dim=0) @ seen


def test_an_lstm_that_is_not_given_its_sights_reads_as_if_alone(attention, reading):
    reader, from_sight, words, regions, mask = reading
    nn.init.zeros_(from_sight.weight)
    found = read_beside(reader, from_sight, attention, words, regions, mask)
    alone = nn.functional.rms_norm(reader(words)[0], (6,))
    torch.testing.assert_close(found, alone.expand(len(regions), *alone.shape))


def test_the_parts_of_a_fit_add_up_to_it(attention):
    query, context = torch.randn(3, 4, 6).double(), torch.randn(3, 5, 6).double()
    weights = torch.rand(3, 4, 5).double()
    parts = attention.fit_parts(query, context, weights)
    sight = attended(weights, context)
    torch.testing.assert_close(parts.sum(dim=-1), attention.fit(query, sight))
    key = unit(attention.query_key(query[0, 1]))
    share = (
        weights[0, 1, 2] * attention.context_key(context[0, 2]) / attention.context_key(sight[0, 1]).norm()
    )
    torch.testing.assert_close(parts[0, 1, 2], share @ key)
