"""The meadow: hills, sometimes with a path."""

from __future__ import annotations

from math import pi, sin
from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.colours import Colour, mix
from itr_explore.data.scenes.sprites.layers import (
    Size,
    hills,
    light,
    open_sky,
    silhouette,
    sun,
    terrain,
    wisps,
)
from itr_explore.data.scenes.world import HORIZON, Scene

WHITE: Colour = (255, 255, 255)


def meadow(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Rolling hills under a summer sky, sometimes with a path."""
    blue = random.choice(
        (
            ((104, 176, 232), (206, 236, 246)),
            ((126, 190, 226), (248, 236, 208)),
            ((92, 160, 222), (222, 240, 238)),
        )
    )
    picture = open_sky(size, HORIZON["meadow"], *blue)
    sun(picture, random)
    wisps(picture, random, WHITE, 3, 0.3)
    warm = random.random()
    terrain(picture, hills(random, 0.47, 0.16), 0.55, (146, 190, 196), (172, 208, 180))
    near = mix((124, 178, 132), (158, 190, 118), warm)
    terrain(picture, hills(random, 0.505, 0.10), 0.55, near, mix(near, (176, 208, 130), 0.6))
    field = (mix((150, 198, 104), (172, 202, 100), warm), mix((112, 174, 84), (136, 178, 80), warm))
    deep = mix((80, 146, 74), (104, 150, 68), warm)
    terrain(picture, hills(random, 0.525, 0.03, 6), 1.0, *field, deep)
    if random.random() < 0.45:
        _path(picture, random)
    textures.cover(picture, textures.grass, 0.52, random)
    light(picture, random.uniform(0.1, 0.5), 0.62, 0.5, (250, 244, 170), 0.22)
    return picture


def _path(picture: Image.Image, random: Random) -> None:
    """A trodden path that winds towards the viewer."""
    start, bend, end = random.uniform(0.3, 0.7), random.uniform(-0.18, 0.18), random.uniform(0.1, 0.9)
    left, right = [], []
    for k in range(21):
        t = k / 20
        x, y = start + (end - start) * t + bend * sin(2 * pi * t), 0.528 + 0.49 * t**1.6
        wide = 0.006 + 0.075 * t**1.6
        left.append((x - wide, y))
        right.append((x + wide, y))
    silhouette(picture, [left + right[::-1]], (222, 210, 158), (206, 186, 132), opacity=0.85)
