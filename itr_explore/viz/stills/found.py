"""What a search found as a still: query, results with score and margin, where the right answers stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Found
from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Drawing, Photo
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.sentence import from_the_right
from itr_explore.viz.stills.sheet import GAP, PAD, Sheet, fitted, wrapped

if TYPE_CHECKING:
    from PIL.Image import Image

BETWEEN = 20.0  # cards
CARD = 168.0  # least width of one
FLAT = 0.75  # height of a card's picture, as a share of its width
BESIDE = 620  # pixels from which on captions stand beside their image
SIGNS = {"right": "hit", "true": "hit", "wrong": "miss"}


@dataclass(frozen=True)
class Result:
    """How one result is shown: its picture, where images were searched, and its caption."""

    caption: str
    state: str  # right, wrong, true (as well), or unknown
    says: str = ""  # what is false in it, or why it cannot be shown
    picture: Image | None = None


def found_still(
    found: Found,
    results: Sequence[Result],
    *,
    asked: Image | None = None,
    note: str = "",
    width: float = 1000,
    dark: bool = False,
    title: str = "",
    description: str = "",
) -> Drawing:
    """The drawing of an answer.

    Args:
        found: the answer.
        results: one for each of `found.rows`.
        asked: the image that was the query.
        note: what narrowed the results, say.

    Raises:
        ValueError: the drawing would be too narrow.
    """
    sheet = Sheet(width, dark)
    y = PAD + 12
    x = sheet.write(PAD, y, found.model, 14, bold=True) + 16
    sheet.muted(x, y, fitted(found.collection, 13, sheet.right - x, "sans"), 13)
    if found.side == "images":
        y = _query(sheet, y + 20, found.query)
        y = _where(sheet, PAD, y, sheet.room, found, note) + 18
        y = _cards(sheet, y, found, results)
    else:
        y = _captions(sheet, y + 24, found, results, asked, note)
    if results:
        sheet.rule(y)
        y = sheet.paragraph(PAD, y + 20, _scale(found), min(sheet.room, 760), 12)
    return sheet.drawing(y, title, description)


def _query(sheet: Sheet, y: float, text: str) -> float:
    """The sentence that was asked, in a field."""
    size = 21.0
    lines = wrapped(text, size, sheet.room - 32, "serif", 4)
    height = len(lines) * size * 1.4 + 16
    sheet.add(Box(PAD, y, sheet.room, height, fill=sheet.tone["raised"], stroke=sheet.tone["line"], radius=6))
    for at, line in enumerate(lines):
        place = y + 8 + (at + 0.78) * size * 1.4
        if from_the_right(text):
            sheet.write(sheet.right - 16, place, line, size, family="serif", anchor="end")
        else:
            sheet.write(PAD + 16, place, line, size, family="serif")
    return y + height + 22


def _where(sheet: Sheet, x: float, y: float, room: float, found: Found, note: str) -> float:
    """How it was found, and where the right answers stand, also those far below."""
    stages = found.stages[0].upper() + found.stages[1:]
    unseen = (
        f" Never seen by the model: {', '.join(f'“{word}”' for word in found.unknown)}."
        if found.unknown
        else ""
    )
    y = sheet.paragraph(x, y, f"{stages}. {note}{unseen}".strip(), room, 12.5)
    if not len(found.right_ranks):
        says = "No right answer is known." if not found.known else "The right answer is none of these."
        return sheet.paragraph(x, y + 21, says, room, 12.5)
    ranks = [f"{rank + 1:,}" for rank in found.right_ranks[:5].tolist()]
    more = len(found.right_ranks) + len(found.beyond) - len(ranks)
    says = "The right answer at rank" if len(found.right_ranks) == 1 else "Right answers at ranks"
    text = f"{', '.join(ranks)}{f' and {more} more' if more else ''} of {found.of:,}"
    sheet.badge(x, y + 12, 14, "hit")
    end = sheet.muted(x + 20, y + 23, says, 13)
    sheet.write(end + 5, y + 23, fitted(text, 13, x + room - end - 5, "sans", True), 13, bold=True)
    return y + 23


def _cards(sheet: Sheet, y: float, found: Found, results: Sequence[Result]) -> float:
    """Images in rows, best first; returns where they end."""
    if not results:
        return sheet.paragraph(PAD, y + 10, "Nothing passes the filters.", sheet.room, 13) + 20
    per = max(2, min(5, int((sheet.room + BETWEEN) / (CARD + BETWEEN))))
    wide = (sheet.room - BETWEEN * (per - 1)) / per
    for start in range(0, len(results), per):
        ends = [
            _card(sheet, PAD + (at - start) * (wide + BETWEEN), y, wide, found, at, results[at])
            for at in range(start, min(start + per, len(results)))
        ]
        y = max(ends) + 20
    return y


def _card(sheet: Sheet, x: float, y: float, wide: float, found: Found, at: int, result: Result) -> float:
    high = wide * FLAT
    sheet.add(Box(x, y, wide, high, fill=sheet.tone["raised"], radius=5))
    if result.picture is not None:
        image = result.picture
        fit = min(wide / image.width, high / image.height)
        across, down = image.width * fit, image.height * fit
        sheet.add(Photo(x + (wide - across) / 2, y + (high - down) / 2, across, down, image))
    rank = f"{int(found.ranks[at]) + 1:,}"
    pill = max(20.0, measure(rank, 12, bold=True) + 12)
    sheet.add(Box(x + 6, y + 6, pill, 20, fill=theme.INKS[1], radius=10))
    sheet.write(x + 6 + pill / 2, y + 20.5, rank, 12, theme.INKS[0], bold=True, anchor="middle")
    end = _numbers(sheet, x, y + high + 6, wide, found, at)
    end = _verdict(sheet, x, end + 20, wide, result)
    return sheet.paragraph(x, end + 19, result.caption, wide, 12.5, 2, family="serif")


def _captions(
    sheet: Sheet, y: float, found: Found, results: Sequence[Result], asked: Image | None, note: str
) -> float:
    """The image on the left, its captions beside it or below; returns where they end."""
    beside = sheet.room >= BESIDE
    left = min(sheet.room, 300.0)
    high = 0.0
    if asked is not None:
        high = min(left * asked.height / asked.width, 420.0)
        sheet.add(Photo(PAD, y, high * asked.width / asked.height, high, asked))
    name = sheet.paragraph(PAD, y + high + 20, found.query, left, 13, 2)
    x, top = (PAD + left + GAP, y) if beside else (PAD, name + 20)
    room = sheet.right - x
    end = _where(sheet, x, top + 12, room, found, note) + 14
    if not results:
        end = sheet.paragraph(x, end + 10, "Nothing passes the filters.", room, 13)
    for at, result in enumerate(results):
        sheet.muted(x + 24, end + 18, f"{int(found.ranks[at]) + 1:,}", 13, anchor="end")
        lines = wrapped(result.caption, 15, room - 40, "serif", 2)
        for place, line in enumerate(lines):
            sheet.write(x + 38, end + 18 + 21 * place, line, 15, family="serif")
        end += 18 + 21 * (len(lines) - 1)
        after = _numbers(sheet, x + 38, end + 11, min(120.0, room / 3), found, at, inline=True)
        end += 18
        if result.state != "unknown":
            _verdict(sheet, after, end, x + room - after, result, lines=1)
        end += 12
    return max(end, name) + 20


def _numbers(
    sheet: Sheet, x: float, y: float, wide: float, found: Found, at: int, inline: bool = False
) -> float:
    """A bar of the score among all scores, and the score and its margin; returns where these end."""
    low, mean, high = found.spread
    score, margin = float(found.scores[at]), float(found.margins[at])
    span = high - low
    share, middle = ((score - low) / span, (mean - low) / span) if span > 0 else (1.0, 1.0)
    sheet.add(Box(x, y, wide, 6, fill=sheet.tone["line"], radius=3))
    sheet.add(Box(x, y, max(6.0, wide * share), 6, fill=sheet.tone["focus"], radius=3))
    sheet.add(Box(x + wide * middle - 0.75, y - 1, 1.5, 8, fill=sheet.tone["ink"]))
    start, line = (x + wide + 10, y + 7) if inline else (x, y + 22)
    end = sheet.write(start, line, f"{score:.3f}".replace("-", "−"), 13, bold=True)
    if not np.isnan(margin):
        end = sheet.muted(end + 6, line, f"margin {margin:.3f}", 12)
    return end + 14 if inline else line


def _verdict(sheet: Sheet, x: float, y: float, room: float, result: Result, lines: int = 2) -> float:
    """Right or wrong, and what is wrong; returns the last baseline."""
    text = {"right": "right", "true": "true too", "wrong": "wrong"}.get(result.state, "")
    said = ": ".join(filter(None, (text, result.says)))
    sign = SIGNS.get(result.state)
    if sign:
        sheet.badge(x, y - 11, 13, sign)
        x, room = x + 19, room - 19
    if not said or room < 20:
        return y if sign else y - 20
    colour = sheet.tone[{"hit": "hit-ink", "miss": "miss-ink"}.get(sign or "", "muted")]
    for at, line in enumerate(wrapped(said, 12, room, "sans", lines)):
        sheet.write(x, y + 17 * at, fitted(line, 12, room, "sans"), 12, colour)
        end = y + 17 * at
    return end


def _scale(found: Found) -> str:
    low, mean, high = (f"{value:.3f}".replace("-", "−") for value in found.spread)
    of = "all" if found.exact else "those re-ranked"
    return (
        f"Higher scores fit better. Bars run from {low}, the lowest of {of}, to {high}, the highest; the line"
        f" across marks their mean, {mean}. Margin: how far above the next in the whole ranking."
    )
