"""Systems beside each other as a still: one sentence, a column each with the same word's heat, one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from itr_explore.records import Explanation, Map, Pair
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.colours import Scale
from itr_explore.viz.stills.legend import legend, marks_of
from itr_explore.viz.stills.picture import picture
from itr_explore.viz.stills.sentence import dotted, sentence
from itr_explore.viz.stills.sheet import PAD, Sheet, fitted, short

GAP = 20.0
NARROWEST_COLUMN = 290.0
WEIGHTS = ("softmax", "row_sum", "unit")  # each the share of a whole, so they compare as they are


@dataclass(frozen=True)
class Column:
    """What one system says of the pair."""

    name: str
    explanation: Explanation
    map: Map | None  # of words and regions, or one value a region
    facts: Mapping[str, str]  # score and ranks
    states: Mapping[int, str]  # `hit`, `miss`, `uncovered` or `ungrounded`, by the last word of a mention
    remark: str = ""  # how many are right


def systems_still(
    columns: Sequence[Column],
    *,
    where: str = "",
    word: int | None = None,
    width: float = 1000,
    dark: bool = False,
    title: str = "",
    description: str = "",
) -> Drawing:
    """The drawing of one pair in the eyes of several systems.

    Args:
        columns: of the same pair.
        where: which pair it is.
        word: the word in focus; by default the first about which the systems disagree.

    Raises:
        ValueError: the drawing would be too narrow.
    """
    sheet, pair = Sheet(width, dark), columns[0].explanation.pair
    word = _telling(columns) if word is None else word
    y = PAD + 12
    x = sheet.write(
        PAD, y, fitted(" | ".join(c.name for c in columns), 14, sheet.room, "sans", True), 14, bold=True
    )
    if x + 16 + measure(where, 13) > sheet.right:
        x, y = PAD - 16, y + 20
    sheet.muted(x + 16, y, fitted(where, 13, sheet.room, "sans"), 13)
    y = sentence(sheet, y + 14, pair, {}, word=word) + 4
    values, unit = on_one_scale([column.map for column in columns])
    largest = max([0.0, *(float(found.max(initial=0.0)) for found in values if found is not None)])
    scale = Scale(largest, dark=dark)
    per = max(1, min(len(columns), int((sheet.room + GAP) / (NARROWEST_COLUMN + GAP))))
    each = (sheet.room - GAP * (per - 1)) / per
    for start in range(0, len(columns), per):
        some = columns[start : start + per]
        heads = [_head(sheet, PAD + at * (each + GAP), y, each, column) for at, column in enumerate(some)]
        y = max(
            _body(sheet, PAD + at * (each + GAP), max(heads), each, column, found, scale, word)
            for at, (column, found) in enumerate(zip(some, values[start : start + per], strict=True))
        )
        y += 26
    sheet.rule(y)
    said = f"One scale for all: {unit}. Scores of two systems have no common unit; ranks do: 1 is first."
    y = sheet.paragraph(PAD, y + 22, said, sheet.room, 12) + 22
    states = {state for column in columns for state in column.states.values()}
    x = scale.draw(sheet, PAD, y, "the largest of any") + 18 if largest else PAD
    y = legend(sheet, x, y, marks_of(states, pair.boxes is not None))
    return sheet.drawing(y, title, description)


def on_one_scale(maps: Sequence[Map | None]) -> tuple[list[np.ndarray | None], str]:
    """[word region] or [region] values of each map, comparable, and what they are.

    Weights that are shares of a whole stay as they are, and so do cosines; of other maps, or where the two
    meet, each row becomes shares of the sum of its absolute values.
    """
    known = [found for found in maps if found is not None]
    cosines = all(found.scale == "cosine" for found in known)
    raw = cosines or all(found.scale in WEIGHTS for found in known)
    values = [
        None if found is None else found.values.T if found.kind == "region_to_word" else found.values
        for found in maps
    ]
    if raw:
        return values, f"{'cosines' if cosines else 'weights'} as they are"
    return [
        None if found is None else _shares(found) for found in values
    ], "shares of the sum of each row's absolute values"


def _shares(values: np.ndarray) -> np.ndarray:
    whole = np.abs(values).sum(axis=-1, keepdims=True)
    return values / np.where(whole, whole, 1.0)


def _telling(columns: Sequence[Column]) -> int | None:
    """The first word about which systems disagree, or else the first that is judged."""
    judged = sorted({word for column in columns for word in column.states})
    apart = [word for word in judged if {"hit", "miss"} <= {column.states.get(word) for column in columns}]
    checked = [word for word in judged if {column.states.get(word) for column in columns} & {"hit", "miss"}]
    if apart or checked:
        return (apart or checked)[0]
    rows = next((c.map.values for c in columns if c.map is not None and c.map.kind == "word_to_region"), None)
    return None if rows is None else int(rows.max(axis=1).argmax())


def _head(sheet: Sheet, x: float, y: float, room: float, column: Column) -> float:
    """Name, hits, score and ranks; returns where the picture may stand."""
    name = fitted(column.name, 13, room - measure(column.remark, 13) - 14, "sans", True)
    end = sheet.write(x, y + 13, name, 13, bold=True)
    sheet.muted(end + 12, y + 13, column.remark, 13)
    return sheet.facts(x, y + 34, dict(column.facts), room, 12.5) + 12


def _body(
    sheet: Sheet,
    x: float,
    y: float,
    room: float,
    column: Column,
    values: np.ndarray | None,
    scale: Scale,
    word: int | None,
) -> float:
    """The picture with one word's heat, what is strongest, and the verdict on each mention."""
    pair = column.explanation.pair
    heat = None
    if values is not None:
        heat = values if values.ndim == 1 else None if word is None else values[word]
    heat = None if heat is None else np.maximum(heat, 0)
    end = y
    if pair.image is not None or pair.boxes is not None:
        end = picture(sheet, x, y, room, pair, scale, heat, word=word)
    if heat is None:
        said = "no map of words and regions" if values is None else ""
    else:
        kind = (
            "" if column.map is None else f", {column.map.origin}{'' if column.map.exact else ', not exact'}"
        )
        said = f"strongest: region {int(heat.argmax())} ({short(float(heat.max()))}){kind}"
    end = sheet.paragraph(x, end + 20, said, room, 12.5) if said else end
    return _chips(sheet, x, end + 22, room, pair, column, word) if column.states else end


def _chips(
    sheet: Sheet, x: float, y: float, room: float, pair: Pair, column: Column, word: int | None
) -> float:
    """The mentions, each with its verdict."""
    mentions = () if pair.truth is None else pair.truth.mentions
    names = {max(mention.words): " ".join(pair.words[at] for at in mention.words) for mention in mentions}
    start = x
    for at, state in sorted(column.states.items()):
        text, chosen = fitted(names.get(at, pair.words[at]), 14, room - 24), at == word
        wide = measure(text, 14, "serif", chosen)
        if x > start and x + wide + 22 > start + room:
            x, y = start, y + 24
        sheet.write(x, y, text, 14, family="serif", bold=chosen)
        if at in column.explanation.unknown:
            dotted(sheet, x, y + 4, wide)
        sheet.badge(x + wide + 5, y - 11, 13, state)
        x += wide + 34
    return y
