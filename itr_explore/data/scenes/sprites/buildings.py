"""Buildings. Walls and canvas carry the colour; roofs, doors and sails do not."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import (
    CREAM,
    DARK,
    GLOW,
    GREY,
    WOOD,
    Colour,
    Ink,
    darker,
    lighter,
    mix,
)
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon

SLATE: Colour = (112, 108, 124)
TILE: Colour = (158, 96, 76)


def _window(brush: Brush, ink: Ink, x: float, y: float, width: float, height: float) -> None:
    """A window with a frame and a cross; lit at night."""
    frame = CREAM if sum(ink.base) < 660 else (150, 120, 100)
    brush.body(frame, box(x - 1.5, y - 1.5, x + width + 1.5, y + height + 1.5, 1))
    brush.flat(ink.window, box(x, y, x + width, y + height))
    brush.flat(lighter(ink.window, 0.55), polygon((x, y), (x + width * 0.6, y), (x, y + height * 0.6)))
    brush.flat(frame, box(x + width / 2 - 0.7, y, x + width / 2 + 0.7, y + height))
    brush.flat(frame, box(x, y + height / 2 - 0.7, x + width, y + height / 2 + 0.7))


def _courses(brush: Brush, tone: Colour, rows: list[tuple[float, float, float]], random: Random) -> None:
    """A few bricks or stones, here and there: (y, left, right) of each course."""
    for y, left, right in rows:
        for _ in range(3):
            x = random.uniform(left, right - 7)
            brush.flat(tone, box(x, y, x + 6, y + 2.6, 0.8))


def house(brush: Brush, ink: Ink, random: Random) -> None:
    """A house with a pitched roof, a door, windows and a chimney."""
    roof = SLATE if ink.base[0] > 190 and ink.base[1] < 180 else TILE
    chimney = random.choice((20, 76))
    brush.body((160, 104, 88), box(chimney, 6, chimney + 13, 40))
    brush.flat((120, 76, 70), box(chimney - 1, 5, chimney + 14, 10))
    wall = polygon((10, 42), (55, 12), (100, 42), (100, 99), (10, 99))
    brush.body(ink.base, wall, soft=0.75)
    _courses(brush, ink.dark, [(y, 14, 96) for y in (50, 64, 78, 90)], random)
    brush.flat(mix(GREY, ink.dark, 0.3), box(9, 95, 101, 99.5))
    brush.body(roof, polygon((55, 1), (109, 40), (104, 48), (55, 13), (6, 48), (1, 40)), soft=0.6)
    style = random.randrange(3)
    if style == 0:
        _window(brush, ink, 18, 54, 18, 20)
        _window(brush, ink, 74, 54, 18, 20)
        door = 46
    elif style == 1:
        _window(brush, ink, 54, 56, 14, 18)
        _window(brush, ink, 76, 56, 14, 18)
        door = 20
    else:
        _window(brush, ink, 18, 56, 14, 18)
        _window(brush, ink, 40, 56, 14, 18)
        door = 68
    brush.body(WOOD if roof is SLATE else (126, 82, 56), box(door, 62, door + 19, 99, 3), soft=0.4)
    brush.flat(GLOW if ink.night else (206, 160, 112), box(door + 4, 67, door + 15, 76, 2))
    brush.flat((240, 204, 96), ellipse(door + 15.5, 83, 1.7))
    brush.body(CREAM, ellipse(55, 32, 7.5))
    brush.flat(ink.window, ellipse(55, 32, 5.6))


def tower(brush: Brush, ink: Ink, random: Random) -> None:
    """A round stone tower with battlements and narrow windows."""
    flag = random.random() < 0.6
    top = 12 if flag else 2
    if flag:
        brush.body(WOOD, box(21.6, 1, 23.4, top + 6))
        brush.body((250, 236, 200), polygon((23.4, 1), (37, 4.4), (23.4, 8)))
    wall = polygon((8, top + 16), (37, top + 16), (40, 99), (5, 99))
    brush.body(ink.base, wall, soft=0.9)
    brush.body(ink.base, polygon((2, top + 9), (43, top + 9), (40, top + 20), (5, top + 20)), soft=0.5)
    merlons = [box(x, top, x + 6.8, top + 10) for x in (2, 13.4, 24.8, 36.2)]
    brush.body(ink.base, *merlons)
    brush.flat(ink.base, box(2.4, top + 8, 42.6, top + 12))
    brush.flat(ink.dark, box(5, top + 19, 40, top + 21.5))
    _courses(brush, ink.dark, [(y, 8, 38) for y in range(top + 26, 94, 9)], random)
    _courses(brush, mix(ink.base, ink.light, 0.5), [(y, 8, 34) for y in range(top + 30, 94, 16)], random)
    slit = ink.window if ink.night else (74, 66, 84)
    for x, y in ((19, top + 27), (random.choice((14, 24)), top + 46)):
        brush.body(
            slit,
            blob((x, y + 11), (x, y + 3), (x + 3.5, y), (x + 7, y + 3), (x + 7, y + 11), (x + 3.5, y + 11)),
        )
    brush.body((118, 80, 56), blob((14, 99), (14, 84), (22.5, 77), (31, 84), (31, 99), (22.5, 99)), soft=0.4)
    brush.flat((84, 58, 46), box(22, 79, 23, 98))
    brush.flat((240, 204, 96), ellipse(27.5, 90, 1.2))


def tent(brush: Brush, ink: Ink, random: Random) -> None:
    """A ridge tent with an open flap."""
    brush.body(WOOD, limb(68, 4, 73, 1, 2.4), limb(72, 4, 67, 1, 2.4))
    brush.body(mix(ink.base, ink.dark, 0.5), polygon((70, 5), (98, 12), (138, 98), (100, 99)), soft=0.6)
    front = polygon((70, 5), (108, 99), (2, 99))
    brush.body(ink.base, front, soft=0.7)
    if random.random() < 0.55:
        for share in (0.3, 0.62):
            x = 2 + (108 - 2) * share
            brush.flat(ink.pale, polygon((70, 5), (x + 8, 99), (x - 4, 99)))
    inside = GLOW if ink.night else (78, 60, 70)
    brush.body(inside, polygon((66, 26), (82, 99), (36, 99)))
    brush.body(
        ink.light, polygon((66, 26), (40, 99), (24, 99)), polygon((66, 26), (78, 99), (92, 99)), soft=0.4
    )
    brush.flat(ink.dark, limb(98, 62, 118, 57, 1.4), limb(106, 82, 126, 77, 1.4))
    brush.body(CREAM, limb(2, 97, 8, 97, 3), limb(132, 97, 138, 97, 3))


def windmill(brush: Brush, ink: Ink, random: Random) -> None:
    """A windmill: its tower carries the colour, four wooden sails turn in front."""
    tower = polygon((27, 36), (53, 36), (63, 99), (17, 99))
    brush.body(ink.base, tower, soft=0.9)
    _courses(brush, ink.dark, [(y, 27, 54) for y in (50, 62, 74, 88)], random)
    brush.body(
        mix(ink.base, ink.dark, 0.45),
        blob((24, 38), (27, 24), (40, 17), (53, 24), (56, 38), (40, 40)),
        soft=0.6,
    )
    brush.body((118, 80, 56), blob((33, 99), (33, 84), (40, 78), (47, 84), (47, 99), (40, 99)))
    brush.flat((84, 58, 46), box(39.5, 80, 40.5, 98))
    _window(brush, ink, 36, 56, 8, 10)
    spin = random.uniform(22, 68)
    cloth = (255, 250, 236) if sum(ink.base) < 660 else (232, 206, 160)
    for quarter in range(4):
        turn = spin + 90 * quarter
        brush.body(
            cloth,
            polygon((46, 33), (73, 33), (73, 41), (46, 38.5)).turned(turn, (40, 34)),
            line=darker(WOOD, 0.4),
        )
        for x in (53, 60, 67):
            brush.flat(mix(WOOD, cloth, 0.35), limb(x, 33, x, 40, 1).turned(turn, (40, 34)))
        brush.body(WOOD, limb(40, 34, 74, 33.4, 2.8, 2).turned(turn, (40, 34)))
    brush.body(DARK, ellipse(40, 34, 3.6))


SPRITES = {"house": house, "tower": tower, "tent": tent, "windmill": windmill}
