"""A matrix of weights: a row for each word or epoch, a column for each region, pieces of the image above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from itr_explore.records import Pair
from itr_explore.viz.drawing import Box, Photo
from itr_explore.viz.fonts import Family, measure
from itr_explore.viz.images import opened
from itr_explore.viz.stills.colours import Scale, as_hex, ink_on
from itr_explore.viz.stills.picture import SHARP, crop
from itr_explore.viz.stills.sheet import Sheet, fitted


def matrix(
    sheet: Sheet,
    x: float,
    y: float,
    room: float,
    tallest: float,
    pair: Pair,
    values: np.ndarray,
    names: Sequence[str],
    scale: Scale,
    *,
    chosen: int | None = None,
    right: np.ndarray | None = None,
    family: Family = "serif",
) -> float:
    """Weights in colours, the largest of each row dotted; returns where it ends.

    Args:
        room, tallest: how wide and how high it may be.
        values: [row region]
        names: of the rows.
        chosen: the row in focus.
        right: [row region] bool: those that are right are framed.
    """
    count, columns = values.shape
    label = min(118.0, max([44.0, *(14 + measure(name, 13, family) for name in names)]))
    cell = min(46.0, (room - label) / max(columns, 1))
    pictured = pair.image is not None and pair.boxes is not None and cell >= 20
    head = cell + 16 if pictured else 16
    step = min(26.0, max(9.0 if count > 40 else 17.0, (tallest - head) / max(count, 1)))
    size = min(13.0, step * 0.78)
    if pictured:
        sheet.add(Photo(x + label, y, cell * columns, cell, _crops(sheet, pair, cell)))
    every = 1 if cell >= 15 else 5 if cell >= 8 else 10
    for column in range(0, columns, every):
        sheet.muted(x + label + (column + 0.5) * cell, y + head - 4, str(column), 10.5, anchor="middle")
    for row, found in enumerate(values):
        top = y + head + row * step
        ink = sheet.tone["ink" if row == chosen else "muted"]
        name, look = fitted(names[row], size, label - 10, family), {"family": family, "bold": row == chosen}
        sheet.write(x + label - 8, top + step / 2 + size * 0.36, name, size, ink, anchor="end", **look)
        _cells(sheet, x + label, top, cell, step, found, scale, None if right is None else right[row])
        if row == chosen:
            frame = (x + label, top, cell * columns, step)
            sheet.add(Box(*frame, stroke=sheet.tone["ink"], line=1.6, radius=3))
    return y + head + count * step


def _cells(
    sheet: Sheet,
    x: float,
    top: float,
    cell: float,
    step: float,
    values: np.ndarray,
    scale: Scale,
    right: np.ndarray | None,
) -> None:
    gap = 1.0 if cell > 12 else 0.12 * cell
    best, flat = int(values.argmax()), bool((values == values.max()).all())
    radius = 3.0 if cell > 12 else 0.0
    for column, value in enumerate(values):
        rgb = scale.colour(value)
        place = (x + column * cell + gap, top + gap, cell - 2 * gap, step - 2 * gap)
        sheet.add(Box(*place, fill=as_hex(rgb), radius=radius))
        if right is not None and right[column]:
            inner = (place[0] + 1, place[1] + 1, place[2] - 2, place[3] - 2)
            line = 2 if cell > 12 else 1.2
            sheet.add(Box(*inner, stroke=sheet.tone["ring"], line=line, radius=radius))
        if column == best and not flat:
            dot = 2.6 if min(cell, step) > 14 else 1.4
            middle, centre = place[0] + place[2] / 2, place[1] + place[3] / 2
            sheet.add(Box(middle - dot, centre - dot, 2 * dot, 2 * dot, fill=ink_on(rgb), radius=dot))


def _crops(sheet: Sheet, pair: Pair, cell: float) -> Image.Image:
    """The middle square of each region's box, in a row."""
    assert pair.boxes is not None
    assert pair.image is not None
    image, side, gap = opened(pair.image), round(SHARP * cell), 3
    strip = Image.new("RGB", (side * len(pair.boxes), side), sheet.tone["paper"])
    for at, box in enumerate(np.clip(pair.boxes, 0, 1)):
        strip.paste(crop(image, box).resize((side - 2 * gap, side - 2 * gap)), (at * side + gap, gap))
    return strip
