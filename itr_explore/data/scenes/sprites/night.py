"""The night: moon, stars and glow-worms."""

from __future__ import annotations

from math import cos, pi, sin
from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.layers import (
    Outline,
    Size,
    disc,
    hills,
    light,
    open_sky,
    silhouette,
    terrain,
)
from itr_explore.data.scenes.world import HORIZON, Scene


def night(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Hills in the moonlight, with stars and glow-worms."""
    dusk = random.choice(((98, 106, 168), (118, 104, 160), (84, 116, 164)))
    picture = open_sky(size, HORIZON["night"], (22, 28, 72), (44, 58, 120), dusk)
    stars = []
    for _ in range(70):
        x, y, r = random.random(), 0.5 * random.random() ** 1.2, random.choice((0.0016, 0.0022, 0.0032))
        stars.append([(x - r, y), (x, y - r * 1.33), (x + r, y), (x, y + r * 1.33)])
    silhouette(picture, stars, (255, 252, 226), (226, 232, 255), opacity=0.9)
    x = random.uniform(0.08, 0.42)
    _moon(picture, random, x, random.uniform(0.1, 0.2), random.uniform(0.055, 0.075))
    terrain(picture, hills(random, 0.49, 0.13), 0.56, (62, 78, 132), (76, 96, 140))
    terrain(picture, hills(random, 0.525, 0.09), 0.56, (52, 78, 116), (64, 104, 124))
    terrain(picture, hills(random, 0.545, 0.025, 6), 1.0, (88, 130, 130), (66, 106, 114), (46, 78, 98))
    textures.cover(picture, textures.grass, 0.54, random)
    light(picture, x + 0.1, 0.68, 0.5, (176, 206, 226), 0.28)
    for _ in range(9):
        spot = random.random(), random.uniform(0.58, 0.96)
        light(picture, *spot, 0.024, (226, 250, 150), 0.7)
        light(picture, *spot, 0.007, (255, 255, 214), 1.0)
    return picture


def _moon(picture: Image.Image, random: Random, x: float, y: float, radius: float) -> None:
    """A full moon with craters, or a waxing one."""
    light(picture, x, y, 0.4, (206, 220, 255), 0.5)
    if random.random() < 0.5:
        silhouette(picture, [disc(x, y, radius)], (255, 250, 226), (240, 230, 196))
        craters = ((-0.3, -0.2, 0.2), (0.3, 0.3, 0.26), (0.35, -0.4, 0.13))
        spots = [disc(x + 0.75 * cx * radius, y + cy * radius, r * radius) for cx, cy, r in craters]
        silhouette(picture, spots, (226, 218, 188), (226, 218, 188), opacity=0.7)
    else:
        silhouette(picture, [_crescent(x, y, radius)], (255, 250, 226), (244, 234, 200))


def _crescent(x: float, y: float, radius: float) -> Outline:
    """Half the moon's rim, and back along the shadow's edge."""
    outline = []
    for k in range(33):
        a = pi * (k / 16 - 0.5)
        across, down = (cos(a) if k <= 16 else -0.42 * cos(a)), sin(a)
        tilted = across * 0.9 - down * 0.43, across * 0.43 + down * 0.9
        outline.append((x + 0.75 * radius * tilted[0], y + radius * tilted[1]))
    return outline
