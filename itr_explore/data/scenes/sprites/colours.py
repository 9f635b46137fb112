"""The eight colours that captions name, the natural ones, and the shades that go with them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]

PAINTS: dict[str, Colour] = {
    "red": (218, 50, 50),
    "orange": (243, 134, 36),
    "yellow": (253, 221, 62),
    "green": (82, 172, 78),
    "blue": (56, 118, 214),
    "purple": (144, 84, 190),
    "white": (243, 242, 240),
    "black": (56, 56, 66),
}
SHADE: Colour = (44, 30, 74)  # what shadows tend to
CREAM: Colour = (252, 243, 220)
DARK: Colour = (52, 46, 60)
GREY: Colour = (150, 154, 166)
METAL: Colour = (196, 202, 212)
WOOD: Colour = (164, 112, 68)
BARK: Colour = (124, 84, 56)
GLASS: Colour = (188, 222, 238)
GLOW: Colour = (255, 224, 128)
GOLD: Colour = (238, 190, 72)
LEAF: Colour = (92, 158, 72)
PINK: Colour = (244, 160, 168)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    r, g, b = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return (r, g, b)


def darker(colour: Colour, share: float = 0.5) -> Colour:
    """Towards the violet that shadows have here."""
    return mix(colour, SHADE, share)


def lighter(colour: Colour, share: float = 0.4) -> Colour:
    """Towards a warm white."""
    return mix(colour, (255, 252, 240), share)


def faded(random: Random, *choices: Colour) -> Colour:
    """One of the colours, more or less greyed."""
    return mix(random.choice(choices), (128, 128, 128), random.uniform(0, 0.25))


@dataclass(frozen=True)
class Ink:
    """One thing's named colour, a little its own, with the shades that go with it."""

    base: Colour
    light: Colour
    dark: Colour
    pale: Colour
    night: bool

    @classmethod
    def of(cls, name: str, random: Random, night: bool = False) -> Ink:
        """The named colour, moved by a few degrees of hue and a few per cent of lightness."""
        hue, lightness, saturation = colorsys.rgb_to_hls(*(v / 255 for v in PAINTS[name]))
        hue += random.uniform(-1, 1) * (3 if name in ("orange", "yellow") else 5) / 360
        lightness = min(lightness + random.uniform(-0.035, 0.035), 0.97)
        r, g, b = (round(255 * v) for v in colorsys.hls_to_rgb(hue % 1, lightness, saturation))
        base = (r, g, b)
        if name == "black":
            return cls(base, (96, 98, 114), (34, 33, 42), (112, 114, 130), night)
        if name == "white":
            return cls(base, (255, 255, 255), (206, 208, 222), (226, 228, 238), night)
        return cls(base, lighter(base, 0.38), darker(base, 0.28), lighter(base, 0.6), night)

    @property
    def window(self) -> Colour:
        """Glass by day, lamplight by night."""
        return GLOW if self.night else GLASS


def outline(colour: Colour) -> Colour:
    """The darker shade that a shape of this colour is outlined in."""
    brightness = (2 * colour[0] + 3 * colour[1] + colour[2]) / 6
    return (
        darker(colour, 0.62 if brightness > 210 else 0.56)
        if brightness > 75
        else mix(colour, (8, 6, 14), 0.6)
    )
