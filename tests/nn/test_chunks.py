import pytest
import torch

from itr_explore.nn import chunks
from itr_explore.nn.chunks import Block, Plan, Side, groups_of_like_length, score_in_blocks, strips


def mask_of(lengths):
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def test_items_of_one_length_are_one_group_in_their_order():
    assert groups_of_like_length(mask_of([3, 3, 3])) == ([Block(3, 3)], None)


def test_items_of_like_length_are_grouped_without_padding(monkeypatch):
    monkeypatch.setattr(chunks, "FEW", 1)
    groups, order = groups_of_like_length(mask_of([9, 2, 9, 2, 2]))
    assert groups == [Block(3, 2), Block(2, 9)]
    assert order.tolist() == [1, 3, 4, 0, 2]


def test_few_fragments_are_padded_rather_than_a_group_of_their_own():
    groups, _ = groups_of_like_length(mask_of([9, 2, 9, 2, 2]))
    assert groups == [Block(5, 9)]


@pytest.mark.parametrize(("most", "items"), [(100, [5]), (8, [2, 2, 1]), (1, [1, 1, 1, 1, 1])])
def test_a_block_is_cut_into_items_that_fit(most, items):
    assert [block.items for block in Block(5, 4).cut(most)] == items


def test_strips_hold_every_column_once():
    blocks = [Block(2, 3), Block(1, 4), Block(3, 5)]
    assert strips(blocks, 10) == [(slice(0, 10), blocks[:2]), (slice(10, 25), blocks[2:])]


def test_a_plan_goes_over_every_context_item_once():
    plan = Plan(strips([Block(2, 5)], 10), chunk=70, sharpness=9.0, fast_dtype=None, keep=True)
    assert list(plan.items(torch.zeros(5, 3, 4))) == [slice(0, 2), slice(2, 4), slice(4, 5)]


@pytest.mark.parametrize("columns", [1, 8, 2**11])
def test_scores_of_blocks_are_put_back_in_the_order_of_the_items(monkeypatch, columns):
    monkeypatch.setattr(chunks, "FEW", 1)
    monkeypatch.setattr(chunks, "COLUMNS", columns)
    left, right = (Side((torch.rand(len(n), max(n), 2),), mask_of(n)) for n in ([3, 1, 2], [5, 2, 4, 1]))

    def score(one, other):
        sums = [(side.tensors[0] * side.mask[..., None]).sum(dim=(1, 2)) for side in (one, other)]
        return sums[0][:, None] - sums[1]

    torch.testing.assert_close(score_in_blocks(score, left, right, 8, 160), score(left, right))
