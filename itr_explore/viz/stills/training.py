"""A run of training as a still: where it stands, its curves, and one pair's map epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from itr_explore.records import Explanation, Map
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.chart import Series, chart, plain
from itr_explore.viz.stills.colours import Scale
from itr_explore.viz.stills.legend import legend, marks_of
from itr_explore.viz.stills.matrix import matrix
from itr_explore.viz.stills.pair import first_word, word_rows
from itr_explore.viz.stills.picture import picture
from itr_explore.viz.stills.sentence import sentence
from itr_explore.viz.stills.sheet import GAP, PAD, Sheet, short

BESIDE = 620  # pixels from which on two things stand side by side
MOST_EPOCHS = 16  # rows of the probe's matrix
PLOT = 150.0  # height of a chart's lines


def training_still(
    model: str,
    facts: Mapping[str, str],
    about: Sequence[str],
    losses: Sequence[Series],
    recalls: Sequence[Series],
    epochs: float,
    probe: Mapping[float, tuple[Explanation, Map | None]],
    states: Mapping[int, str],
    *,
    word: int | None = None,
    width: float = 1000,
    dark: bool = False,
    title: str = "",
    description: str = "",
) -> Drawing:
    """The drawing of a run.

    Args:
        facts: where the run stands, by names.
        about: what it is trained on, how it ended: a paragraph each.
        losses, recalls: curves over epochs.
        epochs: where the curves will end.
        probe: what the model says of one pair, and its map, by epochs; may be empty.
        states: what badge stands after a word of the pair, by the last map.
        word: of the pair, whose weights are shown; by default as in `pair_still`.

    Raises:
        ValueError: the drawing would be too narrow.
    """
    sheet = Sheet(width, dark)
    y = PAD + 12
    x = sheet.write(PAD, y, model, 14, bold=True) + 18
    narrow = sheet.right - x < 300
    x, y = (PAD, y + 22) if narrow else (x, y)
    y = sheet.facts(x, y, dict(facts), sheet.right - x)
    for text in filter(None, about):
        y = sheet.paragraph(PAD, y + 22, text, sheet.room, 12.5)
    beside = sheet.room >= BESIDE
    each = (sheet.room - GAP) / 2 if beside else sheet.room
    y += 22
    end = chart(sheet, PAD, y, each, PLOT, "Loss", losses, end=epochs)
    second = (PAD + each + GAP, y) if beside else (PAD, end + 16)
    end = max(
        end, chart(sheet, *second, each, PLOT, "Recall at 1 on validation", recalls, end=epochs, unit=" %")
    )
    marks = [("best", "the best validation: its weights are kept")]
    ringed = any(line.ring in line.x for line in recalls)
    y = legend(sheet, PAD, end + 16, marks) if ringed else end
    if probe:
        sheet.rule(y + 18)
        y = _probe(sheet, y + 38, probe, states, word)
    return sheet.drawing(y, title, description)


def _probe(
    sheet: Sheet,
    y: float,
    probe: Mapping[float, tuple[Explanation, Map | None]],
    states: Mapping[int, str],
    word: int | None,
) -> float:
    """The pair after the last epoch, and one word's weights after each; returns the last baseline."""
    newest = max(probe)
    explanation, found = probe[newest]
    pair, rows = explanation.pair, word_rows(found)
    x = sheet.write(
        PAD,
        y,
        f"One pair after epoch {plain(newest)}" if newest else "One pair before training",
        13,
        bold=True,
    )
    sheet.facts(x + 16, y, {"score": short(explanation.score)}, sheet.right - x - 16)
    if rows is not None and word is None:
        word = first_word(rows, states)
    y = sentence(sheet, y + 8, pair, states, word=word, unknown=explanation.unknown)
    epochs = _some(sorted(epoch for epoch, (_, one) in probe.items() if word_rows(one) is not None))
    if rows is None or word is None or not epochs:
        end = (
            picture(sheet, PAD, y, min(sheet.room, 460), pair) if pair.image or pair.boxes is not None else y
        )
        return sheet.paragraph(PAD, end + 22, "This model has no map of words and regions.", sheet.room, 12.5)
    values = np.stack([word_rows(probe[epoch][1])[word] for epoch in epochs])  # type: ignore[index]
    scale = Scale.of(values, sheet.dark)
    beside = sheet.room >= BESIDE
    left = sheet.room * 0.42 if beside else min(sheet.room, 460.0)
    end = y
    if pair.image is not None or pair.boxes is not None:
        end = picture(sheet, PAD, y, left, pair, scale, rows[word], word=word)
    x, top = (PAD + left + GAP, y) if beside else (PAD, end + 18)
    says = f"“{pair.words[word]}”: its weights, a row for each epoch"
    top = sheet.paragraph(x, top + 12, says, sheet.right - x, 12.5) + 12
    names = [plain(epoch) if epoch else "start" for epoch in epochs]
    right = None
    if pair.truth is not None:
        right = np.repeat(pair.truth.word_regions[[word]], len(epochs), axis=0)
    size = sheet.right - x, max(end - top, 200.0) if beside else 420.0
    look = {"right": right, "chosen": len(epochs) - 1}
    end = max(end, matrix(sheet, x, top, *size, pair, values, names, scale, family="sans", **look))  # type: ignore[arg-type]
    sheet.rule(end + 18)
    x = scale.draw(sheet, PAD, end + 38, "the largest of all epochs") + 18
    marks = [("dot", "the strongest region"), *marks_of(set(states.values()), pair.boxes is not None)]
    return legend(sheet, x, end + 38, marks)


def _some(epochs: list[float]) -> list[float]:
    """The first, the last, and some between, evenly."""
    if len(epochs) <= MOST_EPOCHS:
        return epochs
    return [epochs[round(at)] for at in np.linspace(0, len(epochs) - 1, MOST_EPOCHS)]
