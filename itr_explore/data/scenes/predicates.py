"""Where things are to one another: every relation a caption may state, defined once, with a clear margin.

A predicate is said, and holds, only where nobody would argue: between "left of" and "right of" lies a wide
gap in which neither holds. All numbers are fractions of the image.
"""

from __future__ import annotations

from collections.abc import Callable

from itr_explore.data.scenes.world import Scene, Thing, aloft

APART = 0.10  # between the centres of two things side by side
MAY_OVERLAP = 0.2  # of the narrower one's width, and still be side by side
ALIGNED = 0.4  # of the narrower one's width shared, to be before, behind, above or below
CLEAR = 0.02  # of air between one that is above and one that is below
NEARER = 0.06  # between the base lines of one in front and one behind
BESIDE = 0.06  # at most, between the sides of neighbours, and between their base lines
LEVEL = 0.20  # at most, between the base lines of one between and its two neighbours


def left_of(scene: Scene, one: int, other: int) -> bool:
    """`one` is clearly more to the left, and the two are more side by side than one over the other."""
    a, b = scene.things[one].box, scene.things[other].box
    right = (b[0] + b[2] - a[0] - a[2]) / 2
    down = abs(b[1] + b[3] - a[1] - a[3]) / 2
    return right >= APART and right >= down / 2 and -_gap(a, b) <= MAY_OVERLAP * _narrower(a, b)


def right_of(scene: Scene, one: int, other: int) -> bool:
    """`other` is left of `one`."""
    return left_of(scene, other, one)


def above(scene: Scene, one: int, other: int) -> bool:
    """`one` is in the air, over the other, with air between the two."""
    a, b = scene.things[one], scene.things[other]
    return aloft(a) and b.box[1] - a.box[3] >= CLEAR and _aligned(a, b)


def below(scene: Scene, one: int, other: int) -> bool:
    """`other` is above `one`."""
    return above(scene, other, one)


def on(scene: Scene, one: int, other: int) -> bool:
    """`one` stands on `other`."""
    return scene.things[one].on == other


def under(scene: Scene, one: int, other: int) -> bool:
    """`other` stands on `one`, or is above it."""
    return on(scene, other, one) or above(scene, other, one)


def in_front_of(scene: Scene, one: int, other: int) -> bool:
    """Both stand on the ground, `one` clearly nearer, and before the other rather than beside it."""
    a, b = scene.things[one], scene.things[other]
    nearer = a.box[3] - b.box[3] >= NEARER and a.box[1] - b.box[3] <= CLEAR
    return nearer and _grounded(a) and _grounded(b) and _aligned(a, b)


def behind(scene: Scene, one: int, other: int) -> bool:
    """`other` is in front of `one`."""
    return in_front_of(scene, other, one)


def next_to(scene: Scene, one: int, other: int) -> bool:
    """Side by side, close together, on one level: on the ground, or on one and the same thing."""
    a, b = scene.things[one], scene.things[other]
    if one == other or aloft(a) or aloft(b) or a.on != b.on:
        return False
    return -BESIDE / 2 <= _gap(a.box, b.box) <= BESIDE and abs(a.box[3] - b.box[3]) <= BESIDE


def between(scene: Scene, one: int, first: int, second: int) -> bool:
    """`one` has one of the two on its left and the other on its right, all about level."""
    if not (
        (left_of(scene, first, one) and left_of(scene, one, second))
        or (left_of(scene, second, one) and left_of(scene, one, first))
    ):
        return False
    a, b, c = (scene.things[row] for row in (one, first, second))
    if aloft(a) or aloft(b) or aloft(c):
        return aloft(a) and aloft(b) and aloft(c)
    return max(abs(a.box[3] - b.box[3]), abs(a.box[3] - c.box[3])) <= LEVEL


PREDICATES: dict[str, Callable[..., bool]] = {
    "left of": left_of,
    "right of": right_of,
    "above": above,
    "below": below,
    "on": on,
    "under": under,
    "in front of": in_front_of,
    "behind": behind,
    "next to": next_to,
    "between": between,
}

# What a predicate becomes when its two sides change places; "next to" and "between" have no direction.
OPPOSITE = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "on": "under",
    "under": "on",
    "in front of": "behind",
    "behind": "in front of",
}


def relations_of(scene: Scene) -> list[tuple[int, str, int]]:
    """Every (subject, predicate, object) of two things that holds."""
    rows = range(len(scene.things))
    pairs = [(a, b) for a in rows for b in rows if a != b]
    binary = [(name, test) for name, test in PREDICATES.items() if test is not between]
    return [(a, name, b) for a, b in pairs for name, test in binary if test(scene, a, b)]


def _grounded(thing: Thing) -> bool:
    return thing.on is None and not aloft(thing)


def _gap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Between the facing sides of two boxes; negative where they overlap."""
    return max(a[0], b[0]) - min(a[2], b[2])


def _narrower(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return min(a[2] - a[0], b[2] - b[0])


def _aligned(a: Thing, b: Thing) -> bool:
    return -_gap(a.box, b.box) >= ALIGNED * _narrower(a.box, b.box)
