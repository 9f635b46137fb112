"""Interventions against the plain way: another pair, scored afresh."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from itr_explore.data.collection import Collection
from itr_explore.data.text import split_words
from itr_explore.explanation.edits import (
    CutEdge,
    DropRegion,
    MeanEdge,
    RemoveWord,
    ReplaceRegion,
    ReplaceWord,
    ReverseEdge,
    SwapRegions,
    edited,
)
from itr_explore.explanation.intervention import edited_scores, intervene
from itr_explore.explanation.maps import explain, explain_all
from itr_explore.models.registry import from_pretrained, list_models
from itr_explore.nn.tap import Tap, edit

every_system = pytest.mark.parametrize("name", list_models())
WITH_EDGES = ("lgsf", "racg", "vsrnpp")


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(12))


@pytest.fixture(scope="module")
def load():
    """Each trained system once."""
    kept = {}
    return lambda name: kept.setdefault(name, from_pretrained(f"{name}-tiny-scenes"))


def edges_of(model, kind="region_to_region"):
    return [p for p, t in model.named_modules() if isinstance(t, Tap) and t.kind == kind and not t.derived]


def read(pair, caption):
    words, offsets = split_words(caption)
    return replace(pair, caption=caption, words=words, offsets=offsets, truth=None)


@every_system
def test_an_edited_pair_scores_as_if_it_had_always_been_so(load, scenes, name):
    model, pair, donor = load(name), scenes.pair(0), scenes.pair(1)
    without = replace(
        pair, regions=pair.regions[1:], boxes=pair.boxes[1:], labels=pair.labels[1:], truth=None
    )
    swapped, given = pair.regions.copy(), pair.regions.copy()
    swapped[[1, 2]], given[0] = pair.regions[[2, 1]], donor.regions[3]
    wanted = {
        DropRegion(0): without,
        SwapRegions(1, 2): replace(pair, regions=swapped),
        ReplaceRegion(0, donor, 3): replace(pair, regions=given),
        ReplaceWord(1, "cat"): read(pair, pair.caption.replace(pair.words[1], "cat", 1)),
        RemoveWord(1): read(pair, pair.caption.replace(pair.words[1] + " ", "", 1)),
    }
    for change, plain in wanted.items():
        found = intervene(model, pair, change, controls=2)
        assert found.score.before == pytest.approx(explain(model, pair).score, abs=1e-4)
        assert found.score.after == pytest.approx(explain(model, plain).score, abs=1e-4), change
        assert found.changed.caption == plain.caption
        assert len(found.controls) == 2


@every_system
def test_ranks_count_the_captions_and_images_of_others_that_score_higher(load, scenes, name):
    model, pair, gallery = load(name), scenes.pair(3), scenes.subset(range(6))
    found = intervene(model, pair, DropRegion(0), RemoveWord(1), gallery=gallery, controls=1, at_once=4)
    others = np.flatnonzero(gallery.image_of != 3)
    for version, at in ((pair, "before"), (found.changed, "after")):
        captions = [read(version, gallery.captions[row]) for row in others]
        images = [read(gallery.pair(image), version.caption) for image in range(6) if image != 3]
        for rivals, ranks in ((captions, found.caption_rank), (images, found.image_rank)):
            own, *scores = (one.score for one in explain_all(model, [version, *rivals]))
            assert getattr(ranks, at) == sum(score > own for score in scores)


@pytest.mark.parametrize("name", WITH_EDGES)
def test_an_edge_is_edited_as_by_hand(load, scenes, name):
    model, pair = load(name), scenes.pair(0)
    for path in edges_of(model):

        def cut(value):
            value = value.clone()
            sums = value[..., 0, :].sum(dim=-1, keepdim=True)
            value[..., 0, 1] = 0
            if name != "vsrnpp":
                value[..., 0, :] *= sums / value[..., 0, :].sum(dim=-1, keepdim=True)
            return value

        with edit(model, {path: cut}):
            wanted = explain(model, pair).score
        found = intervene(model, pair, CutEdge(path, 0, 1), controls=0)
        assert found.score.after == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", WITH_EDGES)
@pytest.mark.parametrize("kind", ["region_to_region", "word_to_word"])
def test_all_edges_of_a_module_are_edited_and_the_score_is_computed_from_them(load, scenes, name, kind):
    model, pair = load(name), scenes.pair(0)
    within = edges_of(model, kind)[-1].split(".")[0]
    for change in (CutEdge, ReverseEdge, MeanEdge):
        edits = [change(within, 2 * row, 2 * row + 1) for row in range(3)]
        found = intervene(model, pair, *edits, controls=0)
        assert found.score.after != found.score.before


def test_each_version_has_its_own_edges(load, scenes):
    model, pair = load("racg"), scenes.pair(0)
    cuts = [[], [CutEdge("region_side", 0, 1)], [CutEdge("word_side", 2, 1)], [CutEdge("region_side", 3, 1)]]
    of_words = frozenset({"word_side"})
    versions = [edited(pair, each, of_words) for each in cuts]
    alone = [edited_scores(model, [version])[0] for version in versions]
    assert edited_scores(model, versions) == pytest.approx(alone, abs=1e-6)
    assert len(set(np.round(alone, 9))) == 4


def test_a_dropped_node_s_edges_are_found_at_their_new_places(load, scenes):
    model, pair = load("vsrnpp"), scenes.pair(0)
    together = intervene(model, pair, DropRegion(0), CutEdge("image_side", 2, 3), controls=0)
    after = intervene(model, together.changed, CutEdge("image_side", 1, 2), controls=0)
    assert together.score.after == pytest.approx(after.score.after, abs=1e-5)


def test_controls_of_an_edge_are_cuts_of_other_edges(load, scenes):
    found = intervene(load("vsrnpp"), scenes.pair(0), CutEdge("image_side", 0, 1), controls=5)
    assert found.like == "another edge of nearly the same weight"
    assert all(text.endswith("of image_side cut") and "edge 0 to 1" not in text for text in found.controls)


def test_the_same_seed_draws_the_same_controls(load, scenes):
    once, again, other = (
        intervene(load("vse"), scenes.pair(0), DropRegion(0), controls=3, seed=seed) for seed in (0, 0, 1)
    )
    assert once.controls == again.controls != other.controls
    assert np.array_equal(once.score.controls, again.score.controls)


def test_the_model_is_left_as_it_was(load, scenes):
    model = load("lgsf")
    model.train()
    intervene(model, scenes.pair(0), CutEdge("image_side", 0, 1), controls=1, gallery=scenes)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(tap._forward_hooks for tap in model.modules() if isinstance(tap, Tap))
    model.eval()


def test_words_that_the_model_has_never_seen_are_named(load, scenes):
    found = intervene(load("vse"), scenes.pair(0), ReplaceWord(1, "blue zebra"))
    assert found.unknown == ("zebra",)
    assert "never seen by the model: zebra" in str(found)


@pytest.mark.parametrize(
    ("name", "edits", "message"),
    [
        ("vse", [], "nothing to change; give edits"),
        ("vse", [DropRegion(99)], "got region 99"),
        ("vse", [CutEdge("image_side", 0, 1)], "vse has no tap of edges at 'image_side' .*; it has no edges"),
        ("lgsf", [CutEdge("nowhere", 0, 1)], "edges that can be edited: image_side.layers.0.edges.heads.0, "),
        ("lgsf", [CutEdge("image_side.layers.0.edges.mean", 0, 1)], "is made for the eye only"),
        ("vsrnpp", [CutEdge("image_side", 0, 99)], "the graph of 'image_side' has .* got node 99"),
    ],
)
def test_what_does_not_exist_is_refused(load, scenes, name, edits, message):
    with pytest.raises(ValueError, match=message):
        intervene(load(name), scenes.pair(0), *edits)


def test_pairs_that_cannot_be_ranked_or_read_are_refused(load, scenes):
    model, pair = load("vse"), scenes.pair(0)
    with pytest.raises(ValueError, match="is not in scenes, test, so it has no rank there"):
        intervene(model, pair, DropRegion(0), gallery=scenes.subset([1]))
    with pytest.raises(ValueError, match="'a cat' is no caption of image"):
        intervene(model, read(pair, "a cat"), DropRegion(0), gallery=scenes)
    with pytest.raises(ValueError, match="knows none of the words of 'xyzzy'"):
        intervene(model, read(pair, "xyzzy"), DropRegion(0))
    with pytest.raises(ValueError, match="controls >= 0 and at_once >= 1, got -1"):
        intervene(model, pair, DropRegion(0), controls=-1)


def test_equal_scores_count_half_in_ranks():
    from itr_explore.explanation.intervention import _above

    found = torch.tensor([[0.5, 0.7, 0.5 + 1e-8, 0.1]])
    assert _above(found, np.array([0.5])).tolist() == [2.0]
