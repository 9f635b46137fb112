"""A gallery whose vectors live in an index: the same answers, from a folder, a file or a server."""

from copy import copy

import numpy as np
import pytest
import torch
from toys import toy_collection, toy_model

import itr_explore.search.indexed as indexed
from itr_explore.data.ragged import Ragged
from itr_explore.data.store import RegionStore, RegionWriter
from itr_explore.records import RegionsOf
from itr_explore.search.exact import ExactIndex
from itr_explore.search.gallery import Gallery
from itr_explore.search.indexed import mark_of
from itr_explore.search.recall import coarse_recall


@pytest.fixture(scope="module")
def collection():
    return toy_collection(40)


@pytest.fixture
def one_vector(collection):
    """Its score is the product of two vectors, as it says of itself."""
    model = toy_model(collection).eval()
    model.image_parts = None
    return model


@pytest.fixture
def fine(collection):
    """Its score needs both sides at once; counts the pairs it scores and the images it encodes."""
    model = toy_model(collection).eval()
    model.counted, model.encoded = 0, 0
    encode_images = model.encode_images

    def score(images, captions):
        model.counted += len(images) * len(captions)
        return torch.einsum("ird,cwd->icrw", images.parts, captions.parts).flatten(2).amax(2)

    def encode(batch):
        model.encoded += len(batch.regions)
        return encode_images(batch)

    model.score, model.encode_images = score, encode
    return model


@pytest.fixture(params=["folder", "file.db"])
def place(request, tmp_path):
    if request.param.endswith(".db"):
        pytest.importorskip("milvus_lite")
    return tmp_path / request.param


def test_an_index_brings_what_a_search_in_memory_finds(collection, one_vector, place):
    memory, gallery = Gallery(one_vector, collection), Gallery(one_vector, collection, index=place)
    for ask in (lambda g: g.images_for("the green boat", 9), lambda g: g.captions_for(3, 9)):
        wanted, found = ask(memory), ask(gallery)
        np.testing.assert_array_equal(found.rows[:3], wanted.rows[:3])
        np.testing.assert_allclose(found.scores, wanted.scores, atol=2e-3)
        assert (len(found.rows), found.of, found.scored, found.exact) == (9, wanted.of, 10, False)
        assert "the first 10 of" in found.stages
        np.testing.assert_allclose(found.margins[:-1], -np.diff(found.scores), atol=1e-6)
    gallery.close()


def test_the_model_scores_what_the_index_brings(collection, fine, place):
    exact = Gallery(fine, collection).images_for(collection.captions[5], 40)
    gallery = Gallery(fine, collection, index=place, candidates=12)
    gallery.encode("images")
    fine.counted = 0
    found = gallery.images_for(collection.captions[5], 4)
    assert (fine.counted, found.scored, len(found.rows)) == (12, 12, 4)
    wanted = dict(zip(exact.rows.tolist(), exact.scores.tolist(), strict=True))
    np.testing.assert_allclose(found.scores, [wanted[row] for row in found.rows.tolist()], atol=1e-5)
    assert sorted(found.scores, reverse=True) == found.scores.tolist()
    assert set(found.right_rows.tolist()) | set(found.beyond) == set(exact.right_rows.tolist())
    assert found.known
    assert "12 of 40 images re-ranked, brought by an index" in found.stages
    gallery.close()


def test_what_is_in_the_index_is_not_encoded_again(collection, fine, place):
    first = Gallery(fine, collection, index=place)
    first.encode("images")
    first.close()
    fine.encoded = 0
    again = Gallery(fine, collection, index=place)
    assert again.encode("images") == (40, 40)
    assert fine.encoded <= 1, "one tells the size of vectors"
    again.close()


def test_encoding_that_was_broken_off_goes_on_from_where_it_was_kept(fine, tmp_path, monkeypatch):
    collection = toy_collection(56, captions=6)
    first = Gallery(fine, collection, index=tmp_path)
    done, total = first.encode("captions", seconds=0)
    assert 0 < done < total
    first.close()
    again = Gallery(fine, collection, index=tmp_path)
    assert again.shelf("captions").done == done
    assert again.encode("captions") == (total, total)


def test_other_weights_never_meet_the_vectors_of_these(collection, one_vector, place):
    gallery = Gallery(one_vector, collection, index=place)
    before, mark = gallery.images_for("a red dog").scores, mark_of(one_vector, collection, {})
    with torch.no_grad():
        one_vector.look.weight.mul_(-1)
    others = (collection, {}), (toy_collection(41), {}), (collection, {"year": np.arange(40)})
    assert mark not in {mark_of(one_vector, *other) for other in others}
    assert not np.allclose(gallery.images_for("a red dog").scores, before)
    gallery.close()


def test_vectors_of_other_boxes_guides_features_or_words_are_not_taken_for_these(collection):
    model, rows = toy_model(collection), collection._region_rows()
    values = rows.values.copy()
    values[1] += 1
    boxes = np.tile(np.float32([0, 0, 0.5, 0.5]), (len(values), 1))
    made = copy(collection)
    made.regions_from = "another extractor"
    others = [
        collection,
        made,
        collection._with(rows, boxes),
        collection._with(rows, boxes / 2),
        collection.with_guide(np.ones((40, 2), np.float32)),
        collection.with_guide(np.zeros((40, 2), np.float32)),
        collection._with(Ragged(values, np.append(0, np.cumsum(rows.lengths))), None),
    ]
    marks = {mark_of(model, other, {}) for other in others}
    assert len(marks) == len(others)
    model.tokenizer = toy_model(toy_collection(3)).tokenizer
    assert mark_of(model, collection, {}) not in marks


def test_every_feature_of_a_large_collection_counts_and_the_same_ones_give_the_same_mark(monkeypatch):
    monkeypatch.setattr(indexed, "LOOKED_AT", 7)
    many = toy_collection(200)
    model, rows = toy_model(many), many._region_rows()
    starts = np.append(0, np.cumsum(rows.lengths))
    marks = set()
    for image in (0, 1, 98, 199):
        values = rows.values.copy()
        values[starts[image]] += 1
        marks |= {mark_of(model, many._with(Ragged(values, starts), None), {}) for _ in range(2)}
    assert len(marks | {mark_of(model, many, {})}) == 5
    assert mark_of(model, many, {}) == mark_of(model, copy(many), {})


def test_of_a_region_store_the_checksums_are_read_and_not_its_features(tmp_path, monkeypatch):
    collection, marks = toy_collection(6), []
    model = toy_model(collection)
    for place, shift in (("a", 0), ("b", 0), ("c", 1)):
        with RegionWriter(tmp_path / place, {"kind": "test"}, images_a_shard=2) as writer:
            for row, key in enumerate(collection.image_ids):
                writer.add(key, RegionsOf(collection.regions(row) + shift * (row == 3)))
        store = RegionStore(tmp_path / place)
        stored = collection._with(store.regions, None)
        with monkeypatch.context() as patched:
            patched.setattr(type(stored), "regions_of", lambda *_: pytest.fail("features were read"))
            marks += [mark_of(model, stored, {}), mark_of(model, stored.subset([3, 1]), {})]
    assert marks[:2] == marks[2:4]
    assert len(set(marks)) == 4


def test_an_index_of_ones_own_is_written_anew_when_the_weights_change(collection, one_vector):
    index = ExactIndex(8, {"image_id": str})
    gallery = Gallery(one_vector, collection, index={"images": index})
    before = gallery.images_for("a red dog", 5)
    assert len(index) == 40
    with torch.no_grad():
        one_vector.look.weight.mul_(-1)
    after = gallery.images_for("a red dog", 5)
    assert not np.allclose(before.scores, after.scores)
    np.testing.assert_allclose(
        after.scores, Gallery(one_vector, collection).images_for("a red dog", 5).scores, atol=2e-3
    )
    assert "all 120 captions scored" in gallery.captions_for(1).stages


@pytest.mark.parametrize("where", [None, "folder", "file.db"])
def test_filters_ask_what_is_known_of_items_with_and_without_an_index(
    collection, one_vector, where, tmp_path
):
    if where == "file.db":
        pytest.importorskip("milvus_lite")
    years = np.arange(40) % 5 + 2000
    gallery = Gallery(
        one_vector,
        collection,
        index=where and tmp_path / where,
        metadata={"images": {"year": years}},
    )
    found = gallery.images_for("the green boat", 40, filter="year >= 2003 and image_id != 'train-3'")
    assert set(found.rows.tolist()) == set(np.flatnonzero(years >= 2003)) - {3}
    among = np.arange(40) < 20
    found = gallery.images_for("the green boat", 40, filter="year == 2001", among=among)
    assert set(found.rows.tolist()) == {1, 6, 11, 16}
    assert len(gallery.captions_for(0, 5, filter="words > 99").rows) == 0
    with pytest.raises(ValueError, match="no field 'colour'; there are id, image_id, regions, year"):
        gallery.images_for("dog", filter="colour == 1")
    gallery.close()


def test_with_an_index_ranks_among_some_count_among_these_and_the_answer_says_so(
    collection, one_vector, tmp_path
):
    memory, index = Gallery(one_vector, collection), Gallery(one_vector, collection, index=tmp_path)
    everything, among = memory.images_for("the green boat", 40), np.zeros(40, dtype=bool)
    among[everything.rows[[0, 2, 3]]] = True
    only = {"among": among}, {"filter": f"id in {everything.rows[[0, 2, 3]].tolist()}"}
    for asked in only:
        whole, found = (one.images_for("the green boat", 5, **asked) for one in (memory, index))
        assert (whole.ranks.tolist(), whole.among_some) == ([0, 2, 3], False)
        assert (found.ranks.tolist(), found.among_some) == ([0, 1, 2], True)
        assert "ranks among those that were asked for" in str(found)
    assert not index.images_for("the green boat", 5).among_some
    index.close()


def test_an_index_with_ids_of_another_collection_is_refused(collection, one_vector):
    index = ExactIndex(8, {"image_id": str})
    Gallery(one_vector, collection, index={"images": index}).encode("images")
    with pytest.raises(ValueError, match=r"ids 0 to 29: 10 of its 40 ids are others"):
        Gallery(one_vector, collection.subset(range(30)), index={"images": index}).images_for("a red dog")
    gallery = Gallery(one_vector, collection, index={"images": index})
    gallery.encode("images")
    index.add([77], index.vectors_of([0]), {"image_id": ["x"]})
    with pytest.raises(ValueError, match="it brought id 77"):
        gallery.images_for("a red dog", 40)


def test_metadata_that_fits_no_item_is_refused(collection, one_vector):
    for values in ([1, 2], [[1]] * 40, [None] * 40):
        gallery = Gallery(one_vector, collection, metadata={"images": {"year": values}})
        with pytest.raises(ValueError, match="'year' of images wants 40 values"):
            gallery.images_for("dog", filter="year == 1")


@pytest.mark.parametrize("index", [None, "folder"])
def test_the_recall_of_the_coarse_stage_grows_to_all(collection, fine, index, tmp_path):
    gallery = Gallery(fine, collection, index=index and tmp_path / index)
    told = coarse_recall(gallery, "images", k=5, candidates=(5, 20, 40), queries=12)
    assert told.first_k[0] <= told.first_k[1] <= told.first_k[2] == 100
    assert told.right[2] == 100
    assert "12 queries among 40 images" in str(told)
    assert list(told.to_frame().index) == [5, 20, 40]
    with pytest.raises(ValueError, match="numbers from 1"):
        coarse_recall(gallery, "images", k=0)


def test_the_demo_answers_from_an_index_and_right_ones_it_does_not_bring_are_still_known(fine, tmp_path):
    from itr_explore.widgets.retrieval_demo import RetrievalDemo

    collection = toy_collection(56)
    gallery = Gallery(fine, collection, index=tmp_path, candidates=3)
    demo = RetrievalDemo(fine, collection, gallery=gallery, shown=3)
    states = []
    for row in range(0, len(collection.captions), 8):
        told = demo.answer_search({"text": collection.captions[row]})
        states += [result["state"] for result in told["results"]]
        assert told["known"]
        assert told["rightInAll"] == len(gallery.right_of(collection.captions[row]))
    assert "unknown" not in states
    assert "brought by an index (exact, float16)" in told["stages"]
    assert demo.answer_search({"text": collection.captions[0]}, wrong=True)["results"]
