from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from itr_explore.data.text import build_tokenizer, split_words
from itr_explore.explanation.maps import batch_of, explain, explain_all
from itr_explore.models.registry import create_model
from itr_explore.nn.tap import Tap
from itr_explore.records import Encoded, Pair

CAPTIONS = ("a red dog on grass", "two cats", "a dog near two red boats on water")


@dataclass(frozen=True)
class ToyConfig:
    region_dim: int = 5
    vocabulary_size: int = 40


class Toy(nn.Module):
    """Dot products of words and regions, softmax both ways; every kind of tap once."""

    name = "toy"

    def __init__(self, word_to_region=True, chunk=None):
        super().__init__()
        self.config = ToyConfig()
        self.tokenizer = build_tokenizer(CAPTIONS, min_count=1)
        self.embed = nn.Embedding(40, 5)
        self.dropout = nn.Dropout(0.5)
        self.chunk = chunk
        self.to_regions = Tap("word_to_region", "softmax") if word_to_region else None
        self.to_words = Tap("region_to_word", "softmax")
        self.relations = nn.ModuleList(
            [Tap("region_to_region", "row_sum"), Tap("region_to_region", "signed")]
        )
        self.gates = Tap("per_word", "unit")

    def encode_images(self, batch):
        parts = batch.regions
        affinity = parts @ parts.transpose(1, 2)
        for tap in self.relations:
            tap(affinity)
        return Encoded(parts.mean(1), self.dropout(parts), batch.region_mask)

    def encode_captions(self, batch):
        parts = self.embed(batch.words)
        self.gates(parts.norm(dim=-1))
        return Encoded(parts.mean(1), parts, batch.word_mask)

    def score(self, images, captions):
        rows = self.chunk or len(captions)
        return torch.cat(
            [self._score(images, captions[i : i + rows]) for i in range(0, len(captions), rows)], 1
        )

    def _score(self, images, captions):
        dots = torch.einsum("cwd,ird->icwr", captions.parts, images.parts)
        regions = images.mask[:, None, None, :]
        if self.to_regions is not None:
            self.to_regions(dots.masked_fill(~regions, -torch.inf).softmax(-1))
        words = captions.mask[None, :, None, :]
        self.to_words(dots.transpose(2, 3).masked_fill(~words, -torch.inf).softmax(-1))
        real = regions & captions.mask[None, :, :, None]
        return (dots * real).sum((2, 3))


def make_pair(caption, regions=4, seed=0, feature=5):
    words, offsets = split_words(caption)
    values = np.random.default_rng(seed).normal(size=(regions, feature)).astype(np.float32)
    return Pair(f"image {seed}", None, values, None, caption, words, offsets)


def test_rows_of_a_word_to_region_map_are_the_words_of_the_pair():
    model, pair = Toy().eval(), make_pair("two dogs on grass")
    ids = [model.tokenizer.token_to_id(word) for word in ("two", "<unk>", "on", "grass")]
    wanted = (model.embed.weight[ids] @ torch.tensor(pair.regions).T).softmax(-1)

    found = explain(model, pair).map("to_regions")

    assert np.allclose(found.values, wanted.detach(), atol=1e-6)
    assert (found.kind, found.scale, found.origin, found.exact) == (
        "word_to_region",
        "softmax",
        "attention",
        True,
    )


def test_words_the_model_has_never_seen_are_flagged():
    assert explain(Toy(), make_pair("two zebras on grass")).unknown == (1,)


def test_the_share_that_fell_on_start_and_end_is_said_and_the_scale_no_longer_claims_a_softmax():
    found = explain(Toy(), make_pair("a red dog")).map("to_words")
    lost = 1 - found.values.sum(axis=1)

    assert found.values.shape == (4, 3)
    assert (lost > 0).all()
    assert found.scale == "unit"
    assert f"{lost.mean():.0%}" in found.note


def test_the_layer_is_read_from_the_taps_place_in_the_model():
    layers = [(found.name, found.layer, found.scale) for found in explain(Toy(), make_pair("a dog")).maps]
    assert ("relations.0", 0, "row_sum") in layers
    assert ("relations.1", 1, "signed") in layers
    assert ("gates", None, "unit") in layers


class Scored(Toy):
    """Says besides how well each word of each pair fits: made for the eye only."""

    def __init__(self):
        super().__init__()
        self.fits = Tap("per_word", "signed", exact=False, derived=True)

    def score(self, images, captions):
        self.fits(torch.einsum("cwd,id->icw", captions.parts, images.vectors))
        return super().score(images, captions)


def test_a_value_per_word_can_be_the_pair_s_own_and_derived():
    model, pairs = Scored().eval(), [make_pair("two cats", seed=0), make_pair("a red dog", seed=1)]
    for found, pair in zip(explain_all(model, pairs), pairs, strict=True):
        ids = torch.tensor([model.tokenizer.token_to_id(word) for word in pair.words])
        wanted = model.embed(ids) @ torch.tensor(pair.regions).mean(0)
        fits = found.map("fits")
        assert np.allclose(fits.values, wanted.detach(), atol=1e-6)
        assert (fits.kind, fits.origin, fits.exact) == ("per_word", "derived", False)


class WithEdgesOfPairs(Toy):
    """Edges between regions, and between words, that both sides of a pair have a say in."""

    def __init__(self):
        super().__init__()
        self.of_regions = Tap("region_to_region", "signed")
        self.of_words = Tap("word_to_word", "signed")

    def score(self, images, captions):
        words = captions.parts * captions.mask.unsqueeze(-1)
        seen = torch.einsum("cwd,ird->icwr", words, images.parts)
        self.of_regions(seen.mT @ seen)
        self.of_words(seen @ seen.mT)
        return super().score(images, captions)


def test_edges_can_be_the_pair_s_own():
    model, pairs = WithEdgesOfPairs().eval(), [make_pair("two cats", 3, 0), make_pair("a red dog", 5, 1)]
    for found, pair in zip(explain_all(model, pairs), pairs, strict=True):
        ids = torch.tensor([model.tokenizer.token_to_id(word) for word in ("<start>", *pair.words, "<end>")])
        seen = (model.embed(ids) @ torch.tensor(pair.regions).T).detach()
        assert np.allclose(found.map("of_words").values, (seen @ seen.T)[1:-1, 1:-1], atol=1e-5)
        assert np.allclose(found.map("of_regions").values, seen.T @ seen, atol=1e-5)
        assert found.best("region_to_region").name == "relations.0"


class WithMoreTaps(Toy):
    """Two heads in the second layer, and something that relates the samples of a batch."""

    def __init__(self, across="image_to_image"):
        super().__init__()
        self.relations[1].heads = nn.ModuleList(Tap("region_to_region", "softmax") for _ in range(2))
        self.across = Tap(across, "softmax")

    def encode_images(self, batch):
        self.across(torch.eye(len(batch.regions)))
        for tap in self.relations[1].heads:
            tap(batch.regions @ batch.regions.mT)
        return super().encode_images(batch)


def test_the_head_is_read_from_the_taps_place_in_the_model():
    found = explain(WithMoreTaps(), make_pair("a dog")).map("relations.1.heads.1")
    assert (found.layer, found.head) == (1, 1)


@pytest.mark.parametrize("kind", ["image_to_image", "caption_to_caption", "sample_to_sample"])
def test_what_relates_the_samples_of_a_batch_is_no_map_of_a_pair(kind):
    assert "across" not in [found.name for found in explain(WithMoreTaps(kind), make_pair("a dog")).maps]


def test_pairs_explained_together_look_as_if_explained_alone():
    pairs = [
        make_pair(CAPTIONS[0], 4, 0),
        make_pair(CAPTIONS[1], 4, 0),
        make_pair(CAPTIONS[2], 9, 1),
        make_pair("a", 1, 2),
    ]
    model = Toy()
    for together, pair in zip(explain_all(model, pairs, batch_size=3), pairs, strict=True):
        alone = explain(model, pair)
        assert together.score == pytest.approx(alone.score, rel=1e-5)
        for found in alone.maps:
            assert np.allclose(together.map(found.name).values, found.values, atol=1e-6), found.name


def test_a_forward_in_chunks_gives_the_same_maps():
    torch.manual_seed(3)
    whole = Toy()
    torch.manual_seed(3)
    chunked = Toy(chunk=2)
    pairs = [make_pair(caption, seed=i) for i, caption in enumerate(CAPTIONS)]
    for one, other in zip(explain_all(whole, pairs), explain_all(chunked, pairs), strict=True):
        assert np.allclose(one.map("to_regions").values, other.map("to_regions").values)


def test_a_model_without_word_attention_gets_a_cosine_map_that_says_it_is_derived():
    model, pair = Toy(word_to_region=False), make_pair("a dog")
    found = explain(model, pair).best("word_to_region")
    word = model.embed.weight[model.tokenizer.token_to_id("dog")].detach()

    wanted = torch.cosine_similarity(word[None], torch.tensor(pair.regions))
    assert np.allclose(found.values[1], wanted, atol=1e-6)
    assert (found.origin, found.scale, found.exact) == ("derived", "cosine", False)


def test_where_vectors_are_sums_of_parts_a_map_splits_the_score_among_words_and_regions():
    pair = make_pair("a red dog")
    model = create_model("vse", region_dim=pair.regions.shape[1], tokenizer=Toy().tokenizer, box=False)
    explanation = explain(model, pair)
    found = explanation.best("word_to_region")
    assert (found.name, found.origin, found.scale, found.exact) == ("parts", "attribution", "signed", True)

    batch = batch_of(model, [pair])
    with torch.no_grad():
        regions, words = model.image_parts(batch)[0][0], model.caption_parts(batch)[0][0]
        marks = words[[0, -1]].sum(dim=0) @ regions.sum(dim=0)
    assert found.values.sum() + marks.item() == pytest.approx(explanation.score, abs=1e-5)
    assert f"adds up to {found.values.sum():.3f}, the score is {explanation.score:.3f}:" in found.note


def test_where_a_vector_has_no_parts_the_score_is_not_split():
    pair = make_pair("a dog")
    model = create_model(
        "vse", region_dim=pair.regions.shape[1], tokenizer=Toy().tokenizer, box=False, reader="lstm"
    )
    assert [found.name for found in explain(model, pair).maps if found.kind == "word_to_region"] == [
        "node_cosine"
    ]


def test_explaining_leaves_the_model_in_its_mode():
    model = Toy().train()
    model.dropout.eval()
    explain(model, make_pair("a dog"))
    assert model.training
    assert not model.dropout.training


def test_the_score_is_the_one_the_model_gives_in_eval_mode():
    model, pair = Toy().train(), make_pair("a red dog")
    assert explain(model, pair).score == explain(model, pair).score


def test_features_of_another_size_are_refused_with_both_sizes():
    with pytest.raises(ValueError, match=r"size 5.*size 7"):
        explain(Toy(), make_pair("a dog", feature=7))


def test_an_image_without_regions_is_refused():
    with pytest.raises(ValueError, match="no region"):
        explain(Toy(), make_pair("a dog", regions=0))


def test_features_that_are_not_numbers_are_refused():
    pair = make_pair("a dog")
    pair.regions[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        explain(Toy(), pair)


def test_a_caption_without_words_is_refused():
    with pytest.raises(ValueError, match="no words"):
        explain(Toy(), make_pair("!!"))


def test_a_model_that_is_guided_reads_the_guide_of_each_pair():
    tokenizer = build_tokenizer(CAPTIONS, min_count=1)
    model = create_model("user", region_dim=5, tokenizer=tokenizer, dim=8, word_dim=8, guide_dim=3, box=False)
    pair = make_pair("two cats")
    guided = [replace(pair, guide=np.eye(3, dtype=np.float32)[row]) for row in (0, 1)]
    one, other = (explain(model, pair) for pair in guided)

    assert one.score != other.score
    assert [found.score for found in explain_all(model, guided)] == pytest.approx([one.score, other.score])
    with pytest.raises(
        ValueError, match="guide vectors of length 3, image 'image 0' has none; take a pair of"
    ):
        explain(model, pair)
    with pytest.raises(ValueError, match="of length 3, image 'image 0' has one of length 2"):
        explain(model, replace(pair, guide=np.ones(2, np.float32)))
