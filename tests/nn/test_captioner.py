import pytest
import torch
from torch import nn

from itr_explore.nn.captioner import Captioner

VOCABULARY, DIM, REGIONS, STEPS = 20, 6, 5, 59
LENGTHS = (7, 4, 2, 9)
IMAGE_OF = torch.tensor([1, 0, 1, 2])


@pytest.fixture
def captioner():
    return Captioner(VOCABULARY, DIM, size=8, word_dim=4).double().eval()


@pytest.fixture
def regions():
    return torch.randn(3, REGIONS, DIM, dtype=torch.float64, requires_grad=True)


@pytest.fixture
def told():
    """Captions with <start> (1) and <end> (2), and their mask."""
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    words = torch.randint(4, VOCABULARY, mask.shape)
    words[:, 0] = 1
    words[torch.arange(len(words)), torch.tensor(LENGTHS) - 1] = 2
    return words * mask, mask


def everything(regions):
    return torch.ones(regions.shape[:2], dtype=torch.bool)


def published(captioner, regions, words, lengths, padding_target):
    """Always 59 steps, all of W put to all regions and a softmax over the vocabulary in each."""
    seen, state = captioner.reader(captioner.regions(regions))
    state, hidden = state[0], seen.shape[1]
    labels = nn.functional.pad(words, (0, STEPS + 1 - words.shape[1]))
    mask = torch.arange(STEPS + 1) < torch.tensor(lengths)[:, None] + padding_target
    total = regions.new_zeros(())
    for i in range(STEPS):
        both = torch.cat([seen, state.unsqueeze(1).repeat(1, hidden, 1)], dim=2)
        weights = captioner.fit(captioner.look(both).tanh()).squeeze(2).softmax(dim=1)
        context = torch.bmm(weights.unsqueeze(1), seen).squeeze(1)
        state = captioner.writer(torch.cat([captioner.vectors(labels[:, i]), context], dim=1), state)
        spoken = captioner.words(state).log_softmax(dim=1)
        total = total - (spoken.gather(1, labels[:, i + 1 : i + 2]).squeeze(1) * mask[:, i + 1]).sum()
    return total / len(words)


@pytest.mark.parametrize("padding_target", [False, True])
def test_loss_and_gradients_are_those_of_the_published_59_steps(captioner, regions, told, padding_target):
    words, mask = told
    ours = captioner.loss(regions, everything(regions), words, mask, IMAGE_OF, padding_target)
    theirs = published(captioner, regions[IMAGE_OF], words, LENGTHS, padding_target)
    torch.testing.assert_close(ours, theirs)
    inputs = [regions, *captioner.parameters()]
    for a, b in zip(*(torch.autograd.grad(loss, inputs) for loss in (ours, theirs)), strict=True):
        torch.testing.assert_close(a, b)


def test_an_untold_choice_among_equally_likely_words_costs_log_vocabulary(captioner, regions, told):
    nn.init.zeros_(captioner.words.weight), nn.init.zeros_(captioner.words.bias)
    words, mask = told
    loss = captioner.loss(regions, everything(regions), words, mask, IMAGE_OF)
    wanted = (sum(LENGTHS) - len(LENGTHS)) / len(LENGTHS) * torch.tensor(float(VOCABULARY)).log()
    torch.testing.assert_close(loss.detach(), wanted.double())


def test_captions_of_no_image_are_left_out(captioner, regions, told):
    words, mask = told
    foiled = torch.tensor([1, -1, 1, -1])
    torch.testing.assert_close(
        captioner.loss(regions, everything(regions), words, mask, foiled),
        captioner.loss(regions, everything(regions), words[::2], mask[::2], foiled[::2]),
    )


@pytest.mark.parametrize("padding_target", [False, True])
def test_padding_of_words_and_regions_changes_nothing(captioner, regions, told, padding_target):
    words, mask = told
    wanted = captioner.loss(regions, everything(regions), words, mask, IMAGE_OF, padding_target)
    wider = torch.cat([regions, torch.full((3, 2, DIM), 9.0, dtype=torch.float64)], dim=1)
    real = nn.functional.pad(everything(regions), (0, 2))
    longer, longer_mask = (
        nn.functional.pad(words.masked_fill(~mask, 7), (0, 3), value=7),
        nn.functional.pad(mask, (0, 3)),
    )
    torch.testing.assert_close(
        captioner.loss(wider, real, longer, longer_mask, IMAGE_OF, padding_target), wanted
    )


def test_looks_sum_to_one_over_real_regions_and_know_only_the_words_before(captioner, regions, told):
    words, _ = told
    mask = torch.arange(REGIONS) < torch.tensor([5, 1, 3])[:, None]
    states, looks = captioner(regions, mask, words, IMAGE_OF)
    torch.testing.assert_close(looks.sum(dim=2), torch.ones_like(looks[..., 0]))
    assert not looks.masked_select(~mask[IMAGE_OF].unsqueeze(1)).any()
    changed = words.clone()
    changed[:, 3] = 5
    states_after, looks_after = captioner(regions, mask, changed, IMAGE_OF)
    torch.testing.assert_close(looks_after[:, :4], looks[:, :4])
    torch.testing.assert_close(states_after[:, :3], states[:, :3])
    assert not torch.allclose(states_after[:, 3], states[:, 3])


def test_without_anything_to_write_the_loss_is_zero_and_so_are_its_gradients(captioner, regions):
    loss = captioner.loss(
        regions,
        everything(regions),
        torch.tensor([[1]]),
        torch.tensor([[True]]),
        torch.tensor([0]),
    )
    loss.backward()
    assert loss.item() == 0
    assert not any(parameter.grad.any() for parameter in captioner.parameters())
