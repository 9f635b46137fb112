"""Rows of numbers under a head; columns for which there is no room are left out."""

from __future__ import annotations

from collections.abc import Sequence

from itr_explore.viz.drawing import Line
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.sheet import Sheet

BETWEEN = 24.0  # columns
STEP = 25.0  # from row to row


def table(
    sheet: Sheet,
    x: float,
    y: float,
    room: float,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    size: float = 12.5,
) -> float:
    """The first column at the left, numbers at the right of theirs; returns the last baseline."""
    columns = list(zip(head, *rows, strict=True))
    ends, end = [], x
    for column in columns:
        end += max(measure(text, size) for text in column) + BETWEEN
        if end - BETWEEN > x + room:
            break
        ends.append(end - BETWEEN)
    for at, row in enumerate((head, *rows)):
        line = y + at * STEP
        for place, (text, right) in enumerate(zip(row, ends, strict=False)):
            ink = sheet.tone["muted" if at == 0 else "ink"]
            sheet.write(right if place else x, line, text, size, ink, anchor="end" if place else "start")
        sheet.add(Line(((x, line + 8), (ends[-1], line + 8)), sheet.tone["line"], 1))
    return y + len(rows) * STEP
