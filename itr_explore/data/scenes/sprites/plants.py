"""Plants. Foliage, petals and flesh carry the colour; trunks and stems are as nature has them."""

from __future__ import annotations

from math import cos, pi, sin
from random import Random

from itr_explore.data.scenes.sprites.colours import BARK, GOLD, LEAF, PINK, Colour, Ink, darker, lighter, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, ellipse, limb, polygon, ribbon


def tree(brush: Brush, ink: Ink, random: Random) -> None:
    """A round crown or a pointed fir on a brown trunk."""
    trunk = blob((32, 60), (43, 60), (42, 86), (48, 98), (37, 97), (27, 98), (33, 86))
    brush.body(BARK, trunk, limb(38, 72, 52, 54, 6, 4), limb(37, 74, 24, 56, 5, 3), soft=0.6)
    brush.flat(
        darker(BARK, 0.35), ribbon(((36, 78), (37, 86), (35, 92)), 1.6), ribbon(((40, 70), (40, 80)), 1.4)
    )
    if random.random() < 0.3:
        _fir(brush, ink)
        return
    puffs = [(14, 46, 13), (24, 26, 16), (38, 16, 15), (53, 26, 15), (61, 45, 13), (48, 58, 13), (26, 59, 13)]
    dx, dy = random.uniform(-2, 2), random.uniform(-2, 2)
    crown = [ellipse(x + (dx if row % 2 else -dx), y + (dy if row % 3 else -dy), r)
             for row, (x, y, r) in enumerate(puffs)]  # fmt: skip
    brush.body(ink.base, *crown, ellipse(38, 40, 25, 24))
    brush.shade(ellipse(38, 38, 38, 38), ink.base, 0.85)
    leaf, deep = mix(ink.base, ink.light, 0.6), mix(ink.base, ink.dark, 0.7)
    for left, top, r in (
        (22, 30, 9),
        (38, 20, 9),
        (30, 46, 9),
        (50, 34, 8),
        (44, 52, 8),
        (58, 48, 6),
        (16, 48, 6),
    ):
        x, y = left + random.uniform(-2, 2), top + random.uniform(-2, 2)
        brush.flat(
            deep, ribbon(((x - r * 0.3, y + r * 0.9), (x + r * 0.7, y + r * 0.6), (x + r, y - r * 0.2)), 2)
        )
        brush.flat(leaf, ribbon(((x - r, y), (x - r * 0.6, y - r * 0.7), (x + r * 0.3, y - r * 0.9)), 2.2))
    if random.random() < 0.4:
        fruit: Colour = (226, 66, 60) if ink.base[0] < 170 or ink.base[1] > 110 else (250, 214, 90)
        for x, y in ((20, 38), (34, 30), (48, 44), (56, 30), (36, 54), (27, 52)):
            brush.body(fruit, ellipse(x + random.uniform(-2, 2), y, 2.6))


def _fir(brush: Brush, ink: Ink) -> None:
    for top, foot, half in ((42, 82, 35), (22, 62, 29), (2, 40, 21)):
        waist, inner = (top + foot) / 2 + 3, half / 2
        right = [(38, top), (38 + inner, waist), (38 + half, foot), (38 + inner, foot - 3), (38, foot + 2)]
        tier = polygon(*right, *((76 - x, y) for x, y in right[-2:0:-1]))
        brush.body(ink.base, tier, soft=0.8)
        for x in (-0.5, 0, 0.5):
            brush.flat(mix(ink.base, ink.light, 0.55),
                       limb(38 + half * x * 0.6, foot - 16, 38 + half * x, foot - 8, 2, 1.2))  # fmt: skip


def flower(brush: Brush, ink: Ink, random: Random) -> None:
    """One large blossom, or a tulip, on a green stem."""
    lean = random.uniform(-4, 4)
    stem = ribbon(((30 + lean, 34), (31, 62), (30, 99)), 5)
    brush.body(LEAF, stem)
    brush.body(
        LEAF,
        blob((30, 88), (18, 82), (6, 62), (22, 68)),
        blob((31, 92), (44, 82), (54, 66), (40, 74)),
        soft=0.4,
    )
    brush.flat(
        darker(LEAF, 0.3),
        ribbon(((28, 86), (19, 75), (10, 66)), 1.5),
        ribbon(((33, 89), (42, 79), (51, 69)), 1.5),
    )
    if random.random() < 0.35:
        side = (
            blob((30, 56), (12, 50), (6, 26), (10, 8), (26, 20)),
            blob((30, 56), (48, 50), (54, 26), (50, 8), (34, 20)),
        )
        brush.body(ink.base, *side, soft=0.6)
        brush.body(
            mix(ink.base, ink.light, 0.25),
            blob((30, 58), (16, 42), (22, 14), (30, 2), (38, 14), (44, 42)),
            soft=0.6,
        )
        return
    count = random.choice((5, 6, 8))
    spin = random.uniform(0, pi)
    petals = []
    for row in range(count):
        a = spin + 2 * pi * row / count
        petals.append(
            ellipse(30 + 17.5 * cos(a), 29 + 17.5 * sin(a), 13, 9.6 if count < 8 else 7.5, a * 180 / pi)
        )
    brush.body(ink.base, *petals)
    for row in range(count):
        a = spin + 2 * pi * row / count
        brush.flat(
            mix(ink.base, ink.dark, 0.8),
            limb(30 + 10 * cos(a), 29 + 10 * sin(a), 30 + 20 * cos(a), 29 + 20 * sin(a), 2.4, 1),
        )
        edge = a + pi / count
        brush.flat(
            ink.dark,
            limb(30 + 9 * cos(edge), 29 + 9 * sin(edge), 30 + 18 * cos(edge), 29 + 18 * sin(edge), 1.4, 0.8),
        )
    brush.shade(ellipse(30, 29, 30, 28), ink.base, 0.5)
    heart = GOLD if ink.base[0] < 225 or ink.base[1] < 120 or ink.base[2] > 200 else (136, 84, 48)
    brush.body(heart, ellipse(30, 29, 9), soft=0.7)
    brush.flat(
        darker(heart, 0.35),
        *(ellipse(x, y, 1.1) for x, y in ((27, 27), (32, 26), (30, 31), (34, 31), (26, 32))),
    )


def cactus(brush: Brush, ink: Ink, random: Random) -> None:
    """A column with two arms, ribs and thorns."""
    high = random.choice((0, 10))
    left = ribbon(((34, 66 - high), (14, 64 - high), (9, 52 - high), (9, 36 - high)), 14, 13)
    right = ribbon(((36, 78 - high), (56, 75 - high), (62, 62 - high), (62, 46 - high)), 14, 13)
    trunk = blob(
        (24, 20), (28, 6), (36, 1), (44, 6), (48, 20), (49, 60), (49, 98), (36, 99.5), (23, 98), (23, 60)
    )
    brush.body(ink.base, left, right, trunk)
    for part in (left, right, trunk):
        brush.shade(part, ink.base, 0.65)
    rib = ink.dark
    brush.flat(
        rib,
        ribbon(((30, 10), (29, 50), (29, 96)), 1.6),
        ribbon(((36, 6), (36, 96)), 1.6),
        ribbon(((42, 10), (43, 50), (43, 96)), 1.6),
    )
    thorn = lighter(ink.base, 0.75) if sum(ink.base) < 620 else (120, 112, 120)
    for y in range(18, 96, 13):
        for x in (26, 33, 39, 46):
            brush.flat(thorn, limb(x - 1.6, y + x % 4, x + 1.6, y - 2 + x % 4, 1.1, 0.8))
    for x, y in ((9, 44 - high), (9, 56 - high), (62, 54 - high), (60, 66 - high)):
        brush.flat(thorn, limb(x - 1.6, y, x + 1.6, y - 2, 1.1, 0.8))
    if random.random() < 0.6:
        bloom: Colour = PINK if ink.base[0] < 180 or ink.base[1] > 180 else (255, 240, 214)
        brush.body(bloom, ellipse(31, 4, 5, 4), ellipse(41, 4, 5, 4), ellipse(36, 1, 4, 5))
        brush.flat(GOLD, ellipse(36, 4, 2))


SPRITES = {"tree": tree, "flower": flower, "cactus": cactus}
