"""One pair as a still: its sentence with badges, its image with one word's heat, the matrix, the scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from itr_explore.records import Explanation, Map
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.fonts import measure
from itr_explore.viz.stills.colours import Scale
from itr_explore.viz.stills.legend import legend, marks_of
from itr_explore.viz.stills.matrix import matrix
from itr_explore.viz.stills.picture import picture
from itr_explore.viz.stills.sentence import sentence
from itr_explore.viz.stills.sheet import GAP, PAD, Sheet

ARROWS = {"word_to_region": "word → region", "region_to_word": "region → word", "per_region": "each region"}
BESIDE = 620  # pixels from which on the matrix stands beside the image


def pair_still(
    explanation: Explanation,
    found: Map | None,
    states: Mapping[int, str],
    *,
    remark: str = "",
    word: int | None = None,
    width: float = 1000,
    dark: bool = False,
    description: str = "",
) -> Drawing:
    """The drawing of one explanation.

    Args:
        explanation: what is drawn.
        found: the map that is drawn: of words and regions, or one value for each region; None draws the pair.
        states: `hit`, `miss`, `uncovered` or `ungrounded` after the words that carry a badge.
        remark: what stands beside the score, how many mentions are right, say.
        word: the word whose heat lies over the image; by default the first with a badge of hit or miss, else
            the one with the largest weight.
        width: of the drawing, in CSS pixels.
        dark: light marks on dark paper.
        description: the same in words, for those who do not see the picture.

    Raises:
        ValueError: the drawing would be too narrow.
    """
    sheet, pair = Sheet(width, dark), explanation.pair
    rows = word_rows(found)
    scale = None if found is None else Scale.of_map(found, dark)
    word = None if rows is None else first_word(rows, states) if word is None else word
    heat = rows[word] if rows is not None else found.values if found and found.kind == "per_region" else None
    y = _header(sheet, explanation, remark)
    y = sentence(sheet, y + 14, pair, states, word=word, unknown=explanation.unknown)
    pictured = pair.image is not None or pair.boxes is not None
    beside = pictured and rows is not None and sheet.room >= BESIDE
    left = sheet.room * 0.48 if beside else min(sheet.room, 640.0)
    ends = [y]
    if pictured:
        ends.append(picture(sheet, PAD, y, left, pair, scale, heat, word=word))
    x = PAD + left + GAP if beside else PAD
    top = y if beside else ends[-1] + (18 if pictured else 0)
    end = top - 18
    if rows is not None and scale is not None:
        tallest = max(ends[-1] - y, 260.0) if beside else 420.0
        right = None if pair.truth is None else pair.truth.word_regions
        size = sheet.right - x, tallest
        end = matrix(sheet, x, top, *size, pair, rows, pair.words, scale, chosen=word, right=right)
    said = _about(found, heat, None if word is None else pair.words[word])
    ends.append(sheet.paragraph(x, end + 22, said, min(sheet.right - x, 460), 12.5) + 6)
    y = max(ends) + 16
    sheet.rule(y)
    x = (
        PAD
        if heat is None or scale is None
        else scale.draw(sheet, PAD, y + 20, "the largest in this map") + 18
    )
    marks = [("dot", "the word’s largest")] if rows is not None else []
    marks += marks_of(set(states.values()), pair.boxes is not None)
    marks += [("unknown", "never seen by the model")] if explanation.unknown else []
    y = legend(sheet, x, y + 20, marks)
    return sheet.drawing(y, f"{explanation.model}: {pair.caption}", description)


def word_rows(found: Map | None) -> np.ndarray | None:
    """[word region] of a map of words and regions; None of any other."""
    if found is None or found.kind not in ("word_to_region", "region_to_word"):
        return None
    return found.values if found.kind == "word_to_region" else found.values.T


def first_word(rows: np.ndarray, states: Mapping[int, str]) -> int:
    """The word that is looked at first: one that is judged, or else the one with the largest weight."""
    judged = [word for word, state in sorted(states.items()) if state in ("hit", "miss")]
    return judged[0] if judged else int(np.argmax(rows.max(axis=1)))


def _header(sheet: Sheet, explanation: Explanation, remark: str) -> float:
    y = PAD + 12
    x = sheet.write(PAD, y, explanation.model, 14, bold=True)
    x = sheet.muted(x + 16, y, "score", 13)
    x = sheet.write(x + 4, y, f"{explanation.score:.3f}", 13, bold=True)
    if remark and x + 18 + measure(remark, 13) > sheet.right:
        x, y = PAD - 18, y + 20
    if remark:
        sheet.muted(x + 18, y, remark, 13)
    return y


def _about(found: Map | None, heat: np.ndarray | None, word: str | None) -> str:
    if found is None or heat is None:
        return "This model has no map of words and regions."
    whose = f" The image shows “{word}”." if word is not None else ""
    computed = "is" if found.exact else "is not"
    name = f", {found.name}" if found.name not in (found.kind, found.origin) else ""
    return (
        f"{ARROWS[found.kind]}, {found.origin}{name}; the score {computed} computed from these values.{whose}"
    )
