"""The snow: mountains, drifts, sometimes a frozen pond, and flakes."""

from __future__ import annotations

from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.colours import Colour
from itr_explore.data.scenes.sprites.layers import (
    Size,
    disc,
    hills,
    open_sky,
    silhouette,
    sun,
    terrain,
)
from itr_explore.data.scenes.world import HORIZON, Scene

WHITE: Colour = (255, 255, 255)


def snow(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Mountains and drifts on a winter's day, sometimes with a frozen pond."""
    pale = random.choice((((146, 184, 220), (228, 238, 248)), ((164, 180, 214), (252, 230, 222))))
    picture = open_sky(size, HORIZON["snow"], *pale)
    sun(picture, random)
    _mountains(picture, random)
    terrain(picture, hills(random, 0.52, 0.07), 0.56, (224, 234, 248), (208, 222, 242))
    terrain(picture, hills(random, 0.545, 0.045), 1.0, (240, 245, 253), (214, 227, 245), (202, 217, 240))
    for level in (0.7, 0.86):
        terrain(picture, hills(random, level, 0.05, 5), 1.0, (242, 247, 254), (212, 225, 244), opacity=0.8)
    if random.random() < 0.4:
        _pond(picture, random.uniform(0.2, 0.8), random.uniform(0.66, 0.86))
    textures.cover(picture, textures.snow, 0.56, random)
    return picture


def flakes(picture: Image.Image, random: Random) -> None:
    """A few snowflakes in front of everything."""
    sizes = (0.0026, 0.0034, 0.0046)
    outlines = [disc(random.random(), random.random(), random.choice(sizes))[::4] for _ in range(34)]
    silhouette(picture, outlines, WHITE, WHITE, opacity=0.85)


def _mountains(picture: Image.Image, random: Random) -> None:
    """Peaks whose caps are lit from the left."""
    peaks, caps, x = [], [], -0.15
    while x < 1.05:
        wide, top = random.uniform(0.22, 0.4), random.uniform(0.18, 0.34)
        share, zig = random.uniform(0.35, 0.5), 0.02
        middle, y = x + wide / 2, top + share * (0.56 - top)
        left, right = middle - wide / 2 * share, middle + wide / 2 * share
        third = 0.25 * (right - left)
        peaks.append([(x, 0.56), (middle, top), (x + wide, 0.56)])
        caps.append(
            [
                (middle, top),
                (right, y),
                (right - third, y - zig),
                (middle, y + zig * 0.6),
                (left + third, y - zig),
                (left, y),
            ]
        )
        x += wide * random.uniform(0.5, 0.75)
    silhouette(picture, peaks, (134, 158, 194), (190, 208, 230))
    silhouette(picture, caps, WHITE, (236, 244, 252))
    silhouette(picture, [cap[:4] for cap in caps], (206, 220, 240), (206, 220, 240))


def _pond(picture: Image.Image, x: float, y: float) -> None:
    """A frozen pond with streaks of light."""
    silhouette(picture, [disc(x, y - 0.004, 0.185, 0.048)], (176, 196, 224), (190, 208, 232))
    silhouette(picture, [disc(x, y, 0.18, 0.044)], (150, 190, 224), (190, 220, 240))
    streaks = []
    for dx, dy in ((-0.1, 0.01), (-0.02, -0.012), (0.04, 0.016)):
        a, b = x + dx, y + dy
        streaks.append([(a, b), (a + 0.07, b - 0.012), (a + 0.075, b - 0.009), (a + 0.01, b + 0.005)])
    silhouette(picture, streaks, (236, 246, 252), (236, 246, 252), opacity=0.85)
