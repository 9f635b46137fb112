from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest

from itr_explore.data.scenes.claims import holds
from itr_explore.data.scenes.layout import EDGE, MOST_HIDDEN
from itr_explore.data.scenes.predicates import OPPOSITE
from itr_explore.data.scenes.probes import swap, swap_item
from itr_explore.data.scenes.world import HELD_OUT, KINDS, SCALES, hidden_fraction, overlap

BARE = {"box": (0, 0, 0, 0), "depth": 0.0, "on": None}


@pytest.fixture(scope="module")
def items():
    return list(swap(0, 400))


def mirrored(items, half):
    return [(a, b) for a, b in zip(items[::2], items[1::2], strict=True) if a.half == half]


def test_the_right_caption_holds_and_the_wrong_one_does_not(items):
    assert all(holds(item.right.claims, item.scene) for item in items)
    assert not any(holds(item.wrong.claims, item.scene) for item in items)


def test_whoever_does_not_look_is_right_exactly_half_the_time(items):
    for score in (len, hash, lambda text: text, lambda text: text.count("e")):
        wins = [score(item.right.text) > score(item.wrong.text) for item in items]
        ties = [score(item.right.text) == score(item.wrong.text) for item in items]
        assert sum(wins) + sum(ties) / 2 == len(items) / 2


def test_right_and_wrong_are_each_others_in_the_mirrored_scene(items):
    for a, b in zip(items[::2], items[1::2], strict=True):
        assert (a.right, a.wrong, a.half, a.what) == (b.wrong, b.right, b.half, b.what)


def test_both_captions_are_made_of_the_same_words(items):
    def words(caption):
        return Counter("a" if w == "an" else w for w in caption.text.lower().strip(".").split())

    assert all(words(item.right) == words(item.wrong) for item in items)


def test_relation_scenes_hold_the_same_things_in_other_places(items):
    for a, b in mirrored(items, "relation"):
        assert [replace(t, **BARE) for t in a.scene.things] == [replace(t, **BARE) for t in b.scene.things]
        assert a.scene.things[2:] == b.scene.things[2:]
        assert (a.scene.clutter, a.scene.setting, a.scene.seed) == (
            b.scene.clutter,
            b.scene.setting,
            b.scene.seed,
        )


def test_nothing_in_a_relation_scene_is_hidden_by_what_moves(items):
    for item in items:
        if item.half == "relation" and item.what not in ("on", "under"):
            for moved in item.scene.things[:2]:
                others = [t for t in item.scene.things if t is not moved]
                assert not any(overlap(moved.box, other.box) for other in others)


def test_attribute_scenes_differ_in_one_attribute_of_two_things(items):
    for a, b in mirrored(items, "attribute"):
        changed = [(s, t) for s, t in zip(a.scene.things, b.scene.things, strict=True) if s != t]
        assert len(changed) == 2
        (s1, t1), (s2, t2) = changed
        assert getattr(s1, a.what) == getattr(t2, a.what) != getattr(s2, a.what) == getattr(t1, a.what)
        for s, t in changed:
            assert replace(s, **{a.what: None}, box=s.box) == replace(t, **{a.what: None}, box=s.box)
            assert a.what == "size" or s.box == t.box


def test_all_predicates_with_a_direction_and_both_attributes_are_asked_for(items):
    asked = Counter(item.what for item in items)
    assert {what for what in asked if what in OPPOSITE} == set(OPPOSITE)
    assert asked["colour"] == asked["size"] == 100
    assert min(asked.values()) >= 24


def test_staged_scenes_keep_the_rules_of_all_scenes(items):
    for item in items:
        assert 2 <= len(item.scene.things) <= 7
        for thing in item.scene.things:
            assert (thing.kind, thing.colour) not in HELD_OUT
            assert min(thing.box) >= EDGE
            assert max(thing.box) <= 1 - EDGE
            assert hidden_fraction(thing, item.scene.things) <= MOST_HIDDEN
            height = (thing.box[3] - thing.box[1]) / KINDS[thing.kind].height
            assert abs(height / SCALES[thing.size] - 1) < 0.05


def test_an_item_does_not_depend_on_how_many_are_made(items):
    assert swap_item(0, 101) == items[101]
    assert swap_item(1, 101) != items[101]


def test_a_seed_always_gives_the_same_items(items):
    text = "".join(i.scene.to_json() + i.right.to_json() + i.wrong.to_json() for i in items[:32])
    assert sha256(text.encode()).hexdigest()[:16] == "94e06717dc6985e9"
