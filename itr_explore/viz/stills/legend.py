"""What the marks of a still mean: the last lines of a sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from itr_explore.viz import theme
from itr_explore.viz.drawing import Area, Box, Line
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.sentence import dotted
from itr_explore.viz.stills.sheet import PAD, Sheet

SIGNS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {  # of edited edges
    "cut": (((-3.4, -3.4), (3.4, 3.4)), ((3.4, -3.4), (-3.4, 3.4))),
    "reverse": (((-4.4, -2.4), (4.4, -2.4), (1.8, -4.8)), ((4.4, 2.4), (-4.4, 2.4), (-1.8, 4.8))),
    "mean": (((-3.8, -2), (3.8, -2)), ((-3.8, 2), (3.8, 2))),
}
Mark = tuple[str, str]  # a sign, and what it says


def legend(sheet: Sheet, x: float, y: float, marks: Iterable[Mark]) -> float:
    """Signs and what they say, in as many lines as they need; returns the last baseline."""
    for sign, text in marks:
        wide = _width(sign)
        if x > PAD and x + wide + measure(text, 12) > sheet.right:
            x, y = PAD, y + 22
        _sign(sheet, sign, x, y)
        x = sheet.muted(x + wide, y, text) + 18
    return y


def marks_of(states: Collection[str], boxes: bool) -> list[Mark]:
    """The marks of right and wrong that are drawn."""
    if not states:
        return []
    found = [("ring", "right region (IoU ≥ 0.5)"), *([("dash", "true box")] if boxes else [])]
    says = {"hit": "strongest region is right", "miss": "it is not"}
    found += [(state, text) for state, text in says.items() if state in states]
    if {"uncovered", "ungrounded"} & set(states):
        found.append(("uncovered", "cannot be checked"))
    return found


def _width(sign: str) -> float:
    return {"": 0.0, "edge": 38.0, "below": 38.0}.get(sign, 20.0)


def _sign(sheet: Sheet, sign: str, x: float, y: float) -> None:
    if not sign:
        return
    if sign == "dot":
        sheet.add(Box(x + 5, y - 8, 7, 7, fill=sheet.tone["ink"], radius=3.5))
    elif sign == "ring":
        sheet.add(Box(x + 1, y - 10, 13, 10, stroke=sheet.tone["ring"], line=2, radius=3))
    elif sign == "dash":
        sheet.add(Box(x + 1, y - 10, 13, 10, stroke=sheet.tone["ring"], line=2, dash=(4, 3)))
    elif sign == "unknown":
        dotted(sheet, x, y, 15)
    elif sign == "best":
        sheet.add(Box(x + 1, y - 11, 13, 13, stroke=sheet.tone["ink"], line=1.6, radius=6.5))
    elif sign in ("edge", "below"):
        colour = theme.EDGE if sign == "edge" else theme.EDGE_NEGATIVE
        dash = None if sign == "edge" else (5.0, 3.0)
        sheet.add(Line(((x, y - 4), (x + 24, y - 4)), colour, 2.4, dash))
        sheet.add(Area(((x + 31, y - 4), (x + 23, y - 8), (x + 23, y)), colour))
    elif sign in SIGNS:
        signed_disc(sheet, x + 7, y - 4, sign)
    else:
        sheet.badge(x, y - 11, 13, sign)


def signed_disc(sheet: Sheet, x: float, y: float, sign: str) -> None:
    """The mark of an edited edge: a dark disc with what was done."""
    sheet.add(Box(x - 7.5, y - 7.5, 15, 15, fill=theme.INKS[0], stroke=theme.INKS[1], line=1.2, radius=7.5))
    for way in SIGNS[sign]:
        sheet.add(Line(tuple((x + dx, y + dy) for dx, dy in way), theme.INKS[1], 1.6))
