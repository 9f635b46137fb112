"""What lies about in a room and is never mentioned, in quiet colours."""

from __future__ import annotations

from random import Random

from itr_explore.data.scenes.sprites.colours import CREAM, GREY, WOOD, darker, faded, lighter, mix
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, limb, polygon


def rug(brush: Brush, setting: str, random: Random) -> None:
    """A rug on the floor, with a border and fringes."""
    w, tone = brush.width, faded(random, (178, 132, 124), (134, 152, 160), (184, 166, 128), (146, 134, 160))

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
    w, tone = brush.width, faded(random, (192, 150, 146), (150, 164, 158), (196, 182, 146))
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
        tone = faded(random, (150, 106, 98), (96, 120, 130), (126, 128, 100))
        brush.body(tone, box(inset + 2, top, w - 2 - inset * 0.4, top + 44, 5))
        brush.flat(CREAM, box(inset + 12, top + 9, w - 1.5 - inset * 0.4, top + 35, 3))


def picture(brush: Brush, setting: str, random: Random) -> None:
    """A framed view of hills, in faded colours."""
    w = brush.width
    brush.body(mix(WOOD, GREY, 0.2), box(2, 2, w - 2, 98, 4), soft=0.4)
    brush.flat(CREAM, box(8, 9, w - 8, 91))
    left, right, top, foot = 16.0, w - 16, 17.0, 83.0
    brush.flat(faded(random, (200, 218, 226), (236, 214, 190)), box(left, top, right, foot))
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
        tone = faded(random, (160, 116, 106), (104, 128, 140), (136, 138, 108), (190, 170, 128))
        brush.body(tone, box(x, 80 - high, x + thick, 82, 2))
        x += thick + (2 if random.random() < 0.8 else 24)
    brush.body((210, 214, 206), box(w * 0.88, 44, w * 0.97, 82, 5))
    brush.body(mix(WOOD, GREY, 0.15), box(2, 80, w - 2, 93, 2))
    brush.body(
        mix(WOOD, GREY, 0.3),
        polygon((w * 0.12, 92), (w * 0.2, 92), (w * 0.12, 99)),
        polygon((w * 0.8, 92), (w * 0.88, 92), (w * 0.88, 99)),
    )


SPRITES = {
    "rug": rug,
    "cushion": cushion,
    "book": book,
    "picture": picture,
    "shelf": shelf,
}
