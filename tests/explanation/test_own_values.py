from dataclasses import replace

import numpy as np
import pytest

from itr_explore.explanation.own_values import own_values
from itr_explore.records import Map

LAST = np.array([[0.0, 1.0], [0.5, 0.5]])


def a_map(name, kind, values, origin="attention", **more):
    return Map(name, kind, np.asarray(values, dtype=float), origin, "unit", **more)


CROSS = a_map("cross", "word_to_region", [[1, 0], [0, 1], [0, 1]])
SHARE = a_map("share", "per_region", [0.9, 0.1], "derived")
GUIDE = a_map("guide", "per_region", [0.2, 0.8])
HEADS = (
    a_map("layers.0.edges", "region_to_region", 7 * LAST, layer=0),
    a_map("layers.1.heads.0", "region_to_region", LAST, layer=1, head=0),
    a_map("layers.1.heads.1", "region_to_region", 3 * LAST, layer=1, head=1),
)
PARTS = a_map("parts", "word_to_region", np.ones((3, 2)), "attribution")
COSINES = a_map("node_cosine", "word_to_region", np.ones((3, 2)), "derived")


@pytest.mark.parametrize(
    ("maps", "wanted"),
    [
        ((PARTS, *HEADS, GUIDE, SHARE, CROSS), [1 / 3, 2 / 3]),
        ((PARTS, *HEADS, GUIDE, SHARE), [0.2, 0.8]),
        ((COSINES, *HEADS, SHARE), [0.9, 0.1]),
        ((*HEADS, COSINES), [0.5, 1.5]),  # of the last layer, the mean of heads and rows
    ],
)
def test_the_nearest_to_the_score_is_taken(make_explanation, maps, wanted):
    found = own_values(replace(make_explanation("a red dog", regions=2, truth=False), maps=maps))
    assert found.keys() == {"regions"}
    assert found["regions"] == pytest.approx(wanted)


def test_words_have_what_regions_gave_them(make_explanation):
    given = a_map("cross", "region_to_word", [[1, 0, 0], [0, 0.5, 0.5]])
    found = own_values(replace(make_explanation("a red dog", regions=2, truth=False), maps=(given,)))
    assert found["words"] == pytest.approx([0.5, 0.25, 0.25])


def test_what_is_made_for_the_eye_or_splits_the_score_is_no_attention(make_explanation):
    explanation = replace(make_explanation("a red dog", regions=2, truth=False), maps=(PARTS, COSINES))
    with pytest.raises(ValueError, match=r"has no map of its own .* take integrated_gradients"):
        own_values(explanation)
