"""Mirrored scenes for the `swap` probe: one world twice, in which two things have changed parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from random import Random

from itr_explore.data.scenes.layout import EDGE, MOST_HIDDEN, pick
from itr_explore.data.scenes.predicates import CLEAR, OPPOSITE
from itr_explore.data.scenes.world import (
    COLOURS,
    HEIGHT,
    HELD_OUT,
    HORIZON,
    KINDS,
    SCALES,
    SIZES,
    WIDTH,
    Box,
    Scene,
    Thing,
    aloft,
    hidden_fraction,
    overlap,
)

BYSTANDERS = 3  # at most
AIR = 0.01  # at least, between what moves and what does not
LOWEST_FLIGHT = 0.62  # where a thing in the air may end, of two of which one is above the other
FIRST_SAID = ("left of", "above", "on", "in front of")  # the others are these with the two things exchanged
STACKED = ("block", "drum")  # each can carry the other
GROUNDED = tuple(name for name, kind in KINDS.items() if kind.group != "sky" and kind.height <= 0.34)
FLYING = tuple(name for name, kind in KINDS.items() if kind.group == "sky")

Size = tuple[float, float]  # width, height
Place = tuple[Box, float, int | None]  # box, depth, what it stands on


@dataclass(frozen=True)
class Mirrored:
    """Two scenes that differ in one respect, and the two things in which they do."""

    scenes: tuple[Scene, Scene]
    rows: tuple[int, int]  # the same in both scenes


def turned(scene: Scene, predicate: str, rng: Random) -> Mirrored | None:
    """Two things of which in the first scene `predicate` holds, and in the second the other way round.

    The two are new and differ in kind or in colour; setting, bystanders and clutter are the given scene's, as
    far as they stand clear of both. The two things keep their size, colour and pattern; only their places
    change. None where there was no room.
    """
    first = predicate if predicate in FIRST_SAID else OPPOSITE[predicate]
    kinds = {"on": STACKED, "above": FLYING}.get(first) or (FLYING if rng.random() < 0.15 else GROUNDED)
    if first == "in front of":
        kinds = GROUNDED
    sizes = {"on": SIZES[1:], "above": SIZES[:2]}.get(first, SIZES)
    one = Thing(pick(rng, kinds), pick(rng, COLOURS), pick(rng, sizes), (0, 0, 0, 0), 0, None, _seed(rng))
    other = Thing(pick(rng, kinds), pick(rng, COLOURS), pick(rng, sizes), (0, 0, 0, 0), 0, None, _seed(rng))
    if first == "on":
        other = replace(other, size=one.size)
    if (one.kind, one.colour) == (other.kind, other.colour) or _held_out(one) or _held_out(other):
        return None
    extents = [_extent(thing, 0.96 + 0.08 * rng.random()) for thing in (one, other)]
    chance = [rng.random() for _ in range(4)]  # the same for both scenes
    pairs = []
    for subject, target in ((0, 1), (1, 0)) if predicate == first else ((1, 0), (0, 1)):
        places = _pose(first, extents[subject], extents[target], (one, other)[target], scene.setting, chance)
        if places is None or not all(_inside(box) for box, _, _ in places):
            return None
        placed: list[Thing] = [one, other]
        for row, (box, depth, on) in zip((subject, target), places, strict=True):
            placed[row] = replace(placed[row], box=box, depth=depth, on=None if on is None else target)
        pairs.append(placed)
    return _staged(scene, pairs, {one.kind, other.kind})


def _staged(scene: Scene, pairs: list[list[Thing]], kinds: set[str]) -> Mirrored:
    """The scene twice, with each pair of things before the bystanders that both leave alone."""
    moving = [thing.box for pair in pairs for thing in pair]

    def clear(box: Box) -> bool:
        wider = (box[0] - AIR, box[1] - AIR, box[2] + AIR, box[3] + AIR)
        return all(overlap(wider, other) == 0 for other in moving)

    bystanders = [t for t in scene.things if t.on is None and t.kind not in kinds and clear(t.box)][
        :BYSTANDERS
    ]
    clutter = tuple(piece for piece in scene.clutter if clear(piece.box))
    first, second = (replace(scene, things=(*pair, *bystanders), clutter=clutter) for pair in pairs)
    return Mirrored((first, second), (0, 1))


def _pose(
    predicate: str, one: Size, other: Size, holder: Thing, setting: str, chance: list[float]
) -> tuple[Place, Place] | None:
    """Places for two things of these sizes so that the predicate holds and neither hides the other."""
    horizon, (u, v, w, x) = HORIZON[setting], chance
    (wide, high), (wide2, high2) = one, other
    flying = KINDS[holder.kind].group == "sky"
    if predicate == "left of":
        gap = 0.04 + 0.1 * u
        room = 1 - 2 * EDGE - wide - gap - wide2
        lowest = horizon + 0.02 if flying else 1 - EDGE
        highest = EDGE + max(high, high2) if flying else max(horizon + 0.03, EDGE + max(high, high2))
        if room < 0 or lowest < highest:
            return None
        left, base = EDGE + v * room, highest + w * (lowest - highest)
        return _place(left + wide / 2, base, one, flying), _place(
            left + wide + gap + wide2 / 2, base, other, flying
        )
    centre = max(wide, wide2) / 2 + EDGE + u * (1 - 2 * EDGE - max(wide, wide2))
    aside = centre + 0.3 * (v - 0.5) * min(wide, wide2)
    if predicate == "above":
        base = EDGE + 0.08 * w + high
        below = base + CLEAR + 0.01 + 0.03 * x + high2
        return (
            None
            if below > LOWEST_FLIGHT
            else (_place(aside, base, one, True), _place(centre, below, other, True))
        )
    if predicate == "in front of":
        far = max(horizon + 0.03 + 0.08 * w, EDGE + high2)
        near = far + high + (0.2 + 0.7 * x) * CLEAR
        return _place(aside, near, one, False), _place(centre, far, other, False)
    base = max(horizon + 0.04, EDGE + high + high2) + w * 0.3
    surface = base - high2 + KINDS[holder.kind].surface * high2
    box, _, _ = _place(aside, surface, one, False)
    return (box, round(base + 0.002, 4), 0), _place(centre, base, other, False)


def _place(centre: float, base: float, size: Size, flying: bool) -> Place:
    wide, high = size
    x1, y1, x2, y2 = centre - wide / 2, base - high, centre + wide / 2, base
    box = (round(x1, 4), round(y1, 4), round(x2, 4), round(y2, 4))
    return box, round(0.1 * base if flying else base, 4), None


def exchanged(scene: Scene, attribute: str, rng: Random) -> Mirrored | None:
    """The scene, and the same scene where two things of different kinds have exchanged colours or sizes.

    Each of the two is the only one of its kind. With its size a thing's box changes, its foot (in the air:
    its middle) does not. None where the scene has no such two things or they have no room.
    """
    things = scene.things
    alone = [row for row, t in enumerate(things) if sum(t.kind == other.kind for other in things) == 1]
    pairs = list(permutations(alone, 2))
    if attribute == "colour":
        pairs = [(a, b) for a, b in pairs if things[a].colour != things[b].colour]
    else:
        carrying = {t.on for t in things}
        free = [row for row in alone if things[row].on is None and row not in carrying]
        pairs = [
            (a, b) for a, b in permutations(free, 2) if (things[a].size, things[b].size) == ("small", "large")
        ]
    if not pairs:
        return None
    a, b = pick(rng, pairs)
    changed = list(things)
    for row, giver in ((a, b), (b, a)):
        if attribute == "colour":
            changed[row] = replace(things[row], colour=things[giver].colour)
        else:
            changed[row] = _resized(things[row], things[giver].size)
    hidden = [hidden_fraction(thing, tuple(changed)) for thing in changed]
    fine = all(_inside(t.box) and not _held_out(t) for t in changed) and max(hidden) <= MOST_HIDDEN
    return Mirrored((scene, replace(scene, things=tuple(changed))), (a, b)) if fine else None


def _resized(thing: Thing, size: str) -> Thing:
    """The same thing, larger or smaller, where it was."""
    x1, y1, x2, y2 = thing.box
    scale = SCALES[size] / SCALES[thing.size]
    wide, high, centre = (x2 - x1) * scale, (y2 - y1) * scale, (x1 + x2) / 2
    base = (y1 + y2 + high) / 2 if aloft(thing) else y2
    box, _, _ = _place(centre, base, (wide, high), aloft(thing))
    return replace(thing, size=size, box=box)


def _extent(thing: Thing, vary: float) -> Size:
    high = KINDS[thing.kind].height * SCALES[thing.size] * vary
    return high * KINDS[thing.kind].aspect * HEIGHT / WIDTH, high


def _inside(box: Box) -> bool:
    return box[0] >= EDGE and box[1] >= EDGE and box[2] <= 1 - EDGE and box[3] <= 1 - EDGE


def _held_out(thing: Thing) -> bool:
    return (thing.kind, thing.colour) in HELD_OUT


def _seed(rng: Random) -> int:
    return int(rng.random() * 2**31)
