from itertools import permutations

import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.data.judgments import Judgments
from itr_explore.data.mistakes import told
from itr_explore.evaluation.encoding import score_matrix, score_pairs
from itr_explore.evaluation.relevance import agreement, expected, graded, relevance
from itr_explore.models.registry import from_pretrained, list_models


def test_the_measures_by_hand():
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.9, 0.8, 0.7, 0.1], [0.4, 0.3, 0.2, 0.1]])
    right = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]], dtype=bool)
    found = graded(scores, right)
    assert found[0].tolist() == [0.5, 0.5, 1.0]  # R = 2: right, wrong
    assert found[1].tolist() == [0.25, 0.5, 0.0]  # wrong, right: (1 / 2) / 2
    assert np.isnan(found[2]).all()


def test_the_first_r_in_any_order_are_worth_all():
    found = graded(np.array([[0.5, 0.9, 0.7, 0.1]]), np.array([[True, True, True, False]]))
    assert found.tolist() == [[1.0, 1.0, 1.0]]


def test_of_equal_scores_the_wrong_come_first():
    assert graded(np.zeros((1, 3)), np.array([[True, False, False]])).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_random_order_is_the_mean_over_all_orders(count):
    right = np.arange(5) < count
    orders = np.array(list(permutations(range(5))), dtype=float)
    found = graded(orders, np.tile(right, (len(orders), 1))).mean(axis=0)
    np.testing.assert_allclose(expected(np.array([count]), 5)[0], found)


def test_on_scenes_all_that_is_true_is_right():
    scenes = Collection.scenes("val", size=40)
    model = from_pretrained("vse-tiny-scenes")
    scores = score_matrix(model, scenes, device="cpu")
    found = relevance(model, scenes, scores=scores)
    assert found.rows == ("vse", "vse, written pairs only", "random order")
    by_hand = 100 * graded(scores, told(scenes).true).mean(axis=0)
    np.testing.assert_allclose(found.values[0, :3, 0], by_hand)
    assert (found.values[0, :, 1] <= found.values[0, :, 0]).all()


@pytest.mark.parametrize("name", list_models())
def test_every_system_can_be_asked(name):
    scenes, model = (
        Collection.scenes("val", size=40).subset(range(12)),
        from_pretrained(f"{name}-tiny-scenes"),
    )
    found = relevance(model, scenes, device="cpu")
    assert found.value(name, "image to text mAP@R").value > 20
    assert found.value("random order", "image to text mAP@R").value < 10


def test_pairs_have_the_scores_of_the_whole_matrix(toy):
    collection, model = toy(20)
    rng = np.random.default_rng(0)
    images, captions = rng.integers(0, 20, 30), rng.integers(0, 60, 30)
    whole = score_matrix(model, collection, device="cpu", images_at_once=7, captions_at_once=13)
    np.testing.assert_allclose(whole, model.whole_matrix(collection).numpy(), atol=1e-6)
    found = score_pairs(model, collection, images, captions, device="cpu", images_at_once=3)
    np.testing.assert_allclose(found, whole[images, captions], atol=1e-6)


def test_written_pairs_are_right_where_nothing_else_is_known(toy):
    collection, model = toy(6)
    assert relevance(model, collection, device="cpu").rows == ("toy", "random order")


def test_matrices_of_another_shape_are_refused(toy):
    collection, model = toy(6)
    with pytest.raises(ValueError, match=r"relevant must be \[image caption\] \[6, 18\] booleans"):
        relevance(model, collection, np.ones((6, 5), dtype=bool))
    with pytest.raises(ValueError, match=r"got \[1, 1\] bool"):
        relevance(model, collection, [[True]])
    with pytest.raises(ValueError, match="no caption is right"):
        relevance(model, collection, np.zeros((6, 18), dtype=bool))


def test_agreement_is_one_with_experts_who_grade_by_the_scores(toy):
    collection, model = toy(20)
    images, captions = np.repeat(np.arange(20), 4), np.arange(80) % 60
    scores = score_pairs(model, collection, images, captions, device="cpu")
    grades = np.stack([scores.argsort().argsort(), 2 * scores.argsort().argsort()], axis=1).astype(float)
    found = agreement(
        model, collection, Judgments(images, captions, grades), ["a red dog"], draws=5, device="cpu"
    )
    assert found.rows == ("toy", "one expert", "text only", "random order")
    assert found.value("toy", "Spearman's rho").value == pytest.approx(1, abs=0.02)  # equal captions tie
    assert found.value("one expert", "Kendall's tau-b").value == pytest.approx(1)
    assert found.value("random order", "Kendall's tau-b").value == 0


def test_one_expert_is_too_few(toy):
    collection, model = toy(6)
    with pytest.raises(ValueError, match="two at least"):
        agreement(model, collection, Judgments(np.zeros(2, int), np.zeros(2, int), np.ones((2, 1))))
