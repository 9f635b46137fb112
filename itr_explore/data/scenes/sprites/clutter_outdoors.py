"""What people left on a beach or in a street and nobody mentions, in quiet colours."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, GREY, WOOD, Colour, darker, faded, lighter, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon

STONE: Colour = (158, 154, 152)


def shell(brush: Brush, setting: str, random: Random) -> None:
    """A fan-shaped shell."""
    w, tone = brush.width, faded(random, (242, 206, 186), (236, 222, 200))
    fan = blob(
        (w * 0.5, 98),
        (w * 0.16, 72),
        (3, 40),
        (w * 0.22, 10),
        (w * 0.5, 3),
        (w * 0.78, 10),
        (w - 3, 40),
        (w * 0.84, 72),
    )
    brush.body(tone, fan, soft=0.5)
    for x in (0.2, 0.38, 0.62, 0.8):
        brush.flat(darker(tone, 0.25), limb(w / 2, 92, w * x, 18, 3, 5))


def starfish(brush: Brush, setting: str, random: Random) -> None:
    """A starfish, lying flat."""
    w, tone = brush.width, faded(random, (226, 158, 122), (216, 172, 130))
    arms = [limb(50, 52, 50, 10, 34, 14).turned(turn, (50, 54)) for turn in range(0, 360, 72)]
    brush.body(tone, *arms)
    brush.shade(ellipse(w / 2, 52, 52), tone, 0.4)
    brush.flat(
        lighter(tone, 0.5),
        *(ellipse(50, y, 4).turned(turn, (50, 54)) for turn in range(0, 360, 72) for y in (22, 36)),
    )


def bucket(brush: Brush, setting: str, random: Random) -> None:
    """A little beach bucket with sand in it."""
    w, tone = brush.width, faded(random, (140, 178, 186), (206, 160, 160))
    brush.body(GREY, ribbon(((w * 0.1, 30), (w * 0.24, 6), (w * 0.5, 2), (w * 0.76, 6), (w * 0.9, 30)), 6))
    brush.body(tone, polygon((4, 32), (w - 4, 32), (w * 0.82, 98), (w * 0.18, 98)), soft=0.7)
    brush.body((228, 204, 154), ellipse(w / 2, 32, w / 2 - 2, 10))


def hydrant(brush: Brush, setting: str, random: Random) -> None:
    """A fire hydrant of grey iron."""
    w, tone = brush.width, faded(random, (170, 130, 124), (150, 152, 158))
    brush.body(tone, box(w * 0.22, 26, w * 0.78, 92, 3), soft=0.7)
    brush.body(tone, blob((w * 0.16, 30), (w * 0.24, 12), (w * 0.5, 2), (w * 0.76, 12), (w * 0.84, 30)))
    brush.body(
        darker(tone, 0.15),
        box(2, 44, w * 0.26, 62, 3),
        box(w * 0.74, 44, w - 2, 62, 3),
        box(w * 0.1, 88, w * 0.9, 99, 3),
    )
    brush.body(lighter(tone, 0.3), ellipse(w / 2, 53, 9))


def bench(brush: Brush, setting: str, random: Random) -> None:
    """A park bench of slats, without arms."""
    w, tone = brush.width, mix(WOOD, STONE, 0.55)
    iron: Colour = (84, 82, 90)
    for x in (0.14, 0.86):
        brush.body(iron, box(w * x - 5, 4, w * x + 5, 99, 2))
    for y in (6, 26, 54):
        brush.body(tone, box(2, y, w - 2, y + 13, 3))


def sign(brush: Brush, setting: str, random: Random) -> None:
    """A signpost with a pale board and an arrow or a bar."""
    w = brush.width
    brush.body(GREY, box(w / 2 - 4, 20, w / 2 + 4, 99, 2))
    face = faded(random, (110, 146, 176), (206, 202, 190))
    if random.random() < 0.5:
        brush.body(CREAM, ellipse(w / 2, 26, w / 2 - 2, 24))
        brush.flat(face, ellipse(w / 2, 26, w / 2 - 7, 19))
        brush.flat(CREAM, box(w * 0.28, 22, w * 0.72, 30, 1))
    else:
        brush.body(CREAM, box(2, 4, w - 2, 42, 4))
        brush.flat(face, box(5, 7, w - 5, 39, 3))
        brush.flat(
            CREAM,
            polygon(
                (w * 0.22, 20),
                (w * 0.55, 20),
                (w * 0.55, 13),
                (w * 0.8, 23),
                (w * 0.55, 33),
                (w * 0.55, 26),
                (w * 0.22, 26),
            ),
        )


def carton(brush: Brush, setting: str, random: Random) -> None:
    """A cardboard box with open flaps."""
    w, tone = brush.width, mix((200, 166, 122), STONE, random.uniform(0, 0.25))
    brush.body(darker(tone, 0.4), polygon((w * 0.14, 30), (w * 0.86, 30), (w * 0.8, 46), (w * 0.2, 46)))
    brush.body(tone, box(w * 0.1, 34, w * 0.9, 98), soft=0.6)
    brush.body(
        lighter(tone, 0.15),
        polygon((w * 0.1, 35), (w * 0.5, 35), (w * 0.4, 54), (2, 52)),
        polygon((w * 0.9, 35), (w * 0.5, 35), (w * 0.62, 54), (w - 2, 50)),
    )
    brush.body(darker(tone, 0.1), polygon((w * 0.1, 34), (w * 0.2, 4), (w * 0.82, 4), (w * 0.9, 34)))
    brush.flat(darker(tone, 0.2), box(w * 0.46, 56, w * 0.56, 97))


SPRITES = {
    "shell": shell,
    "starfish": starfish,
    "bucket": bucket,
    "hydrant": hydrant,
    "bench": bench,
    "sign": sign,
    "box": carton,
}
