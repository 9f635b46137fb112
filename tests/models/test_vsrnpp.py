import pytest
import torch
from torch import nn

from itr_explore.models.registry import from_pretrained, model_class
from itr_explore.nn.reasoning import normalised
from itr_explore.nn.tap import capture
from itr_explore.training.recipes import load_recipe


def trained(model):
    """As after some training: no weight at a special value."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def test_the_norm_axis_is_the_channels_or_vsrns_regions():
    nodes = torch.randn(2, 5, 4)
    torch.testing.assert_close(normalised(nodes, "channels").norm(dim=2), torch.full((2, 5), 2.0))
    torch.testing.assert_close(normalised(nodes, "regions").norm(dim=1), torch.ones(2, 4))


def test_norm_over_regions_and_channels_differ_in_the_images_vectors(make_model, batch):
    over_channels = make_model("vsrnpp")
    over_regions = make_model("vsrnpp", norm_axis="regions")
    over_regions.load_state_dict(over_channels.state_dict())
    both = [model.encode_images(batch).vectors for model in (over_channels, over_regions)]
    assert not torch.allclose(*both, atol=1e-3)


def test_vsrns_image_side_is_its_published_steps_one_by_one(make_model, make_batch):
    model = trained(
        make_model("vsrnpp", "paper", layers=4, affinity_divisor=5, dim=16, norm_after_linear=True)
    )
    batch = make_batch(regions=(5, 5), words=(3, 3))
    x = nn.functional.normalize(model.regions.appearance(batch.regions), dim=1)
    for layer in model.image_side.layers:
        relation = layer.query(x) @ layer.key(x).transpose(1, 2) / 5
        update = layer.out(relation @ layer.value(x)).transpose(1, 2)  # [image channel region], as published
        statistics = layer.norm.running_mean, layer.norm.running_var
        update = nn.functional.batch_norm(update, *statistics, layer.norm.weight, layer.norm.bias)
        x = update.transpose(1, 2) + x
    _, memory = model.image_side.memory(nn.functional.normalize(x, dim=1))
    final = model.image_side.final_norm
    memory = nn.functional.batch_norm(
        memory[0], final.running_mean, final.running_var, final.weight, final.bias
    )
    torch.testing.assert_close(model.encode_images(batch).vectors, nn.functional.normalize(memory, dim=1))


def test_vsrns_text_side_is_the_last_state_of_one_gru(make_model, batch):
    model = trained(make_model("vsrnpp", "paper", text="plain", dim=16, affinity_divisor=5))
    steps, (gru, found) = model.words.vectors(batch.words), (model.words.reader, model.encode_captions(batch))
    assert not gru.bidirectional
    for caption, words in enumerate(batch.word_mask.sum(dim=1).tolist()):
        _, last = gru(steps[caption : caption + 1, :words])
        torch.testing.assert_close(found.vectors[caption], nn.functional.normalize(last[0, 0], dim=0))


def test_the_recipes_have_the_quirks_that_vsrn_has_on_each_collection():
    paper, coco = model_class("vsrnpp").presets["paper"], load_recipe("vsrnpp-coco").model
    for settings, quirks in ((paper, (True, False)), ({**paper, **coco}, (False, True))):
        assert (settings["final_norm"], settings.get("norm_after_linear", False)) == quirks
        assert (settings["norm_axis"], settings["affinity_divisor"]) == ("regions", 36)
    assert not {"final_norm", "norm_after_linear"} & set(load_recipe("vsrnpp-f30k").model)


@pytest.mark.parametrize("order", ["given", "reversed", "degree", "random"])
@pytest.mark.parametrize("final_norm", [True, False])
def test_the_regions_shares_and_the_rest_add_up_to_the_score(make_model, batch, final_norm, order):
    model = trained(make_model("vsrnpp", final_norm=final_norm, region_order=order))
    captions = model.encode_captions(batch).vectors
    parts, rest = model.image_parts(batch)
    shares = torch.einsum("ird,cd->icr", parts, captions)
    torch.testing.assert_close(shares.sum(dim=2) + rest @ captions.T, model(batch))
    assert not parts[~batch.region_mask].any()
    assert bool(rest.any()) == final_norm


@pytest.mark.parametrize("text", ["reasoning", "plain"])
def test_the_words_shares_add_up_to_the_score(make_model, batch, text):
    model = trained(make_model("vsrnpp", text=text))
    images = model.encode_images(batch).vectors
    parts, rest = model.caption_parts(batch)
    torch.testing.assert_close((parts.sum(dim=1) + rest) @ images.T, model(batch).T)
    assert not parts[~batch.word_mask].any()


def test_what_the_words_left_in_an_lstm_cannot_be_told(make_model, batch):
    with pytest.raises(ValueError, match='reader="gru"'):
        make_model("vsrnpp", text="plain", reader="lstm").caption_parts(batch)


def test_parts_are_refused_in_training(make_model, batch):
    with pytest.raises(ValueError, match=r"call model\.eval"):
        make_model("vsrnpp").train().image_parts(batch)


def test_the_memory_reads_the_most_related_region_last(make_model, batch):
    model = trained(make_model("vsrnpp", layers=1, region_order="degree", final_norm=False))
    side = model.image_side
    nodes, mask = model.regions(batch.regions, batch.region_mask, batch.boxes)
    for image in range(len(nodes)):
        v = nodes[image, mask[image]]
        layer = side.layers[0]
        edges = (layer.query(v) @ layer.key(v).T / len(v)).abs().fill_diagonal_(0)
        order = (edges.sum(dim=0) + edges.sum(dim=1)).argsort()
        enhanced = side(nodes, mask)[1][image, mask[image]]
        _, memory = side.memory(enhanced[order].unsqueeze(0))
        wanted = nn.functional.normalize(memory[0, 0], dim=0)
        torch.testing.assert_close(model.encode_images(batch).vectors[image], wanted)


def test_a_random_order_is_drawn_anew_in_training_and_kept_otherwise(make_model, batch):
    model = make_model("vsrnpp", region_order="random", final_norm=False)
    assert torch.equal(*(model.encode_images(batch).vectors for _ in range(2)))
    model.train()
    assert not torch.equal(*(model.encode_images(batch).vectors for _ in range(2)))


def test_the_order_of_degree_needs_a_layer(make_model):
    with pytest.raises(ValueError, match="layers=0"):
        make_model("vsrnpp", region_order="degree", layers=0)


@pytest.fixture
def writer(make_model):
    return make_model("vsrnpp", generation_weight=2.0, decoder_dim=8, decoder_word_dim=6)


def test_the_generation_loss_is_the_captioners_on_relation_enhanced_regions(writer, batch):
    losses = writer.training_loss(batch)
    parts = writer.encode_images(batch).parts
    told = batch.words, batch.word_mask, batch.image_of
    torch.testing.assert_close(
        losses["generation"], 2 * writer.captioner.loss(parts, batch.region_mask, *told)
    )
    assert losses.keys() == {"matching", "generation"}


def test_a_model_without_its_captioner_scores_the_same_and_saves_less(writer, batch, tmp_path):
    slim = writer.without_captioner()
    assert torch.equal(slim(batch), writer(batch))
    assert not [key for key in slim.state_dict() if key.startswith("captioner")]
    loaded = from_pretrained(slim.save_pretrained(tmp_path))
    assert loaded.config == slim.config
    assert torch.equal(loaded(batch), writer(batch))
    assert writer.captioner is not None


def test_the_captioners_looks_of_a_pair_do_not_depend_on_the_others(writer, batch):
    with capture(writer) as seen:
        writer(batch)
    looks = seen["decoder"].value
    assert looks.shape == (4, 6, 7, 5)
    _, alone = writer.captioner(
        writer.encode_images(batch).parts[2:3], batch.region_mask[2:3], batch.words[3:4], torch.tensor([0])
    )
    torch.testing.assert_close(looks[2, 3, 1:], alone[0, :-1])


def test_relations_and_memory_of_both_sides_can_be_seen(make_model, batch):
    model = make_model("vsrnpp", layers=2, text_layers=1)
    with capture(model) as seen:
        model(batch)
    shapes = {name: tuple(found.value.shape) for name, found in seen.items()}
    assert shapes == {
        "image_side.layers.0.affinity": (4, 5, 5),
        "image_side.layers.0.strength": (4, 5),
        "image_side.layers.1.affinity": (4, 5, 5),
        "image_side.layers.1.strength": (4, 5),
        "image_side.trace": (4, 5),
        "caption_side.layers.0.affinity": (6, 7, 7),
        "caption_side.layers.0.strength": (6, 7),
        "caption_side.trace": (6, 7),
    }
