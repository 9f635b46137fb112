import pytest

from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.predicates import OPPOSITE, PREDICATES, between, relations_of
from itr_explore.data.scenes.world import Scene, Thing


def scene_of(*things) -> Scene:
    """A scene of (kind, box, on): a thing's depth is its base line."""
    return Scene("city", tuple(Thing(k, "red", "small", box, box[3], on, 0) for k, box, on in things), (), 0)


LEFT, RIGHT = ("dog", (0.1, 0.5, 0.3, 0.7), None), ("cat", (0.6, 0.5, 0.8, 0.7), None)
CASES = {  # what holds of the first thing to the second; everything else must not
    "far apart": (LEFT, RIGHT, {"left of"}),
    "side by side": (LEFT, ("cat", (0.33, 0.52, 0.5, 0.72), None), {"left of", "next to"}),
    "nearly one over the other": (LEFT, ("cat", (0.15, 0.5, 0.35, 0.7), None), set()),
    "before": (("dog", (0.2, 0.6, 0.4, 0.9), None), ("house", (0.1, 0.3, 0.5, 0.7), None), {"in front of"}),
    "hardly before": (("dog", (0.2, 0.5, 0.4, 0.73), None), ("house", (0.1, 0.3, 0.5, 0.7), None), set()),
    "in the air": (("kite", (0.2, 0.1, 0.4, 0.3), None), ("house", (0.2, 0.4, 0.5, 0.7), None), {"above"}),
    "in the air beside": (("kite", (0.1, 0.4, 0.2, 0.6), None), ("house", (0.3, 0.4, 0.5, 0.7), None), {"left of"}),
    "on the table": (("cat", (0.2, 0.3, 0.3, 0.5), 1), ("table", (0.1, 0.5, 0.5, 0.7), None), {"on"}),
    "holding": (("table", (0.1, 0.5, 0.5, 0.7), None), ("cat", (0.2, 0.3, 0.3, 0.5), 0), {"under"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_right_relations_hold(case):
    one, other, expected = CASES[case]
    scene = scene_of(one, other)
    assert {name for subject, name, _ in relations_of(scene) if subject == 0} == expected


def test_between_wants_one_neighbour_on_each_side_and_all_about_level():
    middle = ("sheep", (0.4, 0.5, 0.5, 0.7), None)
    assert between(scene_of(LEFT, middle, RIGHT), 1, 0, 2)
    assert between(scene_of(LEFT, middle, RIGHT), 1, 2, 0)
    assert not between(scene_of(LEFT, middle, RIGHT), 0, 1, 2)
    low = ("sheep", (0.4, 0.75, 0.5, 0.95), None)
    assert not between(scene_of(LEFT, low, RIGHT), 1, 0, 2)


def test_no_relation_holds_both_ways_unless_it_has_no_direction():
    for index in range(300):
        found = set(relations_of(make_scene((0, "test", index))))
        for subject, name, other in found:
            if name in OPPOSITE:
                assert (other, name, subject) not in found
                assert (subject, OPPOSITE[name], other) not in found
            else:
                assert (other, name, subject) in found


def test_every_predicate_occurs_in_scenes():
    found = {name for i in range(100) for _, name, _ in relations_of(make_scene((0, "test", i)))}
    assert found == set(PREDICATES) - {"between"}
