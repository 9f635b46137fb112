from dataclasses import replace

import numpy as np
import pytest

from itr_explore.records import Map
from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Text
from itr_explore.viz.raster import png
from itr_explore.viz.stills.pair import pair_still


def still(explanation, states=None, **look):
    found = explanation.maps[0] if explanation.maps else None
    return pair_still(explanation, found, states or {}, **look)


def test_a_still_has_the_sentence_the_matrix_and_the_written_scale(make_explanation, texts):
    drawing = still(make_explanation())
    said = texts(drawing)
    for word in ("A", "red", "dog", "near", "two", "boats"):
        assert word in said
    assert "0.60, the largest in this map" in said
    cells = [s for s in drawing.shapes if isinstance(s, Box) and s.fill == theme.SEQUENTIAL[-1]]
    assert len(cells) >= 2


def test_the_heat_is_that_of_the_chosen_word(make_explanation, texts):
    assert "1 · 0.60" in texts(still(make_explanation(), word=2))
    assert "2 · 0.60" in texts(still(make_explanation(), word=5))


def test_without_a_choice_it_is_the_first_word_that_is_right_or_wrong(make_explanation, texts):
    drawing = still(make_explanation(), {1: "uncovered", 5: "miss"})
    assert any("The image shows “boats”." in text for text in texts(drawing)) or "“boats”." in " ".join(
        texts(drawing)
    )


def test_right_and_wrong_differ_in_shape(make_explanation):
    shapes = still(make_explanation(), {2: "hit", 5: "miss"}).shapes
    hit = next(s for s in shapes if isinstance(s, Box) and s.fill == theme.HIT)
    miss = next(s for s in shapes if isinstance(s, Box) and s.fill == theme.MISS)
    assert hit.radius == hit.width / 2
    assert miss.radius < miss.width / 2


def test_dark_paper_is_dark(make_explanation):
    assert np.asarray(png(still(make_explanation(), dark=True), 1.0))[2, 2].max() < 60


@pytest.mark.parametrize("width", [360, 420, 1000, 1600])
@pytest.mark.parametrize(
    "made",
    [
        {},
        {"picture": None},
        {"boxes": False},
        {"boxes": False, "picture": None},
        {"picture": (1, 1)},
        {"picture": (20, 900)},
        {"regions": 1, "caption": "one region here", "truth": False},
        {"regions": 100, "truth": False, "caption": " ".join(["word"] * 200)},
        {"caption": "كلب أحمر قرب قاربين", "truth": False},
        {"caption": "🐕 & <b>bold</b> \x00 " + "a" * 300, "truth": False},
    ],
    ids=lambda made: ",".join(f"{k}={str(v)[:12]}" for k, v in made.items()) or "plain",
)
def test_odd_pairs_are_drawn_and_nothing_sticks_out(make_explanation, whole, made, width):
    whole(still(make_explanation(**made), width=width))


def test_a_sentence_from_right_to_left_starts_at_the_right(make_explanation):
    drawing = still(make_explanation("كلب أحمر قرب قاربين", truth=False))
    first, last = (
        next(s for s in drawing.shapes if isinstance(s, Text) and s.text == t) for t in ("كلب", "قاربين")
    )
    assert first.x > last.x


def test_an_explanation_without_maps_or_with_one_value_a_region_is_drawn(make_explanation, texts):
    explanation = make_explanation()
    assert any("no map" in text for text in texts(still(replace(explanation, maps=()))))
    shares = Map("memory.share", "per_region", np.array([0.1, 0.5, 0.2, 0.15, 0.05]), "attention", "row_sum")
    assert "1 · 0.50" in texts(still(replace(explanation, maps=(shares,))))


def test_a_width_that_is_too_small_is_refused(make_explanation):
    with pytest.raises(ValueError, match="360 pixels"):
        still(make_explanation(), width=100)
