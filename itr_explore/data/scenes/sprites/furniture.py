"""Furniture. Covers, boards and shades carry the colour; feet and pillows do not."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, GLOW, GOLD, WOOD, Ink, darker, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon

LEG = (136, 92, 60)


def chair(brush: Brush, ink: Ink, random: Random) -> None:
    """A chair, seen a little from the side; its seat is at 52 of 100."""
    brush.body(ink.dark, limb(14, 60, 12, 92, 6, 5), limb(50, 60, 53, 88, 6, 5))
    if random.random() < 0.5:
        brush.body(ink.base, box(6, 2, 48, 16, 5), soft=0.5)
        for x in (14, 26, 38):
            brush.body(ink.base, box(x - 3, 14, x + 3, 52))
        brush.body(ink.base, box(5, 2, 12, 58, 3), box(42, 2, 49, 58, 3))
    else:
        brush.body(ink.base, box(5, 2, 49, 56, 9), soft=0.6)
        brush.body(ink.light, box(12, 9, 42, 44, 7))
    brush.body(ink.base, limb(18, 62, 16, 97, 7, 5), limb(61, 62, 64, 97, 7, 5))
    seat = blob((3, 54), (10, 49), (46, 49), (60, 51), (69, 58), (67, 65), (40, 67), (10, 66), (3, 62))
    brush.body(ink.base, seat, soft=0.7)
    brush.flat(ink.light, blob((9, 54), (20, 51), (46, 51), (61, 55), (50, 58), (20, 58)))


def table(brush: Brush, ink: Ink, random: Random) -> None:
    """A table whose top is at 8 of 100."""
    brush.body(ink.dark, limb(38, 24, 38, 88, 8, 6), limb(122, 24, 122, 88, 8, 6))
    brush.body(
        ink.base,
        polygon((14, 22), (26, 22), (23, 99), (16, 99)),
        polygon((134, 22), (146, 22), (144, 99), (137, 99)),
    )
    brush.body(mix(ink.base, ink.dark, 0.6), box(12, 18, 148, 34, 3), soft=0.5)
    if random.random() < 0.5:
        brush.flat(GOLD, ellipse(80, 27, 3))
        brush.flat(ink.dark, box(58, 21, 59.6, 34), box(101, 21, 102.6, 34))
    top = blob(
        (2, 15), (8, 5), (24, 1), (80, 0), (136, 1), (152, 5), (158, 15), (150, 22), (80, 23), (10, 22)
    )
    brush.body(ink.base, top, soft=0.7)
    brush.flat(
        mix(ink.base, ink.light, 0.7),
        blob((8, 11), (26, 4), (80, 3), (134, 4), (152, 11), (130, 15), (80, 16), (30, 15)),
    )
    grain = mix(ink.base, ink.dark, 0.5)
    brush.flat(grain, ribbon(((30, 8), (60, 9), (90, 7)), 1.2), ribbon(((70, 12), (100, 12), (132, 10)), 1.2))
    if random.random() < 0.4:
        brush.flat(ink.pale, *(ellipse(x, 18.5, 2.2) for x in range(18, 146, 9)))


def bed(brush: Brush, ink: Ink, random: Random) -> None:
    """A bed with a pillow; the blanket's top is at 42 of 100."""
    pillow = (250, 250, 252) if sum(ink.base) < 660 else (178, 206, 232)
    brush.body(LEG, box(6, 80, 14, 99, 2), box(176, 80, 184, 99, 2))
    brush.body(WOOD, box(2, 4, 17, 90, 7), soft=0.5)
    brush.body(WOOD, box(174, 34, 188, 90, 6), soft=0.5)
    brush.body(CREAM, box(12, 50, 178, 78, 6))
    brush.body(WOOD, box(10, 74, 180, 90, 3), soft=0.4)
    brush.body(pillow, blob((18, 44), (24, 30), (42, 28), (60, 34), (60, 48), (38, 52), (20, 51)), soft=0.6)
    cover = blob((44, 46), (60, 38), (100, 37), (150, 38), (172, 42), (177, 60), (176, 84), (150, 86),
                 (110, 84), (70, 86), (46, 84), (40, 64))  # fmt: skip
    brush.body(ink.base, cover)
    style = random.randrange(3)
    if style == 0:
        stripes = [polygon((x, 36), (x + 7, 36), (x + 6, 88), (x - 1, 88)) for x in range(64, 178, 22)]
        brush.pattern(ink.light, cover, *stripes)
    elif style == 1:
        spots = [(x + (y % 3) * 4, y) for y in (50, 62, 74) for x in range(58, 168, 18)]
        brush.pattern(ink.pale, cover, *(ellipse(x, y, 3) for x, y in spots))
    brush.shade(cover, ink.base, 0.75)
    brush.body(ink.pale, blob((42, 50), (58, 37), (72, 37), (66, 60), (62, 85), (48, 85), (40, 68)), soft=0.5)


def sofa(brush: Brush, ink: Ink, random: Random) -> None:
    """A sofa whose seat is at 52 of 100."""
    seats = random.choice((2, 3))
    for x in (18.0, 172.0):
        brush.body(LEG, polygon((x - 5, 86), (x + 5, 86), (x + 3, 99), (x - 3, 99)))
    back = blob((14, 60), (14, 16), (26, 3), (95, 1), (164, 3), (176, 16), (176, 60), (95, 66))
    brush.body(ink.base, back, soft=0.7)
    span = 140 / seats
    for row in range(seats):
        x = 25.0 + row * span
        brush.body(mix(ink.base, ink.light, 0.15), box(x + 1, 11, x + span - 1, 56, 10), soft=0.45)
        if random.random() < 0.7:
            brush.flat(ink.dark, ellipse(x + span / 2, 30, 2))
    brush.body(ink.dark, box(18, 62, 172, 90, 5))
    for row in range(seats):
        x = 25.0 + row * span
        brush.body(ink.base, box(x, 50, x + span, 74, 8), soft=0.5)
        brush.flat(ink.light, box(x + 6, 52.5, x + span - 6, 56, 2))
    for x in (2.0, 162.0):
        brush.body(ink.base, blob((x + 2, 48), (x + 6, 38), (x + 19, 38), (x + 25, 48), (x + 24, 70),
                                  (x + 23, 90), (x + 12, 91), (x + 3, 90)), soft=0.7)  # fmt: skip
        brush.flat(ink.dark, ellipse(x + 13.5, 47, 5.5, 5))


def lamp(brush: Brush, ink: Ink, random: Random) -> None:
    """A standing lamp; its shade carries the colour and glows at night."""
    foot = random.randrange(3)
    metal = GOLD if foot else (128, 124, 138)
    brush.body(metal, box(25.5, 48, 29.5, 94))
    if foot == 2:
        brush.body(
            WOOD, blob((17, 84), (21, 70), (27.5, 64), (34, 70), (38, 84), (34, 93), (21, 93)), soft=0.7
        )
    brush.body(metal, blob((8, 96), (14, 91), (27, 89), (41, 91), (47, 96), (42, 99.5), (13, 99.5)), soft=0.6)
    brush.body(GLOW if ink.night else (255, 246, 210), ellipse(27.5, 56, 6, 6))
    if random.random() < 0.5:
        shade = polygon((14, 2), (41, 2), (54, 56), (1, 56))
    else:
        shade = blob((1, 55), (5, 30), (14, 10), (27.5, 1), (41, 10), (50, 30), (54, 55), (27.5, 58))
    brush.body(ink.base, shade, soft=0.7)
    if ink.night:
        brush.glow(ellipse(27.5, 48, 30, 26), GLOW, 0.45)
    if random.random() < 0.5:
        brush.flat(ink.pale, polygon((5, 44), (50, 44), (51.5, 49), (3.5, 49)))
    else:
        brush.flat(ink.dark, polygon((3, 51), (52, 51), (53, 55), (2, 55)))
    brush.flat(darker(metal, 0.4), limb(38, 57, 38, 66, 1.2))
    brush.flat(metal, ellipse(38, 67, 2))


SPRITES = {"chair": chair, "table": table, "bed": bed, "sofa": sofa, "lamp": lamp}
