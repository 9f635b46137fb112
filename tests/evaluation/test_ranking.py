import numpy as np
import pytest
import torch

from itr_explore.evaluation.ranking import evaluate, rank, rank_blocks, recall_at
from itr_explore.records import Ranking


def ranks_by_sorting(scores, right):
    """The obvious way, one query a row: sort, then look for the first right answer."""
    return [np.flatnonzero(right[q][np.argsort(-scores[q], kind="stable")])[0] for q in range(len(scores))]


def image_matrix(image_of, images):
    return np.arange(images)[:, None] == image_of


def test_ranks_equal_those_of_sorting():
    rng = np.random.default_rng(0)
    image_of = np.sort(rng.permutation(np.arange(100) % 20))
    scores, right = rng.normal(size=(20, 100)), image_matrix(image_of, 20)
    found = rank(scores, image_of, chunk=7)
    assert found.image_to_text.tolist() == ranks_by_sorting(scores, right)
    assert found.text_to_image.tolist() == ranks_by_sorting(scores.T, right.T)


def test_ranks_equal_those_of_sorting_for_any_number_of_right_answers():
    rng = np.random.default_rng(0)
    scores, right = rng.normal(size=(12, 30)), rng.random((12, 30)) < 0.2
    right[np.arange(12), np.arange(12)] = right[np.arange(30) % 12, np.arange(30)] = True
    found = rank(scores, right, chunk=5)
    assert found.image_to_text.tolist() == ranks_by_sorting(scores, right)
    assert found.text_to_image.tolist() == ranks_by_sorting(scores.T, right.T)


def test_tied_ranks_bound_and_average_those_of_sorting_in_random_orders():
    rng = np.random.default_rng(0)
    scores, right = rng.integers(0, 3, (6, 18)).astype(float), image_matrix(np.arange(18) % 6, 6)
    orders = [rng.permutation(18) for _ in range(4000)]
    shuffled = np.array([ranks_by_sorting(scores[:, order], right[:, order]) for order in orders])
    ranks = {
        ties: rank(scores, right, ties=ties).image_to_text for ties in ("mean", "pessimistic", "optimistic")
    }
    assert ranks["optimistic"].tolist() == shuffled.min(axis=0).tolist()
    assert ranks["pessimistic"].tolist() == shuffled.max(axis=0).tolist()
    assert ranks["mean"] == pytest.approx(shuffled.mean(axis=0), abs=0.15)


def test_equal_scores_earn_nothing():
    assert rank(np.zeros((2, 2)), np.arange(2)).recall_at(1) == (0.0, 0.0)


def test_two_equal_scores_share_their_ranks_by_hand():
    found = rank(np.array([[0.9, 0.9, 0.1], [0.2, 0.3, 0.9]]), np.array([0, 1, 1]))
    assert found.image_to_text.tolist() == [0.5, 0.0]
    assert found.text_to_image.tolist() == [0.0, 1.0, 0.0]


def test_a_query_without_a_right_answer_is_left_out():
    found = rank(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([0, 0]))
    assert np.isnan(found.image_to_text).tolist() == [False, True]
    assert found.recall_at(1) == (100.0, 50.0)


def test_blocks_are_made_once_each_and_give_the_ranks_of_the_whole():
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.integers(0, 40, (10, 50)).astype(np.float32))
    image_of, made = rng.permutation(np.arange(50) % 10), []

    def block(at, among):
        made.append((at.start, among.start))
        return scores[at, among]

    images, captions = ([slice(i, i + 5) for i in range(0, n, 5)] for n in (10, 50))
    found = rank_blocks(block, images, captions, image_of, np.arange(50))
    assert sorted(made) == sorted({(a.start, b.start) for a in images for b in captions})
    whole = rank(scores, image_of)
    assert np.array_equal(found.image_to_text, whole.image_to_text)
    assert np.array_equal(found.text_to_image, whole.text_to_image)


def test_a_memory_mapped_matrix_is_ranked(tmp_path):
    scores = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float16)
    np.save(tmp_path / "scores.npy", scores)
    mapped = np.load(tmp_path / "scores.npy", mmap_mode="r")
    assert rank(mapped, np.arange(8) // 2).rsum == rank(scores, np.arange(8) // 2).rsum


def test_scores_that_are_not_numbers_are_refused():
    scores = np.zeros((3, 3))
    scores[1, 2] = np.nan
    with pytest.raises(ValueError, match="hold NaN"):
        rank(scores, np.arange(3))


def test_relevance_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\[3\] integers .* or \[2 3\] booleans, got \[2\]"):
        rank(np.zeros((2, 3)), np.arange(2))


@pytest.mark.parametrize(
    ("scores", "came"), [(np.zeros(4), r"\[4\]"), (torch.zeros(2, 2, 2), r"\[2, 2, 2\]"), ([[1.0]], "list")]
)
def test_scores_that_are_no_matrix_are_refused(scores, came):
    with pytest.raises(ValueError, match=rf"scores must be .* \[image caption\], got {came}"):
        rank(scores, np.array([0]))


@pytest.mark.parametrize("name", ["images_at_once", "captions_at_once"])
def test_blocks_of_nothing_are_refused(toy, name):
    model, settings = toy(4)[1], {name: 0}
    with pytest.raises(ValueError, match=r"images_at_once and captions_at_once must be at least 1, got .*0"):
        evaluate(model, toy(4)[0], device="cpu", **settings)
    with pytest.raises(ValueError, match="chunk must be at least 1 image, got -1"):
        rank(np.eye(2), np.arange(2), chunk=-1)


def test_recall_counts_the_first_k():
    assert recall_at([0, 1, 4, 5, 20, np.nan], 5) == 60.0


def test_median_and_mean_rank_count_from_one():
    ranking = Ranking(np.array([0.0, 2.0, 10.0]), np.array([0.0, 0.0, 0.0]))
    assert ranking.median_rank == (3.0, 1.0)
    assert ranking.mean_rank == (5.0, 1.0)


def test_a_ranking_shows_itself_as_text_html_and_frame():
    ranking = Ranking(np.array([0.0, 2.0]), np.array([0.0, 0.0]))
    assert "text to image  100.0  100.0" in str(ranking)
    assert "<td>100.0</td>" in ranking._repr_html_()
    assert ranking.to_frame().loc["image to text", "R@1"] == 50.0


def test_a_model_is_evaluated_as_its_whole_score_matrix_is_ranked(toy):
    collection, model = toy(images=23)
    whole = rank(model.whole_matrix(collection), collection.image_of)
    found = evaluate(model, collection, device="cpu", images_at_once=5, captions_at_once=7)
    assert np.array_equal(found.image_to_text, whole.image_to_text)
    assert np.array_equal(found.text_to_image, whole.text_to_image)


def test_five_folds_rank_each_block_of_images_by_itself(toy):
    collection, model = toy(images=20)
    parts = [evaluate(model, collection.subset(range(at, at + 4)), device="cpu") for at in range(0, 20, 4)]
    found = evaluate(model, collection, device="cpu", folds=5)
    assert found.image_to_text.tolist() == np.concatenate([p.image_to_text for p in parts]).tolist()
    assert found.recall_at(1)[1] == pytest.approx(np.mean([p.recall_at(1)[1] for p in parts]))


def test_folds_that_do_not_divide_the_images_are_refused(toy):
    collection, model = toy(images=7)
    with pytest.raises(ValueError, match="7 images do not divide into 5 blocks"):
        evaluate(model, collection, folds=5)


def test_evaluation_leaves_the_model_in_the_mode_it_had(toy):
    collection, model = toy(images=4)
    model.train()
    model.dropout.eval()
    evaluate(model, collection, device="cpu")
    assert (model.training, model.dropout.training) == (True, False)


def test_a_gpu_that_is_not_there_is_refused_in_words(toy, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    collection, model = toy(images=4)
    with pytest.raises(ValueError, match="sees 0 GPUs"):
        evaluate(model, collection, device="cuda")
