"""Vehicles, facing right unless mirrored. Bodywork carries the colour; tyres, glass and sails do not."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import (
    CREAM,
    DARK,
    GLOW,
    GREY,
    METAL,
    WOOD,
    Colour,
    Ink,
    darker,
    lighter,
)
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon

TYRE: Colour = (48, 46, 54)


def wheel(brush: Brush, x: float, y: float, radius: float, style: int, hub: Colour = METAL) -> None:
    """A tyre with one of three kinds of hub."""
    brush.body(TYRE, ellipse(x, y, radius), line=(24, 22, 30))
    brush.flat((78, 76, 86), ellipse(x - radius * 0.06, y - radius * 0.08, radius * 0.78))
    brush.flat(TYRE, ellipse(x, y, radius * 0.68))
    brush.flat(hub, ellipse(x, y, radius * 0.56))
    if style == 0:
        brush.flat(darker(hub, 0.4), ellipse(x, y, radius * 0.26))
    elif style == 1:
        for turn in (0, 60, 120):
            spoke = limb(x - radius * 0.5, y, x + radius * 0.5, y, radius * 0.14).turned(turn, (x, y))
            brush.flat(darker(hub, 0.5), spoke)
    else:
        brush.flat(darker(hub, 0.55), *(ellipse(x, y - radius * 0.34, radius * 0.12).turned(t, (x, y))
                                        for t in range(0, 360, 72)))  # fmt: skip


def _gleam(brush: Brush, glass: Colour, x: float, y: float, height: float) -> None:
    brush.flat(lighter(glass, 0.6), polygon((x, y), (x + 5, y), (x - 1, y + height), (x - 6, y + height)))


def car(brush: Brush, ink: Ink, random: Random) -> None:
    """A small car with two windows, round wheels and lamps."""
    style, sport = random.randrange(3), random.random() < 0.4
    back = 26 if not sport else 40
    cabin = blob((back, 44), (back + 12, 14), (64, 2), (100, 2), (124, 8), (146, 42), (150, 52), (back, 52))
    lower = blob((2, 58), (8, 44), (40, 40), (100, 40), (146, 42), (184, 48), (197, 60), (198, 76), (192, 84),
                 (100, 85), (8, 84), (2, 74))  # fmt: skip
    brush.body(ink.base, cabin, lower)
    brush.shade(lower, ink.base, 0.85)
    brush.shade(cabin, ink.base, 0.6)
    glass = ink.window
    brush.body(glass, blob((back + 10, 42), (back + 18, 18), (66, 10), (84, 10), (84, 42), (60, 43)))
    brush.body(glass, blob((93, 42), (93, 10), (104, 10), (119, 14), (137, 42), (112, 43)))
    _gleam(brush, glass, 72, 14, 24)
    _gleam(brush, glass, 108, 16, 22)
    brush.flat(ink.dark, box(88, 44, 90.4, 80), limb(12, 70, 188, 70, 2.4))
    if random.random() < 0.5:
        brush.flat(ink.pale, box(8, 58, 192, 63, 2))
    brush.flat(darker(ink.base, 0.6), limb(96, 54, 107, 54, 4))
    brush.body(GLOW if ink.night else (255, 244, 196), ellipse(190, 58, 6, 7))
    brush.body(
        (214, 60, 60) if ink.base[0] < 190 or ink.base[1] > 90 else (255, 190, 90), box(2, 52, 8, 64, 2)
    )
    brush.body(METAL, box(0, 76, 12, 84, 3), box(188, 76, 200, 84, 3))
    for x in (46, 152):
        brush.flat(darker(ink.base, 0.8), ellipse(x, 79, 25, 24))
        wheel(brush, x, 80, 20, style)


def bus(brush: Brush, ink: Ink, random: Random) -> None:
    """A long bus with a row of windows and a door."""
    style, rows = random.randrange(3), random.choice((4, 5))
    hull = box(2, 3, 198, 86, 12)
    brush.body(ink.base, hull, soft=0.7)
    brush.flat(ink.pale, box(2, 56, 198, 62))
    brush.flat(ink.dark, box(3, 74, 197, 79), box(14, 6, 186, 9, 1.5))
    glass = ink.window
    span = 132 / rows
    for row in range(rows):
        x = 12 + row * span
        brush.body(glass, box(x, 17, x + span - 7, 44, 4))
        _gleam(brush, glass, x + span * 0.5, 19, 23)
    brush.body(ink.light, box(147, 16, 167, 82, 3))
    brush.flat(glass, box(150, 20, 155.5, 62, 2), box(158.5, 20, 164, 62, 2))
    brush.flat(darker(ink.base, 0.5), box(156.4, 17, 157.6, 81))
    brush.body(glass, box(174, 16, 196, 48, 5))
    brush.body(GLOW if ink.night else (255, 244, 196), ellipse(192, 68, 5, 5.5))
    brush.body(METAL, box(0, 80, 200, 87, 3))
    if random.random() < 0.5:
        brush.flat(CREAM, box(22, 64, 72, 71, 2))
    for x in (40, 130):
        brush.flat(darker(ink.base, 0.8), ellipse(x, 82, 20, 19))
        wheel(brush, x, 84, 16, style)


def truck(brush: Brush, ink: Ink, random: Random) -> None:
    """A lorry: a cab in front of a large box, or of a tipper."""
    style, ribs = random.randrange(3), random.random() < 0.5
    brush.body(DARK, box(6, 72, 194, 84, 3))
    cargo = box(2, 4, 126, 76, 4)
    brush.body(ink.base, cargo, soft=0.75)
    if ribs:
        for x in range(16, 122, 15):
            brush.flat(ink.dark, box(x, 9, x + 2.2, 72))
    else:
        brush.flat(ink.pale, box(3, 30, 125, 46))
        brush.flat(ink.dark, box(3, 46, 125, 48.5))
    cab = blob(
        (136, 76), (135, 26), (142, 18), (172, 18), (182, 28), (190, 48), (198, 56), (198, 78), (170, 79)
    )
    brush.body(ink.base, cab, soft=0.7)
    brush.body(METAL, box(129, 10, 134, 76, 2))
    brush.body(ink.window, blob((148, 48), (148, 28), (168, 27), (176, 34), (182, 48), (164, 49)))
    _gleam(brush, ink.window, 164, 30, 16)
    brush.flat(ink.dark, box(144, 52, 146, 74), limb(150, 58, 159, 58, 3.6))
    brush.body(GLOW if ink.night else (255, 244, 196), ellipse(193, 65, 4.6, 5.5))
    brush.body(METAL, box(184, 76, 200, 84, 3))
    for x in (30, 66, 160):
        wheel(brush, x, 82, 18, style)


def bicycle(brush: Brush, ink: Ink, random: Random) -> None:
    """A bicycle; frame, rims and mudguards carry the colour."""
    style = random.randrange(3)
    for x in (32, 123):
        for grow, tone in ((31.5, (30, 28, 36)), (28.5, TYRE)):
            brush.flat(tone, *_ring(x, 68, grow, 31.5 - grow + 5))
        brush.flat(ink.base, *_ring(x, 68, 25, 5))
        for turn in range(0, 180, 30 if style else 45):
            brush.flat(METAL, limb(x - 21, 68, x + 21, 68, 1.3).turned(turn + 8, (x, 68)))
        brush.body(METAL, ellipse(x, 68, 4))
        guard = tuple(
            (x + 33 * c, 68 + 33 * s) for c, s in ((-0.94, -0.34), (-0.6, -0.8), (0, -1), (0.6, -0.8))
        )
        brush.body(ink.base, ribbon(guard, 4))
    frame = (limb(32, 68, 56, 30, 6), limb(56, 30, 106, 26, 7), limb(106, 26, 72, 68, 7),
             limb(32, 68, 72, 68, 6), limb(54, 24, 72, 68, 7), limb(104, 14, 123, 68, 7))  # fmt: skip
    brush.body(ink.base, *frame)
    brush.flat(ink.light, limb(58, 28.6, 103, 25, 2), limb(103, 30, 76, 63, 2))
    brush.body(METAL, ribbon(((103, 14), (102, 6), (112, 3), (118, 10)), 4))
    brush.body(DARK, limb(113, 4, 119, 11, 5), limb(54, 24, 53, 18, 4))
    brush.body((112, 74, 52), blob((38, 12), (54, 12), (68, 16), (54, 20), (42, 20)))
    brush.body(GREY, ellipse(72, 68, 7), limb(72, 68, 79, 84, 3.6))
    brush.body(DARK, limb(74, 85, 85, 85, 4))
    if random.random() < 0.5:
        brush.body(WOOD, polygon((110, 16), (136, 16), (132, 34), (114, 34)))
        brush.flat(darker(WOOD, 0.35), limb(113, 22, 133, 22, 1.6), limb(114, 28, 132, 28, 1.6))


def _ring(x: float, y: float, radius: float, width: float):
    """Two half rings, which together are one whole."""
    right = [(0, -1), (0.5, -0.866), (0.866, -0.5), (1, 0), (0.866, 0.5), (0.5, 0.866), (0, 1)]
    r = radius - width / 2
    for side in (1, -1):
        yield ribbon(tuple((x + side * r * c, y + r * s) for c, s in right), width)


def boat(brush: Brush, ink: Ink, random: Random) -> None:
    """A sailing boat: hull and fore sail carry the colour."""
    brush.body(WOOD, box(58, 2, 62.5, 76, 1.5))
    sway = random.uniform(-3, 3)
    main = blob((56, 8), (53, 40), (56, 66), (30, 67), (8, 64), (26 + sway, 40), (46 + sway, 16))
    brush.body(CREAM if random.random() < 0.5 else (255, 250, 240), main, soft=0.5)
    if random.random() < 0.5:
        brush.flat(ink.base, polygon((36, 32), (53.5, 32), (53.5, 42), (27, 42)))
    fore = blob((65, 10), (82, 30), (98, 50), (108, 66), (88, 68), (66, 66), (68, 40))
    brush.body(ink.base, fore, soft=0.6)
    brush.body(ink.light, polygon((60, 2), (60, 10), (76, 6)))
    hull = blob(
        (2, 74), (14, 73), (60, 76), (110, 73), (123, 71), (114, 88), (100, 98), (60, 99), (26, 98), (12, 90)
    )
    brush.body(ink.base, hull, soft=0.8)
    brush.flat(ink.pale, ribbon(((6, 79), (30, 81), (60, 82), (95, 81), (118, 77)), 3.6))
    brush.flat(ink.dark, ribbon(((17, 91), (40, 93), (60, 93.5), (90, 93), (108, 90)), 2.4))
    for x in (44, 60, 76):
        brush.body(ink.window, ellipse(x, 87.5, 3))


SPRITES = {"car": car, "bus": bus, "truck": truck, "bicycle": bicycle, "boat": boat}
