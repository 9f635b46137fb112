import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.data.judgments import Negative, scene_negatives
from itr_explore.data.mistakes import Step, told
from itr_explore.evaluation.errors import _shares, above_negatives, error_classes
from itr_explore.models.registry import from_pretrained, list_models


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("val", size=40)


def test_a_mistake_is_shared_among_its_steps_and_ways():
    thing, count = Step("thing", 0), Step("count", 1)
    assert _shares([()]) == [0, 0, 0, 0, 0, 1]
    assert _shares([(thing,)]) == [1, 0, 0, 0, 0, 0]
    assert _shares([(thing, count)]) == [0.5, 0, 0, 0.5, 0, 0]
    assert _shares([(thing, count), (count,)]) == [0.25, 0, 0, 0.75, 0, 0]


def test_who_ranks_by_truth_alone_errs_only_where_a_caption_is_true_of_both(scenes):
    model, true = from_pretrained("vse-tiny-scenes"), told(scenes).true
    own = scenes.image_of == np.arange(len(scenes))[:, None]
    scores = true + 0.5 * (true & ~own)  # of what is true, that of others first
    found = error_classes(model, scenes, scores=scores)
    errors = int((true & ~own).any(axis=1).sum())
    assert found.rows[0] == f"vse: ranked first ({errors})"
    assert found.value(found.rows[0], "nothing").value == 100
    assert found.value(found.rows[1], "thing").value > 50


def test_without_errors_there_are_no_shares(scenes):
    own = (scenes.image_of == np.arange(len(scenes))[:, None]).astype(float)
    found = error_classes(from_pretrained("vse-tiny-scenes"), scenes, scores=own)
    assert found.rows[0].endswith("(0)")
    assert np.isnan(found.values[0]).all()


@pytest.mark.parametrize("name", list_models())
def test_the_shares_of_every_system_add_up(name, scenes):
    few, model = scenes.subset(range(16)), from_pretrained(f"{name}-tiny-scenes")
    found = error_classes(model, few, device="cpu")
    assert found.values[1, :-1, 0].sum() == pytest.approx(100)
    asked = scene_negatives(few)
    above = above_negatives({name: model}, few, asked, device="cpu")
    assert above.value(name, f"all ({len(asked)})").value > 60


def test_right_above_wrong_by_hand(toy):
    collection, model = toy(3)
    rows = [Negative(0, "a red dog", "a red dog", "thing"), Negative(1, "a red dog", "a blue car", "count")]
    found = above_negatives({"toy": model}, collection, rows, ["a red dog"], device="cpu")
    assert found.columns == ("all (2)", "thing (1)", "count (1)")
    assert found.value("toy", "thing (1)").value == 50  # equal
    assert found.value("text only", "count (1)").value == 100
    assert found.value("toy", "all (2)").value in (25, 75)
    with pytest.raises(ValueError, match="at least one negative"):
        above_negatives({"toy": model}, collection, [])
