"""What backdrops are laid from: gradients, hills, soft lights, sun and clouds.

Places are fractions of the picture unless pixels are said.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from itr_explore.data.scenes.sprites.colours import Colour
from itr_explore.data.scenes.sprites.paint import soft_disc
from itr_explore.data.scenes.sprites.shapes import Point, curve, ellipse

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
    corners = [np.array(outline) * picture.size for outline in outlines]
    every = np.concatenate(corners)
    left, top = np.maximum(every.min(0).astype(int) - 1, 0).tolist()
    right, foot = np.minimum(every.max(0).astype(int) + 2, picture.size).tolist()
    if right <= left or foot <= top:
        return
    mask = Image.new("L", (2 * (right - left), 2 * (foot - top)))
    pen = ImageDraw.Draw(mask)
    for points in corners:
        pen.polygon((2 * (points - (left, top))).ravel().tolist(), fill=round(255 * opacity))
    picture.paste(gradient((right - left, foot - top), *stops), (left, top), mask.reduce(2))


def terrain(
    picture: Image.Image, heights: list[float], foot: float, *stops: Colour, opacity: float = 1.0
) -> None:
    """Lay a smooth skyline through heights at even steps, filled with a gradient down to `foot`."""
    count = len(heights) - 1
    steps = tuple((100 * (-0.05 + 1.1 * k / count), 100 * y) for k, y in enumerate(heights))
    line = curve(steps) / 100
    width, height = picture.size
    top, low = int(line[:, 1].min() * height) - 1, int(line[:, 1].max() * height) + 2
    end = max(low, round(foot * height))
    fill = gradient((width, end - top), *stops)
    mask = Image.new("L", (2 * width, 2 * (low - top)))
    points = [
        *((line * (width, height) - (0, top)) * 2).ravel().tolist(),
        2.1 * width,
        9e3,
        -0.1 * width,
        9e3,
    ]
    ImageDraw.Draw(mask).polygon(points, fill=round(255 * opacity))
    picture.paste(fill.crop((0, 0, width, low - top)), (0, top), mask.reduce(2))
    if end > low:
        solid = Image.new("L", (width, end - low), round(255 * opacity)) if opacity < 1 else None
        picture.paste(fill.crop((0, low - top, width, end - top)), (0, low), solid)


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
    picture.paste(colour, (left, top), soft_disc(round(strength, 3)).resize(size, Image.Resampling.BILINEAR))


def hills(random: Random, level: float, swing: float, count: int = 7) -> list[float]:
    """Heights of a skyline: at most `swing` above `level`."""
    return [level - swing * random.random() for _ in range(count)]


def disc(x: float, y: float, rx: float, ry: float | None = None) -> Outline:
    """An ellipse in fractions of a picture that is a third wider than high; a circle if `ry` is left out."""
    points = ellipse(0, 0, 1).points * (rx * (0.75 if ry is None else 1), rx if ry is None else ry) + (x, y)
    return [(px, py) for px, py in points.tolist()]


def open_sky(size: Size, horizon: float, *stops: Colour) -> Image.Image:
    """A new picture whose sky reaches a little below the horizon."""
    picture = Image.new("RGB", size)
    picture.paste(gradient((size[0], round(size[1] * horizon) + 8), *stops), (0, 0))
    return picture


def ground(picture: Image.Image, top: float, *stops: Colour) -> None:
    """Everything below `top`."""
    row = round(top * picture.height)
    picture.paste(gradient((picture.width, picture.height - row), *stops), (0, row))


def sun(picture: Image.Image, random: Random) -> None:
    """A pale sun at the upper left, where the light comes from."""
    x, y, r = random.uniform(0.06, 0.4), random.uniform(0.06, 0.18), random.uniform(0.04, 0.055)
    light(picture, x, y, 0.42, (255, 250, 214), 0.75)
    silhouette(picture, [disc(x, y, r)], (255, 250, 216), (255, 236, 166))


def wisps(picture: Image.Image, random: Random, tone: Colour, count: int, lowest: float) -> None:
    """Clouds far away: long, flat, faint."""
    for _ in range(count):
        x, y, r = random.uniform(-0.05, 0.95), random.uniform(0.05, lowest), random.uniform(0.02, 0.035)
        puffs = ((0, 0, 3.2, 0.6), (-0.9, -0.5, 1.1, 0.8), (0.5, -0.8, 1.4, 1.0), (1.6, -0.3, 1.0, 0.6))
        outlines = [disc(x + dx * r, y + dy * r, rx * r, ry * r) for dx, dy, rx, ry in puffs]
        silhouette(picture, outlines, tone, tone, opacity=0.62)
