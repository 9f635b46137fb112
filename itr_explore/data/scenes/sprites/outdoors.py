"""Meadow, beach, night and snow, before anything stands in them."""

from __future__ import annotations

from math import cos, pi, sin
from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.layers import (
    Outline,
    Size,
    disc,
    ground,
    hills,
    light,
    open_sky,
    silhouette,
    sun,
    terrain,
    wisps,
)
from itr_explore.data.scenes.sprites.paint import Colour, mix
from itr_explore.data.scenes.sprites.shapes import blob
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
    _textured(picture, "grass", 0.52, random)
    light(picture, random.uniform(0.1, 0.5), 0.62, 0.5, (250, 244, 170), 0.22)
    return picture


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
    _textured(picture, "sand", 0.5, random)
    return picture


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
    _textured(picture, "grass", 0.54, random)
    light(picture, x + 0.1, 0.68, 0.5, (176, 206, 226), 0.28)
    for _ in range(9):
        spot = random.random(), random.uniform(0.58, 0.96)
        light(picture, *spot, 0.024, (226, 250, 150), 0.7)
        light(picture, *spot, 0.007, (255, 255, 214), 1.0)
    return picture


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
    _textured(picture, "snow", 0.56, random)
    return picture


def flakes(picture: Image.Image, random: Random) -> None:
    """A few snowflakes in front of everything."""
    sizes = (0.0026, 0.0034, 0.0046)
    outlines = [disc(random.random(), random.random(), random.choice(sizes))[::4] for _ in range(34)]
    silhouette(picture, outlines, WHITE, WHITE, opacity=0.85)


def _textured(picture: Image.Image, name: str, top: float, random: Random) -> None:
    """Grain on everything below `top`, shifted sideways by chance."""
    row = round(top * picture.height)
    texture = getattr(textures, name)((picture.width, picture.height - row))
    textures.apply(picture, texture, row, random.randrange(picture.width))


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


def _pond(picture: Image.Image, x: float, y: float) -> None:
    """A frozen pond with streaks of light."""
    silhouette(picture, [disc(x, y - 0.004, 0.185, 0.048)], (176, 196, 224), (190, 208, 232))
    silhouette(picture, [disc(x, y, 0.18, 0.044)], (150, 190, 224), (190, 220, 240))
    streaks = []
    for dx, dy in ((-0.1, 0.01), (-0.02, -0.012), (0.04, 0.016)):
        a, b = x + dx, y + dy
        streaks.append([(a, b), (a + 0.07, b - 0.012), (a + 0.075, b - 0.009), (a + 0.01, b + 0.005)])
    silhouette(picture, streaks, (236, 246, 252), (236, 246, 252), opacity=0.85)


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
