"""Makes scenes: what stands where, from a seed.

Only `random.Random.random` and the four operations of arithmetic are used, so that one seed gives one scene
on every machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

import numpy as np

from itr_explore.data.scenes.world import (
    COLOURS,
    HEIGHT,
    HELD_OUT,
    HORIZON,
    KINDS,
    SCALES,
    SETTINGS,
    SIZES,
    WIDTH,
    Box,
    Clutter,
    Scene,
    Thing,
    overlap,
)

Item = TypeVar("Item")

COUNTS = {2: 6, 3: 18, 4: 26, 5: 24, 6: 16, 7: 10}  # how many things, with weights
MOST_HIDDEN = 0.45  # of a thing's box
EDGE = 0.015  # nothing touches the image's edge

# How likely a group, or one kind where it differs, is in a setting; 1 where nothing is said.
LIKELY: dict[str, dict[str, float]] = {
    "meadow": {"animal": 1.5, "plant": 1.5, "furniture": 0.5, "boat": 0.3, "cactus": 0.6},
    "beach": {"boat": 3.5, "furniture": 0.6, "plant": 0.7, "building": 0.6, "duck": 1.6, "kite": 2.0},
    "city": {"vehicle": 2.0, "building": 1.6, "furniture": 0.5, "toy": 0.8, "boat": 0.3},
    "room": {
        "furniture": 2.6, "toy": 2.2, "building": 0.25, "tent": 0.8, "vehicle": 0.4, "bicycle": 0.9,
        "tree": 0.3, "flower": 1.4, "horse": 0.4, "elephant": 0.4, "sheep": 0.5, "sky": 0.6,
    },
    "night": {"furniture": 0.7, "building": 1.3, "airplane": 1.4},
    "snow": {"furniture": 0.6, "cactus": 0.4, "flower": 0.6, "boat": 0.4, "tent": 1.5, "rabbit": 1.4},
}  # fmt: skip

PERCHES = ("dog", "cat", "duck", "rabbit", "lamp", "ball", "robot", "teddy", "block", "drum")
HOLDERS = tuple(name for name, kind in KINDS.items() if kind.holds)

# What lies about in a setting: name -> (height, width over height, where: ground, sky or wall).
CLUTTER: dict[str, dict[str, tuple[float, float, str]]] = {
    "meadow": {"bush": (0.10, 1.5, "ground"), "rock": (0.06, 1.5, "ground"), "fence": (0.10, 2.4, "ground"),
               "mushroom": (0.06, 0.9, "ground"), "cloud": (0.09, 2.4, "sky")},
    "beach": {"shell": (0.04, 1.2, "ground"), "rock": (0.07, 1.5, "ground"), "bucket": (0.07, 0.9, "ground"),
              "starfish": (0.05, 1.0, "ground"), "cloud": (0.09, 2.4, "sky")},
    "city": {"hydrant": (0.08, 0.6, "ground"), "bench": (0.09, 2.2, "ground"), "sign": (0.16, 0.5, "ground"),
             "box": (0.07, 1.1, "ground"), "cloud": (0.08, 2.4, "sky")},
    "room": {"rug": (0.10, 4.5, "ground"), "cushion": (0.07, 1.2, "ground"), "book": (0.04, 1.5, "ground"),
             "picture": (0.16, 1.2, "wall"), "shelf": (0.09, 2.4, "wall")},
    "night": {"bush": (0.10, 1.5, "ground"), "rock": (0.06, 1.5, "ground"), "fence": (0.10, 2.4, "ground"),
              "sign": (0.16, 0.5, "ground"), "cloud": (0.08, 2.6, "sky")},
    "snow": {"snowman": (0.15, 0.65, "ground"), "rock": (0.06, 1.5, "ground"), "bush": (0.10, 1.5, "ground"),
             "fence": (0.10, 2.4, "ground"), "cloud": (0.09, 2.4, "sky")},
}  # fmt: skip


def pick(rng: Random, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
    """One of `items`, by weight; the same on every Python, which `Random.choice` does not promise."""
    if weights is None:
        return items[int(rng.random() * len(items))]
    left = rng.random() * sum(weights)
    for item, weight in zip(items, weights, strict=True):
        left -= weight
        if left < 0:
            return item
    return items[-1]


def scene_seed(seed: int, split: str, index: int) -> np.random.SeedSequence:
    """Where a scene's chance comes from: streams of different splits and indices are independent."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(split.encode()), index))


def make_scene(source: np.random.SeedSequence | tuple[int, str, int], novel: bool = False) -> Scene:
    """A scene from its seed.

    Args:
        source: a `SeedSequence`, or (seed, split, index) for the one `scene_seed` gives.
        novel: one of the things has a colour that its kind has only in the `compose` probe (`HELD_OUT`);
            otherwise no thing has.
    """
    sequence = source if isinstance(source, np.random.SeedSequence) else scene_seed(*source)
    words = [int(word) for word in sequence.generate_state(4)]
    rng = Random(words[0] | words[1] << 32 | words[2] << 64)
    while True:
        setting = pick(rng, SETTINGS)
        things = _place_all(rng, setting, _choose(rng, setting, novel))
        if len(things) >= 2 and any((t.kind, t.colour) in HELD_OUT for t in things) == novel:
            return Scene(setting, things, _scatter(rng, setting, things), seed=words[3])


def _choose(rng: Random, setting: str, novel: bool) -> list[tuple[str, str, str]]:
    """What there shall be: (kind, colour, size) of each thing, the ones that must not be missing first."""
    likely = LIKELY[setting]
    kinds = list(KINDS)
    weights = [likely.get(name, likely.get(KINDS[name].group, 1.0)) for name in kinds]
    count = pick(rng, list(COUNTS), list(COUNTS.values()))
    chosen: list[tuple[str, str, str]] = []

    def add(kind: str, colour: str = "", size: str = "") -> None:
        if len(chosen) < count:
            chosen.append((kind, colour or _colour(rng, kind, chosen), size or pick(rng, SIZES)))

    if novel:
        kind, colour = pick(rng, sorted(HELD_OUT), [weights[kinds.index(k)] for k, _ in sorted(HELD_OUT)])
        add(kind, colour)
    if rng.random() < (0.5 if count > 2 else 0.25):  # several of one kind: counts and attributes matter
        kind = chosen[0][0] if chosen and rng.random() < 0.5 else pick(rng, kinds, weights)
        colour = _colour(rng, kind, chosen) if rng.random() < 0.5 else ""
        several = min(pick(rng, (2, 3, 4), (60, 28, 12)), max(2, count - 1))
        size = pick(rng, SIZES if several == 2 else SIZES[:2]) if rng.random() < 0.5 else ""
        for _ in range(several):
            add(kind, colour, size)
    if rng.random() < (0.6 if setting == "room" else 0.35):  # something that stands on something
        add(pick(rng, HOLDERS))
        add(pick(rng, PERCHES))
    while len(chosen) < count:
        add(pick(rng, kinds, weights))
    return chosen


def _colour(rng: Random, kind: str, chosen: list[tuple[str, str, str]]) -> str:
    """A colour that the kind may have; sometimes one that something else has already."""
    while True:
        again = chosen and rng.random() < 0.2
        colour = pick(rng, chosen)[1] if again else pick(rng, COLOURS)
        if (kind, colour) not in HELD_OUT:
            return colour


def _place_all(rng: Random, setting: str, chosen: list[tuple[str, str, str]]) -> tuple[Thing, ...]:
    """Find room for what was chosen, holders first, what flies last; what finds none is left out."""
    placed: list[Thing] = []
    for kind, colour, wanted in sorted(
        chosen, key=lambda c: (not KINDS[c[0]].holds, KINDS[c[0]].group == "sky")
    ):
        for size in (wanted, "medium", "small") if wanted == "large" else (wanted, "small"):
            thing = _place(rng, setting, Thing(kind, colour, size, (0, 0, 0, 0), 0.0, None, 0), placed)
            if thing is not None:
                placed.append(thing)
                break
    order = sorted(range(len(placed)), key=lambda _: rng.random())  # the order says nothing
    where = {old: new for new, old in enumerate(order)}
    things = [placed[old] for old in order]
    return tuple(t if t.on is None else replace(t, on=where[t.on]) for t in things)


def _place(rng: Random, setting: str, wanted: Thing, placed: list[Thing]) -> Thing | None:
    """The thing with its box, or None where sixteen tries found no room."""
    kind = KINDS[wanted.kind]
    high = kind.height * SCALES[wanted.size] * (0.96 + 0.08 * rng.random())
    wide = high * kind.aspect * HEIGHT / WIDTH
    holders = [] if wanted.kind not in PERCHES else [
        row for row, t in enumerate(placed)
        if KINDS[t.kind].holds and t.box[2] - t.box[0] > 1.1 * wide and t.kind != wanted.kind
    ]  # fmt: skip
    perches = bool(holders) and rng.random() < 0.85
    for attempt in range(16):
        on = pick(rng, holders) if perches and attempt < 6 else None
        if on is not None:
            box, depth = _perch(rng, wide, high, placed[on])
        elif kind.group == "sky":
            box, depth = _fly(rng, wide, high, HORIZON[setting], placed)
        else:
            box, depth = _stand(rng, wide, high, HORIZON[setting], placed)
        x1, y1, x2, y2 = box = tuple(round(side, 4) for side in box)  # type: ignore[assignment]
        inside = x1 >= EDGE and y1 >= EDGE and x2 <= 1 - EDGE and y2 <= 1 - EDGE
        found = replace(wanted, box=box, depth=round(depth, 4), on=on, seed=int(rng.random() * 2**31))
        if inside and _clear(found, placed):
            return found
    return None


def _perch(rng: Random, wide: float, high: float, holder: Thing) -> tuple[Box, float]:
    """A box whose foot is on the holder's surface."""
    x1, y1, x2, y2 = holder.box
    left = x1 + 0.03 * (x2 - x1) + rng.random() * (0.94 * (x2 - x1) - wide)
    foot = y1 + KINDS[holder.kind].surface * (y2 - y1)
    return (left, foot - high, left + wide, foot), holder.depth + 0.002


def _fly(rng: Random, wide: float, high: float, horizon: float, placed: list[Thing]) -> tuple[Box, float]:
    """A box above the horizon, behind everything that stands; often right over something."""
    left = EDGE + rng.random() * (1 - 2 * EDGE - wide)
    if placed and rng.random() < 0.5:
        x1, _, x2, _ = pick(rng, placed).box
        left = (x1 + x2 - wide) / 2 + (rng.random() - 0.5) * 0.1
    top = EDGE + rng.random() * max(0.04, horizon - 0.04 - EDGE - high)
    return (left, top, left + wide, top + high), 0.1 * (top + high)


def _stand(rng: Random, wide: float, high: float, horizon: float, placed: list[Thing]) -> tuple[Box, float]:
    """A box on the ground: anywhere, or beside something, or before or behind it. Depth is its base line."""
    neighbours = [t for t in placed if t.on is None and KINDS[t.kind].group != "sky"]
    how = pick(rng, ("anywhere", "beside", "across"), (0.4, 0.3, 0.3)) if neighbours else "anywhere"
    if how == "anywhere":
        highest = max(horizon + 0.04, EDGE + high)
        base = highest + rng.random() * (1 - EDGE - highest)
        left = EDGE + rng.random() * (1 - 2 * EDGE - wide)
        return (left, base - high, left + wide, base), base
    x1, _, x2, near = pick(rng, neighbours).box
    if how == "beside":
        base = near + 0.06 * (rng.random() - 0.5)
        gap = 0.005 + 0.045 * rng.random()
        left = x1 - gap - wide if rng.random() < 0.5 else x2 + gap
    else:
        base = near + (0.07 + 0.13 * rng.random()) * (1 if rng.random() < 0.5 else -1)
        left = x1 - 0.6 * wide + rng.random() * (x2 - x1 + 0.2 * wide)
    base = max(base, horizon + 0.02)
    return (left, base - high, left + wide, base), base


def _clear(thing: Thing, placed: list[Thing]) -> bool:
    """Who hides whom is plain to see, and everything stays visible enough."""
    everyone = [*placed, thing]
    for other in placed:
        shared = overlap(thing.box, other.box)
        if shared == 0:
            continue
        stacked = thing.on is not None and placed[thing.on] is other
        smaller = min(_area(thing.box), _area(other.box))
        if not stacked and shared > 0.02 * smaller and abs(thing.depth - other.depth) < 0.05:
            return False
    for one in everyone:
        hidden = sum(overlap(one.box, other.box) for other in everyone if other.depth > one.depth)
        if hidden > MOST_HIDDEN * _area(one.box):
            return False
    return True


def _scatter(rng: Random, setting: str, things: tuple[Thing, ...]) -> tuple[Clutter, ...]:
    """Up to four pieces of clutter that hide nothing."""
    pieces: list[Clutter] = []
    for _ in range(pick(rng, (0, 1, 2, 3, 4), (5, 20, 35, 25, 15))):
        name = pick(rng, list(CLUTTER[setting]))
        high, aspect, where = CLUTTER[setting][name]
        high *= 0.8 + 0.4 * rng.random()
        wide = high * aspect * HEIGHT / WIDTH
        horizon = HORIZON[setting]
        left = EDGE + rng.random() * (1 - 2 * EDGE - wide)
        if where == "ground":
            highest = max(horizon + 0.03, EDGE + high)
            foot = highest + rng.random() * (1 - EDGE - highest)
        else:
            foot = EDGE + high + rng.random() * max(0.02, horizon - 0.08 - EDGE - high)
        depth = 0.01 if where != "ground" or name == "rug" else foot
        box: Box = (round(left, 4), round(foot - high, 4), round(left + wide, 4), round(foot, 4))
        piece = Clutter(name, box, round(depth, 4), int(rng.random() * 2**31))
        hides = any(t.depth <= piece.depth and overlap(t.box, box) > 0.05 * _area(t.box) for t in things)
        if not hides and not any(overlap(box, other.box) > 0 for other in pieces):
            pieces.append(piece)
    return tuple(pieces)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
