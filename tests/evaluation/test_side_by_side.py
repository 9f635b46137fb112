import numpy as np
import pytest
from toys import toy_collection

from itr_explore.evaluation.ranking import rank
from itr_explore.evaluation.side_by_side import disagreements

MODELS = {"one": None, "two": None}  # never asked: their scores are given


@pytest.fixture
def collection():
    return toy_collection(3, captions=2)


def given(collection, **scores):
    return disagreements(dict.fromkeys(scores), collection, scores=scores)


def test_ranks_by_hand(collection):
    # images 0 1 2, captions 0 0 1 1 2 2
    one = np.array([[9, 1, 0, 0, 2, 0], [0, 3, 9, 0, 0, 0], [0, 1, 0, 5, 9, 9]], dtype=float)
    found = given(collection, one=one, two=-one)
    assert found.image_ranks[0].tolist() == [0, 1.5, 0, 1.5, 0, 0]
    assert found.caption_ranks[0].tolist() == [0, 1, 0, 2.5, 0, 0]
    assert found.scores[0].tolist() == [9, 1, 9, 0, 9, 9]
    assert found.right[0].tolist() == [True, False, True, False, True, True]


def test_the_ranks_of_images_are_those_of_a_ranking(collection):
    rng = np.random.default_rng(0)
    scores = {name: rng.integers(0, 4, (3, 6)).astype(float) for name in ("one", "two")}
    found = given(collection, **scores)
    for at, matrix in enumerate(scores.values()):
        assert np.array_equal(found.image_ranks[at], rank(matrix, collection.image_of).text_to_image)


def test_groups_say_who_is_right_and_cover_every_caption_once(collection):
    rng = np.random.default_rng(1)
    found = given(collection, a=rng.normal(size=(3, 6)), b=rng.normal(size=(3, 6)))
    groups = found.groups
    assert list(groups) == ["a right, b wrong", "b right, a wrong", "both wrong", "both right"]
    assert sorted(np.concatenate(list(groups.values()))) == list(range(6))
    for row in groups["a right, b wrong"]:
        assert (found.ranks[0, row], found.ranks[1, row] > 0) == (0, True)


def test_the_clearest_disagreement_comes_first(collection):
    right = (collection.image_of == np.arange(3)[:, None]).astype(float)
    wrong = right.copy()
    wrong[:, 1] = [0.5, 1, 0]
    wrong[:, 4] = [1, 0.7, 0.2]
    assert given(collection, a=right, b=wrong).groups["a right, b wrong"].tolist() == [4, 1]


def test_three_systems_are_told_by_who_stands_alone(collection):
    right = (collection.image_of == np.arange(3)[:, None]).astype(float)
    groups = given(collection, a=right, b=-right, c=right).groups
    assert groups["only b wrong"].tolist() == list(range(6))
    assert "some right" not in groups


def test_the_frame_has_a_row_for_each_caption_and_the_table_one_for_each_group(collection):
    right = (collection.image_of == np.arange(3)[:, None]).astype(float)
    found = given(collection, a=right, b=-right)
    frame = found.to_frame()
    assert list(frame["who"]) == ["a right, b wrong"] * 6
    assert list(frame["b: image rank"]) == [2] * 6
    assert [row[:2] for row in found.table().rows] == [
        ("a right, b wrong", 6),
        ("b right, a wrong", 0),
        ("both wrong", 0),
        ("both right", 0),
    ]


def test_the_direction_decides_who_is_right(collection):
    scores = np.array([[1, 1, 0, 0, 2, 0], [0, 0, 3, 3, 0, 0], [0, 0, 0, 0, 3, 3]], dtype=float)
    models = {"a": None, "b": None}
    by = {
        direction: disagreements(models, collection, scores={"a": scores, "b": scores}, direction=direction)
        for direction in ("text_to_image", "image_to_text")
    }
    assert by["text_to_image"].right[0].all()
    assert by["image_to_text"].right[0].tolist() == [False, False, True, True, True, True]


def test_a_caption_is_found_by_its_image_and_number(collection):
    scores = np.zeros((3, 6))
    found = given(collection, a=scores, b=scores)
    assert found.row(2, 1) == 5
    with pytest.raises(IndexError, match=r"no caption 2 of image 1.*2 captions"):
        found.row(1, 2)


@pytest.mark.parametrize(
    ("models", "options", "told"),
    [
        ({"a": None}, {}, "two systems or more"),
        (MODELS, {"scores": {"three": np.zeros((3, 6))}}, "none of"),
        (MODELS, {"scores": {"one": np.zeros((6, 3))}}, r"\[3, 6\], got \[6, 3\]"),
        (MODELS, {"scores": {"one": np.full((3, 6), np.nan)}}, "NaN"),
        (MODELS, {"direction": "sideways"}, "text_to_image or image_to_text"),
    ],
)
def test_what_does_not_fit_is_refused(collection, models, options, told):
    with pytest.raises(ValueError, match=told):
        disagreements(models, collection, **options)
