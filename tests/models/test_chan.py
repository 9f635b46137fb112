import torch

from itr_explore.nn.tap import capture


def test_a_score_is_pooled_from_the_cosines_that_its_one_hot_map_chose(make_model, batch):
    model = make_model("chan")
    with capture(model) as seen:
        scores = model(batch)
    one_hot, cosines = seen["word_to_region"].value, seen["cosines"].value
    assert torch.equal(one_hot.sum(dim=-1), torch.ones(4, 6, 7))
    best = (one_hot * cosines).sum(dim=-1)
    torch.testing.assert_close(seen["per_word"].value, best)
    real = batch.word_mask
    torch.testing.assert_close(scores, (best * real).sum(dim=-1) / real.sum(dim=-1))


def test_the_published_log_sum_exp_is_not_multiplied_by_its_temperature(make_model, batch):
    ours = make_model("chan", pooling="LSE", scaled_back=True)
    published = make_model("chan", pooling="LSE", scaled_back=False)
    published.load_state_dict(ours.state_dict())
    torch.testing.assert_close(published(batch), 10 * ours(batch))
    with capture(published) as seen:
        published(batch)
    best = seen["per_word"].value[0, 0, :4]  # the first caption has four words
    torch.testing.assert_close(published(batch)[0, 0], (best / 0.1).logsumexp(dim=0))


def test_the_paper_s_preset_is_the_published_set_up(make_model):
    config = make_model("chan", "paper").config
    assert (config.pooling, config.pool_temperature, config.scaled_back) == ("LSE", 0.1, False)
    assert (config.margin, config.region_attention) == (0.05, True)


def test_gradients_reach_only_the_regions_that_words_chose(make_model, batch):
    model = make_model("chan")
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    with capture(model) as seen:
        model.score(images, captions)
    images.parts.retain_grad()
    model.score(images, captions).sum().backward()
    chosen = seen["word_to_region"].value * captions.mask[None, :, :, None]
    assert torch.equal(images.parts.grad.any(dim=-1), chosen.any(dim=1).any(dim=1))


def test_regions_that_look_at_each_other_can_be_seen(make_model, batch):
    model = make_model("chan", region_attention=True)
    with capture(model) as seen:
        model(batch)
    assert seen["relations.weights"].value.shape == (4, 5, 5)
