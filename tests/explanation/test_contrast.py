from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer, split_words
from itr_explore.explanation.attribution import attribute
from itr_explore.explanation.contrast import contrast, contrast_pairs
from itr_explore.explanation.maps import explain
from itr_explore.explanation.parts import NotAdditive
from itr_explore.models.registry import create_model, list_models
from itr_explore.records import Encoded
from itr_explore.widgets.payload import payload

CAPTIONS = ("a red dog on grass", "two cats", "a dog near two red boats", "two black cats on grass")
FEATURE = 5


@pytest.fixture
def collection():
    """Two images, with two captions each."""
    rng = np.random.default_rng(0)
    corners = np.sort(rng.random((7, 2, 2)), axis=1).reshape(7, 4).astype(np.float32)
    return Collection(
        name="small",
        split="test",
        captions=list(CAPTIONS),
        image_of=np.array([0, 0, 1, 1]),
        image_ids=["first", "second"],
        regions=Ragged(rng.normal(size=(7, FEATURE)).astype(np.float32), np.array([0, 3, 7])),
        boxes=corners,
    )


def make(name, **settings):
    tokenizer = build_tokenizer(CAPTIONS, min_count=1)
    small = {"dim": 16, "word_dim": 8}
    return create_model(name, region_dim=FEATURE, tokenizer=tokenizer, **{**small, **settings}).eval()


class Sum(nn.Module):
    """A region and a word give the product of their first numbers; a pair's score is the sum of all."""

    name = "sum"

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(region_dim=FEATURE)
        self.tokenizer = build_tokenizer(CAPTIONS, min_count=1)
        self.words = nn.Embedding(self.tokenizer.get_vocab_size(), 1)

    def encode_images(self, batch):
        return Encoded(batch.regions[..., :1].sum(dim=1), batch.regions[..., :1], batch.region_mask)

    def encode_captions(self, batch):
        parts = self.words(batch.words) * batch.word_mask.unsqueeze(-1)
        return Encoded(parts.sum(dim=1), parts, batch.word_mask)

    def score(self, images, captions):
        return images.vectors @ captions.vectors.T

    def forward(self, batch):
        return self.score(self.encode_images(batch), self.encode_captions(batch))

    def score_parts(self, images, captions):
        parts = torch.einsum("ird,cwd->icwr", images.parts, captions.parts)
        return nn.functional.pad(parts, (0, 1, 0, 1))


def adds_up(found):
    by_word = found.words[1].sum() - found.words[0].sum() + sum(found.word_rests.values()) + found.gap
    by_region = found.evidence.sum() + sum(found.region_rests.values()) + found.gap
    return np.allclose([by_word, by_region], found.difference, atol=1e-4)


@pytest.mark.parametrize("name", list_models())
def test_the_difference_is_an_exact_sum_for_every_system(name, collection):
    found = contrast(make(name), collection, 1)
    assert found.method == "parts"
    assert abs(found.gap) < 1e-4
    assert adds_up(found)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("scan", {"pooling": "LSE"}), ("bssan", {"form": "faithful"}), ("vse", {"reader": "lstm"})],
)
def test_a_score_that_is_no_sum_is_split_by_integrated_gradients(name, settings, collection):
    model = make(name, **settings)
    found = contrast(model, collection, 1, steps=32)
    assert found.method == "integrated_gradients"
    assert adds_up(found)
    one, other = (attribute(model, pair, steps=32) for pair in found.pairs)
    np.testing.assert_allclose(found.evidence, other.regions - one.regions)
    assert found.gap == pytest.approx(other.gap - one.gap)
    with pytest.raises(NotAdditive, match=name):
        contrast(model, collection, 1, method="parts")


def test_the_contrast_of_a_sum_worked_out_by_hand(collection):
    model = Sum()
    found = contrast(model, collection, 1, wrong="two dogs", right="a cats")
    weight, row = model.words.weight.detach().numpy()[:, 0], model.tokenizer.token_to_id
    value = {word: weight[row(word)] for word in ("two", "a", "cats")}
    image = collection.regions(1)[:, 0]
    np.testing.assert_allclose(found.words[1][0], value["two"] * image.sum(), rtol=1e-5)
    np.testing.assert_allclose(
        found.words[0], [value["a"] * image.sum(), value["cats"] * image.sum()], rtol=1e-5
    )
    np.testing.assert_allclose(found.cells[0], np.outer([value["a"], value["cats"]], image), rtol=1e-5)
    assert found.word_rests["<start> and <end>"] == pytest.approx(0, abs=1e-5)


def test_by_default_the_best_wrong_caption_stands_against_the_best_right_one(collection):
    model = make("scan")
    found = contrast(model, collection, 0)
    pair = collection.pair(0)

    def score(row):
        words, offsets = split_words(CAPTIONS[row])
        read = replace(pair, caption=CAPTIONS[row], words=words, offsets=offsets, truth=None)
        return explain(model, read).score

    assert found.pairs[0].caption == CAPTIONS[max((0, 1), key=score)]
    assert found.pairs[1].caption == CAPTIONS[max((2, 3), key=score)]
    assert found.scores[1] == pytest.approx(max(score(2), score(3)), abs=1e-5)


def test_typed_captions_are_shown_as_text_never_as_markup(collection):
    found = contrast(make("vse"), collection, 0, wrong="two <b>cats</b>")
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()


def test_both_captions_can_be_drawn_with_the_evidence(collection):
    right, wrong = contrast(make("chan"), collection, 0).explanations
    assert wrong.map("parts").values.shape == (len(wrong.pair.words), 3)
    assert np.array_equal(
        right.map("evidence for the wrong caption").values, wrong.map("evidence for the wrong caption").values
    )
    assert payload(wrong)["maps"]


def test_the_tables_end_in_the_difference(collection):
    found = contrast(make("user"), collection, 0)
    for table in (found.by_word(), found.by_region()):
        assert table.rows[-1] == ("difference", pytest.approx(found.difference))
        assert sum(value for _, value in table.rows[:-1]) == pytest.approx(found.difference, abs=1e-4)


def test_a_model_is_left_as_it_was_found(collection):
    model = make("lgsf").train()
    contrast(model, collection, 0)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wrong": 1}, "caption 1 describes image 0"),
        ({"right": 2}, "caption 2 does not describe image 0"),
        ({"wrong": "!"}, "no word in the caption"),
        ({"wrong": "purple xylophones"}, "knows none of the words"),
        ({"wrong": 2, "method": "guessing"}, "no method 'guessing'"),
    ],
)
def test_what_cannot_be_contrasted_is_refused(collection, options, message):
    with pytest.raises(ValueError, match=message):
        contrast(make("scan"), collection, 0, **options)
    with pytest.raises(IndexError, match="has 4 captions; wanted 9"):
        contrast(make("scan"), collection, 0, wrong=9)
    with pytest.raises(TypeError, match="unexpected keyword argument 'step'"):
        contrast(make("scan"), collection, 0, step=9)


def test_pairs_of_two_images_are_refused(collection):
    with pytest.raises(ValueError, match="two captions of one image"):
        contrast_pairs(make("scan"), collection.pair(0), collection.pair(1))
