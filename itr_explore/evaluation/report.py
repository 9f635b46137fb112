"""What was measured, as records that show themselves: tables in a terminal, in a notebook, as data frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from itr_explore.evaluation.intervals import Bootstrap
from itr_explore.records import (
    Cascade,
    Interval,
    Measured,
    Origin,
    Ranking,
    RemovalCurves,
    ShownAsTable,
    Table,
)

MEASURES = ("pointing", "precision", "recall", "F1", "energy")
MAP_OF: Mapping[Origin, str] = {
    "attention": "its attention",
    "attribution": "an exact split of the score",
    "derived": "derived: the score is not computed from it",
}
NATIVE: Final = "native"  # the model's own map, or what is derived from its insides


def recall_table(
    rankings: Mapping[str, Ranking | tuple[float, ...]], title: str = "Recall in per cent", note: str = ""
) -> Table:
    """One row a system: recall at 1, 5 and 10 both ways, and their sum.

    Args:
        rankings: by name; a published or otherwise known row may be given as its six recalls instead.
        title: over the table.
        note: below it.
    """
    rows = []
    for name, ranking in rankings.items():
        if isinstance(ranking, Ranking):
            recalls = [ranking.recall_at(k)[side] for side in (0, 1) for k in (1, 5, 10)]
        else:
            recalls = list(ranking)
        rows.append((name, *recalls, sum(recalls)))
    sides = ("image to text", "text to image")
    columns = ("system", *(f"{side} R@{k}" for side in sides for k in (1, 5, 10)), "rsum")
    return Table(columns, tuple(rows), title, note)


@dataclass(frozen=True)
class Grounding:
    """How well maps point at what words name, with controls and the proposals' ceiling."""

    model: str
    origin: Origin  # of the model's map, see `MAP_OF`
    rows: tuple[str, ...]  # the model, controls, the ceiling
    kinds: tuple[str, ...]  # of mentions, "all" first
    counts: tuple[int, ...]  # [kind] mentions that have a box
    values: np.ndarray  # [row kind measure]  per cent, see MEASURES
    ends: np.ndarray | None = None  # [2 row kind measure]  of the 95 per cent intervals; NaN: one image only
    method: str = NATIVE  # what made the maps: the model, or a method of `attribute`

    def __post_init__(self):
        wanted = (len(self.rows), len(self.kinds), len(MEASURES))
        if self.values.shape != wanted or len(self.counts) != len(self.kinds):
            raise ValueError(
                f"values must be [row kind measure] {list(wanted)}, got {list(self.values.shape)}"
            )
        if self.ends is not None and self.ends.shape != (2, *wanted):
            raise ValueError(f"ends must be [2 row kind measure] {[2, *wanted]}, got {list(self.ends.shape)}")

    @classmethod
    def of(
        cls,
        judged: Mapping[str, np.ndarray],
        kinds: np.ndarray,
        model: str,
        origin: Origin,
        images: np.ndarray | None = None,
        method: str = NATIVE,
    ) -> Grounding:
        """Mean over all mentions and over those of each kind, from `[mention measure]` for each row.

        With `images [mention]`, the image of each, there are intervals: of the bootstrap over images.
        """
        names = sorted(set(kinds.tolist()), key=lambda kind: (-int((kinds == kind).sum()), kind))
        chosen = [np.ones(len(kinds), dtype=bool), *(kinds == name for name in names)]
        values = [[100 * scores[among].mean(axis=0) for among in chosen] for scores in judged.values()]
        counts = tuple(int(among.sum()) for among in chosen)
        ends = None
        if images is not None:
            over = [Bootstrap.of(images[among]) for among in chosen]
            found = [
                [100 * again.mean(scores[among])[1:] for again, among in zip(over, chosen, strict=True)]
                for scores in judged.values()
            ]
            ends = np.moveaxis(np.array(found), 2, 0)
        kinds_told = ("all", *names)
        return cls(model, origin, tuple(judged), kinds_told, counts, np.array(values), ends, method)

    def pointing(self, row: str | None = None, kind: str = "all") -> float:
        """Pointing accuracy of a row, in per cent; by default the model's."""
        return float(self.values[self.rows.index(row or self.model), self.kinds.index(kind), 0])

    @property
    def share_of_ceiling(self) -> float:
        """The model's pointing accuracy in per cent of what the proposals allow."""
        return 100.0 * self.pointing() / self.pointing("ceiling")

    def interval(self, row: str | None = None, kind: str = "all", measure: str = "pointing") -> Interval:
        """A number and the ends of its interval, in per cent; by default the model's pointing accuracy."""
        place = self.rows.index(row or self.model), self.kinds.index(kind), MEASURES.index(measure)
        if self.ends is None:
            return Interval(float(self.values[place]))
        return Interval(*(float(number) for number in (self.values[place], *self.ends[:, *place])))

    def measured(self, kind: str = "all") -> Measured:
        """Its numbers for mentions of a kind, with their intervals, as `interval_dots` draws them."""
        at = self.kinds.index(kind)
        ends = np.full((2, *self.values.shape), np.nan) if self.ends is None else self.ends
        values = np.stack([self.values[:, at], *ends[:, :, at]], axis=-1)
        note = f"{self.counts[at]} mentions with a box"
        return Measured("per cent", self.rows, MEASURES, values, f"{self.model}: grounding, {kind}", note)

    def table(self) -> Table:
        """All measures over all mentions, a row for the model, each control and the ceiling."""
        columns, rows = (
            ["per cent", *MEASURES],
            [[row, *self.values[i, 0]] for i, row in enumerate(self.rows)],
        )
        if self.ends is not None:
            columns.insert(2, "95 %")
            for row in rows:
                row.insert(2, self.interval(str(row[0])).ends(1))
        its = MAP_OF[self.origin] if self.method == NATIVE else f"an attribution, by {self.method}"
        note = f"{self.counts[0]} mentions with a box; {self.model}'s map is {its}"
        if self.ends is not None:
            note += "; intervals of pointing, over images"
        return Table(tuple(columns), tuple(map(tuple, rows)), "Grounding", note)

    def by_kind(self) -> Table:
        """Pointing accuracy by kind of mention."""
        columns = tuple(f"{kind} ({count})" for kind, count in zip(self.kinds, self.counts, strict=True))
        rows = tuple((row, *self.values[i, :, 0].tolist()) for i, row in enumerate(self.rows))
        return Table(("per cent", *columns), rows, "Pointing accuracy by kind of mention (how many)")

    def __str__(self) -> str:
        return f"{self.table()}\n\n{self.by_kind()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_() + self.by_kind()._repr_html_()

    def to_frame(self):
        """Everything as a pandas `DataFrame`: one row for each row and kind."""
        import pandas as pd

        index = pd.MultiIndex.from_product([self.rows, self.kinds], names=["row", "kind"])
        found = pd.DataFrame(self.values.reshape(-1, len(MEASURES)), index, list(MEASURES))
        for end, values in zip(("low", "high"), () if self.ends is None else self.ends, strict=False):
            found[[f"{measure} {end}" for measure in MEASURES]] = values.reshape(-1, len(MEASURES))
        return found


@dataclass(frozen=True, repr=False)
class PairwiseChoice(ShownAsTable):
    """How often a right caption scores above a wrong one, by kind of item; ties count half."""

    rows: tuple[str, ...]  # who chose
    kinds: tuple[str, ...]  # "all" first
    counts: tuple[int, ...]  # [kind] items
    values: np.ndarray  # [row kind]  per cent; chance is 50
    title: str = "Right caption above the wrong one"

    def accuracy(self, row: str, kind: str = "all") -> float:
        """Per cent of items that a row got right."""
        return float(self.values[self.rows.index(row), self.kinds.index(kind)])

    def table(self) -> Table:
        """A row for each who chose, a column for each kind of item."""
        columns = tuple(f"{kind} ({count})" for kind, count in zip(self.kinds, self.counts, strict=True))
        rows = tuple((row, *self.values[i].tolist()) for i, row in enumerate(self.rows))
        return Table(("per cent", *columns), rows, self.title, "chance is 50")


class Measure(NamedTuple):
    """One number of a `Faithfulness`, and that of a map that knows nothing."""

    name: str
    side: str  # regions or words
    value: Interval
    random: Interval | None  # None: a map that knows nothing has no such number
    better: Literal["low", "high", "near 0"]


@dataclass(frozen=True, repr=False)
class Faithfulness(ShownAsTable):
    """Whether a method's maps say what a model goes by; `evaluation.faithfulness` says how to read it."""

    model: str
    method: str
    pairs: int
    images: int
    examined: int  # pairs that sensitivity and random weights were looked at on
    left_out: int  # pairs besides, of whose words the model knows none
    measures: tuple[Measure, ...]
    curves: tuple[RemovalCurves, ...]  # of each side that the method has a map of
    cascades: tuple[Cascade, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """What the method has a map of: regions, words or both."""
        return tuple(found.side for found in self.curves)

    def measure(self, name: str, side: str = "regions") -> Measure:
        """One of them (`KeyError` lists the names there are)."""
        for found in self.measures:
            if (found.name, found.side) == (name, side):
                return found
        there = [f"{found.name} ({found.side})" for found in self.measures]
        raise KeyError(f"no measure {name!r} of {side}; there is {', '.join(there)}")

    def table(self) -> Table:
        """A row for each measure of each side."""
        rows = tuple(
            (
                f"{found.side}: {found.name}",
                *_cells(found.value),
                *((None, None) if found.random is None else _cells(found.random)),
                found.better,
            )
            for found in self.measures
        )
        note = f"{self.pairs} pairs of {self.images} images; sensitivity and random weights: {self.examined}"
        if self.left_out:
            note += f"; left out: {self.left_out} pairs of whose words the model knows none"
        if len(self.sides) == 1:
            note += f"; {self.method} has no map over {'words' if self.sides[0] == 'regions' else 'regions'}"
        columns = ("", self.method, "95 %", "random", "95 % of random", "better")
        return Table(columns, rows, f"{self.model}: is {self.method} faithful?", note, 3)

    def to_frame(self):
        """A row for each side and measure of a pandas `DataFrame`, the ends of intervals as numbers."""
        import pandas as pd

        index = pd.MultiIndex.from_tuples(
            [(found.side, found.name) for found in self.measures], names=["side", "measure"]
        )
        nothing = Interval(float("nan"))
        rows = [(*found.value, *(found.random or nothing), found.better) for found in self.measures]
        columns = ["value", "low", "high", "random", "random low", "random high", "better"]
        return pd.DataFrame(rows, index, columns)


def _cells(found: Interval) -> tuple[float | None, str]:
    return (None if np.isnan(found.value) else found.value), found.ends()
