"""Numbers with intervals, in rows and columns: what most measurements amount to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.evaluation.intervals import Interval
from itr_explore.records import ShownAsTable, Table


@dataclass(frozen=True, repr=False)
class Measured(ShownAsTable):
    """One number with its 95 per cent interval for each row and column."""

    unit: str  # of all numbers: "per cent", say
    rows: tuple[str, ...]  # who was measured: the model, controls, a ceiling
    columns: tuple[str, ...]
    values: np.ndarray  # [row column 3]  the number, and the ends of its interval (NaN: not known)
    title: str = ""
    note: str = ""
    digits: int = 1

    def __post_init__(self):
        wanted = (len(self.rows), len(self.columns), 3)
        if self.values.shape != wanted:
            raise ValueError(f"values must be [row column 3] {list(wanted)}, got {list(self.values.shape)}")

    def value(self, row: str, column: str) -> Interval:
        """One of the numbers; `KeyError` says what there is."""
        for name, there in ((row, self.rows), (column, self.columns)):
            if name not in there:
                raise KeyError(f"there is no {name!r}; there is {', '.join(there)}")
        return Interval(*self.values[self.rows.index(row), self.columns.index(column)].tolist())

    def table(self) -> Table:
        """Each number with its interval."""
        rows = tuple(
            (row, *(self._cell(*cell) for cell in cells))
            for row, cells in zip(self.rows, self.values.tolist(), strict=True)
        )
        note = "; ".join(part for part in (self.note, "in brackets 95 % over images") if part)
        return Table((self.unit, *self.columns), rows, self.title, note)

    def to_frame(self):
        """A pandas `DataFrame` of numbers: a row for each row and column."""
        import pandas as pd

        index = pd.MultiIndex.from_product([self.rows, self.columns], names=["row", "column"])
        return pd.DataFrame(self.values.reshape(-1, 3), index, ["value", "low", "high"])

    def _cell(self, value: float, low: float, high: float) -> str:
        if np.isnan(value):
            return ""
        ends = "" if np.isnan(low) else f" ({low:.{self.digits}f} to {high:.{self.digits}f})"
        return f"{value:.{self.digits}f}{ends}"
