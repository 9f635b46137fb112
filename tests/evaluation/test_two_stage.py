import numpy as np
import pytest
import torch

from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.ranking import evaluate, rank
from itr_explore.evaluation.two_stage import evaluate_two_stage
from itr_explore.models.registry import create_model, list_models


@pytest.fixture
def fine(toy):
    """A toy model whose score is another one than the cosine of its vectors, and counts its pairs."""

    def make(images):
        collection, model = toy(images)
        model.counted = 0

        def score(sides, captions):
            model.counted += len(sides) * len(captions)
            return sides.vectors.flip(1) @ captions.vectors.T

        model.score = score
        return collection, model

    return make


def same(found, wanted):
    np.testing.assert_array_equal(found.image_to_text, wanted.image_to_text)
    np.testing.assert_array_equal(found.text_to_image, wanted.text_to_image)


@pytest.mark.parametrize("name", list_models())
def test_with_all_as_candidates_both_stages_rank_as_exhaustive_scoring(name, toy):
    collection, _ = toy(images=5)
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    sizes = {"region_dim": collection.region_dim, "dim": 16, "word_dim": 8, "box": False}
    model = create_model(name, "tiny", tokenizer=tokenizer, **sizes)
    found = evaluate_two_stage(model, collection, candidates=100, device="cpu", captions_at_once=8)
    same(found, evaluate(model, collection, device="cpu"))
    assert found.ceiling == (100.0, 100.0)
    assert found.scored == found.pairs == 5 * 15


@pytest.mark.parametrize("candidates", [1, 4, 11])
def test_candidates_come_first_by_score_and_the_others_after_them_in_their_coarse_order(fine, candidates):
    collection, model = fine(images=23)
    score = model.whole_matrix(collection).numpy()
    model.score = lambda sides, captions: sides.vectors @ captions.vectors.T
    coarse = model.whole_matrix(collection).numpy()
    wanted = []
    for axis in (1, 0):  # image to text, text to image
        place = (-coarse).argsort(axis=axis).argsort(axis=axis)
        wanted.append(rank(np.where(place < candidates, 10 + score, coarse), collection.image_of))

    collection, model = fine(images=23)
    found = evaluate_two_stage(
        model, collection, candidates=candidates, device="cpu", images_at_once=5, captions_at_once=7
    )
    np.testing.assert_array_equal(found.image_to_text, wanted[0].image_to_text)
    np.testing.assert_array_equal(found.text_to_image, wanted[1].text_to_image)
    same(found.coarse, rank(coarse, collection.image_of))


def test_each_pair_is_scored_once_and_few_are(fine):
    collection, model = fine(images=30)
    found = evaluate_two_stage(model, collection, candidates=3, device="cpu")
    assert found.scored == model.counted
    assert 30 * 3 <= found.scored <= 30 * 3 + 90 * 3 < found.pairs


def test_the_ceiling_is_the_share_of_queries_whose_answer_is_a_candidate(fine):
    collection, model = fine(images=30)
    found = evaluate_two_stage(model, collection, candidates=5, device="cpu")
    assert found.ceiling == pytest.approx(found.coarse.recall_at(5))
    assert found.recall_at(5) == pytest.approx(found.ceiling)


def test_where_the_vectors_are_the_score_the_second_stage_changes_nothing(toy):
    collection, model = toy(images=20)
    same(
        evaluate_two_stage(model, collection, candidates=4, device="cpu"),
        evaluate(model, collection, device="cpu"),
    )


def test_a_right_answer_tied_with_the_last_candidate_is_not_counted_among_them(toy):
    collection, model = toy(images=6)
    with torch.no_grad():
        for parameter in model.look.parameters():
            parameter.zero_()  # all scores are equal
    found = evaluate_two_stage(model, collection, candidates=2, device="cpu", ties="optimistic")
    assert np.count_nonzero(found.text_to_image == 2) == 12
    assert found.ceiling[1] == pytest.approx(100 / 3)


def test_the_table_shows_both_stages_and_what_the_first_one_costs(fine):
    collection, model = fine(images=30)
    found = evaluate_two_stage(model, collection, candidates=5, device="cpu")
    assert [row[0] for row in found.table().rows] == [
        "image to text", "text to image", "image to text, coarse", "text to image, coarse",
    ]  # fmt: skip
    assert "5 candidates a query" in str(found)
    assert f"{100 * found.scored / found.pairs:.1f} % of all pairs scored" in str(found)


def test_settings_that_keep_nothing_are_refused(toy):
    collection, model = toy(images=4)
    with pytest.raises(ValueError, match=r"candidates, .* must be at least 1, got 0, 256 and 1024"):
        evaluate_two_stage(model, collection, candidates=0, device="cpu")
