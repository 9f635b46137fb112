"""Toys. Rubber, plush, tin and painted wood carry the colour."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import (
    CREAM,
    DARK,
    GLOW,
    GOLD,
    METAL,
    PINK,
    WOOD,
    Ink,
    lighter,
    mix,
)
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon


def ball(brush: Brush, ink: Ink, random: Random) -> None:
    """A ball with a band, segments or a star."""
    brush.mirror = False  # its gleam is where the light is
    whole = ellipse(50, 50, 49)
    brush.body(ink.base, whole)
    accent = ink.pale if sum(ink.base) < 640 else (168, 180, 204)
    style, turn = random.randrange(3), random.uniform(-35, 35)
    if style == 0:
        brush.pattern(
            accent,
            whole,
            blob(
                (-4, 44),
                (25, 56),
                (50, 60),
                (75, 56),
                (104, 44),
                (104, 60),
                (75, 73),
                (50, 77),
                (25, 73),
                (-4, 60),
            ).turned(turn, (50, 50)),
        )
    elif style == 1:
        for x, bend in ((24, -16), (50, 0), (76, 16)):
            brush.pattern(
                accent,
                whole,
                ribbon(((50 + (x - 50) * 0.45, 4), (x + bend, 50), (50 + (x - 50) * 0.45, 96)), 7).turned(
                    turn, (50, 50)
                ),
            )
    else:
        star = [
            (50, 22),
            (57, 42),
            (78, 42),
            (61, 55),
            (67, 76),
            (50, 63),
            (33, 76),
            (39, 55),
            (22, 42),
            (43, 42),
        ]
        brush.flat(accent, polygon(*star).turned(turn, (48, 50)))
    brush.shade(whole, ink.base, 0.95)
    brush.flat(lighter(ink.base, 0.8), ellipse(30, 26, 11, 7, -38), ellipse(19, 43, 3.4, 4.6, 20))


def robot(brush: Brush, ink: Ink, random: Random) -> None:
    """A tin robot with a square head, lamps for eyes and an aerial."""
    style = random.randrange(3)
    raised = random.random() < 0.4
    brush.body(METAL, limb(37.5, 12, 37.5, 5, 3))
    brush.body((236, 92, 84) if ink.base[0] < 200 or ink.base[1] > 100 else GOLD, ellipse(37.5, 4.5, 4.2))
    for x in (25, 50):
        brush.body(METAL, box(x - 5, 76, x + 5, 92, 2), soft=0.4)
        brush.body(ink.dark, blob((x - 11, 99.5), (x - 10, 92), (x, 88), (x + 10, 92), (x + 11, 99.5)))
    brush.body(
        METAL,
        ribbon(((16, 52), (7, 58), (6, 71)), 7.5),
        ribbon(((59, 52), (68, 58 if not raised else 46), (69, 71 if not raised else 34)), 7.5),
    )
    brush.body(ink.base, ellipse(6.6, 74, 6.4), ellipse(68.4, 74 if not raised else 31, 6.4))
    brush.body(METAL, box(30, 38, 45, 48))
    torso = box(14, 44, 61, 82, 6)
    brush.body(ink.base, torso, soft=0.75)
    head = box(13, 11, 62, 41, 8)
    brush.body(ink.base, box(8, 20, 14, 32, 2), box(61, 20, 67, 32, 2), head)
    brush.shade(head, ink.base, 0.7)
    brush.body((64, 72, 92), box(19, 16, 56, 35, 6))
    for x in (29, 46):
        brush.flat(GLOW, ellipse(x, 24, 5)) if style != 1 else brush.flat(
            (150, 236, 240), box(x - 4.5, 20, x + 4.5, 28, 1)
        )
        brush.flat((255, 255, 246), ellipse(x - 1, 23, 2))
    brush.flat((206, 214, 226), box(30, 30.4, 45, 32.6, 1))
    brush.body(CREAM, box(21, 51, 54, 73, 3))
    if style == 0:
        lamps = ((28.0, (232, 84, 80)), (37.5, GOLD), (47.0, (96, 180, 120)))
        for left, tone in lamps:
            brush.body(tone, ellipse(left, 58, 3.2))
        brush.flat((150, 154, 166), box(25, 65, 50, 67, 1), box(25, 69, 50, 71, 1))
    elif style == 1:
        brush.body((150, 214, 220), ellipse(37.5, 62, 8))
        brush.flat((214, 70, 70), limb(37.5, 62, 42, 57, 1.8))
    else:
        for x, y in ((26, 66), (33, 60), (40, 63), (47, 56)):
            brush.flat((88, 160, 190), box(x, y, x + 4, 71))
    for x in (18, 57):
        brush.flat(ink.light, ellipse(x, 48, 1.6), ellipse(x, 78, 1.6))


def teddy(brush: Brush, ink: Ink, random: Random) -> None:
    """A sitting teddy bear with a muzzle and, often, a bow tie."""
    pale = mix(ink.pale, CREAM, 0.45) if sum(ink.base) > 240 else (176, 164, 160)
    for x in (17, 68):
        brush.body(ink.base, ellipse(x, 13, 12.5), soft=0.5)
        brush.flat(pale, ellipse(x, 14, 7))
    tilt = random.uniform(-6, 8)
    brush.body(ink.base, limb(22, 58, 8, 72 - tilt, 16, 15), limb(63, 58, 77, 72 + tilt / 2, 16, 15))
    torso = ellipse(42.5, 70, 24, 25)
    brush.body(ink.base, torso, soft=0.6)
    brush.flat(pale, ellipse(42.5, 72, 14, 15))
    for x, turn in ((18, 12), (67, -12)):
        brush.body(ink.base, ellipse(x, 87, 14.5, 12.4, turn), soft=0.5)
        brush.flat(pale, ellipse(x, 88, 8.5, 7.4, turn))
        brush.flat(ink.dark, ellipse(x, 90, 3.4, 2.6))
    head = ellipse(42.5, 31, 33, 25.5)
    brush.body(ink.base, head, soft=0.65)
    brush.body(pale, ellipse(42.5, 40, 14, 11))
    brush.body(DARK, ellipse(42.5, 35.4, 5, 3.6))
    brush.flat(
        DARK,
        ribbon(((36.5, 42.5), (39.5, 45), (42.5, 43), (45.5, 45), (48.5, 42.5)), 1.6),
        limb(42.5, 38, 42.5, 42, 1.6),
    )
    brush.eye(28, 28, 3.4)
    brush.eye(57, 28, 3.4)
    brush.flat(PINK, ellipse(20, 38, 5, 3.2), ellipse(65, 38, 5, 3.2))
    if random.random() < 0.6:
        bow = (232, 74, 84) if ink.base[0] < 190 or ink.base[1] > 180 else (92, 150, 214)
        brush.body(
            bow,
            polygon((42, 57), (28, 51), (28, 64)),
            polygon((43, 57), (57, 51), (57, 64)),
            ellipse(42.5, 57.5, 4),
        )


def block(brush: Brush, ink: Ink, random: Random) -> None:
    """A wooden toy block, top and side visible, with a sign on its face."""
    brush.mirror = False  # its dark side is away from the light
    brush.body(ink.light, polygon((1, 20), (22, 1), (99, 1), (79, 20)))
    brush.body(ink.dark, polygon((79, 20), (99, 1), (99, 79), (79, 99)))
    face = box(1, 20, 79, 99, 2)
    brush.body(ink.base, face, soft=0.6)
    brush.flat(ink.pale, polygon((7, 26), (73, 26), (73, 93), (7, 93)))
    brush.flat(ink.base, polygon((12, 31), (68, 31), (68, 88), (12, 88)))
    tone = CREAM if sum(ink.base) < 640 else (104, 110, 150)
    style = random.randrange(4)
    if style == 0:
        brush.flat(tone, ellipse(40, 59.5, 19))
        brush.flat(ink.base, ellipse(40, 59.5, 10))
    elif style == 1:
        brush.flat(tone, polygon((40, 38), (61, 80), (19, 80)))
    elif style == 2:
        brush.flat(
            tone, polygon((35, 38), (45, 38), (60, 82), (51, 82), (47.4, 72), (32.6, 72), (29, 82), (20, 82))
        )
        brush.flat(ink.base, polygon((40, 49), (44.6, 64.4), (35.4, 64.4)))
    else:
        brush.flat(tone, blob((40, 82), (22, 64), (20, 50), (30, 43), (40, 51), (50, 43), (60, 50), (58, 64)))


def drum(brush: Brush, ink: Ink, random: Random) -> None:
    """A toy drum with a skin, cords and, sometimes, sticks."""
    barrel = blob(
        (5, 26),
        (7, 22),
        (57, 30),
        (108, 22),
        (110, 26),
        (110, 60),
        (108, 82),
        (94, 92),
        (57, 96),
        (20, 92),
        (7, 82),
        (5, 60),
    )
    brush.body(ink.base, barrel, soft=0.9)
    cord = CREAM if sum(ink.base) < 640 else (226, 178, 84)
    xs = (10, 27, 45, 69, 88, 105)
    for row in range(len(xs) - 1):
        first, second = (34, 84) if row % 2 == 0 else (84, 34)
        brush.flat(cord, limb(xs[row], first, xs[row + 1], second, 3))
    hoop = GOLD if ink.base[0] < 220 or ink.base[1] < 120 or ink.base[2] > 200 else (250, 246, 236)
    brush.body(hoop, ribbon(((4, 80), (20, 91), (57, 95.5), (95, 91), (111, 80)), 8))
    brush.body(hoop, ellipse(57.5, 19, 56, 18.4))
    brush.body((252, 246, 230), ellipse(57.5, 16, 50, 14), soft=0.4)
    if random.random() < 0.6:
        brush.body(WOOD, limb(30, 20, 84, 6, 3.6, 3), limb(40, 7, 92, 19, 3.6, 3))
        brush.body(CREAM, ellipse(28, 20.4, 4.4, 4), ellipse(38, 7, 4.4, 4))


SPRITES = {"ball": ball, "robot": robot, "teddy": teddy, "block": block, "drum": drum}
