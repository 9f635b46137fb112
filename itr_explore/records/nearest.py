"""What an index of vectors found, and how much of the truth a coarse stage keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.records.checks import want, want_shape
from itr_explore.records.found import Side
from itr_explore.records.tables import ShownAsTable, Table


@dataclass(frozen=True)
class Nearest:
    """The items of the largest inner products with each query, best first; equal ones in any order.

    Where fewer than k items could be found, id -1 and score NaN fill the row.
    """

    ids: np.ndarray  # [query k]
    scores: np.ndarray  # [query k]  inner products, as exact as the index keeps vectors

    def __post_init__(self):
        want(self.ids.ndim == 2, f"ids must be [query k], got {list(self.ids.shape)}")
        want_shape("scores", self.scores, self.ids.shape)

    def __len__(self) -> int:
        return len(self.ids)

    def recall(self, exact: Nearest) -> float:
        """The share of the exact answers' ids that are among these, over all queries."""
        found = [np.isin(true[true >= 0], own) for own, true in zip(self.ids, exact.ids, strict=True)]
        return float(np.concatenate(found).mean()) if found else float("nan")

    def to_frame(self):
        """A row for each result of a pandas `DataFrame`; ranks from 1."""
        import pandas as pd

        query, rank = np.indices(self.ids.shape)
        frame = pd.DataFrame(
            {
                "query": query.ravel(),
                "rank": rank.ravel() + 1,
                "id": self.ids.ravel(),
                "score": self.scores.ravel(),
            }
        )
        return frame[frame["id"] >= 0].set_index(["query", "rank"])


@dataclass(frozen=True, repr=False)
class CoarseRecall(ShownAsTable):
    """How much of the first answers a coarse stage keeps among its candidates, by how many it may keep."""

    model: str
    collection: str
    side: Side
    coarse: str  # what the coarse stage is
    k: int
    candidates: tuple[int, ...]
    first_k: tuple[float, ...]  # per cent of the first k by the model's own score that are among so many
    right: tuple[float | None, ...]  # per cent of queries with a right answer among so many
    queries: int
    of: int

    def __post_init__(self):
        want(len(self.first_k) == len(self.right) == len(self.candidates), "one value for each candidates")

    def table(self) -> Table:
        """A row for each number of candidates."""
        rows = tuple(zip(map(str, self.candidates), self.first_k, self.right, strict=True))
        columns = ("candidates", f"of the first {self.k}, %", "queries with a right one, %")
        note = f"{self.queries} queries among {self.of:,} {self.side}; coarse stage: {self.coarse}"
        return Table(columns, rows, f"{self.model}, {self.side} of {self.collection}", note, 1)

    def to_frame(self):
        """A row for each number of candidates of a pandas `DataFrame`."""
        import pandas as pd

        columns = {"candidates": self.candidates, "first_k": self.first_k, "right": self.right}
        return pd.DataFrame(columns).set_index("candidates")
