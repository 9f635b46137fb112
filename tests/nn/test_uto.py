import pytest
import torch

from itr_explore.nn.uto import reward, soft_threshold, uto_loss


def published(scores, mu, gamma):
    """HAL's and USER's loss of a square batch, one caption an image: exponentials as they are."""
    off = scores - torch.diag(scores.diagonal())
    raised = torch.exp(mu * (off - gamma))
    soft = (torch.log(1 + raised.sum(0)) + torch.log(1 + raised.sum(1))) / mu
    return (soft - torch.log(1 + scores.diagonal().relu())).mean()


def test_on_a_square_batch_it_is_the_published_loss():
    scores = torch.rand(6, 6, dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(uto_loss(scores, torch.arange(6)), published(scores, 90, 0.5))


def test_other_captions_of_the_image_are_no_negatives_and_a_foil_is_one_of_its_pair_alone():
    image_of = torch.tensor([0, 1, 0, ~1, 2])
    scores = torch.rand(3, 5, dtype=torch.float64)
    total = 0.0
    for caption in (0, 1, 2, 4):
        image = int(image_of[caption])
        captions = [scores[image, c] for c in (0, 1, 2, 4) if image_of[c] != image]
        if caption == 1:
            captions.append(scores[image, 3])
        images = [scores[i, caption] for i in range(3) if i != image]
        for negatives in (captions, images):
            total += (1 + torch.stack(negatives).sub(0.3).mul(20).exp().sum()).log() / 20
        total -= (1 + scores[image, caption]).log()
    torch.testing.assert_close(uto_loss(scores, image_of, 20.0, 0.3), total / 4)


def test_soft_threshold_is_the_excess_of_the_largest_negative_or_nothing():
    scores = torch.tensor([[0.9, 0.6, 1.0], [0.2, 0.1, 0.3]])
    negative = torch.tensor([[True, True, False], [True, True, True]])
    torch.testing.assert_close(soft_threshold(scores, negative), torch.tensor([0.4, 0.0]), atol=1e-4, rtol=0)


def test_without_a_negative_there_is_no_push_and_no_bad_gradient():
    scores = torch.randn(1, 2, requires_grad=True)
    loss = uto_loss(scores, torch.zeros(2, dtype=torch.long))
    loss.backward()
    torch.testing.assert_close(loss, -reward(scores[0]).mean())
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("sharpness", [90.0, 1000.0])
def test_large_exponents_do_not_overflow(sharpness):
    scores = torch.ones(2, 2, requires_grad=True)
    loss = uto_loss(scores, torch.arange(2), sharpness)
    loss.backward()
    assert loss.item() == pytest.approx(1 - torch.tensor(2.0).log().item(), abs=0.02)
    assert scores.grad.isfinite().all()


def test_a_positive_below_zero_has_no_reward():
    assert reward(torch.tensor([-0.5, 0.0])).tolist() == [0, 0]


def test_gradients_are_those_of_differences():
    scores = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: uto_loss(s, torch.tensor([0, 2, ~0, 1]), 10.0, 0.4), scores)
