import math

import pytest
import torch
from torch import nn

from itr_explore.nn.gpo import GPO, place_codes
from itr_explore.nn.tap import capture

MASK = torch.arange(5) < torch.tensor([5, 2, 1, 2])[:, None]


@pytest.fixture
def pool():
    pool = GPO("per_region").double()
    nn.init.normal_(pool.score.weight, std=0.3)  # so that places differ
    return pool


@pytest.fixture
def parts():
    return torch.where(MASK[..., None], torch.randn(4, 5, 6, dtype=torch.float64), 100.0)


def test_it_is_the_published_steps_item_by_item(pool, parts):
    for item, length in enumerate([5, 2, 1, 2]):
        states, _ = pool.reader(place_codes(length, 32).double()[None])
        both = (states[0, :, :32] + states[0, :, 32:]) / 2
        weights = torch.softmax(pool.score(both).squeeze(-1) / 0.1, dim=0)
        by_size = parts[item, :length].sort(dim=0, descending=True).values
        wanted = sum(weights[place] * by_size[place] for place in range(length))
        torch.testing.assert_close(pool(parts, MASK)[item], wanted)


def test_an_item_s_vector_does_not_depend_on_its_batch_mates(pool, parts):
    together = pool(parts, MASK)
    for item, length in enumerate([5, 2, 1, 2]):
        alone = pool(parts[item : item + 1, :length], MASK[item : item + 1, :length])
        torch.testing.assert_close(together[item : item + 1], alone)


def test_one_run_for_each_number_of_parts_and_not_for_each_item(pool, parts):
    ran = []
    pool.reader.register_forward_hook(lambda _, inputs, __: ran.append(inputs[0].batch_sizes[0].item()))
    pool(parts, MASK)
    assert ran == [3]


def test_without_gradients_a_number_of_parts_is_worked_out_once_until_a_parameter_changes(pool, parts):
    ran = []
    pool.reader.register_forward_hook(lambda *_: ran.append(1))
    wanted = pool(parts, MASK).detach()
    with torch.no_grad():
        pool.eval()
        for mask in (MASK, MASK[1:], MASK[1:, :2]):
            pool(parts[-len(mask) :, : mask.shape[1]], mask)
        assert len(ran) == 2
        torch.testing.assert_close(pool(parts, MASK), wanted)
        pool.score.weight.mul_(2)
        changed = pool(parts, MASK)
    assert len(ran) == 3
    torch.testing.assert_close(changed, pool(parts, MASK))


def test_weights_that_a_fused_optimiser_changed_are_worked_out_anew(pool, parts):
    fused = torch.optim.AdamW(pool.parameters(), lr=0.1, fused=True)
    with torch.no_grad():
        before = pool.eval()(parts, MASK)
    pool.train()(parts, MASK).sum().backward()
    fused.step()
    with torch.no_grad():
        after = pool.eval()(parts, MASK)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, pool(parts, MASK))


def test_weights_are_equal_at_first_and_add_up_to_one_over_the_real_places(pool):
    nn.init.zeros_(pool.score.weight)
    torch.testing.assert_close(pool.weights(MASK), MASK / MASK.sum(dim=1, keepdim=True).double())


def test_contributions_say_which_part_stands_where():
    pool, parts = GPO("per_word"), torch.tensor([[[1.0, 9.0], [3.0, 4.0]]])
    mask = torch.ones(1, 2, dtype=torch.bool)
    first, second = pool.weights(mask)[0].tolist()
    found = pool.contributions(parts, mask)
    torch.testing.assert_close(found, torch.tensor([[[second * 1, first * 9], [first * 3, second * 4]]]))


def test_contributions_add_up_to_the_vector_and_padding_gives_none(pool, parts):
    given = pool.contributions(parts, MASK)
    torch.testing.assert_close(given.sum(dim=1), pool(parts, MASK))
    assert not given[~MASK].any()


def test_the_importance_of_parts_adds_up_to_the_inner_product(pool, parts):
    other = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(
        (pool.contributions(parts, MASK) @ other).sum(dim=1), pool(parts, MASK) @ other
    )


def test_shares_are_seen_and_add_up_to_one(pool, parts):
    with capture(pool) as seen:
        pool(parts, MASK)
    torch.testing.assert_close(seen["share"].value.sum(dim=1), torch.ones(4).double())
    assert not seen["share"].value[~MASK].any()


def test_place_codes_begin_with_sine_and_cosine_of_the_place():
    wanted = [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)]
    assert place_codes(3, 4)[2].tolist() == pytest.approx(wanted)


def test_gradients_flow_to_parts_and_weights(pool, parts):
    parts.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pool(x, MASK), parts)
