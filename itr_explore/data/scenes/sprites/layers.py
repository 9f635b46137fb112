"""What backdrops are laid from: gradients, hills, soft lights."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from itr_explore.data.scenes.sprites.paint import Colour, soft_disc
from itr_explore.data.scenes.sprites.shapes import Point, ribbon

Size = tuple[int, int]
Outline = list[Point]  # in fractions of the picture


@lru_cache(maxsize=256)
def gradient(size: Size, *stops: Colour) -> Image.Image:
    """[height width] RGB from the first colour at the top to the last at the foot, evenly spaced."""
    where = np.linspace(0, 1, len(stops))
    rows = np.linspace(0, 1, max(size[1], 1))
    column = np.stack([np.interp(rows, where, [stop[k] for stop in stops]) for k in range(3)], 1)
    strip = Image.fromarray(column.round().astype(np.uint8)[:, None])
    return strip.resize((max(size[0], 1), max(size[1], 1)), Image.Resampling.NEAREST)


def silhouette(picture: Image.Image, outlines: list[Outline], *stops: Colour, opacity: float = 1.0) -> None:
    """Lay outlines over the picture, smooth-edged, filled with a gradient over their height."""
    width, height = picture.size
    top = max(0, int(min(y for outline in outlines for _, y in outline) * height) - 1)
    foot = min(height, int(max(y for outline in outlines for _, y in outline) * height) + 2)
    mask = Image.new("L", (2 * width, 2 * (foot - top)))
    pen = ImageDraw.Draw(mask)
    for outline in outlines:
        points = [(2 * x * width, 2 * (y * height - top)) for x, y in outline]
        pen.polygon(points, fill=round(255 * opacity))
    picture.paste(gradient((width, foot - top), *stops), (0, top), mask.reduce(2))


def ridge(heights: list[float], foot: float) -> Outline:
    """A smooth skyline through heights at even steps, closed at `foot`."""
    steps = [(-0.05 + 1.1 * k / (len(heights) - 1), y) for k, y in enumerate(heights)]
    line = ribbon(tuple((100 * x, 100 * y) for x, y in steps), 0.01).points[: 6 * (len(steps) - 1) + 1] / 100
    return [(float(x), float(y)) for x, y in line] + [(1.05, foot), (-0.05, foot)]


def light(picture: Image.Image, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
    """A soft round light or shadow; radius in fractions of the height."""
    width, height = picture.size
    r = max(2, round(radius * height))
    ellipse_light(picture, (x * width - r, y * height - r, x * width + r, y * height + r), colour, strength)


def ellipse_light(
    picture: Image.Image, area: tuple[float, float, float, float], colour: Colour, strength: float
) -> None:
    """The same, stretched over an area in pixels."""
    left, top = round(area[0]), round(area[1])
    size = (max(1, round(area[2]) - left), max(1, round(area[3]) - top))
    spot = soft_disc().resize(size, Image.Resampling.BILINEAR).point(_scaled(round(strength, 3)))
    picture.paste(colour, (left, top), spot)


@lru_cache(maxsize=64)
def _scaled(strength: float) -> list[int]:
    return [round(v * strength) for v in range(256)]
