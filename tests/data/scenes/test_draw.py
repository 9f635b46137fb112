import random

import numpy as np
import pytest

from itr_explore.data.scenes.draw import SPRITES, draw, draw_clutter, draw_thing, pixels
from itr_explore.data.scenes.layout import CLUTTER, make_scene
from itr_explore.data.scenes.sprites import clutter
from itr_explore.data.scenes.sprites.colours import PAINTS, Ink
from itr_explore.data.scenes.world import COLOURS, KINDS, SETTINGS, Clutter, Scene, Thing

CHROMATIC = [colour for colour in COLOURS if colour not in ("white", "black")]


def a_thing(kind="car", colour="red", box=(0.2, 0.5, 0.6, 0.9), depth=0.9, seed=0):
    return Thing(kind, colour, "medium", box, depth, None, seed)


def a_scene(*things, setting="meadow", clutter=(), seed=0):
    return Scene(setting, things, clutter, seed)


def array(image):
    return np.asarray(image).astype(int)


def shares(kind, colour, seed=0, setting="meadow"):
    """How much of a thing's pixels is nearest to each nominal colour: [colour]."""
    sprite = array(draw_thing(a_thing(kind, colour, seed=seed), round(60 * KINDS[kind].aspect), 60, setting))
    opaque = sprite[sprite[..., 3] > 200][:, :3]
    distance = ((opaque[:, None] - np.array([PAINTS[name] for name in COLOURS])) ** 2).sum(-1)
    return np.bincount(distance.argmin(1), minlength=len(COLOURS)) / len(opaque)


def test_every_kind_and_every_piece_of_clutter_can_be_drawn():
    assert set(SPRITES) == set(KINDS)
    assert set(clutter.SPRITES) == {name for names in CLUTTER.values() for name in names}


def test_the_same_scene_gives_the_same_pixels_whatever_was_drawn_before():
    scene = make_scene((0, "train", 11))
    first = draw(scene).tobytes()
    draw(make_scene((0, "train", 12)))
    assert draw(scene).tobytes() == first


def test_drawing_leaves_the_global_random_state_alone():
    before, numpy_before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    draw(make_scene((0, "train", 13)))
    assert random.getstate() == before
    assert str(np.random.get_state()) == numpy_before  # noqa: NPY002


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("height", [24, 70])
def test_a_thing_fills_its_box_to_within_three_per_cent(kind, height):
    width = round(height * KINDS[kind].aspect)
    for seed in range(4):
        solid = array(draw_thing(a_thing(kind, seed=seed), width, height))[..., 3] > 24
        rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
        assert rows[0] <= max(1, 0.03 * height)
        assert height - 1 - rows[-1] <= max(1, 0.03 * height)
        assert columns[0] <= max(1, 0.03 * width)
        assert width - 1 - columns[-1] <= max(1, 0.03 * width)


def test_only_a_shadow_leaves_the_box_of_a_thing():
    empty, full = draw(a_scene()), draw(a_scene(a_thing("balloon", box=(0.4, 0.1, 0.6, 0.45))))
    left, top, right, bottom = pixels((0.4, 0.1, 0.6, 0.45), empty.size)
    changed = (array(empty) != array(full)).any(-1)
    inside = changed[top:bottom, left:right].sum()
    assert inside == changed.sum() > 1000


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_colour_name_fits_more_of_a_thing_than_its_own(kind):
    for colour in COLOURS:
        found = np.mean([shares(kind, colour, seed) for seed in range(3)], 0)
        own = COLOURS.index(colour)
        rivals = [COLOURS.index(other) for other in CHROMATIC if other != colour]
        assert found[own] > 0.15, (colour, found)
        assert found[own] > 1.25 * max(found[rivals]), (colour, found)


@pytest.mark.parametrize("colour", COLOURS)
def test_however_a_colour_varies_its_own_name_stays_the_nearest(colour):
    names = np.array([PAINTS[name] for name in COLOURS])
    for seed in range(200):
        base = np.array(Ink.of(colour, random.Random(seed)).base)
        assert COLOURS[((names - base) ** 2).sum(1).argmin()] == colour


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_differs_from_scene_to_scene(setting):
    first, second = (array(draw(a_scene(setting=setting, seed=seed))) for seed in (1, 2))
    assert (abs(first - second).max(-1) > 8).mean() > 0.05


def test_no_two_settings_look_alike():
    ground = {name: array(draw(a_scene(setting=name)))[150:].mean((0, 1)) for name in SETTINGS}
    sky = {name: array(draw(a_scene(setting=name)))[:90].mean((0, 1)) for name in SETTINGS}
    for row, one in enumerate(SETTINGS):
        for other in SETTINGS[row + 1 :]:
            assert abs(ground[one] - ground[other]).sum() + abs(sky[one] - sky[other]).sum() > 60, (
                one,
                other,
            )


def test_two_red_cars_differ():
    first, second = (array(draw_thing(a_thing(seed=seed), 90, 45)) for seed in (1, 2))
    assert (abs(first - second).max(-1) > 16).mean() > 0.05


def test_the_nearer_of_two_things_hides_the_other():
    box = (0.3, 0.5, 0.5, 0.8)
    red, blue = a_thing("block", "red", box, 0.7), a_thing("block", "blue", box, 0.9)
    alone = draw(a_scene(blue))
    left, top, right, bottom = pixels(box, alone.size)
    middle = (left + 10, top + 20, right - 10, bottom - 10)
    both = draw(a_scene(blue, red))
    assert both.crop(middle).tobytes() == alone.crop(middle).tobytes()


def test_clutter_stands_among_the_things_by_depth():
    box = (0.3, 0.5, 0.5, 0.8)
    block = a_thing("block", "red", box, 0.8)
    bush = Clutter("bush", box, 0.9, 3)
    assert draw(a_scene(block, clutter=(bush,))).tobytes() != draw(a_scene(block)).tobytes()


@pytest.mark.parametrize("setting", SETTINGS)
def test_clutter_fills_its_box(setting):
    for name, (_, aspect, _) in CLUTTER[setting].items():
        sprite = draw_clutter(Clutter(name, (0, 0, 1, 1), 0.5, 5), round(40 * aspect), 40, setting)
        solid = array(sprite)[..., 3] > 24
        rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
        assert max(rows[0], columns[0], 39 - rows[-1], sprite.width - 1 - columns[-1]) <= 1, name


def test_black_things_stand_out_at_night_and_white_ones_in_the_snow():
    for setting, colour in (("night", "black"), ("snow", "white")):
        for kind in ("dog", "car", "chair", "teddy"):
            box = (0.3, 0.6, 0.6, 0.9)
            empty = array(draw(a_scene(setting=setting)))
            full = array(draw(a_scene(a_thing(kind, colour, box), setting=setting)))
            left, top, right, bottom = pixels(box, (320, 240))
            differs = abs(full - empty).sum(-1)[top:bottom, left:right] > 60
            assert differs.mean() > 0.25, (setting, kind, differs.mean())


@pytest.mark.parametrize("size", [(320, 240), (160, 120), (333, 251)])
def test_a_picture_has_the_size_asked_for(size):
    image = draw(make_scene((0, "train", 14)), size)
    assert image.size == size
    assert image.mode == "RGB"


def test_a_size_that_shows_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 32 x 32 pixels, got 0 x 240"):
        draw(a_scene(), (0, 240))
