"""Numbers that show themselves: as text in a terminal, as HTML in a notebook, as data frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np

from itr_explore.records.checks import want


@dataclass(frozen=True)
class Table:
    """Rows of a small report: shows itself as text in a terminal and as HTML in a notebook."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]  # None: does not apply
    title: str = ""
    note: str = ""  # what a reader has to know besides
    digits: int = 1

    def __post_init__(self):
        for row in self.rows:
            want(len(row) == len(self.columns), f"a row of {len(self.columns)} cells is wanted, got {row}")

    def cells(self) -> list[list[str]]:
        """The head and the rows as they are shown."""

        def shown(value: str | float | None) -> str:
            if value is None:
                return ""
            return str(value) if isinstance(value, str | int) else f"{value:.{self.digits}f}"

        return [list(self.columns), *([shown(value) for value in row] for row in self.rows)]

    def __str__(self) -> str:
        cells = self.cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join([*([self.title] if self.title else []), *lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        head, *body = [[escape(cell) for cell in row] for row in self.cells()]
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{cell}</td>" if column else f'<th scope="row">{cell}</th>'
                for column, cell in enumerate(row)
            )
            + "</tr>"
            for row in body
        )
        columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"<table>{caption}<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>{note}"

    __repr__ = __str__

    def to_frame(self):
        """The same as a pandas `DataFrame`, its first column as index."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns)).set_index(self.columns[0])


class ShownAsTable(ABC):
    """Shows itself as its `table()`: as text in a terminal, as HTML in a notebook, as a data frame."""

    @abstractmethod
    def table(self) -> Table:
        """All of it."""

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def to_frame(self):
        """The table as a pandas `DataFrame`, its first column as index."""
        return self.table().to_frame()


class Interval(NamedTuple):
    """A number and where 95 per cent of its repetitions lie; NaN where that is not known."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    def ends(self, digits: int = 3) -> str:
        """Both ends as text, empty where they are not known."""
        return "" if np.isnan(self.low) else f"{self.low:.{digits}f} to {self.high:.{digits}f}"


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
