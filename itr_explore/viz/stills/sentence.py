"""A caption in large letters: the word in focus on dark ground, badges after the words that are judged."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from itr_explore.records import Pair
from itr_explore.viz.drawing import Box, Line
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.sheet import PAD, Sheet, cut

Chunk = list[tuple[str, int | None, float]]  # text, its word, its width and badge
LONG = 45  # words from which on a caption is written smaller


def sentence(
    sheet: Sheet,
    y: float,
    pair: Pair,
    states: Mapping[int, str],
    *,
    word: int | None = None,
    unknown: tuple[int, ...] = (),
) -> float:
    """The caption of a pair over the whole width; returns where the next thing may stand.

    Args:
        states: what badge stands after a word.
        word: the one in focus.
        unknown: words that the model has never seen: dotted below.
    """
    size = 24.0 if len(pair.words) <= LONG else 16.0
    step = size * 1.55
    backward = from_the_right(pair.caption)
    space = measure(" ", size, "serif")
    x = 0.0
    y += size
    for chunk in _chunks(pair, states, size, sheet.room):
        length = sum(part[2] for part in chunk)
        if x and x + length > sheet.room:
            x, y = 0.0, y + step
        for text, index, wide in chunk:
            start = PAD + (sheet.room - x - wide if backward else x)
            _piece(
                sheet,
                text,
                start,
                y,
                size,
                backward,
                states.get(-1 if index is None else index),
                chosen=index is not None and index == word,
                unseen=index in unknown,
            )
            x += wide
        x += space
    return y + 24


def pieces(pair: Pair) -> list[tuple[str, int | None]]:
    """The caption cut at its words: text, and the index of the word, or None between words."""
    found: list[tuple[str, int | None]] = []
    done = 0
    for index, (start, end) in enumerate(pair.offsets):
        found += [(pair.caption[done:start], None), (pair.caption[start:end], index)]
        done = end
    return [piece for piece in (*found, (pair.caption[done:], None)) if piece[0]]


def from_the_right(text: str) -> bool:
    """Whether the first letter that has a direction is written from right to left."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


def _chunks(pair: Pair, states: Mapping[int, str], size: float, room: float) -> Iterator[Chunk]:
    """Runs of the caption between spaces, none wider than a line."""
    chunk: Chunk = []
    for text, word in pieces(pair):
        parts = text.split() if word is None else [text]
        if text[:1].isspace() and chunk:
            yield chunk
            chunk = []
        for at, whole in enumerate(parts):
            if at and chunk:
                yield chunk
                chunk = []
            for part in cut(whole, size, room - size):
                last = part == whole or whole.endswith(part)
                badge = size * 0.85 if word in states and last else 0.0
                wide = measure(part, size, "serif") + badge
                if chunk and sum(one[2] for one in chunk) + wide > room:
                    yield chunk
                    chunk = []
                chunk.append((part, word, wide))
        if text[-1:].isspace() and chunk:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _piece(
    sheet: Sheet,
    text: str,
    x: float,
    y: float,
    size: float,
    backward: bool,
    state: str | None,
    *,
    chosen: bool,
    unseen: bool,
) -> None:
    wide = measure(text, size, "serif")
    badge = x + wide + size * 0.2
    if backward:
        badge, x = x + size * 0.07, x + size * 0.85 * (state is not None)
    if chosen:
        sheet.add(Box(x - 3, y - size, wide + 6, size * 1.3, fill=sheet.tone["ink"], radius=4))
    sheet.write(x, y, text, size, sheet.tone["paper" if chosen else "ink"], family="serif")
    if unseen:
        dotted(sheet, x, y + 5, wide)
    if state is not None:
        sheet.badge(badge, y - size * 0.95, size * 0.58, state)


def dotted(sheet: Sheet, x: float, y: float, wide: float) -> None:
    """The line of dots below a word that a model has never seen."""
    for at in range(0, int(wide), 4):
        sheet.add(Line(((x + at, y), (x + at + 1, y)), sheet.tone["muted"], 1.5))
