"""Do two ways to grade the same items put them in the same order? Spearman's and Kendall's answers.

Both are computed from how often each value of one goes with each value of the other, so that an item may
count several times (a bootstrap) or a part of once, and equal values are known to be equal.
"""

from __future__ import annotations

import numpy as np


class Crossed:
    """Two gradings [item] of the same items; at least one should have few values.

    Args:
        one: numbers.
        other: numbers.

    Raises:
        ValueError: they have other lengths, or are empty.
    """

    def __init__(self, one: np.ndarray, other: np.ndarray):
        if one.shape != other.shape or one.ndim != 1 or not len(one):
            raise ValueError(f"wanted two gradings of the same items, got {one.shape} and {other.shape}")
        rows, columns = (np.unique(values, return_inverse=True)[1] for values in (one, other))
        if columns.max() > rows.max():
            rows, columns = columns, rows
        self.cell, self.shape = rows * (columns.max() + 1) + columns, (rows.max() + 1, columns.max() + 1)

    def _table(self, weights: np.ndarray | None) -> np.ndarray:
        """[value other_value] how often both occur together."""
        size = self.shape[0] * self.shape[1]
        return np.bincount(self.cell, weights, minlength=size).reshape(self.shape).astype(float)

    def spearman(self, weights: np.ndarray | None = None) -> float:
        """The correlation of ranks, equal values sharing theirs; NaN where all are equal."""
        table = self._table(weights)
        total = table.sum()
        margins = table.sum(axis=1), table.sum(axis=0)
        ranks = [margin.cumsum() - margin / 2 - total / 2 for margin in margins]
        both = ranks[0] @ table @ ranks[1]
        squares = (ranks[0] ** 2 @ margins[0]) * (ranks[1] ** 2 @ margins[1])
        return float(both / squares**0.5) if squares > 0 else float("nan")

    def kendall(self, weights: np.ndarray | None = None) -> float:
        """Tau-b: pairs in the same order minus those in opposite order, over those that are not tied."""
        table = self._table(weights)
        lower = table.cumsum(axis=0) - table  # of smaller first value, by second value
        below = lower.cumsum(axis=1) - lower
        above = lower.sum(axis=1, keepdims=True) - below - lower
        agree = (table * (below - above)).sum()
        pairs = _pairs(table.sum())
        free = [pairs - _pairs(table.sum(axis=axis)).sum() for axis in (0, 1)]
        return float(agree / (free[0] * free[1]) ** 0.5) if min(free) > 0 else float("nan")


def _pairs(count):
    return count * (count - 1) / 2
