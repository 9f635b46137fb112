from dataclasses import replace

import numpy as np
import pytest

from itr_explore.viz.stills.systems import Column, on_one_scale, systems_still


def column(name, explanation, states=None):
    return Column(name, explanation, explanation.maps[0], {"score": "0.5"}, states or {}, "1 of 2 right")


def test_each_system_has_a_column_with_its_verdicts(make_explanation, whole, texts):
    one = make_explanation()
    found = systems_still([column("one", one, {2: "hit"}), column("two", one, {2: "miss"})], where="here")
    whole(found)
    said = texts(found)
    assert {"one", "two", "one | two", "1 of 2 right"} <= set(said)
    assert said.count("dog") == 3  # in the sentence, and a verdict in each column


def test_the_word_in_focus_is_the_first_about_which_they_disagree(make_explanation, texts):
    one = make_explanation()
    states = {2: "hit", 5: "hit"}
    found = systems_still([column("one", one, states), column("two", one, {**states, 5: "miss"})])
    assert texts(found).count("2 · 0.60") == 2


def test_weights_stay_as_they_are_and_other_maps_become_shares(make_explanation):
    weights = make_explanation().maps[0]
    signed = replace(weights, values=weights.values * 7, scale="signed")
    assert on_one_scale([weights, None])[0][0] is weights.values
    (one, two), unit = on_one_scale([weights, signed])
    np.testing.assert_allclose(one, two)
    assert "shares" in unit


@pytest.mark.parametrize("width", [360, 820])
@pytest.mark.parametrize(
    "made", [{"picture": None, "boxes": False}, {"caption": "word " * 60, "truth": False}], ids=str
)
def test_odd_pairs_are_drawn_and_nothing_sticks_out(make_explanation, whole, made, width):
    one = make_explanation(**made)
    named = [
        column("one " * 30, one),
        column("two", replace(one, maps=()) if False else one),
        column("c", one),
    ]
    whole(systems_still(named, where="a collection " * 9, width=width))


def test_a_system_without_a_map_says_so(make_explanation, texts):
    one = make_explanation()
    none = Column("none", replace(one, maps=()), None, {}, {})
    assert "no map of words and regions" in texts(systems_still([column("one", one), none]))
