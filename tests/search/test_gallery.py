"""Searching a collection by text and by image: exact or in two stages, and what an answer says of itself."""

import numpy as np
import pytest
import torch
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.evaluation.encoding import score_matrix
from itr_explore.models.registry import from_pretrained
from itr_explore.records import Example
from itr_explore.search.gallery import Gallery


@pytest.fixture(scope="module")
def toy():
    collection = toy_collection(40)
    return collection, toy_model(collection).eval()


@pytest.fixture
def fine(toy):
    """The toy with a score that is not the cosine of its vectors, and counts the pairs it scores."""
    collection, model = toy[0], toy_model(toy[0]).eval()
    model.counted = 0

    def score(images, captions):
        model.counted += len(images) * len(captions)
        return torch.einsum("ird,cwd->icrw", images.parts, captions.parts).flatten(2).amax(2)

    model.score = score
    return collection, model


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(60))


@pytest.mark.parametrize("name", ["chan", "racg", "bssan", "vse", "lgsf"])
def test_the_order_is_that_of_the_models_own_scores(name, scenes):
    model = from_pretrained(f"{name}-tiny-scenes")
    scores, gallery = score_matrix(model, scenes, device="cpu"), Gallery(model, scenes)
    found = gallery.images_for(scenes.captions[7], 60)
    np.testing.assert_allclose(found.scores, np.sort(scores[:, 7])[::-1], atol=1e-5)
    np.testing.assert_allclose(scores[found.rows, 7], found.scores, atol=1e-5)
    found = gallery.captions_for(3, 300)
    np.testing.assert_allclose(found.scores, np.sort(scores[3])[::-1], atol=1e-5)
    np.testing.assert_allclose(scores[3, found.rows], found.scores, atol=1e-5)


def test_an_answer_says_margins_right_answers_and_how_it_was_found(toy):
    collection, model = toy
    found = Gallery(model, collection).captions_for(5, 10)
    assert found.exact
    assert found.stages == "all 120 captions scored"
    assert set(found.right_rows) >= set(collection.captions_of(5))
    assert np.all(found.right == np.isin(found.rows, found.right_rows))
    everything = Gallery(model, collection).captions_for(5, 120)
    np.testing.assert_allclose(found.margins, -np.diff(everything.scores)[:10])
    assert np.isnan(everything.margins[-1])
    assert np.array_equal(everything.rows[found.right_ranks], found.right_rows)
    assert "all 120 captions scored" in str(found)
    assert list(found.to_frame().index) == list(range(1, 11))


def test_a_sentence_is_known_as_a_caption_whatever_its_case_and_full_stop(toy):
    collection, model = toy
    gallery = Gallery(model, collection)
    found = gallery.images_for(f"  {collection.captions[9].upper()}. ")
    assert collection.image_of[9] in found.right_rows
    assert not len(gallery.images_for("a dog of another colour").right_rows)


def test_words_never_seen_are_named(toy):
    collection, model = toy
    assert Gallery(model, collection).images_for("a red zebra and a zebra").unknown == ("zebra", "and")


def test_two_stages_score_only_the_candidates_and_keep_the_others_behind(fine):
    collection, model = fine
    gallery = Gallery(model, collection, exact_up_to=0, candidates=7)
    gallery.encode("captions")
    model.counted = 0
    found = gallery.captions_for(2, 5)
    assert model.counted == 7
    assert (found.exact, found.scored, found.of) == (False, 7, 120)
    assert "7 of 120 captions re-ranked" in found.stages
    assert sorted(found.scores, reverse=True) == found.scores.tolist()
    assert len(found.right_ranks) >= 3, "those that are no candidates have their coarse rank"


def test_with_all_as_candidates_both_ways_agree(fine):
    collection, model = fine
    exact = Gallery(model, collection).images_for("the red dog", 12)
    staged = Gallery(model, collection, exact_up_to=0, candidates=39).images_for("the red dog", 12)
    np.testing.assert_array_equal(exact.rows, staged.rows)
    np.testing.assert_allclose(exact.scores, staged.scores, atol=1e-6)


@pytest.mark.parametrize("side", ["images", "captions"])
def test_fragments_that_do_not_fit_are_encoded_again_and_score_the_same(fine, side):
    collection, model = fine
    kept, again = (
        Gallery(model, collection, exact_up_to=0, candidates=20, memory=memory) for memory in (2**30, 100)
    )
    one, two = (g.images_for("a blue car") if side == "images" else g.captions_for(1) for g in (kept, again))
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-6)
    assert sum(piece.parts.numel() for _, piece in again.shelf(side).pieces) == 0


def test_only_some_may_be_asked_for_and_ranks_stay_those_among_all(toy):
    collection, model = toy
    gallery = Gallery(model, collection)
    everything = gallery.images_for("the green boat", 40)
    among = np.zeros(40, dtype=bool)
    among[everything.rows[[3, 8]]] = True
    found = gallery.images_for("the green boat", 10, among=among)
    assert found.ranks.tolist() == [3, 8]
    np.testing.assert_allclose(found.margins, everything.margins[[3, 8]])


@pytest.mark.parametrize("memory", [2**30, 100], ids=["kept", "encoded again"])
def test_in_two_stages_too_what_passes_is_found_behind_all_candidates(fine, memory):
    collection, model = fine
    exact = Gallery(model, collection).images_for("the green boat", 40)
    gallery = Gallery(model, collection, exact_up_to=0, candidates=5, memory=memory)
    candidates = gallery.images_for("the green boat", 5).rows
    among = np.ones(40, dtype=bool)
    among[candidates] = False
    found = gallery.images_for("the green boat", 5, among=among)
    assert (len(found.rows), found.scored) == (5, 10)
    assert not np.isin(found.rows, candidates).any()
    wanted = dict(zip(exact.rows.tolist(), exact.scores.tolist(), strict=True))
    np.testing.assert_allclose(found.scores, [wanted[row] for row in found.rows.tolist()], atol=1e-6)
    assert found.ranks.tolist() == sorted(found.ranks)
    assert found.ranks.max() < 10, "those that were scored stand before all others"


def test_captions_that_say_the_same_are_right_for_each_others_images(toy):
    collection = toy_collection(4)
    collection.captions[7] = collection.captions[1].upper()  # of images 2 and 0
    gallery = Gallery(toy[1], collection)
    assert gallery.right_of(collection.captions[1]).tolist() == [0, 2]
    for image, right in ((0, [0, 1, 2, 7]), (1, [3, 4, 5]), (2, [1, 6, 7, 8])):
        found = gallery.captions_for(image, 12)
        assert np.sort(found.rows[found.right]).tolist() == gallery.right_of(image).tolist() == right


def test_an_image_from_elsewhere_is_found_by_its_regions(toy):
    collection, model = toy
    gallery = Gallery(model, collection)
    image = Example("mine", None, collection.regions(4), None, ())
    if model.config.box:
        with pytest.raises(ValueError, match="reads boxes"):
            gallery.captions_for(image)
        image = Example(
            "mine", None, collection.regions(4), np.zeros((len(image.regions), 4), np.float32), ()
        )
    found = gallery.captions_for(image, 5)
    np.testing.assert_array_equal(found.rows, gallery.captions_for(4, 5).rows)
    assert not len(found.right_rows)


def test_encoding_goes_on_where_it_was(toy):
    collection, model = toy
    gallery = Gallery(model, collection)
    done, total = gallery.encode("captions", seconds=0)
    assert 0 < done <= total == 120
    assert gallery.encode("captions") == (120, 120)


def test_other_weights_make_it_encode_anew_and_the_model_is_left_as_it_was(toy):
    collection, _ = toy
    model = toy_model(collection).train()
    gallery = Gallery(model, collection)
    before = gallery.images_for("a red dog").scores
    with torch.no_grad():
        model.look.weight.mul_(-1)
    assert not np.allclose(gallery.images_for("a red dog").scores, before)
    assert model.training


@pytest.mark.parametrize(
    ("text", "said"), [("", "no word"), (" ?! ", "no word"), ("dog " * 1001, "1,001 words; at most 1,000")]
)
def test_what_cannot_be_searched_for_is_refused(toy, text, said):
    with pytest.raises(ValueError, match=said):
        Gallery(toy[1], toy[0]).images_for(text)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script> dog", "كلب أحمر قرب قاربين", "🐕 chases 🐈‍⬛", " ".join(["red dog"] * 100)],
)
def test_any_sentence_with_a_word_gives_an_order(toy, text):
    found = Gallery(toy[1], toy[0]).images_for(text, 3)
    assert len(found.rows) == 3
    assert found.query == text


def test_features_of_another_size_are_refused_saying_both(toy):
    other = toy_collection(4)
    other._regions.values = np.zeros((len(other._regions.values), 9), np.float32)
    with pytest.raises(ValueError, match=r"size 15.*have size 9"):
        Gallery(toy[1], other)
