"""What there is in a scene: kinds of thing, colours, sizes, settings, and where everything stands.

A scene is plain data, made from a seed; pixels come from `draw.py`, sentences from `language.py`, proposals
from `regions.py`. All three read the same `Scene`, which is why every word's meaning is known.
"""

from __future__ import annotations

from dataclasses import dataclass

SETTINGS = ("meadow", "beach", "city", "room", "night", "snow")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
SIZES = ("small", "medium", "large")

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


@dataclass(frozen=True)
class Kind:
    """What is always true of a kind of thing."""

    group: str  # animal, vehicle, plant, building, furniture, toy, sky
    aspect: float  # width over height
    height: float  # of a medium one, as a fraction of the image's height
    holds: bool = False  # other things can stand on it


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
    "chair": Kind("furniture", 0.70, 0.26, holds=True),
    "table": Kind("furniture", 1.60, 0.22, holds=True),
    "bed": Kind("furniture", 1.90, 0.24, holds=True),
    "sofa": Kind("furniture", 1.90, 0.24, holds=True),
    "lamp": Kind("furniture", 0.55, 0.28),
    "ball": Kind("toy", 1.00, 0.12),
    "robot": Kind("toy", 0.75, 0.24),
    "teddy": Kind("toy", 0.85, 0.20),
    "block": Kind("toy", 1.00, 0.13, holds=True),
    "drum": Kind("toy", 1.15, 0.14, holds=True),
    "airplane": Kind("sky", 2.10, 0.16),
    "balloon": Kind("sky", 0.75, 0.28),
    "kite": Kind("sky", 0.80, 0.22),
}
