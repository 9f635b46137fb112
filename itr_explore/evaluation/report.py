"""What was measured, as records that show themselves: tables in a terminal, in a notebook, as data frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from itr_explore.records import Origin, Ranking, ShownAsTable, Table

MEASURES = ("pointing", "precision", "recall", "F1")
MAP_OF: Mapping[Origin, str] = {
    "attention": "its attention",
    "attribution": "an exact split of the score",
    "derived": "derived: the score is not computed from it",
}


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

    def __post_init__(self):
        wanted = (len(self.rows), len(self.kinds), len(MEASURES))
        if self.values.shape != wanted or len(self.counts) != len(self.kinds):
            raise ValueError(
                f"values must be [row kind measure] {list(wanted)}, got {list(self.values.shape)}"
            )

    @classmethod
    def of(cls, judged: Mapping[str, np.ndarray], kinds: np.ndarray, model: str, origin: Origin) -> Grounding:
        """Mean over all mentions and over those of each kind, from `[mention measure]` for each row."""
        names = sorted(set(kinds.tolist()), key=lambda kind: (-int((kinds == kind).sum()), kind))
        chosen = [np.ones(len(kinds), dtype=bool), *(kinds == name for name in names)]
        values = [[100 * scores[among].mean(axis=0) for among in chosen] for scores in judged.values()]
        counts = tuple(int(among.sum()) for among in chosen)
        return cls(model, origin, tuple(judged), ("all", *names), counts, np.array(values))

    def pointing(self, row: str | None = None, kind: str = "all") -> float:
        """Pointing accuracy of a row, in per cent; by default the model's."""
        return float(self.values[self.rows.index(row or self.model), self.kinds.index(kind), 0])

    @property
    def share_of_ceiling(self) -> float:
        """The model's pointing accuracy in per cent of what the proposals allow."""
        return 100.0 * self.pointing() / self.pointing("ceiling")

    def table(self) -> Table:
        """All measures over all mentions, a row for the model, each control and the ceiling."""
        rows = tuple((row, *self.values[i, 0].tolist()) for i, row in enumerate(self.rows))
        note = f"{self.counts[0]} mentions with a box; {self.model}'s map is {MAP_OF[self.origin]}"
        return Table(("per cent", *MEASURES), rows, "Grounding", note)

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
        return pd.DataFrame(self.values.reshape(-1, len(MEASURES)), index, list(MEASURES))


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
