"""The city: a street before a skyline."""

from __future__ import annotations

from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.colours import Colour, mix
from itr_explore.data.scenes.sprites.layers import (
    Outline,
    Size,
    gradient,
    ground,
    open_sky,
    silhouette,
    wisps,
)
from itr_explore.data.scenes.world import HORIZON, Scene

WHITE: Colour = (255, 255, 255)


def city(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Two rows of blocks in the haze, a pavement, a road, a pavement."""
    sky = random.choice((((136, 188, 226), (238, 236, 224)), ((166, 186, 216), (250, 224, 204))))
    picture = open_sky(size, HORIZON["city"], *sky)
    wisps(picture, random, WHITE, 2, 0.2)
    far, _ = _skyline(random, 0.36, 0.16, 0.58)
    silhouette(picture, far, (172, 194, 216), (208, 214, 222))
    near, windows = _skyline(random, 0.44, 0.27, 0.58)
    hue = random.choice(((148, 160, 184), (174, 158, 168), (146, 170, 176)))
    silhouette(picture, near, hue, mix(hue, (222, 218, 214), 0.5))
    silhouette(picture, windows, (222, 232, 236), (236, 236, 228), opacity=0.75)
    _pavement(picture, random)
    top = random.uniform(0.615, 0.66)
    _road(picture, random, top, top + random.uniform(0.17, 0.2))
    return picture


def _skyline(
    random: Random, lowest: float, highest: float, foot: float
) -> tuple[list[Outline], list[Outline]]:
    """Flat-roofed blocks side by side, and their windows."""
    blocks, windows, x = [], [], -0.03
    while x < 1.0:
        wide, top = random.uniform(0.05, 0.11), random.uniform(highest, lowest)
        step = random.choice((0, 0, 0.02))
        split = x + wide * 0.3
        blocks.append(
            [(x, foot), (x, top + step), (split, top + step), (split, top), (x + wide, top), (x + wide, foot)]
        )
        columns = max(2, int(wide / 0.022))
        for column in range(columns):
            left, y = x + wide * (column + 0.25) / columns, top + step + 0.022
            while y < foot - 0.05:
                if random.random() < 0.75:
                    windows.append(
                        [(left, y), (left + 0.009, y), (left + 0.009, y + 0.017), (left, y + 0.017)]
                    )
                y += 0.036
        x += wide + random.choice((0, 0, 0.012))
    return blocks, windows


def _pavement(picture: Image.Image, random: Random) -> None:
    stone = random.choice(((214, 206, 194), (200, 200, 204)))
    ground(picture, HORIZON["city"], mix(stone, WHITE, 0.15), stone, mix(stone, (120, 112, 120), 0.2))
    row = round(HORIZON["city"] * picture.height)
    textures.apply(
        picture, textures.slabs((picture.width, picture.height - row)), row, random.randrange(-30, 30)
    )


def _road(picture: Image.Image, random: Random, top: float, foot: float) -> None:
    """Asphalt between two kerbs, with a dashed line."""
    row, end = round(top * picture.height), round(foot * picture.height)
    picture.paste(gradient((picture.width, end - row), (116, 118, 130), (100, 102, 114)), (0, row))
    textures.apply(picture, textures.asphalt((picture.width, end - row)), row)
    silhouette(picture, [_bar(top - 0.012, top), _bar(foot, foot + 0.016)], (226, 222, 216), (206, 202, 200))
    silhouette(picture, [_bar(foot - 0.006, foot)], (70, 70, 82), (70, 70, 82), opacity=0.6)
    start, middle = random.uniform(-0.14, 0), (top + foot) / 2
    starts = [start + 0.15 * k for k in range(9)]
    low = middle + 0.014
    dashes = [[(x, middle), (x + 0.075, middle), (x + 0.071, low), (x - 0.004, low)] for x in starts]
    silhouette(picture, dashes, (244, 240, 224), (244, 240, 224), opacity=0.9)


def _bar(top: float, foot: float) -> Outline:
    return [(-0.1, top), (1.1, top), (1.1, foot), (-0.1, foot)]
