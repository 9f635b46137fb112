import json

import numpy as np
import pytest

from itr_explore.widgets.model_compare import compare


def test_the_first_pair_is_one_that_the_systems_disagree_about(comparison):
    groups = comparison.disagreements.groups
    first = next(rows for rows in groups.values() if len(rows))[0]
    assert comparison.place == (
        comparison.disagreements.image_of[first],
        comparison.disagreements.number_of[first],
    )


def test_an_answer_is_what_the_page_then_holds(comparison):
    shown = comparison.answer_show(image=7, caption=1)
    assert shown["place"] == [7, 1]
    assert comparison.drawn_now()["shown"] is shown
    assert comparison.payload["shown"]["place"] != [7, 1], "the live view has drawn it already"
    assert comparison.show(3).payload["shown"]["place"] == [3, 0]


def test_the_pairs_of_a_group_are_listed_with_the_ranks_of_both(comparison):
    listed = comparison.answer_list("both right")
    assert len(listed) == len(comparison.disagreements.groups["both right"])
    assert {tuple(entry["ranks"]) for entry in listed} == {("1", "1")}
    with pytest.raises(KeyError, match="both wrong"):
        comparison.answer_list("nobody")


def test_a_failed_question_leaves_the_last_pair(comparison):
    before = comparison.summary()
    with pytest.raises(IndexError, match="no caption 0 of image 99"):
        comparison.answer_show(image=99, caption=0)
    assert comparison.summary() == before


def test_text_and_frame_say_score_ranks_and_hits(comparison):
    comparison.answer_show(image=2, caption=0)
    frame = comparison.to_frame()
    row = comparison.disagreements.row(2, 0)
    for at, name in enumerate(("vse", "scan")):
        rank = f"{comparison.disagreements.image_ranks[at, row] + 1:g} of 10"
        assert frame.loc[name, "rank of the image"] == rank
        assert f"{name}: score {frame.loc[name, 'score']:.3f}, image rank {rank}" in comparison.summary()
    assert "of 50 captions: vse right, scan wrong:" in comparison.summary()


def test_one_pair_needs_no_ranks(two_systems, ten_scenes):
    view = compare(list(two_systems.values()), pair=ten_scenes.pair(1))
    assert view.payload["choosing"] is None
    assert view.to_frame()["rank of the image"].isna().all()
    with pytest.raises(ValueError, match="give `compare` a collection"):
        view.answer_show(image=0, caption=0)


def test_two_systems_of_one_name_are_told_apart(two_systems, ten_scenes):
    view = compare([two_systems["vse"], two_systems["vse"]], pair=ten_scenes.pair(1))
    assert list(view.models) == ["vse", "vse 2"]


def test_too_little_or_too_much_to_compare_is_refused(two_systems, ten_scenes):
    with pytest.raises(ValueError, match="two systems or more"):
        compare([two_systems["vse"]], ten_scenes)
    for given in ({}, {"collection": ten_scenes, "pair": ten_scenes.pair(0)}):
        with pytest.raises(ValueError, match="either a collection"):
            compare(two_systems, **given)


def test_it_is_json_and_lighter_than_300_kilobytes(comparison, tmp_path):
    json.dumps(comparison.drawn_now(), allow_nan=False)
    assert comparison.save_html(tmp_path / "compared.html").stat().st_size < 300_000


def test_scores_that_are_known_are_not_made_again(two_systems, ten_scenes):
    flat = {name: np.zeros((10, 50)) for name in two_systems}
    assert (compare(two_systems, ten_scenes, scores=flat).disagreements.image_ranks == 4.5).all()
