import base64
import json

import numpy as np
import pytest

from itr_explore.widgets.payload import payload, quantised


def restored(codes, shape):
    numbers = np.frombuffer(base64.b64decode(codes["data"]), dtype=np.uint8).reshape(shape)
    return (numbers.astype(float) - codes["zero"]) * codes["step"]


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_eight_bits_bring_every_value_back_within_half_a_step(low):
    values = np.random.default_rng(0).uniform(low, 0.7, (6, 9))
    codes = quantised(values)
    assert np.abs(restored(codes, (6, 9)) - values).max() <= codes["step"] / 2 + 1e-12


def test_zero_stays_exactly_zero_and_the_largest_value_is_kept():
    values = np.array([[0.0, -0.4, 0.25, 0.4]])
    back = restored(quantised(values), (1, 4))
    assert back[0, 0] == 0.0
    assert np.allclose(back[0, [1, 3]], [-0.4, 0.4])


def test_a_map_of_zeros_survives():
    assert (restored(quantised(np.zeros((2, 3))), (2, 3)) == 0).all()


def test_the_caption_is_cut_at_its_words_and_nothing_of_it_is_lost(make_explanation):
    sent = payload(make_explanation("Ein “roter” Hund, 🐕 läuft!"))
    assert "".join(text for text, _ in sent["pieces"]) == "Ein “roter” Hund, 🐕 läuft!"
    named = [text.lower() for text, index in sent["pieces"] if index is not None]
    assert named == sent["words"]


def test_verdicts_travel_with_the_map_they_judge(make_explanation):
    sent = payload(make_explanation())
    assert [state for state, _, _ in sent["maps"][0]["verdicts"]] == ["uncovered", "hit", "miss"]


def test_a_region_to_word_map_is_turned_so_that_words_are_rows(make_explanation):
    from dataclasses import replace

    from itr_explore.records import Map

    explanation = make_explanation()
    turned = Map("turned", "region_to_word", explanation.maps[0].values.T, "attention", "unit")
    sent = payload(replace(explanation, maps=(turned,)))["maps"][0]
    assert sent["axes"] == ["word", "region"]
    assert sent["data"] == payload(explanation)["maps"][0]["data"]


def test_the_payload_is_json_and_small(make_explanation):
    explanation = make_explanation(" ".join(["word"] * 200), regions=100)
    assert len(json.dumps(payload(explanation), allow_nan=False)) < 150_000


def test_regions_stand_on_a_circle_as_they_lie_around_the_middle_of_the_image(make_explanation):
    places = np.array(payload(make_explanation(regions=9))["circle"])
    assert np.allclose(np.hypot(*places.T), 1, atol=2e-3)
    boxes = make_explanation(regions=9).pair.boxes
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5).T
    turned = [np.argsort(np.arctan2(*xy)).tolist() for xy in ((y, x), places.T[::-1])]
    assert any(np.roll(turned[1], by).tolist() == turned[0] for by in range(9))
