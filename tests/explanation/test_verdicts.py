import numpy as np
import pytest

from itr_explore.explanation.verdicts import by_chance, verdicts
from itr_explore.records import Map, Mention, Truth

BOX = np.array([[0.0, 0.0, 1.0, 1.0]])
NO_BOX = np.zeros((0, 4))


def a_map(rows, kind="word_to_region"):
    return Map("weights", kind, np.array(rows), "attention", "softmax")


TRUTH = Truth(
    mentions=(Mention((0, 1), BOX), Mention((2,), BOX), Mention((3,), BOX), Mention((4,), NO_BOX, "setting")),
    word_regions=np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=bool),
)
ROWS = [[0.6, 0.4, 0.0], [0.0, 0.9, 0.1], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.1, 0.1, 0.8]]


def test_a_mention_is_judged_by_the_mean_row_of_its_words():
    judged = verdicts(a_map(ROWS), TRUTH)
    assert [verdict.state for verdict in judged] == ["hit", "miss", "uncovered", "ungrounded"]
    assert (judged[0].top, judged[0].weight) == (1, pytest.approx(0.65))
    assert judged[1].right == (0,)


def test_a_map_from_regions_to_words_is_judged_the_same_way():
    upright = verdicts(a_map(ROWS), TRUTH)
    turned = verdicts(a_map(np.array(ROWS).T, "region_to_word"), TRUTH)
    assert [(v.state, v.top, v.weight) for v in upright] == [(v.state, v.top, v.weight) for v in turned]


def test_what_chance_would_hit_is_the_share_of_right_regions():
    assert by_chance(verdicts(a_map(ROWS), TRUTH), regions=3) == pytest.approx(2 / 3)


def test_without_truth_nothing_is_judged():
    assert verdicts(a_map(ROWS), None) == ()
