"""What lies about and is never mentioned, in quiet colours, so that it is not taken for a thing."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.paint import CREAM, GREY, WOOD, Brush, Colour, darker, lighter, mix
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon

MOSS: Colour = (98, 138, 84)
STONE: Colour = (158, 154, 152)
SNOW: Colour = (244, 248, 255)


def _tint(random: Random, *choices: Colour) -> Colour:
    return mix(random.choice(choices), (128, 128, 128), random.uniform(0, 0.25))


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
    cap = _tint(random, (176, 120, 84), (150, 112, 92))
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


def shell(brush: Brush, setting: str, random: Random) -> None:
    """A fan-shaped shell."""
    w, tone = brush.width, _tint(random, (242, 206, 186), (236, 222, 200))
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
    w, tone = brush.width, _tint(random, (226, 158, 122), (216, 172, 130))
    arms = [limb(50, 52, 50, 10, 34, 14).turned(turn, (50, 54)) for turn in range(0, 360, 72)]
    brush.body(tone, *arms)
    brush.shade(ellipse(w / 2, 52, 52), tone, 0.4)
    brush.flat(
        lighter(tone, 0.5),
        *(ellipse(50, y, 4).turned(turn, (50, 54)) for turn in range(0, 360, 72) for y in (22, 36)),
    )


def bucket(brush: Brush, setting: str, random: Random) -> None:
    """A little beach bucket with sand in it."""
    w, tone = brush.width, _tint(random, (140, 178, 186), (206, 160, 160))
    brush.body(GREY, ribbon(((w * 0.1, 30), (w * 0.24, 6), (w * 0.5, 2), (w * 0.76, 6), (w * 0.9, 30)), 6))
    brush.body(tone, polygon((4, 32), (w - 4, 32), (w * 0.82, 98), (w * 0.18, 98)), soft=0.7)
    brush.body((228, 204, 154), ellipse(w / 2, 32, w / 2 - 2, 10))


def hydrant(brush: Brush, setting: str, random: Random) -> None:
    """A fire hydrant of grey iron."""
    w, tone = brush.width, _tint(random, (170, 130, 124), (150, 152, 158))
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
    face = _tint(random, (110, 146, 176), (206, 202, 190))
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


def rug(brush: Brush, setting: str, random: Random) -> None:
    """A rug on the floor, with a border and fringes."""
    w, tone = brush.width, _tint(random, (178, 132, 124), (134, 152, 160), (184, 166, 128), (146, 134, 160))

    def lozenge(inset: float) -> tuple[tuple[float, float], ...]:
        k = inset * w / 100
        return (
            (w * 0.09 + k, 4 + inset),
            (w * 0.91 - k, 4 + inset),
            (w - 4 - k * 1.4, 96 - inset),
            (4 + k * 1.4, 96 - inset),
        )

    for row in range(12):
        share = (row + 0.5) / 12
        left, y = w * 0.09 * (1 - share), 4 + 92 * share
        brush.flat(
            CREAM, limb(left + 4, y, left - 5, y + 2, 2.4), limb(w - left - 4, y, w - left + 5, y + 2, 2.4)
        )
    brush.body(tone, polygon(*lozenge(0)))
    brush.flat(lighter(tone, 0.45), polygon(*lozenge(9)))
    brush.flat(mix(tone, (255, 255, 255), 0.12), polygon(*lozenge(15)))
    for x in (0.3, 0.5, 0.7):
        brush.flat(lighter(tone, 0.45), ellipse(w * x, 50, w * 0.055, 17))
        brush.flat(darker(tone, 0.15), ellipse(w * x, 50, w * 0.03, 9))


def cushion(brush: Brush, setting: str, random: Random) -> None:
    """A cushion with a button."""
    w, tone = brush.width, _tint(random, (192, 150, 146), (150, 164, 158), (196, 182, 146))
    pad = blob(
        (4, 8),
        (w * 0.3, 14),
        (w * 0.7, 14),
        (w - 4, 8),
        (w - 9, 50),
        (w - 4, 94),
        (w * 0.5, 97),
        (4, 94),
        (9, 50),
    )
    brush.body(tone, pad, soft=0.8)
    brush.flat(darker(tone, 0.35), ellipse(w / 2, 54, 5))


def book(brush: Brush, setting: str, random: Random) -> None:
    """Two books, one on the other."""
    w = brush.width
    for top, inset in ((52, 0), (4, random.uniform(8, 22))):
        tone = _tint(random, (150, 106, 98), (96, 120, 130), (126, 128, 100))
        brush.body(tone, box(inset + 2, top, w - 2 - inset * 0.4, top + 44, 5))
        brush.flat(CREAM, box(inset + 12, top + 9, w - 1.5 - inset * 0.4, top + 35, 3))


def picture(brush: Brush, setting: str, random: Random) -> None:
    """A framed view of hills, in faded colours."""
    w = brush.width
    brush.body(mix(WOOD, GREY, 0.2), box(2, 2, w - 2, 98, 4), soft=0.4)
    brush.flat(CREAM, box(8, 9, w - 8, 91))
    left, right, top, foot = 16.0, w - 16, 17.0, 83.0
    brush.flat(_tint(random, (200, 218, 226), (236, 214, 190)), box(left, top, right, foot))
    ridge = random.uniform(0.3, 0.7)
    brush.flat(
        (150, 170, 168),
        polygon((left, foot), (left, 52), (left + ridge * (right - left), 34), (right, 58), (right, foot)),
    )
    brush.flat((124, 148, 128), polygon((left, foot), (left, 70), (w / 2, 60), (right, 68), (right, foot)))


def shelf(brush: Brush, setting: str, random: Random) -> None:
    """A wall shelf with a few books and a jar."""
    w, x = brush.width, brush.width * 0.1
    while x < w * 0.84:
        thick, high = random.uniform(9, 17), random.uniform(46, 76)
        tone = _tint(random, (160, 116, 106), (104, 128, 140), (136, 138, 108), (190, 170, 128))
        brush.body(tone, box(x, 80 - high, x + thick, 82, 2))
        x += thick + (2 if random.random() < 0.8 else 24)
    brush.body((210, 214, 206), box(w * 0.88, 44, w * 0.97, 82, 5))
    brush.body(mix(WOOD, GREY, 0.15), box(2, 80, w - 2, 93, 2))
    brush.body(
        mix(WOOD, GREY, 0.3),
        polygon((w * 0.12, 92), (w * 0.2, 92), (w * 0.12, 99)),
        polygon((w * 0.8, 92), (w * 0.88, 92), (w * 0.88, 99)),
    )


def snowman(brush: Brush, setting: str, random: Random) -> None:
    """A snowman with a scarf and a hat."""
    w = brush.width
    tone: Colour = (238, 243, 252)
    for y, r in ((77, 22), (43, 17)):
        brush.body(tone, ellipse(w / 2, y, min(r * 1.35, w / 2 - 2), r), soft=0.6)
    brush.body(tone, ellipse(w / 2, 22, 15, 13), soft=0.5)
    brush.body((88, 84, 98), box(w / 2 - 10, 1, w / 2 + 10, 12, 2), box(w / 2 - 16, 10, w / 2 + 16, 14, 2))
    brush.body(_tint(random, (176, 116, 116), (118, 142, 164)), box(w / 2 - 14, 31, w / 2 + 14, 37, 3))
    brush.flat(
        (58, 54, 66), *(ellipse(w / 2 + x, y, 1.7) for x, y in ((-5, 19), (5, 19), (0, 46), (0, 56), (0, 66)))
    )
    brush.flat((232, 150, 84), polygon((w / 2, 22), (w / 2 + 13, 25), (w / 2, 26)))


SPRITES = {
    "bush": bush, "rock": rock, "fence": fence, "mushroom": mushroom, "cloud": cloud, "shell": shell,
    "starfish": starfish, "bucket": bucket, "hydrant": hydrant, "bench": bench, "sign": sign, "box": carton,
    "rug": rug, "cushion": cushion, "book": book, "picture": picture, "shelf": shelf, "snowman": snowman,
}  # fmt: skip
