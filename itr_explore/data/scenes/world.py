"""What there is in a scene: kinds of thing, colours, sizes, settings, and where everything stands.

A scene is plain data, made from a seed by `layout.py`; pixels come from `draw.py`, sentences from
`language.py`, proposals from `regions.py`. All read the same `Scene`; so the meaning of every word is known.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

WIDTH, HEIGHT = 320, 240  # of an image, in pixels

SETTINGS = ("meadow", "beach", "city", "room", "night", "snow")
HORIZON = {  # where the ground (or the floor) begins, as a fraction of the image's height
    "meadow": 0.52,
    "beach": 0.50,
    "city": 0.55,
    "room": 0.60,
    "night": 0.54,
    "snow": 0.52,
}
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
SIZES = ("small", "medium", "large")
SCALES = {"small": 0.65, "medium": 1.0, "large": 1.4}  # of a kind's height, give or take 4 per cent

Box = tuple[float, float, float, float]  # x1 y1 x2 y2, fractions of the image


@dataclass(frozen=True)
class Thing:
    """One thing that a caption may speak of."""

    kind: str  # a key of KINDS
    colour: str
    size: str
    box: Box  # its whole extent, also where something stands in front of it
    depth: float  # larger is nearer: of two things that overlap, the nearer hides the other
    on: int | None  # index of the thing it stands on
    seed: int  # its small variations: pattern, pose, which way it faces


@dataclass(frozen=True)
class Clutter:
    """Something that no caption mentions."""

    kind: str
    box: Box
    depth: float
    seed: int


@dataclass(frozen=True)
class Scene:
    """One picture's worth of world."""

    setting: str
    things: tuple[Thing, ...]  # 2 to 7
    clutter: tuple[Clutter, ...]
    seed: int

    def to_json(self) -> str:
        """The scene as one line of JSON, which `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Scene:
        """The scene that `to_json` wrote."""
        data = json.loads(text)
        things = tuple(Thing(**{**thing, "box": tuple(thing["box"])}) for thing in data["things"])
        clutter = tuple(Clutter(**{**piece, "box": tuple(piece["box"])}) for piece in data["clutter"])
        return cls(data["setting"], things, clutter, data["seed"])


@dataclass(frozen=True)
class Kind:
    """What is always true of a kind of thing."""

    group: str  # animal, vehicle, plant, building, furniture, toy, sky
    aspect: float  # width over height
    height: float  # of a medium one, as a fraction of the image's height
    holds: bool = False  # other things can stand on it
    surface: float = 0.0  # where they stand: so far below its top, as a fraction of its height


KINDS: dict[str, Kind] = {
    "dog": Kind("animal", 1.35, 0.20),
    "cat": Kind("animal", 1.15, 0.18),
    "horse": Kind("animal", 1.20, 0.30),
    "sheep": Kind("animal", 1.30, 0.20),
    "elephant": Kind("animal", 1.35, 0.34),
    "duck": Kind("animal", 1.15, 0.15),
    "rabbit": Kind("animal", 0.80, 0.18),
    "car": Kind("vehicle", 2.00, 0.19),
    "bus": Kind("vehicle", 2.00, 0.30),
    "truck": Kind("vehicle", 2.00, 0.26),
    "bicycle": Kind("vehicle", 1.55, 0.22),
    "boat": Kind("vehicle", 1.25, 0.32),
    "tree": Kind("plant", 0.75, 0.46),
    "flower": Kind("plant", 0.60, 0.20),
    "cactus": Kind("plant", 0.70, 0.28),
    "house": Kind("building", 1.10, 0.42),
    "tower": Kind("building", 0.45, 0.54),
    "tent": Kind("building", 1.40, 0.28),
    "windmill": Kind("building", 0.80, 0.48),
    "chair": Kind("furniture", 0.70, 0.26, holds=True, surface=0.52),
    "table": Kind("furniture", 1.60, 0.22, holds=True, surface=0.08),
    "bed": Kind("furniture", 1.90, 0.24, holds=True, surface=0.42),
    "sofa": Kind("furniture", 1.90, 0.24, holds=True, surface=0.52),
    "lamp": Kind("furniture", 0.55, 0.28),
    "ball": Kind("toy", 1.00, 0.12),
    "robot": Kind("toy", 0.75, 0.24),
    "teddy": Kind("toy", 0.85, 0.20),
    "block": Kind("toy", 1.00, 0.13, holds=True, surface=0.06),
    "drum": Kind("toy", 1.15, 0.14, holds=True, surface=0.10),
    "airplane": Kind("sky", 2.10, 0.16),
    "balloon": Kind("sky", 0.75, 0.28),
    "kite": Kind("sky", 0.80, 0.22),
}

# Colours that a kind never has outside the `compose` probe: one for each kind, so an eighth of all pairs.
HELD_OUT = frozenset(
    (kind, COLOURS[(3 * row + 2) % len(COLOURS)]) for row, kind in enumerate(KINDS)
)  # what a model can only know by putting a known thing and a known colour together


def aloft(thing: Thing) -> bool:
    """The thing is up in the air (in a room: hangs high) and stands on nothing."""
    return KINDS[thing.kind].group == "sky"


def visible_box(scene: Scene, index: int) -> Box:
    """The extent of what can be seen of a thing.

    Its box, cut back wherever nearer things cover it from one edge over that edge's whole length. Boxes stand
    for silhouettes here, so slightly more of the thing may be seen than this says.
    """
    thing = scene.things[index]
    x1, y1, x2, y2 = thing.box
    nearer = [other.box for other in scene.things if other.depth > thing.depth]
    for _ in nearer:  # each pass may uncover an edge that another thing covers
        for a1, b1, a2, b2 in nearer:
            if b1 <= y1 and b2 >= y2:
                if a1 <= x1 < a2:
                    x1 = a2
                if a1 < x2 <= a2:
                    x2 = a1
            if a1 <= x1 and a2 >= x2:
                if b1 <= y1 < b2:
                    y1 = b2
                if b1 < y2 <= b2:
                    y2 = b1
    return x1, y1, x2, y2


def hidden_fraction(thing: Thing, others: tuple[Thing, ...]) -> float:
    """An upper bound on how much of a thing's box nearer things cover: the sum over those that overlap it."""
    x1, y1, x2, y2 = thing.box
    covered = sum(overlap(thing.box, other.box) for other in others if other.depth > thing.depth)
    return covered / ((x2 - x1) * (y2 - y1))


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0
