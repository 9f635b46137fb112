from collections import Counter
from hashlib import sha256

import pytest

from itr_explore.data.scenes.layout import MOST_HIDDEN, make_scene, scene_seed
from itr_explore.data.scenes.world import (
    COLOURS,
    HELD_OUT,
    HORIZON,
    KINDS,
    SCALES,
    SETTINGS,
    Scene,
    Thing,
    aloft,
    hidden_fraction,
    visible_box,
)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [make_scene((0, "test", index)) for index in range(1000)]


def test_a_seed_always_gives_the_same_scenes():
    text = "".join(make_scene((0, "train", index)).to_json() for index in range(50))
    assert sha256(text.encode()).hexdigest()[:16] == "b8fcfcf2bb2f3cb1"


def test_a_scene_does_not_depend_on_the_scenes_made_before_it(scenes):
    assert make_scene((0, "test", 7)) == scenes[7] == make_scene(scene_seed(0, "test", 7))


def test_other_seeds_splits_and_indices_give_other_scenes(scenes):
    others = {make_scene(s) for s in [(0, "train", 0), (1, "test", 0), (0, "test", 1)]}
    assert len({scenes[0], *others}) == 4


def test_a_scene_survives_json(scenes):
    assert all(Scene.from_json(scene.to_json()) == scene for scene in scenes[:50])


def test_scenes_hold_two_to_seven_things_inside_the_image(scenes):
    assert {len(scene.things) for scene in scenes} == {2, 3, 4, 5, 6, 7}
    for scene in scenes:
        for box in [thing.box for thing in scene.things] + [piece.box for piece in scene.clutter]:
            assert 0 <= box[0] < box[2] <= 1
            assert 0 <= box[1] < box[3] <= 1


def test_every_kind_colour_and_setting_occurs(scenes):
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    assert {thing.kind for scene in scenes for thing in scene.things} == set(KINDS)
    assert {thing.colour for scene in scenes for thing in scene.things} == set(COLOURS)


def test_the_three_sizes_cannot_be_mistaken(scenes):
    for scene in scenes:
        for thing in scene.things:
            height = (thing.box[3] - thing.box[1]) / KINDS[thing.kind].height
            nearest = min(SCALES, key=lambda size: abs(SCALES[size] - height))
            assert nearest == thing.size
            assert abs(height / SCALES[thing.size] - 1) < 0.05


def test_nothing_is_hidden_too_much_to_be_spoken_of(scenes):
    hidden = [hidden_fraction(thing, scene.things) for scene in scenes for thing in scene.things]
    assert max(hidden) <= MOST_HIDDEN + 1e-9
    assert sum(fraction > 0.05 for fraction in hidden) > 0.1 * len(
        hidden
    )  # but some things are hidden in part


def test_things_stand_on_the_ground_or_on_something_and_only_sky_things_are_aloft(scenes):
    for scene in scenes:
        for thing in scene.things:
            if thing.on is not None:
                holder = scene.things[thing.on]
                surface = holder.box[1] + KINDS[holder.kind].surface * (holder.box[3] - holder.box[1])
                assert KINDS[holder.kind].holds
                assert thing.box[3] == pytest.approx(surface, abs=2e-4)
                assert holder.box[0] <= thing.box[0]
                assert thing.box[2] <= holder.box[2]
                assert thing.depth > holder.depth
            elif aloft(thing):
                assert all(thing.depth < other.depth for other in scene.things if not aloft(other))
            else:
                assert thing.box[3] > HORIZON[scene.setting]
                assert thing.depth == thing.box[3]


def test_several_of_one_kind_are_common(scenes):
    most = Counter(max(Counter(thing.kind for thing in scene.things).values()) for scene in scenes)
    assert most[2] > 200
    assert most[3] > 50
    assert most[4] > 10


def test_settings_have_their_own_things(scenes):
    def share(kind, setting):
        inside = [scene for scene in scenes if scene.setting == setting]
        return sum(any(t.kind == kind for t in scene.things) for scene in inside) / len(inside)

    assert share("boat", "beach") > 2 * share("boat", "room")
    assert share("sofa", "room") > 2 * share("sofa", "city") > 0


def test_one_colour_of_each_kind_is_kept_for_the_compose_probe(scenes):
    assert sorted(kind for kind, _ in HELD_OUT) == sorted(KINDS)
    assert not any((thing.kind, thing.colour) in HELD_OUT for scene in scenes for thing in scene.things)
    novel = make_scene((0, "compose", 3), novel=True)
    assert any((thing.kind, thing.colour) in HELD_OUT for thing in novel.things)


def test_visible_box_is_cut_where_something_nearer_covers_a_whole_side():

    back = Thing("house", "red", "small", (0.2, 0.2, 0.6, 0.6), 0.6, None, 0)
    front = Thing("tree", "red", "small", (0.1, 0.1, 0.3, 0.7), 0.7, None, 0)
    low = Thing("bus", "red", "small", (0.25, 0.5, 0.7, 0.8), 0.8, None, 0)
    assert visible_box(Scene("city", (back, front), (), 0), 0) == (0.3, 0.2, 0.6, 0.6)
    assert visible_box(Scene("city", (back, front), (), 0), 1) == front.box
    assert visible_box(Scene("city", (back, front, low), (), 0), 0) == (0.3, 0.2, 0.6, 0.5)
