import numpy as np
import pytest
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.evaluation.relations import TextModel, choices, pair_scores, swap_accuracy


def mirrored(pairs: int = 8) -> Collection:
    captions = ["the dog left of the cat", "the cat left of the dog"] * pairs
    return Collection(
        name="mirrored",
        split="swap",
        captions=captions,
        image_of=np.arange(2 * pairs),
        image_ids=[str(image) for image in range(2 * pairs)],
        regions=Ragged(np.random.default_rng(0).normal(size=(4 * pairs, 3)), np.arange(2 * pairs + 1) * 2),
    )


def test_a_text_only_scorer_is_at_chance_on_mirrored_pairs_whatever_it_learned():
    swap = mirrored()
    trained = ["the dog left of the cat"] * 50  # it prefers one order, and strongly
    found = swap_accuracy({"toy": toy_model(swap)}, swap, trained)
    assert TextModel(trained).score(swap.captions[0]) > TextModel(trained).score(swap.captions[1]) + 0.5
    assert found.accuracy("text only") == 50
    assert found.accuracy("text only", "relation") == 50


def test_a_model_that_does_not_see_the_order_of_words_is_at_chance():
    swap = mirrored()
    found = swap_accuracy({"toy": toy_model(swap)}, swap, ["a dog"])
    assert found.accuracy("toy") == pytest.approx(50, abs=10)


def test_own_and_partner_scores_are_those_of_the_whole_matrix():
    swap = mirrored(3)
    model = toy_model(swap)
    own, other = pair_scores(model, swap, device="cpu", at_once=4)
    whole = model.whole_matrix(swap).numpy()
    assert own == pytest.approx(np.diag(whole), abs=1e-6)
    assert other == pytest.approx(whole[np.arange(6), np.arange(6) ^ 1], abs=1e-6)


def test_choices_by_hand():
    found = choices({"a": np.array([0.2, -0.1, 0.0, 0.3])}, np.array(["x", "x", "y", "y"]))
    assert found.values.tolist() == [[62.5, 50.0, 75.0]]
    assert found.counts == (4, 2, 2)
    assert "62.5" in str(found)
    assert "<td>62.5</td>" in found._repr_html_()


def test_a_text_model_prefers_what_it_has_read():
    model = TextModel(["a red car on the road", "a red car in the city"])
    assert model.score("a red car") > model.score("car red a")


def test_a_collection_that_is_not_mirrored_is_refused():
    swap = toy_collection(4)
    with pytest.raises(ValueError, match="mirrored pairs with one caption an image, got 4 images and 12"):
        swap_accuracy({}, swap, ["a"])
