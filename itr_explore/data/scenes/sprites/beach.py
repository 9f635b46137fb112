"""The beach: sand before a sea."""

from __future__ import annotations

from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.colours import Colour, mix
from itr_explore.data.scenes.sprites.layers import (
    Size,
    ground,
    hills,
    open_sky,
    silhouette,
    sun,
    terrain,
    wisps,
)
from itr_explore.data.scenes.sprites.shapes import blob
from itr_explore.data.scenes.world import HORIZON, Scene

WHITE: Colour = (255, 255, 255)


def beach(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Sand before a sea with waves."""
    blue = random.choice((((86, 178, 232), (216, 240, 246)), ((110, 184, 224), (255, 232, 204))))
    picture = open_sky(size, HORIZON["beach"], *blue)
    sun(picture, random)
    wisps(picture, random, WHITE, 2, 0.26)
    sea = random.uniform(0.345, 0.365)
    if random.random() < 0.6:
        x = random.uniform(0.1, 0.9)
        island = blob((-14, 1), (-7, -3), (0, -5), (5, -2.4), (14, 1)).points
        silhouette(
            picture,
            [[(x + 0.0125 * px, sea + 0.01 + 0.01 * py) for px, py in island]],
            (142, 182, 192),
            (160, 196, 196),
        )
    ground(
        picture,
        sea,
        (52, 140, 186),
        (72, 178, 200),
        (150, 220, 210),
        (232, 216, 168),
        (232, 216, 168),
        (232, 216, 168),
    )
    crests = []
    for row in range(26):
        near = row / 26
        y, x, w = (
            sea + 0.01 + 0.125 * near,
            random.uniform(-0.05, 1),
            random.uniform(0.02, 0.05) + 0.06 * near,
        )
        h = 0.0018 + 0.0035 * near
        crests.append(
            [(x, y), (x + w * 0.3, y - h), (x + w * 0.7, y - h), (x + w, y), (x + w * 0.5, y + h * 0.4)]
        )
    silhouette(picture, crests, (232, 248, 250), (246, 255, 252), opacity=0.62)
    shore = hills(random, 0.504, 0.02, 8)
    terrain(picture, [y - 0.004 for y in shore], 0.53, (250, 255, 252), (250, 255, 252))
    terrain(picture, [y + 0.009 for y in shore], 0.58, (196, 176, 134), (206, 184, 138))
    warm = random.random()
    sand = (mix((238, 218, 168), (246, 224, 180), warm), mix((226, 196, 138), (236, 202, 150), warm))
    terrain(picture, [y + 0.04 + random.uniform(-0.008, 0.008) for y in shore], 1.0, *sand)
    terrain(picture, hills(random, 0.78, 0.1, 5), 1.0, mix(sand[0], WHITE, 0.25), sand[1], opacity=0.45)
    textures.cover(picture, textures.sand, 0.5, random)
    return picture
