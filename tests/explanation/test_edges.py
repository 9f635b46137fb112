"""Relations that every system has, its own edges under edits, and whose attention moved."""

import numpy as np
import pytest
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.explanation.edges import editable, explain_edges, moved_words
from itr_explore.explanation.edits import CutEdge, RemoveWord, ReverseEdge
from itr_explore.explanation.intervention import EncodedGallery, intervene
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import from_pretrained, list_models

WITH_EDGES = ("lgsf", "racg", "vsrnpp")
every_system = pytest.mark.parametrize("name", list_models())


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(8))


@pytest.fixture(scope="module")
def load():
    kept = {}
    return lambda name: kept.setdefault(name, from_pretrained(f"{name}-tiny-scenes"))


@every_system
def test_every_system_has_relations_of_regions_and_of_words(load, scenes, name):
    plain = {found.name for found in explain(load(name), scenes.pair(0)).maps}
    found = explain_edges(load(name), scenes.pair(0))
    made = [m for m in found.maps if m.name not in plain]
    assert {"region_to_region", "word_to_word"} <= {m.kind for m in made}
    assert all(m.origin == "derived" and not m.exact for m in made)
    assert bool(editable(found)) == (name in WITH_EDGES)


@pytest.mark.parametrize("name", WITH_EDGES)
def test_under_edits_the_maps_and_the_score_are_those_after_them(load, scenes, name):
    model, pair = load(name), scenes.pair(1)
    before = explain_edges(model, pair)
    tap = next(iter(editable(before)))
    edit = CutEdge(editable(before)[tap], 0, 2)
    after = explain_edges(model, pair, edit)
    assert before.map(tap).values[0, 2] != 0
    assert after.map(tap).values[0, 2] == 0
    assert after.score == pytest.approx(intervene(model, pair, edit, controls=0).score.after, abs=1e-5)
    assert explain(model, pair).score == pytest.approx(before.score, abs=1e-6), "the model is left as it was"


def test_a_mean_of_heads_is_edited_in_all_of_them(load, scenes):
    taps = editable(explain_edges(load("lgsf"), scenes.pair(0)))
    assert taps["image_side.layers.0.edges.mean"] == "image_side.layers.0.edges"
    assert taps["image_side.layers.0.edges.heads.1"] == "image_side.layers.0.edges.heads.1"


def test_shares_that_are_handed_on_sum_to_one(load, scenes):
    found = explain_edges(load("scan"), scenes.pair(0))
    np.testing.assert_allclose(found.map("shared_words").values.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.map("shared_regions").values.sum(axis=1), 1, atol=1e-6)


def test_words_whose_weights_moved_come_first(load, scenes):
    model, pair = load("racg"), scenes.pair(1)
    before = explain_edges(model, pair)
    after = explain_edges(model, pair, ReverseEdge("region_graph.edges", 0, 2))
    frame = moved_words(before, after)
    change = after.map(frame.attrs["map"]).values - before.map(frame.attrs["map"]).values
    assert frame["moved"].abs().iloc[0] == pytest.approx(np.abs(change).max())
    assert sorted(frame.index) == list(range(len(pair.words)))


@pytest.mark.parametrize("tap", ["region_side.edges", "word_graph.edges"])
def test_a_gallery_that_was_encoded_once_gives_the_same_ranks(load, scenes, tap):
    model, pair = load("racg"), scenes.pair(1)
    asked = {"controls": 3, "at_once": 5}
    plain = intervene(model, pair, CutEdge(tap, 0, 1), gallery=scenes, **asked)
    kept = intervene(model, pair, CutEdge(tap, 0, 1), gallery=EncodedGallery.of(model, scenes), **asked)
    for name, change in plain.changes.items():
        assert change.before == pytest.approx(kept.changes[name].before, abs=1e-4)
        assert change.after == pytest.approx(kept.changes[name].after, abs=1e-4)
        np.testing.assert_allclose(change.controls, kept.changes[name].controls, atol=1e-4)
    assert kept.gallery == plain.gallery


def test_a_gallery_of_another_model_is_refused():
    collection = toy_collection(images=4)
    first, second = toy_model(collection), toy_model(collection, seed=1)
    gallery = EncodedGallery.of(second, collection)
    with pytest.raises(ValueError, match="another model"):
        intervene(first, collection.pair(0), RemoveWord(0), gallery=gallery)
