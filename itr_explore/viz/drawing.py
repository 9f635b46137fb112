"""A drawing of few kinds of shapes, for a paper or a slide: `raster.png` and `vector.svg` write it.

Lengths are CSS pixels. Text is measured with the fonts that Pillow finds, and an SVG says how wide each text
is, so that both lay out alike whatever fonts a reader has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from itr_explore.viz.fonts import Family, measure

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Box:
    """A rectangle; with `radius` half its height a circle."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None
    line: float = 1.0
    radius: float = 0.0
    dash: tuple[float, float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Line:
    """A stroke through points."""

    points: tuple[tuple[float, float], ...]
    stroke: str
    line: float = 1.0
    dash: tuple[float, float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Area:
    """What lies within points."""

    points: tuple[tuple[float, float], ...]
    fill: str


@dataclass(frozen=True)
class Text:
    """One line of text; `x, y` is where its baseline starts, or its middle or its end."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    family: Family = "sans"
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"

    @property
    def width(self) -> float:
        """How wide the text is when it is drawn."""
        return measure(self.text, self.size, self.family, self.bold)


@dataclass(frozen=True)
class Photo:
    """An image, stretched into a rectangle."""

    x: float
    y: float
    width: float
    height: float
    image: Image


Shape = Box | Line | Area | Text | Photo


@dataclass(frozen=True)
class Drawing:
    """Shapes on paper, later ones above earlier ones, and what they show in words."""

    width: float
    height: float
    paper: str
    shapes: tuple[Shape, ...]
    title: str
    description: str = ""


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour like `#0072b2`, 0 to 255."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue
