"""What lies about in the open and is never mentioned, in quiet colours."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, WOOD, Colour, darker, faded, lighter, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, polygon, ribbon

MOSS: Colour = (98, 138, 84)
STONE: Colour = (158, 154, 152)
SNOW: Colour = (244, 248, 255)


def bush(brush: Brush, setting: str, random: Random) -> None:
    """A low bush, snowed on in the snow."""
    w = brush.width
    tone = mix(MOSS, (70, 96, 96), random.random() * 0.5)
    puffs = [
        ellipse(w * x, y, r) for x, y, r in ((0.16, 72, 26), (0.34, 46, 34), (0.6, 38, 36), (0.84, 66, 28))
    ]
    brush.body(tone, *puffs, box(w * 0.06, 66, w * 0.96, 98, 12))
    brush.shade(ellipse(w / 2, 60, w * 0.56, 62), tone, 0.8)
    for x, y in ((0.3, 48), (0.55, 40), (0.45, 70), (0.75, 64), (0.2, 76)):
        brush.flat(
            lighter(tone, 0.25), ribbon(((w * x - 10, y), (w * x - 2, y - 7), (w * x + 9, y - 5)), 4, 2)
        )
    if setting == "snow":
        brush.flat(
            SNOW,
            blob(
                (w * 0.2, 30),
                (w * 0.42, 8),
                (w * 0.66, 4),
                (w * 0.86, 34),
                (w * 0.7, 30),
                (w * 0.5, 36),
                (w * 0.34, 28),
            ),
        )


def rock(brush: Brush, setting: str, random: Random) -> None:
    """A boulder."""
    w = brush.width
    tone = mix(STONE, random.choice(((128, 122, 132), (172, 158, 142))), 0.6)
    shape = polygon(
        (2, 90),
        (w * 0.1, 46),
        (w * 0.3, 14),
        (w * 0.56, 4),
        (w * 0.82, 26),
        (w * 0.97, 70),
        (w - 3, 98),
        (8, 98),
    )
    brush.body(tone, shape, soft=0.8)
    brush.flat(lighter(tone, 0.22), polygon((w * 0.14, 50), (w * 0.32, 18), (w * 0.54, 9), (w * 0.46, 40)))
    brush.flat(darker(tone, 0.25), polygon((w * 0.46, 40), (w * 0.8, 30), (w * 0.94, 72), (w * 0.62, 92)))
    if setting == "snow":
        brush.flat(
            SNOW,
            blob((w * 0.16, 34), (w * 0.36, 4), (w * 0.58, 0), (w * 0.84, 26), (w * 0.6, 28), (w * 0.4, 36)),
        )


def fence(brush: Brush, setting: str, random: Random) -> None:
    """A bit of wooden fence."""
    w, count = brush.width, random.choice((4, 5))
    tone = mix(WOOD, (190, 172, 152), random.uniform(0.3, 0.7))
    brush.body(darker(tone, 0.12), box(2, 32, w - 2, 44, 3), box(2, 64, w - 2, 76, 3))
    for row in range(count):
        x = w * (row + 0.5) / count
        brush.body(tone, polygon((x - 11, 99), (x - 11, 18), (x, 2), (x + 11, 18), (x + 11, 99)), soft=0.4)
        if setting == "snow":
            brush.flat(SNOW, blob((x - 11, 20), (x, 0), (x + 11, 20), (x, 16)))


def mushroom(brush: Brush, setting: str, random: Random) -> None:
    """A brown mushroom."""
    w = brush.width
    brush.body(
        CREAM, blob((w * 0.36, 50), (w * 0.64, 50), (w * 0.7, 96), (w * 0.5, 99), (w * 0.3, 96)), soft=0.5
    )
    cap = faded(random, (176, 120, 84), (150, 112, 92))
    brush.body(
        cap, blob((3, 54), (w * 0.14, 22), (w * 0.5, 3), (w * 0.86, 22), (w - 3, 54), (w * 0.5, 64)), soft=0.7
    )
    brush.flat(
        lighter(cap, 0.5),
        ellipse(w * 0.34, 30, 7, 6),
        ellipse(w * 0.62, 22, 6, 5),
        ellipse(w * 0.7, 44, 6, 5),
    )


def cloud(brush: Brush, setting: str, random: Random) -> None:
    """A cloud with a flat foot."""
    w = brush.width
    tone: Colour = (116, 126, 168) if setting == "night" else (252, 253, 255)
    low = darker(tone, 0.16) if setting == "night" else (214, 226, 242)
    lift = [random.uniform(-8, 8) for _ in range(4)]
    round_ones = ((0.18, 70, 25), (0.38, 46, 38), (0.6, 48, 36), (0.82, 72, 24))
    puffs = [ellipse(w * x, y + dy, r) for (x, y, r), dy in zip(round_ones, lift, strict=True)]
    brush.flat(low, *puffs, box(w * 0.04, 64, w * 0.97, 98, 17))
    brush.flat(tone, *(puff.moved(-3, -7) for puff in puffs), box(w * 0.05, 60, w * 0.94, 86, 13))


def snowman(brush: Brush, setting: str, random: Random) -> None:
    """A snowman with a scarf and a hat."""
    w = brush.width
    tone: Colour = (238, 243, 252)
    for y, r in ((77, 22), (43, 17)):
        brush.body(tone, ellipse(w / 2, y, min(r * 1.35, w / 2 - 2), r), soft=0.6)
    brush.body(tone, ellipse(w / 2, 22, 15, 13), soft=0.5)
    brush.body((88, 84, 98), box(w / 2 - 10, 1, w / 2 + 10, 12, 2), box(w / 2 - 16, 10, w / 2 + 16, 14, 2))
    brush.body(faded(random, (176, 116, 116), (118, 142, 164)), box(w / 2 - 14, 31, w / 2 + 14, 37, 3))
    brush.flat(
        (58, 54, 66), *(ellipse(w / 2 + x, y, 1.7) for x, y in ((-5, 19), (5, 19), (0, 46), (0, 56), (0, 66)))
    )
    brush.flat((232, 150, 84), polygon((w / 2, 22), (w / 2 + 13, 25), (w / 2, 26)))


SPRITES = {
    "bush": bush,
    "rock": rock,
    "fence": fence,
    "mushroom": mushroom,
    "cloud": cloud,
    "snowman": snowman,
}
