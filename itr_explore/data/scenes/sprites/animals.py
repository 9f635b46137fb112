"""Animals, facing right unless mirrored. Fur, wool and feathers carry the colour."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, DARK, GOLD, PINK, Colour, Ink, darker, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import Shape, blob, ellipse, limb, polygon, ribbon

BEAK: Colour = (246, 164, 50)
HOOF: Colour = (74, 60, 58)


def _coat(brush: Brush, ink: Ink, random: Random, spots: tuple[Shape, ...]) -> None:
    """Plain, or with patches of a darker or paler shade."""
    style = random.random()
    if style < 0.6:
        brush.flat(ink.dark if style < 0.3 else ink.pale, *spots)


def dog(brush: Brush, ink: Ink, random: Random) -> None:
    """A standing dog with hanging ears, a snout and a collar."""
    wag = random.uniform(-6, 6)
    brush.body(ink.dark, limb(35, 66, 31, 96, 15, 11), limb(88, 66, 91, 96, 15, 11))
    brush.body(ink.base, ribbon(((22, 54), (10, 44), (6 + wag, 22)), 11, 6))
    torso = blob((18, 52), (30, 42), (60, 45), (88, 38), (104, 50), (98, 74), (70, 74), (45, 70), (24, 74))
    brush.body(ink.base, limb(27, 64, 22, 97, 17, 11), limb(97, 64, 101, 97, 16, 11), torso)
    brush.shade(torso, ink.base, 0.75)
    _coat(brush, ink, random, (blob((38, 45), (62, 47), (66, 60), (50, 66), (36, 58)), ellipse(79, 64, 7, 5)))
    brush.flat(ink.pale, ellipse(23, 97, 8, 3.4), ellipse(102, 97, 8, 3.4))
    brush.body(GOLD, limb(86, 48, 108, 54, 7))
    head = blob((84, 26), (92, 8), (108, 4), (119, 14), (133, 25), (133, 38), (118, 44), (100, 49), (88, 43))
    brush.body(ink.base, head, soft=0.7)
    brush.flat(ink.pale, blob((114, 28), (126, 24), (134, 28), (132, 39), (117, 42)))
    brush.body(ink.dark, blob((93, 8), (100, 18), (100, 38), (92, 48), (83, 40), (84, 20)))
    brush.body(DARK, ellipse(130, 24, 5, 4))
    brush.flat(DARK, ribbon(((119, 38), (126, 38), (131, 33)), 2, 1.6))
    brush.eye(112, 20, 3.2)


def cat(brush: Brush, ink: Ink, random: Random) -> None:
    """A standing cat with pointed ears, whiskers and its tail up."""
    curl = random.uniform(-5, 5)
    brush.body(ink.base, ribbon(((20, 66), (8, 50), (10, 28), (20 + curl, 12), (12 + curl, 3)), 10, 7))
    brush.body(ink.dark, limb(34, 70, 32, 96, 13, 10), limb(72, 70, 74, 96, 13, 10))
    torso = blob((14, 64), (28, 52), (56, 54), (82, 50), (88, 66), (76, 82), (46, 80), (22, 82))
    brush.body(ink.base, limb(24, 72, 20, 97, 15, 10), limb(82, 70, 84, 97, 14, 10), torso)
    brush.shade(torso, ink.base, 0.75)
    if random.random() < 0.6:
        for x in (34, 45, 56):
            brush.flat(ink.dark, ribbon(((x, 53), (x + 1, 60), (x - 1, 67)), 4.5, 1))
    brush.flat(ink.pale, ellipse(21, 97.4, 7, 3), ellipse(85, 97.4, 7, 3))
    brush.body(ink.base, polygon((65, 34), (67, 4), (86, 18)), polygon((113, 34), (111, 4), (92, 18)))
    brush.flat(PINK, polygon((69, 26), (70, 11), (80, 18)), polygon((109, 26), (108, 11), (98, 18)))
    head = ellipse(89, 36, 26, 22)
    brush.body(ink.base, head, soft=0.6)
    brush.flat(ink.dark, polygon((86, 15), (92, 15), (89, 26)), polygon((79, 17), (84, 15.5), (82, 24)),
               polygon((94, 15.5), (99, 17), (96, 24)))  # fmt: skip
    brush.flat(ink.pale, ellipse(84, 45, 8, 6), ellipse(94, 45, 8, 6))
    brush.eye(79, 34, 3.8)
    brush.eye(99, 34, 3.8)
    brush.body(PINK, polygon((86, 40), (92, 40), (89, 44)))
    whisker = mix(ink.pale, DARK, 0.75)
    for y, dy in ((43, -2), (46, 2)):
        brush.flat(whisker, limb(78, y, 62, y + dy, 1.6, 0.9), limb(100, y, 115, y + dy, 1.6, 0.9))


def horse(brush: Brush, ink: Ink, random: Random) -> None:
    """A horse with a long neck, a mane and long legs."""
    mane = darker(ink.base, 0.55) if random.random() < 0.6 else mix(CREAM, ink.base, 0.25)
    step = random.choice((-4, 0, 4))
    brush.body(ink.dark, limb(32, 58, 35 + step, 95, 12, 7), limb(76, 60, 72 - step, 95, 11, 7))
    brush.body(HOOF, limb(35 + step, 95, 35 + step, 97, 8), limb(72 - step, 95, 72 - step, 97, 8))
    brush.body(mane, ribbon(((22, 42), (8, 46), (6, 66), (2, 82)), 10, 7))
    torso = blob((18, 48), (30, 38), (52, 41), (72, 36), (88, 44), (86, 60), (66, 68), (40, 66), (22, 64))
    neck = blob((68, 44), (80, 26), (88, 10), (100, 10), (98, 28), (92, 56), (80, 62))
    brush.body(ink.base, limb(25, 58, 22, 94, 15, 7), limb(84, 56, 86, 94, 13, 7), torso, neck)
    brush.shade(torso, ink.base, 0.75)
    brush.body(HOOF, limb(22, 95, 22, 97, 8), limb(86, 95, 86, 97, 8))
    _coat(brush, ink, random, (ellipse(36, 48, 9, 6), ellipse(52, 57, 6, 4.5), ellipse(60, 46, 5, 4)))
    brush.body(ink.base, polygon((90, 14), (92, 1), (99, 11)))
    head = blob((88, 12), (98, 7), (108, 18), (118, 29), (116, 37), (107, 37), (96, 28), (89, 24))
    brush.body(ink.base, head, soft=0.6)
    brush.flat(ink.pale, blob((110, 26), (117, 29), (116, 36), (109, 36), (107, 31)))
    brush.body(
        mane, blob((92, 5), (86, 12), (76, 26), (66, 42), (74, 44), (82, 34), (88, 24), (96, 14), (99, 8))
    )
    brush.flat(DARK, ellipse(113.5, 31.5, 1.5, 1.8))
    brush.eye(100, 18, 2.6)


def sheep(brush: Brush, ink: Ink, random: Random) -> None:
    """A cloud of wool on thin legs, with a dark face."""
    face = (96, 84, 92) if ink.base[0] > 100 or ink.base[2] > 100 or ink.base[1] > 100 else (214, 196, 178)
    for x in (36, 50, 78, 90):
        brush.body(darker(face, 0.25), limb(x, 70, x, 96, 8, 7))
    puffs = [(22, 50, 15), (32, 32, 17), (52, 22, 19), (74, 22, 18), (92, 34, 16), (94, 56, 16),
             (80, 70, 16), (58, 74, 17), (36, 70, 16)]  # fmt: skip
    jitter = random.uniform(-2, 2)
    wool = [ellipse(x, y + (jitter if row % 2 else -jitter), r) for row, (x, y, r) in enumerate(puffs)]
    brush.body(ink.base, *wool, ellipse(58, 48, 40, 30))
    brush.shade(ellipse(58, 48, 52, 46), ink.base, 0.7)
    for x, y, r in ((40, 42, 8), (62, 36, 9), (54, 58, 9), (78, 52, 8)):
        brush.flat(mix(ink.base, ink.dark, 0.7), ribbon(((x - r, y), (x, y + r * 0.8), (x + r, y)), 2.6))
    brush.body(face, ellipse(94, 33, 10, 5, 25), ellipse(122, 31, 8, 4.5, -25))
    brush.body(face, blob((98, 30), (109, 22), (121, 30), (120, 50), (111, 59), (102, 52)), soft=0.5)
    brush.body(ink.base, ellipse(103, 22, 8), ellipse(115, 22, 8), ellipse(109, 17, 8))
    brush.eye(106, 38, 2.8)
    brush.eye(116, 38, 2.8)
    brush.flat(darker(face, 0.6), ellipse(112, 52, 3, 1.8))


def elephant(brush: Brush, ink: Ink, random: Random) -> None:
    """An elephant with a large ear, a trunk and a tusk."""
    lift = random.choice((0, 0, 8))
    brush.body(ink.dark, limb(38, 66, 38, 92, 18, 16), limb(78, 66, 78, 92, 18, 16))
    brush.body(ink.base, ribbon(((13, 38), (4, 48), (5, 66)), 4, 3))
    brush.flat(ink.dark, ellipse(5, 67, 3, 5))
    torso = blob((12, 48), (22, 22), (48, 12), (80, 16), (94, 38), (90, 66), (60, 74), (26, 72))
    brush.body(ink.base, limb(25, 62, 24, 91, 22, 18), limb(89, 60, 90, 91, 20, 18), torso)
    brush.shade(torso, ink.base, 0.8)
    for x in (24.0, 90.0):
        brush.flat(CREAM, *(ellipse(x + dx, 97, 2.3, 2) for dx in (-5, 0.5, 6)))
    trunk = ((112, 38), (124, 56), (123, 76 - lift), (129 + lift / 4, 86 - 2 * lift))
    brush.body(ink.base, ribbon(trunk, 22, 9))
    head = blob((84, 26), (96, 5), (114, 6), (125, 22), (124, 44), (112, 54), (94, 52))
    brush.body(ink.base, head, soft=0.65)
    for share in (0.35, 0.55, 0.75):
        x, y = 114 + 10 * share, 40 + 40 * share - lift * share
        brush.flat(ink.dark, limb(x - 5, y + 1, x + 7, y - 1, 1.8, 1))
    brush.body((255, 250, 232), ribbon(((113, 50), (119, 62), (130, 63)), 6, 2))
    ear = blob((82, 10), (98, 14), (102, 32), (98, 52), (86, 60), (72, 46), (68, 24))
    brush.body(ink.base, ear, soft=0.5)
    brush.flat(ink.pale, blob((83, 18), (93, 22), (95, 34), (91, 46), (84, 50), (77, 42), (75, 26)))
    brush.eye(112, 26, 2.7)


def duck(brush: Brush, ink: Ink, random: Random) -> None:
    """A duck with a flat bill, a wing and webbed feet."""
    bill = BEAK if not (ink.base[0] > 215 and 90 < ink.base[1] < 180) else (196, 96, 40)
    for x in (46, 62):
        brush.body(bill, limb(x, 80, x + 1, 95, 5), polygon((x - 3, 99), (x + 2, 92), (x + 14, 99)))
    body = blob(
        (4, 42), (18, 48), (38, 42), (62, 46), (84, 46), (92, 62), (80, 82), (50, 88), (22, 76), (8, 58)
    )
    neck = blob((66, 58), (70, 38), (70, 22), (92, 24), (92, 44), (91, 64))
    brush.body(ink.base, body, neck)
    brush.body(bill, blob((92, 18), (103, 22), (114, 27), (112, 33), (100, 34), (91, 32)))
    brush.flat(darker(bill, 0.35), ribbon(((96, 28), (104, 29), (112, 29)), 1.6))
    head = ellipse(82, 20, 18.5, 19)
    brush.body(ink.base, head, soft=0.55)
    brush.flat(ink.base, blob((70, 34), (82, 38), (92, 36), (91, 56), (76, 58), (69, 46)))
    brush.shade(body, ink.base, 0.8)
    if random.random() < 0.5:
        brush.flat(ink.pale if ink.base[2] < 200 else ink.dark, ribbon(((68, 42), (80, 47), (93, 43)), 4.5))
    wing = blob((24, 54), (42, 50), (62, 54), (68, 64), (54, 74), (36, 72), (22, 62))
    brush.body(mix(ink.base, ink.dark, 0.55), wing, soft=0.5)
    brush.flat(
        ink.dark, ribbon(((30, 62), (42, 66), (54, 64)), 2.2, 1.2), ribbon(((38, 69), (48, 70), (58, 67)), 2)
    )
    brush.eye(87, 16, 3.6)


def rabbit(brush: Brush, ink: Ink, random: Random) -> None:
    """A sitting rabbit, seen from the front, with long ears."""
    bend = random.choice((0, 14, 26))
    for x, turn in ((27, -9), (53, 9 + bend)):
        brush.body(ink.base, ellipse(x, 20, 8.5, 21).turned(turn, (x, 38)), soft=0.4)
        brush.flat(PINK, ellipse(x, 22, 4, 15).turned(turn, (x, 38)))
    brush.body(ink.pale, ellipse(70, 84, 9))
    torso = blob((22, 66), (40, 54), (58, 66), (66, 84), (58, 97), (40, 99), (22, 97), (14, 84))
    brush.body(ink.base, ellipse(18, 92, 14, 8), ellipse(62, 92, 14, 8), torso)
    brush.shade(torso, ink.base, 0.7)
    brush.flat(ink.pale, ellipse(40, 82, 13, 15))
    brush.body(ink.base, limb(32, 74, 33, 94, 9, 10), limb(48, 74, 47, 94, 9, 10))
    brush.body(ink.base, ellipse(40, 49, 26, 20), soft=0.6)
    brush.flat(ink.pale, ellipse(35, 56, 8, 6.5), ellipse(45, 56, 8, 6.5))
    brush.flat(PINK, ellipse(22, 55, 4.5, 3), ellipse(58, 55, 4.5, 3))
    brush.eye(29, 46, 3.6)
    brush.eye(51, 46, 3.6)
    brush.body((236, 120, 136), polygon((37, 51), (43, 51), (40, 54.5)))
    brush.flat((255, 255, 252), polygon((37.5, 60), (42.5, 60), (42, 66), (38, 66)))
    brush.flat(DARK, ribbon(((34, 58), (37, 60), (40, 57), (43, 60), (46, 58)), 1.5))


SPRITES = {
    "dog": dog, "cat": cat, "horse": horse, "sheep": sheep, "elephant": elephant, "duck": duck,
    "rabbit": rabbit,
}  # fmt: skip
