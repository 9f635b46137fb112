"""How weights become colours, and how a sheet says which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.records import Map
from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, channels
from itr_explore.viz.stills.sheet import Sheet, short

STEPS = 46  # of the ramp in a legend


@dataclass(frozen=True)
class Scale:
    """From 0 to the largest weight, or to both sides of 0."""

    largest: float
    signed: bool = False
    dark: bool = False

    @classmethod
    def of(cls, values: np.ndarray, dark: bool, signed: bool = False) -> Scale:
        """The scale of some weights as they are."""
        largest = float(np.abs(values).max(initial=0.0))
        return cls(largest, signed or bool((values < 0).any()), dark)

    @classmethod
    def of_map(cls, found: Map, dark: bool) -> Scale:
        """The scale of a map."""
        return cls.of(found.values, dark, found.scale in ("signed", "cosine"))

    def share(self, value: float) -> float:
        """How much of the largest a weight is."""
        return min(abs(value) / self.largest, 1.0) if self.largest else 0.0

    def strength(self, value: float) -> float:
        """The same; none where a weight speaks against."""
        return 0.0 if self.signed and value < 0 else self.share(value)

    def colour(self, value: float) -> tuple[int, int, int]:
        """Red, green and blue."""
        if self.signed:
            return blend(theme.diverging(self.dark), 0.5 + np.sign(value) * self.share(value) / 2)
        return blend(theme.sequential(self.dark), self.share(value))

    def draw(self, sheet: Sheet, x: float, y: float, of_what: str) -> float:
        """The ramp with its ends written; returns where it ends."""
        x = sheet.muted(x, y, short(-self.largest) if self.signed else "0") + 6
        for at in range(STEPS):
            place = at / (STEPS - 1)
            value = ((place - 0.5) * 2 if self.signed else place) * self.largest
            sheet.add(Box(x + 2 * at, y - 9, 2.5, 9, fill=as_hex(self.colour(value))))
        return sheet.muted(x + 98, y, f"{short(self.largest)}, {of_what}")


def blend(stops: tuple[str, ...], place: float) -> tuple[int, int, int]:
    """The colour at a place, 0 to 1, along colour stops."""
    points = np.array([channels(stop) for stop in stops], dtype=np.float64)
    at = float(np.clip(place, 0, 1)) * (len(points) - 1)
    start = min(int(at), len(points) - 2)
    red, green, blue = np.rint(points[start] + (points[start + 1] - points[start]) * (at - start)).astype(int)
    return int(red), int(green), int(blue)


def ink_on(rgb: tuple[int, int, int]) -> str:
    """The dark or the light ink, whichever reads better on a colour."""
    parts = np.array(rgb) / 255
    light = np.where(parts <= 0.04, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return theme.INKS[0] if float(light @ (0.2126, 0.7152, 0.0722)) > 0.18 else theme.INKS[1]


def as_hex(rgb: tuple[int, int, int]) -> str:
    """A colour like `#0072b2`."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
