import pytest
import torch

from itr_explore.nn.losses import (
    UNSCORED,
    collapse_value,
    hard_pairs,
    hardest_negative_loss,
    info_nce,
    same_image,
    sum_hinge_loss,
)

PAIRS = torch.tensor([0, 1])
SCORES = torch.tensor([[0.9, 0.8], [0.1, 0.5]])


def test_hardest_negative_loss_is_that_worked_out_by_hand():
    # image 0: 0.2 + 0.8 - 0.9 = 0.1; caption 1: 0.2 + 0.8 - 0.5 = 0.5; the other two are met
    assert hardest_negative_loss(SCORES, PAIRS, 0.2).item() == pytest.approx(0.6)


def test_sum_hinge_loss_is_that_worked_out_by_hand():
    scores = torch.tensor([[0.9, 0.8, 0.9], [0.1, 0.5, 0.4], [0.0, 0.0, 0.9]])
    image_to_text = 0.1 + 0.2 + 0.1  # (0, 1), (0, 2), (1, 2)
    text_to_image = 0.5 + 0.2  # captions 1 and 2, both with image 0
    assert sum_hinge_loss(scores, torch.arange(3), 0.2).item() == pytest.approx(image_to_text + text_to_image)


def published(scores, margin, hardest):
    """VSE++'s loss for one caption an image."""
    positive = scores.diagonal()
    to_text = (margin + scores - positive[:, None]).clamp(min=0).fill_diagonal_(0)
    to_image = (margin + scores - positive[None]).clamp(min=0).fill_diagonal_(0)
    if hardest:
        return to_text.amax(dim=1).sum() + to_image.amax(dim=0).sum()
    return to_text.sum() + to_image.sum()


@pytest.mark.parametrize(("loss", "hardest"), [(hardest_negative_loss, True), (sum_hinge_loss, False)])
def test_with_one_caption_an_image_it_is_the_published_loss(loss, hardest):
    scores = torch.randn(7, 7)
    torch.testing.assert_close(loss(scores, torch.arange(7), 0.3), published(scores, 0.3, hardest))


def slowly(scores, image_of, margin, hardest):
    """Pair by pair, negative by negative."""
    total = 0.0
    for caption, image in enumerate(image_of.tolist()):
        positive = scores[image, caption]
        captions = [margin + s - positive for c, s in enumerate(scores[image]) if image_of[c] != image]
        images = [margin + s - positive for i, s in enumerate(scores[:, caption]) if i != image]
        for found in (captions, images):
            hinges = [max(float(f), 0.0) for f in found]
            total += (max(hinges, default=0.0)) if hardest else sum(hinges)
    return total


@pytest.mark.parametrize(("loss", "hardest"), [(hardest_negative_loss, True), (sum_hinge_loss, False)])
def test_other_captions_of_the_same_image_are_never_negatives(loss, hardest):
    scores, image_of = torch.randn(4, 7), torch.tensor([0, 0, 2, 1, 2, 2, 0])  # image 3 has no caption
    assert loss(scores, image_of, 0.2).item() == pytest.approx(
        slowly(scores, image_of, 0.2, hardest), abs=1e-5
    )


@pytest.mark.parametrize("loss", [hardest_negative_loss, sum_hinge_loss, info_nce])
def test_a_single_image_has_no_loss_and_no_bad_gradient(loss):
    scores = torch.randn(1, 3, requires_grad=True)
    value = loss(scores, torch.zeros(3, dtype=torch.long))
    value.backward()
    assert value.item() == 0
    assert not scores.grad.any()


def test_equal_scores_cost_twice_the_margin_a_pair():
    assert collapse_value(5, torch.arange(5), 0.2) == pytest.approx(2 * 5 * 0.2)


def test_pairs_without_negatives_do_not_count_in_the_collapse_value():
    assert collapse_value(1, torch.zeros(4, dtype=torch.long), 0.2) == 0


def test_captions_know_their_image():
    assert same_image(2, torch.tensor([1, 0, 1])).tolist() == [[False, True, False], [True, False, True]]


def test_info_nce_with_one_caption_an_image_is_the_cross_entropy_of_both_ways():
    scores, right = torch.randn(6, 6), torch.arange(6)
    both = [torch.nn.functional.cross_entropy(s / 0.1, right) for s in (scores, scores.T)]
    torch.testing.assert_close(info_nce(scores, right, 0.1), sum(both) / 2)


def test_info_nce_takes_only_captions_of_other_images_for_negatives():
    scores, image_of = torch.randn(3, 6), torch.tensor([0, 0, 1, 2, 2, 2])
    total = 0.0
    for caption, image in enumerate(image_of.tolist()):
        right = scores[image, caption]
        captions = [s for c, s in enumerate(scores[image]) if image_of[c] != image]
        images = [s for i, s in enumerate(scores[:, caption]) if i != image]
        total += sum(-torch.stack([right, *found]).div(0.1).log_softmax(0)[0] for found in (captions, images))
    torch.testing.assert_close(info_nce(scores, image_of, 0.1), total / 12)


@pytest.mark.parametrize("loss", [hardest_negative_loss, sum_hinge_loss, info_nce])
def test_a_foil_is_pushed_from_the_image_of_its_caption_and_from_no_other(loss):
    scores = torch.tensor([[0.9, 0.1, 0.6], [0.2, 0.8, 0.7]], requires_grad=True)
    loss(scores, torch.tensor([0, 1, ~1]), 0.4).backward()
    assert scores.grad[1, 2] > 0
    assert scores.grad[0, 2] == 0


def test_a_foil_adds_its_own_hinge():
    scores = torch.tensor([[0.9, 0.1, 0.8, 0.75], [0.2, 0.8, 0.1, 0.9]])
    loss = hardest_negative_loss(scores, torch.tensor([0, 1, ~0, ~0]), 0.2)
    torch.testing.assert_close(loss, torch.tensor(0.1 + 0.05))


def test_a_foil_is_told_from_its_caption_in_info_nce():
    scores, image_of = torch.tensor([[0.9, 0.1, 0.8], [0.2, 0.8, 0.1]]), torch.tensor([0, 1, ~0])
    without = info_nce(scores[:, :2], image_of[:2], 1.0)
    told = -torch.tensor([0.9, 0.8]).softmax(dim=0)[0].log()
    torch.testing.assert_close(info_nce(scores, image_of, 1.0, foil_weight=3.0), without + 3 * told / 4)


def test_a_foil_weighs_what_it_is_told_to_weigh():
    scores, image_of = torch.tensor([[0.9, 0.1, 0.8], [0.2, 0.8, 0.1]]), torch.tensor([0, 1, ~0])
    for hinge in (hardest_negative_loss, sum_hinge_loss):
        once, thrice = (hinge(scores, image_of, 0.2, weight) for weight in (1.0, 3.0))
        torch.testing.assert_close(thrice - once, torch.tensor(0.2))


def test_hard_pairs_are_the_true_ones_the_foils_and_the_hardest_negatives():
    scores = torch.tensor([[0.9, 0.8, 0.1, 0.7], [0.2, 0.3, 0.6, 0.0], [0.4, 0.5, 0.0, 0.9]])
    image_of = torch.tensor([0, 0, 1, ~2])  # the last one is a foil of the third
    true, foil = {(0, 0), (0, 1), (1, 2)}, {(1, 3)}
    of_images, of_captions = {(0, 2), (1, 1), (2, 1)}, {(2, 0), (2, 1), (0, 2)}
    assert set(pairs(hard_pairs(scores, image_of, 1))) == true | foil | of_images | of_captions


@pytest.mark.parametrize("loss", [hardest_negative_loss, info_nce])
def test_a_loss_of_enough_hard_pairs_is_that_of_all(loss):
    scores, image_of = torch.randn(4, 8), torch.tensor([0, 0, 2, 1, 2, 2, ~3, ~0])
    chosen = hard_pairs(scores, image_of, 8 if loss is info_nce else 1, by_chance=1)
    few = torch.full_like(scores, UNSCORED).index_put(chosen, scores[chosen])
    torch.testing.assert_close(loss(few, image_of, 0.2), loss(scores, image_of, 0.2))


def test_a_loss_has_a_gradient_where_a_caption_was_scored_with_its_own_image_alone():
    scores = torch.randn(2, 3, requires_grad=True)
    few = torch.full((2, 3), UNSCORED).index_put(
        (torch.tensor([0, 1]), torch.tensor([0, 1])), scores.diagonal()
    )
    info_nce(few, torch.tensor([0, 1, ~1])).backward()
    assert scores.grad.isfinite().all()


def pairs(found):
    return list(zip(*(index.tolist() for index in found), strict=True))
