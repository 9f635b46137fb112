import itertools
from math import factorial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from itr_explore.data.text import build_tokenizer, split_words
from itr_explore.explanation import attribution
from itr_explore.explanation.attribution import METHODS, attribute, blurred_regions
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import create_model, list_models
from itr_explore.nn.encoders import WordEncoder
from itr_explore.records import Encoded, Pair

CAPTIONS = ("a red dog on grass", "two cats", "a dog near two red boats on water")
FEATURE = 5


def make_pair(caption="a red dog", regions=4, seed=0, boxes=False):
    rng = np.random.default_rng(seed)
    words, offsets = split_words(caption)
    corners = np.sort(rng.random((regions, 2, 2)), axis=1).reshape(regions, 4).astype(np.float32)
    features = rng.normal(size=(regions, FEATURE)).astype(np.float32)
    return Pair(f"image {seed}", None, features, corners if boxes else None, caption, words, offsets)


class Toy(nn.Module):
    """Sums of regions and of word vectors: `linear` adds up their entries, else they are multiplied."""

    name = "toy"

    def __init__(self, linear=True, power=1.0):
        super().__init__()
        self.config = SimpleNamespace(region_dim=FEATURE)
        self.tokenizer = build_tokenizer(CAPTIONS, min_count=1)
        self.words = WordEncoder(self.tokenizer.get_vocab_size(), FEATURE, 3)
        self.linear, self.power = linear, power

    def encode_images(self, batch):
        return Encoded(batch.regions.sum(dim=1), batch.regions, batch.region_mask)

    def encode_captions(self, batch):
        parts = self.words.look_up(batch.words)
        return Encoded(parts.sum(dim=1), parts, batch.word_mask)

    def score(self, images, captions):
        if self.linear:
            return images.vectors.sum(dim=1)[:, None] + captions.vectors.sum(dim=1)
        return (images.vectors @ captions.vectors.T).abs().pow(self.power)


def vectors_of(model, pair):
    ids = model.tokenizer.encode(pair.caption).ids
    return model.words.vectors.weight.detach().numpy()[ids]


def make(name, **settings):
    tokenizer = build_tokenizer(CAPTIONS, min_count=1)
    small = {"dim": 16, "word_dim": 8}
    return create_model(name, region_dim=FEATURE, tokenizer=tokenizer, **{**small, **settings}).eval()


@pytest.mark.parametrize("method", METHODS)
def test_of_a_sum_every_method_finds_the_summands(method):
    model, pair = Toy(), make_pair()
    found = attribute(model, pair, method, regions="zero", words="zero")
    np.testing.assert_allclose(found.regions, pair.regions.sum(axis=1), atol=1e-4)
    np.testing.assert_allclose(found.words, vectors_of(model, pair)[1:-1].sum(axis=1), atol=1e-4)
    assert found.gap == pytest.approx(0, abs=1e-4)


def test_of_a_product_the_interactions_are_the_products_of_the_parts():
    model, pair = Toy(linear=False), make_pair()
    words = vectors_of(model, pair)
    model.score = lambda images, captions: images.vectors @ captions.vectors.T
    found = attribute(model, pair, "joint_occlusion", regions="zero", words="zero")
    np.testing.assert_allclose(found.interactions, words[1:-1] @ pair.regions.T, atol=1e-5)
    np.testing.assert_allclose(found.regions, pair.regions @ words.sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.words, words[1:-1] @ pair.regions.sum(axis=0), atol=1e-5)


def test_integrated_gradients_of_a_square_worked_out_by_hand():
    model, pair = Toy(), make_pair(regions=1)
    model.score = lambda images, captions: (
        images.vectors.square().sum(dim=1)[:, None] + 0 * captions.vectors.sum(dim=1)
    )
    found = attribute(model, pair, regions=np.full(FEATURE, 0.5))
    # of x^2 from b to x: (x - b)(x + b)
    assert found.regions[0] == pytest.approx(float((pair.regions**2 - 0.25).sum()), rel=1e-4)
    np.testing.assert_array_equal(found.words, 0)


def shapley_values(players, worth):
    """By their definition: over all subsets of the others."""
    found = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            share = factorial(size) * factorial(players - size - 1) / factorial(players)
            for chosen in itertools.combinations(others, size):
                found[player] += share * (worth({*chosen, player}) - worth(set(chosen)))
    return found


def test_kernel_shap_finds_the_shapley_values_of_their_definition():
    model, pair = Toy(linear=False, power=1.5), make_pair("red dog", regions=3)
    words = vectors_of(model, pair)

    def worth(chosen):
        seen = sum((pair.regions[row] for row in range(3) if row in chosen), np.zeros(FEATURE))
        told = (
            words[0]
            + words[-1]
            + sum((words[1 + row] for row in range(2) if 3 + row in chosen), np.zeros(FEATURE))
        )
        return abs(float(seen @ told)) ** 1.5

    found = attribute(model, pair, "kernel_shap", regions="zero", words="zero", samples=5000)
    np.testing.assert_allclose([*found.regions, *found.words], shapley_values(5, worth), atol=5e-3)


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("reader", ["gru", "lstm"])
def test_occlusion_is_what_a_loop_over_regions_and_words_finds(name, reader):
    model, pair = make(name, reader=reader), make_pair(boxes=True)
    found = attribute(model, pair, "occlusion", at_once=3)
    mean, whole = pair.regions.mean(axis=0), explain(model, pair).score
    for row in range(len(pair.regions)):
        features = pair.regions.copy()
        features[row] = mean
        without = Pair("edited", None, features, pair.boxes, pair.caption, pair.words, pair.offsets)
        assert found.regions[row] == pytest.approx(whole - explain(model, without).score, abs=1e-5)

    joint = attribute(model, pair, "joint_occlusion")
    np.testing.assert_allclose(joint.regions, found.regions, atol=1e-5)
    np.testing.assert_allclose(joint.words, found.words, atol=1e-5)


@pytest.mark.parametrize("name", list_models())
def test_the_score_that_is_attributed_is_the_models_own_and_parts_and_gap_add_up(name):
    model, pair = make(name), make_pair(boxes=True)
    found = attribute(model, pair, "shapley_sampling", samples=2)
    assert found.score == pytest.approx(explain(model, pair).score, abs=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-4)
    assert found.regions.sum() + found.words.sum() + found.gap == pytest.approx(
        found.score - found.baseline_score
    )


@pytest.mark.parametrize("name", list_models())
def test_integrated_gradients_leave_little_unexplained(name):
    found = attribute(make(name), make_pair("a dog near two red boats", boxes=True), steps=256)
    assert abs(found.gap) < 0.01


def test_words_read_by_bert_get_what_their_pieces_got(bert):
    tokenizer = build_tokenizer(["word12 word3 word456"], min_count=1)
    model = create_model(
        "scan", region_dim=FEATURE, tokenizer=tokenizer, bert=bert, dim=16, box=False, reader="bert"
    ).eval()
    pair = make_pair("word12 word3 word456")
    found = attribute(model, pair)
    assert found.score == pytest.approx(explain(model, pair).score, abs=1e-5)
    assert found.relative_gap < 0.02
    assert (found.words != 0).all()
    assert np.isfinite(attribute(model, pair, "joint_occlusion").interactions).all()


def test_a_word_that_is_replaced_by_itself_gave_nothing():
    model, pair = make("scan"), make_pair("red", boxes=True)
    own = model.words.vectors.weight[model.tokenizer.token_to_id("red")].detach().numpy()
    assert attribute(model, pair, "occlusion", words=own).words[0] == pytest.approx(0, abs=1e-6)


def test_attributing_leaves_the_model_as_it_was():
    model = make("user").train()
    wanted = {name: (p.requires_grad, p.clone()) for name, p in model.named_parameters()}
    attribute(model, make_pair(boxes=True))
    assert model.training
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == wanted[name][0]
        assert torch.equal(parameter, wanted[name][1])
        assert parameter.grad is None
    assert not any(module._forward_hooks for module in model.modules())


def test_random_methods_are_the_same_for_the_same_seed():
    model, pair = make("scan"), make_pair(boxes=True)
    one, same, other = (
        attribute(model, pair, "shapley_sampling", samples=1, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.regions, same.regions)
    assert not np.array_equal(one.regions, other.regions)


def test_an_attribution_shows_itself_as_maps_as_a_table_and_as_a_frame():
    model, pair = make("scan"), make_pair(boxes=True)
    found = attribute(model, pair, "joint_occlusion")
    assert [one.kind for one in found.explanation.maps] == ["word_to_region", "per_word", "per_region"]
    assert {one.origin for one in found.explanation.maps} == {"attribution"}
    frame = found.to_frame()
    assert frame.loc["word 'dog'", "gave"] == found.words[2]
    assert frame.loc["unexplained (gap)", "gave"] == found.gap


def test_regions_seen_through_a_blur_are_described_again():
    from PIL import Image, ImageDraw

    pair = make_pair(boxes=True)
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).rectangle([0, 0, 31, 63], fill="black")
    pair = Pair(
        "seen",
        picture,
        *(getattr(pair, name) for name in ("regions", "boxes", "caption", "words", "offsets")),
    )
    spread = blurred_regions(
        pair, lambda image, boxes: np.full((4, FEATURE), np.asarray(image).std()), radius=20
    )
    assert 0 < spread[0, 0] < np.asarray(picture).std()
    assert attribute(make("scan"), pair, "occlusion", regions=spread).baseline == ("given", "padding")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "lime"}, "no method 'lime'; there is integrated_gradients"),
        ({"regions": "blue"}, "no baseline 'blue' for regions; there is mean, zero"),
        ({"words": "mask"}, "no baseline 'mask' for words; there is padding, unknown, zero"),
        ({"regions": np.zeros(3)}, r"must be \[feature\] \[5\] or \[region feature\] \[4, 5\], got \[3\]"),
        ({"words": np.zeros((2, 8))}, r"must be \[word_dim\] \[8\], got \[2, 8\]"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"samples": 0}, "samples must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        attribute(make("scan"), make_pair(boxes=True), **settings)


def test_a_caption_of_unknown_words_is_refused():
    with pytest.raises(ValueError, match="knows none of the words of 'zebra unicorn'"):
        attribute(make("scan"), make_pair("zebra unicorn", boxes=True))


def test_a_gradient_that_is_not_a_number_is_refused():
    model = Toy()

    def score(images, captions):
        total = images.vectors.sum(dim=1)[:, None] + captions.vectors.sum(dim=1)
        return (total - total.detach()).sqrt()  # zero, and as steep as can be

    model.score = score
    with pytest.raises(ValueError, match="integrated_gradients of toy holds NaN or infinite values"):
        attribute(model, make_pair())


@pytest.mark.parametrize("method", METHODS)
def test_a_baseline_whose_score_is_not_a_number_is_refused(method):
    model = make("vse").train()
    with pytest.raises(ValueError, match="vse gives the baseline a score that is NaN"):
        attribute(model, make_pair(boxes=True), method, regions=np.full(FEATURE, np.nan))
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_table_of_methods_names_them_all():
    assert all(f"`{method}`" in attribution.__doc__ for method in METHODS)
