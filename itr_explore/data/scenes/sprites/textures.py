"""Grain for surfaces: grey images about 128, added to what was painted. Each is made once a size."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Size = tuple[int, int]


def apply(picture: Image.Image, texture: Image.Image, top: int, shift: int = 0) -> None:
    """Add a texture to the rows of an RGB picture from `top` on, moved sideways by `shift`."""
    if shift:
        texture = ImageChops.offset(texture, shift, 0)
    area = (0, top, picture.width, top + texture.height)
    picture.paste(ImageChops.add(picture.crop(area), texture, 1, -128), area[:2])


def cover(picture: Image.Image, texture: Callable[[Size], Image.Image], top: float, random: Random) -> None:
    """Add a texture to everything below `top`, a fraction of the height, shifted sideways by chance."""
    row = round(top * picture.height)
    apply(picture, texture((picture.width, picture.height - row)), row, random.randrange(picture.width))


def _canvas(size: Size) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (2 * size[0], 2 * size[1]), 128)
    return image, ImageDraw.Draw(image)


def _done(image: Image.Image) -> Image.Image:
    return image.reduce(2).convert("RGB")


@lru_cache(maxsize=8)
def grain(size: Size) -> Image.Image:
    """Paper: faint noise over a whole picture."""
    noise = np.random.default_rng(1).normal(128, 2.2, (size[1], size[0]))
    return Image.fromarray(np.clip(noise.round(), 0, 255).astype(np.uint8)).convert("RGB")


@lru_cache(maxsize=8)
def grass(size: Size, contrast: float = 1.0) -> Image.Image:
    """Blades that grow longer towards the viewer."""
    random = Random(3)
    image, pen = _canvas(size)
    width, height = image.size
    for y in sorted(height * random.random() ** 0.8 for _ in range(1500)):
        x, near = width * random.random(), y / height
        long, lean = 3 + 15 * near * (0.5 + random.random()), random.uniform(-0.35, 0.35)
        tone = 128 + round(contrast * random.choice((-1, 1)) * random.uniform(5, 13 + 9 * near))
        pen.line((x, y, x + lean * long, y - long), fill=tone, width=1 + round(near * 1.6))
    return _done(image)


@lru_cache(maxsize=8)
def sand(size: Size) -> Image.Image:
    """Ripples and grains."""
    random = Random(4)
    image, pen = _canvas(size)
    width, height = image.size
    for _ in range(70):
        y, x, long = height * random.random(), width * random.random(), random.uniform(30, 140)
        pen.arc(
            (x, y, x + long, y + 5 + 12 * y / height), 190, 350, fill=128 + random.choice((-7, 6)), width=2
        )
    for _ in range(2600):
        x, y = width * random.random(), height * random.random() ** 0.8
        r = 0.6 + 1.2 * y / height
        pen.ellipse((x, y, x + r, y + r), fill=128 + random.choice((-26, -16, 14, 22)))
    return _done(image)


@lru_cache(maxsize=8)
def snow(size: Size) -> Image.Image:
    """Soft hollows and a little glitter."""
    random = Random(5)
    image, pen = _canvas(size)
    width, height = image.size
    for _ in range(46):
        y, x = height * random.random(), width * random.random()
        long, high = random.uniform(60, 220), 4 + 14 * y / height
        pen.ellipse((x, y, x + long, y + high), fill=128 - random.randrange(4, 12))
        pen.ellipse((x - 4, y - high * 0.5, x + long - 4, y + high * 0.5), fill=128 + random.randrange(0, 6))
    image = image.filter(ImageFilter.GaussianBlur(4))
    pen = ImageDraw.Draw(image)
    for _ in range(260):
        x, y = width * random.random(), height * random.random()
        pen.ellipse((x, y, x + 2, y + 2), fill=128 + random.choice((20, 30, -12)))
    return _done(image)


@lru_cache(maxsize=8)
def asphalt(size: Size) -> Image.Image:
    """Coarse noise with a few patches."""
    noise = np.random.default_rng(6).normal(128, 9, (2 * size[1], 2 * size[0]))
    image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    return _done(image)


@lru_cache(maxsize=8)
def slabs(size: Size) -> Image.Image:
    """Paving stones, larger towards the viewer, vanishing behind the middle."""
    random = Random(7)
    image, pen = _canvas(size)
    width, height = image.size
    middle, rows = width / 2, [height * (k / 7) ** 1.35 for k in range(8)]
    for upper, lower in pairwise(rows):
        for column in range(-14, 14):
            corners = [(middle + (column + side) * width / 11 * (0.55 + 0.5 * y / height), y)
                       for side, y in ((0, upper), (1, upper), (1, lower), (0, lower))]  # fmt: skip
            pen.polygon(corners, fill=128 + random.randrange(-7, 8))
            pen.line([*corners, corners[0]], fill=104, width=2)
    return _done(image)


@lru_cache(maxsize=8)
def boards(size: Size) -> Image.Image:
    """Floor boards that run away from the viewer."""
    random = Random(8)
    image, pen = _canvas(size)
    width, height = image.size
    middle, count = width / 2, 13
    for column in range(-count, count):

        def edge(side: float, y: float, column: int = column) -> float:
            return middle + (column + side) * width / count * (0.62 + 0.75 * y / height)

        pen.polygon([(edge(0, 0), 0), (edge(1, 0), 0), (edge(1, height), height), (edge(0, height), height)],
                    fill=128 + random.randrange(-9, 10))  # fmt: skip
        for _ in range(5):
            side, start, long = random.random(), random.random() * height, random.uniform(20, 90)
            pen.line((edge(side, start), start, edge(side, start + long), start + long), fill=119, width=1)
        y = random.random() * height
        pen.line((edge(0, y), y, edge(1, y), y), fill=92, width=2)
        pen.line((edge(0, 0), 0, edge(0, height), height), fill=94, width=2)
    return _done(image)


@lru_cache(maxsize=16)
def wallpaper(size: Size, style: int) -> Image.Image:
    """Stripes, dots, lozenges or plain plaster."""
    image, pen = _canvas(size)
    width, height = image.size
    if style == 0:
        for x in range(0, width, 48):
            pen.rectangle((x, 0, x + 20, height), fill=136)
            pen.line((x + 34, 0, x + 34, height), fill=121, width=2)
    elif style == 1:
        for row, y in enumerate(range(10, height, 34)):
            for x in range(17 * (row % 2), width, 34):
                pen.ellipse((x, y, x + 7, y + 7), fill=144)
    elif style == 2:
        for row, y in enumerate(range(0, height + 20, 26)):
            for x in range(20 * (row % 2), width + 40, 40):
                pen.polygon([(x, y - 16), (x + 11, y), (x, y + 16), (x - 11, y)], fill=135)
                pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=112)
    return _done(image)
