import json

import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.evaluation.encoding import score_matrix
from itr_explore.models.registry import from_pretrained
from itr_explore.widgets.model_compare import compare


@pytest.fixture(scope="module")
def models():
    return {name: from_pretrained(f"{name}-tiny-scenes") for name in ("vse", "scan")}


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("val", size=40).subset(range(10))


@pytest.fixture(scope="module")
def scores(models, scenes):
    return {name: score_matrix(model, scenes) for name, model in models.items()}


@pytest.fixture
def view(models, scenes, scores):
    return compare(models, scenes, scores=scores)


def test_the_first_pair_is_one_that_the_systems_disagree_about(view):
    groups = view.disagreements.groups
    first = next(rows for rows in groups.values() if len(rows))[0]
    assert view.place == (view.disagreements.image_of[first], view.disagreements.number_of[first])


def test_an_answer_is_what_the_page_then_holds(view):
    shown = view.answer_show(image=7, caption=1)
    assert shown["place"] == [7, 1]
    assert view.drawn_now()["shown"] is shown
    assert view.payload["shown"]["place"] != [7, 1], "the live view has drawn it already"
    assert view.show(3).payload["shown"]["place"] == [3, 0]


def test_the_pairs_of_a_group_are_listed_with_the_ranks_of_both(view):
    listed = view.answer_list("both right")
    assert len(listed) == len(view.disagreements.groups["both right"])
    assert {tuple(entry["ranks"]) for entry in listed} == {("1", "1")}
    with pytest.raises(KeyError, match="both wrong"):
        view.answer_list("nobody")


def test_a_failed_question_leaves_the_last_pair(view):
    before = view.summary()
    with pytest.raises(IndexError, match="no caption 0 of image 99"):
        view.answer_show(image=99, caption=0)
    assert view.summary() == before


def test_text_and_frame_say_score_ranks_and_hits(view):
    view.answer_show(image=2, caption=0)
    frame = view.to_frame()
    row = view.disagreements.row(2, 0)
    for at, name in enumerate(("vse", "scan")):
        rank = f"{view.disagreements.image_ranks[at, row] + 1:g} of 10"
        assert frame.loc[name, "rank of the image"] == rank
        assert f"{name}: score {frame.loc[name, 'score']:.3f}, image rank {rank}" in view.summary()
    assert "of 50 captions: vse right, scan wrong:" in view.summary()


def test_one_pair_needs_no_ranks(models, scenes):
    view = compare(list(models.values()), pair=scenes.pair(1))
    assert view.payload["choosing"] is None
    assert view.to_frame()["rank of the image"].isna().all()
    with pytest.raises(ValueError, match="give `compare` a collection"):
        view.answer_show(image=0, caption=0)


def test_two_systems_of_one_name_are_told_apart(models, scenes):
    view = compare([models["vse"], models["vse"]], pair=scenes.pair(1))
    assert list(view.models) == ["vse", "vse 2"]


def test_too_little_or_too_much_to_compare_is_refused(models, scenes):
    with pytest.raises(ValueError, match="two systems or more"):
        compare([models["vse"]], scenes)
    for given in ({}, {"collection": scenes, "pair": scenes.pair(0)}):
        with pytest.raises(ValueError, match="either a collection"):
            compare(models, **given)


def test_it_is_json_and_lighter_than_300_kilobytes(view, tmp_path):
    json.dumps(view.drawn_now(), allow_nan=False)
    assert view.save_html(tmp_path / "compared.html").stat().st_size < 300_000


def test_scores_that_are_known_are_not_made_again(models, scenes):
    flat = {name: np.zeros((10, 50)) for name in models}
    assert (compare(models, scenes, scores=flat).disagreements.image_ranks == 4.5).all()
