"""A small line chart: thin grid, lines told apart by colour and dashes, their last values in the key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Line
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.sheet import Sheet

COLOURS = [colour for name, colour in theme.OKABE_ITO.items() if name != "black"]
DASHES: tuple[tuple[float, float] | None, ...] = (None, (7, 3), (2, 3), (11, 3))
LEFT, FOOT = 42.0, 22.0  # room for what is written along the axes
KEY = 20.0  # height of the key


@dataclass(frozen=True)
class Series:
    """A line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool = False
    ring: float | None = None  # the x of a point that is marked


def chart(
    sheet: Sheet,
    x: float,
    y: float,
    width: float,
    height: float,
    title: str,
    series: Sequence[Series],
    *,
    end: float,
    unit: str = "",
) -> float:
    """Title, key and lines, x from 0 to `end`, y from 0; returns where it ends."""
    sheet.write(x, y + 12, title, 13, bold=True)
    top = _key(sheet, x, y + 32, width, series, unit) + 16
    floor, wide = top + height, width - LEFT - 10
    values = [value for line in series for value in line.y]
    low, high = min([0.0, *values]), 1.04 * max([1e-6, *values])
    across = wide / max(end, 1e-9)
    up = height / (high - low)
    for value in ticks(low, high, 4):
        level = floor - (value - low) * up
        sheet.add(Line(((x + LEFT, level), (x + LEFT + wide, level)), sheet.tone["line"], 1))
        sheet.muted(x + LEFT - 7, level + 4, plain(value), 11, anchor="end")
    for value in ticks(0, end, min(8, wide / 48)):
        sheet.muted(x + LEFT + value * across, floor + 16, plain(value), 11, anchor="middle")
    sheet.add(Line(((x + LEFT, floor), (x + LEFT + wide, floor)), sheet.tone["muted"], 1))
    if not values:
        sheet.muted(x + LEFT + wide / 2, top + height / 2, "nothing yet", 12, anchor="middle")
    for at, line in enumerate(series):
        colour, dash = COLOURS[at % len(COLOURS)], DASHES[at % len(DASHES)]
        spots = [(x + LEFT + a * across, floor - (b - low) * up) for a, b in zip(line.x, line.y, strict=True)]
        if len(spots) > 1:
            sheet.add(Line(tuple(spots), colour, 2, dash))
        for a, b in spots if line.dots or len(spots) == 1 else []:
            sheet.add(Box(a - 2.6, b - 2.6, 5.2, 5.2, fill=colour, radius=2.6))
        if line.ring is not None and line.ring in line.x:
            a, b = spots[list(line.x).index(line.ring)]
            sheet.add(Box(a - 6.5, b - 6.5, 13, 13, stroke=sheet.tone["ink"], line=1.6, radius=6.5))
    return floor + FOOT


def _key(sheet: Sheet, x: float, y: float, width: float, series: Sequence[Series], unit: str) -> float:
    """What each line is and where it ended."""
    start = x
    for at, line in enumerate(series):
        if not line.y:
            continue
        value = f"{plain(line.y[-1])}{unit}"
        wide = 28 + measure(line.name, 12) + 6 + measure(value, 12, bold=True) + 14
        if x > start and x + wide > start + width:
            x, y = start, y + KEY
        sample = ((x, y - 4), (x + 22, y - 4))
        sheet.add(Line(sample, COLOURS[at % len(COLOURS)], 2.4, DASHES[at % len(DASHES)]))
        x = sheet.write(x + 28, y, line.name, 12) + 6
        x = sheet.write(x, y, value, 12, bold=True) + 14
    return y


def ticks(start: float, end: float, count: float) -> list[float]:
    """Round numbers, about so many."""
    rough = (end - start) / max(count, 1)
    if not rough > 0:
        return [start]
    power = 10 ** math.floor(math.log10(rough))
    step = next(size for size in (f * power for f in (1, 2, 2.5, 5, 10)) if size >= rough * 0.99)
    first = math.ceil(start / step - 1e-9)
    return [at * step for at in range(first, math.floor(end / step + 1e-6) + 1)]


def plain(value: float) -> str:
    """Three digits, no more zeros than needed, a real minus sign."""
    if value and not 0.001 <= abs(value) < 1e5:
        mantissa, power = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(power)}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−") if abs(value) < 1000 else f"{value:.0f}".replace("-", "−")
