"""Things in the sky. Fuselage, envelope and kite carry the colour."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, GREY, METAL, WOOD, Colour, Ink, darker, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon, ribbon

ROPE: Colour = (112, 92, 76)


def airplane(brush: Brush, ink: Ink, random: Random) -> None:
    """A passenger plane, seen from the side."""
    trim = CREAM if sum(ink.base) < 640 else (120, 150, 196)
    brush.body(ink.dark, polygon((96, 44), (74, 14), (88, 14), (128, 44)))
    brush.body(ink.base, blob((34, 44), (16, 22), (3, 2), (19, 3), (38, 20), (58, 38), (50, 48)), soft=0.4)
    brush.flat(trim, polygon((9, 6), (19, 6), (27, 14), (15, 15)))
    hull = blob((6, 44), (40, 38), (90, 35), (150, 35), (186, 40), (205, 52), (207, 59), (192, 70), (150, 75),
                (90, 75), (50, 70), (20, 56))  # fmt: skip
    brush.body(ink.base, hull, soft=0.85)
    stripe = random.random()
    if stripe < 0.6:
        brush.pattern(trim, hull, ribbon(((28, 56), (70, 61), (130, 63), (196, 61)), 4.5))
    for x in range(52, 166, 13):
        brush.body(ink.window, ellipse(x, 48, 3.7, 4.2))
    brush.body(ink.window, blob((180, 44), (190, 44), (199, 51), (184, 53)))
    brush.body(ink.dark, polygon((16, 42), (2, 34), (16, 34), (44, 45)))
    wing = blob((88, 58), (124, 57), (128, 62), (112, 76), (84, 97), (66, 99), (80, 76))
    brush.body(mix(ink.base, ink.dark, 0.25), wing, soft=0.5)
    brush.body(METAL, ellipse(112, 81, 14, 7), soft=0.5)
    brush.flat((70, 70, 84), ellipse(124, 81, 3, 5.6))


def balloon(brush: Brush, ink: Ink, random: Random) -> None:
    """A hot-air balloon with a basket."""
    envelope = blob(
        (37.5, 0.5),
        (60, 6),
        (74, 26),
        (70, 46),
        (54, 64),
        (46, 73),
        (29, 73),
        (21, 64),
        (5, 46),
        (1, 26),
        (15, 6),
    )
    for x, foot in ((30, 31), (45, 44)):
        brush.flat(ROPE, limb(x, 70, foot, 88, 1.3))
    brush.body(ink.base, envelope)
    style = random.randrange(3)
    accent = mix(ink.base, ink.pale, 0.9) if sum(ink.base) < 640 else (196, 200, 220)
    if style == 0:
        brush.pattern(
            accent,
            envelope,
            blob((30, 2), (37.5, 1), (45, 2), (50, 30), (46, 60), (42, 72), (33, 72), (29, 60), (25, 30)),
        )
    elif style == 1:
        brush.pattern(
            accent,
            envelope,
            ribbon(((20, 5), (8, 28), (28, 71)), 5),
            ribbon(((55, 5), (67, 28), (47, 71)), 5),
            ribbon(((37.5, 1), (37.5, 72)), 6),
        )
    else:
        brush.pattern(
            accent,
            envelope,
            blob(
                (2, 26),
                (20, 34),
                (37.5, 36),
                (55, 34),
                (73, 26),
                (72, 40),
                (55, 48),
                (37.5, 50),
                (20, 48),
                (3, 40),
            ),
        )
    seam = ink.dark
    for bend in (-30, -15, 0, 15, 30):
        brush.flat(
            seam,
            ribbon(
                (
                    (37.5 + bend * 0.35, 2),
                    (37.5 + bend, 30),
                    (37.5 + bend * 0.5, 58),
                    (37.5 + bend * 0.26, 72),
                ),
                1.1,
            ),
        )
    brush.shade(envelope, ink.base, 0.9)
    brush.body(ink.dark, box(27.5, 70, 47.5, 75, 2))
    brush.body(WOOD, polygon((28, 86), (47, 86), (45, 99.5), (30, 99.5)), soft=0.5)
    brush.flat(
        darker(WOOD, 0.35),
        box(28.5, 90, 46.5, 91.2),
        box(29.2, 94.6, 46, 95.8),
        *(box(x, 87, x + 1, 99) for x in (33, 37, 41)),
    )
    brush.body((214, 172, 120), box(26.5, 84, 48.5, 88.5, 2))


def kite(brush: Brush, ink: Ink, random: Random) -> None:
    """A diamond kite with a tail of bows."""
    sway = random.choice((-1, 1)) * 8
    tail = ((44, 66), (52 + sway, 76), (36 - sway, 86), (46, 97))
    brush.flat(darker(GREY, 0.4), ribbon(tail, 2))
    bows: tuple[Colour, ...] = (ink.base, ink.light, ink.base)
    for (x, y), tone in zip(((48 + sway * 0.8, 75), (40 - sway * 0.5, 84), (45, 96)), bows, strict=True):
        brush.body(
            tone,
            polygon((x, y), (x - 10, y - 4), (x - 8, y + 4)),
            polygon((x, y), (x + 10, y - 4), (x + 8, y + 4)),
        )
    top, right, foot, left = (40, 1), (79, 28), (44, 68), (1, 28)
    sail = polygon(top, right, foot, left)
    brush.body(ink.base, sail)
    middle = (41, 28)
    if random.random() < 0.5:
        brush.flat(ink.light, polygon(top, right, middle))
        brush.flat(mix(ink.base, ink.dark, 0.5), polygon(right, foot, middle))
        brush.flat(ink.base, polygon(top, middle, left))
    else:
        brush.flat(ink.pale, polygon((12, 28), (23, 13), (64, 52), (54, 59)))
        brush.flat(ink.dark, polygon((1, 28), (41, 28), (44, 68)))
        brush.flat(ink.base, polygon((12, 31), (40, 31), (42, 61)))
    brush.shade(sail, ink.base, 0.6)
    brush.flat(WOOD, limb(*top, *foot, 1.7), limb(*left, *right, 1.7))
    if random.random() < 0.5:
        brush.body(ink.pale, ellipse(41, 28, 5))


SPRITES = {"airplane": airplane, "balloon": balloon, "kite": kite}
