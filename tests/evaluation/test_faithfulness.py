"""Faithfulness on a model whose score is a sum, so that every number is known; and on every system."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from toys import toy_collection

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.faithfulness import faithfulness
from itr_explore.models.base import ModelConfig, RetrievalModel
from itr_explore.models.registry import create_model, from_pretrained, list_models
from itr_explore.nn.encoders import WordEncoder
from itr_explore.nn.tap import Tap
from itr_explore.records import Encoded

SMALL = {"pairs": 3, "examined": 2, "orders": 2, "points": 4, "steps": 4, "device": "cpu"}


@dataclass(frozen=True, kw_only=True)
class SumConfig(ModelConfig):
    dim: int = 1


class Sum(RetrievalModel):
    """A score that is what regions give, plus what words give: no part needs another."""

    name = "sum"
    Config = SumConfig
    presets: ClassVar = {}

    def __init__(self, config, tokenizer=None):
        super().__init__(config, tokenizer)
        self.look = nn.Linear(config.region_dim, 1, bias=False)
        self.words = WordEncoder(config.vocabulary_size, config.word_dim, 1)
        self.give = nn.Linear(config.word_dim, 1, bias=False)

    def encode_images(self, batch):
        parts = self.look(batch.regions) * batch.region_mask.unsqueeze(-1)
        return Encoded(parts.sum(dim=1), parts, batch.region_mask)

    def encode_captions(self, batch):
        parts = self.give(self.words.look_up(batch.words)) * batch.word_mask.unsqueeze(-1)
        return Encoded(parts.sum(dim=1), parts, batch.word_mask)

    def score(self, images, captions):
        return images.vectors + captions.vectors.T


class Looking(Sum):
    """The same, with a map of its own over regions: what the regions give, or its opposite."""

    name = "looking"
    sign = 1

    def __init__(self, config, tokenizer=None):
        super().__init__(config, tokenizer)
        self.share = Tap("per_region", "signed")

    def encode_images(self, batch):
        found = super().encode_images(batch)
        self.share(self.sign * found.parts.squeeze(-1))
        return found


def world(images=4) -> Collection:
    """Images of four regions that give 4, 2, 1 and 1 to the score of a model that adds their features up."""
    features = np.tile(np.array([[4.0], [2.0], [1.0], [1.0]], dtype=np.float32), (images, 1))
    return Collection(
        name="sums",
        split="test",
        captions=["good fair bad", "fair good bad"] * images,
        image_of=np.repeat(np.arange(images), 2),
        image_ids=[str(image) for image in range(images)],
        regions=Ragged(features, np.arange(images + 1) * 4),
    )


def summing(collection: Collection, kind=Sum):
    """Weights of one; the words good, fair and bad give 3, 2 and 1, all else nothing."""
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    made = kind(
        SumConfig(region_dim=1, vocabulary_size=tokenizer.get_vocab_size(), word_dim=1), tokenizer
    ).eval()
    with torch.no_grad():
        made.look.weight.fill_(1.0)
        made.give.weight.fill_(1.0)
        made.words.vectors.weight.zero_()
        for word, gives in {"good": 3.0, "fair": 2.0, "bad": 1.0}.items():
            made.words.vectors.weight[tokenizer.token_to_id(word)] = gives
    return made


@pytest.fixture(scope="module")
def of_a_sum():
    collection = world()
    return faithfulness(
        summing(collection), collection, "occlusion", pairs=8, examined=2, orders=3, points=3, device="cpu"
    )


def test_the_curves_of_a_sum_are_those_worked_out_by_hand(of_a_sum):
    words = of_a_sum.curves[1]
    assert words.deletion[:, 0] == pytest.approx([1, 3 / 6, 1 / 6, 0])
    assert words.insertion[:, 0] == pytest.approx([0, 3 / 6, 5 / 6, 1])


def test_the_areas_of_a_sum_are_those_worked_out_by_hand(of_a_sum):
    assert of_a_sum.measure("deletion area", "words").value.value == pytest.approx((4.5 + 2 + 0.5) / 18)
    assert of_a_sum.measure("insertion area", "words").value.value == pytest.approx((1.5 + 4 + 5.5) / 18)


def test_gains_are_the_distance_from_random_orders(of_a_sum):
    for way, sign in (("deletion", -1), ("insertion", 1)):
        area, gain = of_a_sum.measure(f"{way} area", "words"), of_a_sum.measure(f"{way} gain", "words")
        assert gain.value.value == pytest.approx(sign * (area.value.value - area.random.value))


def test_occlusion_predicts_a_sum_without_error_and_agrees_on_every_sign(of_a_sum):
    assert of_a_sum.measure("infidelity", "words").value.value == pytest.approx(0, abs=1e-6)
    assert of_a_sum.measure("infidelity", "words").random.value > 0.01
    assert of_a_sum.measure("sign agreement", "words").value == (1, 1, 1)


def test_a_score_that_ends_where_it_began_has_areas_all_the_same(of_a_sum):
    # 4, 2, 1 and 1 become 2 each in turn: 0, -2, -2, -1, 0 is left, and 0, 2, 2, 1, 0 on the way back
    deletion, insertion = of_a_sum.measure("deletion area").value, of_a_sum.measure("insertion area").value
    assert deletion.value == pytest.approx(-insertion.value)
    assert 1.2 / 4 <= insertion.value <= 1.3 / 3  # of a range of 3 or 4, as the random orders have it


def test_equal_images_give_intervals_without_width(of_a_sum):
    found = of_a_sum.measure("deletion area", "words").value
    assert found.low == pytest.approx(found.high)


def test_one_image_has_no_interval():
    collection = world(1)
    found = faithfulness(summing(collection), collection, "occlusion", **SMALL)
    assert np.isnan(found.measure("deletion area", "words").value.low)
    assert "nan" not in str(found)


@pytest.mark.parametrize("sign", [1, -1])
def test_attention_is_tested_by_the_same_curves(sign):
    collection = world()
    model = summing(collection, Looking)
    model.sign = sign
    found = faithfulness(model, collection, "attention", regions=np.zeros(1), **SMALL)
    # regions of 4, 2, 1, 1 replaced by 0: 8, 4, 2, 1, 0 are left, or 8, 7, 6, 4, 0 in the opposite order
    left = np.array([8, 4, 2, 1, 0] if sign == 1 else [8, 7, 6, 4, 0])
    wanted = ((left[1:] + left[:-1]) / 2).mean() / 8
    assert found.measure("deletion area").value.value == pytest.approx(wanted)
    assert found.measure("sign agreement").value.value == (1 if sign == 1 else 0)
    assert found.sides == ("regions",)
    assert "attention has no map over words" in str(found)


def test_a_model_without_a_map_of_its_own_is_refused_with_what_can_serve():
    collection = world()
    with pytest.raises(ValueError, match=r"sum has no map of its own .* take integrated_gradients, "):
        faithfulness(summing(collection), collection, "attention", **SMALL)


def test_an_unknown_method_is_refused_with_those_that_there_are():
    collection = world()
    with pytest.raises(ValueError, match=r"no method 'saliency'; there is .*kernel_shap, attention"):
        faithfulness(summing(collection), collection, "saliency")


@pytest.mark.parametrize("name", ["pairs", "examined", "orders", "points", "steps", "samples", "at_once"])
def test_a_number_below_one_is_refused(name):
    collection = world()
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        faithfulness(summing(collection), collection, "attention", **{name: 0})


def test_captions_without_a_known_word_are_left_out_and_counted():
    collection = world()
    model = summing(collection)
    collection.captions[::2] = ["zebra"] * 4
    found = faithfulness(model, collection, "occlusion", **{**SMALL, "pairs": 8})
    assert (found.pairs, found.left_out) == (4, 4)
    assert "left out: 4 pairs" in str(found)


def test_a_collection_of_which_no_word_is_known_is_refused():
    collection = world()
    model = summing(collection)
    collection.captions[:] = ["zebra"] * 8
    with pytest.raises(ValueError, match="sum knows no word of 3 captions of sums"):
        faithfulness(model, collection, **SMALL)


@pytest.mark.parametrize("method", ["attention", "integrated_gradients"])
@pytest.mark.parametrize("name", list_models())
def test_every_system_answers_and_is_left_as_it_was(name, method):
    collection = toy_collection(6)
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model(
        name, region_dim=collection.region_dim, tokenizer=tokenizer, dim=8, word_dim=8, box=False
    ).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}

    found = faithfulness(model, collection, method, **SMALL)

    assert "regions" in found.sides
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters()) or name == "user"
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", list_models())
def test_maps_of_trained_systems_beat_random_orders(name):
    scenes = Collection.scenes("test").subset(range(5))
    found = faithfulness(
        from_pretrained(f"{name}-tiny-scenes"), scenes, "occlusion", pairs=8, examined=1, orders=2
    )
    assert found.measure("deletion gain").value.value > 0
    assert found.measure("insertion gain", "words").value.value > 0


def test_the_same_seed_gives_the_same_report():
    collection = world()
    model = summing(collection)
    one, other = (faithfulness(model, collection, "occlusion", seed=3, **SMALL) for _ in range(2))
    assert str(one) == str(other)


def test_a_report_shows_itself_as_text_html_and_frame(of_a_sum):
    assert "words: deletion area" in str(of_a_sum)
    assert "<table>" in of_a_sum._repr_html_()
    assert of_a_sum.to_frame().loc[("words", "sign agreement"), "value"] == 1
    with pytest.raises(KeyError, match=r"no measure 'f1' of words; there is deletion area \(regions\)"):
        of_a_sum.measure("f1", "words")
