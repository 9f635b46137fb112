"""What a search found, and how the queries of a collection fared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from itr_explore.records.checks import want, want_shape
from itr_explore.records.tables import ShownAsTable, Table

Side = Literal["images", "captions"]


@dataclass(frozen=True, repr=False)
class Found(ShownAsTable):
    """The first results of one query, best first, and where the right answers stand.

    Ranks count from 0 in the whole gallery, also where only some of it was asked for, but not where an index
    was asked (`among_some`); equal scores stand in the order of the collection. After two stages only the
    candidates have scores of the model: they stand before all others, which keep their coarse order. An index
    brings only the first few: ranks count among what it brings, and where only some was asked for, among this
    alone; right answers it does not bring are `beyond`.
    """

    query: str  # the sentence, or the image's name
    side: Side  # what was searched
    model: str
    collection: str
    rows: np.ndarray  # [result]  of the collection's images or captions
    ranks: np.ndarray  # [result]
    scores: np.ndarray  # [result]
    margins: np.ndarray  # [result]  how far above the next in the whole ranking; NaN where nothing follows
    right: np.ndarray  # [result]  bool; all False where no right answer is known
    names: tuple[str, ...]  # captions, or the images' names
    right_rows: np.ndarray  # [answer]  all right answers, known from the collection; best first
    right_ranks: np.ndarray  # [answer]
    of: int  # so many stood to choose from
    scored: int  # so many of them by the model's own score
    spread: tuple[float, float, float]  # least, mean and largest of these scores
    seconds: dict[str, float]  # by stage
    unknown: tuple[str, ...] = ()  # words of the query that the model has never seen
    index: str = ""  # the index that was asked, in words; empty where all of it stands in memory
    beyond: tuple[int, ...] = ()  # rows of right answers that have no rank, as the index did not bring them
    among_some: bool = (
        False  # only some were asked for, and ranks count among these, not in the whole gallery
    )

    def __post_init__(self):
        for name in ("rows", "ranks", "scores", "margins", "right"):
            want_shape(name, getattr(self, name), (len(self.names),))
        want_shape("right_ranks", self.right_ranks, (len(self.right_rows),))
        want(self.scored <= self.of, f"{self.scored} were scored of only {self.of}")

    @property
    def exact(self) -> bool:
        """Everything was scored by the model itself."""
        return self.scored == self.of

    @property
    def known(self) -> bool:
        """Whether any right answer is known."""
        return bool(len(self.right_rows) or self.beyond)

    @property
    def took(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())

    @property
    def stages(self) -> str:
        """How it was found, in words."""
        if self.exact:
            return f"all {self.of:,} {self.side} scored"
        if self.index and "re-rank" not in self.seconds:
            return f"the first {self.scored:,} of {self.of:,} {self.side} by an index ({self.index})"
        if self.index:
            return f"{self.scored:,} of {self.of:,} {self.side} re-ranked, brought by an index ({self.index})"
        return (
            f"{self.scored:,} of {self.of:,} {self.side} re-ranked after a coarse ranking by one vector each"
        )

    def to_frame(self):
        """A row for each result of a pandas `DataFrame`; ranks from 1."""
        import pandas as pd

        return pd.DataFrame(
            {
                "rank": self.ranks + 1,
                "row": self.rows,
                "score": self.scores,
                "margin": self.margins,
                "right": self.right,
                "name": self.names,
            }
        ).set_index("rank")

    def table(self) -> Table:
        """The results; the note says how they were found and where the right answers stand."""
        columns = zip(
            self.ranks.tolist(),
            self.names,
            self.scores.tolist(),
            self.margins.tolist(),
            self.right,
            strict=True,
        )
        rows = tuple(
            (str(rank + 1), name, score, None if np.isnan(margin) else margin, "right" if right else "")
            for rank, name, score, margin, right in columns
        )
        told = [self.stages, f"{1000 * self.took:.0f} ms"]
        if len(self.right_ranks):
            at = ", ".join(str(rank + 1) for rank in self.right_ranks[:5].tolist())
            more = f" and {len(self.right_ranks) - 5} more" if len(self.right_ranks) > 5 else ""
            told.append(f"right at rank {at}{more}")
        if self.among_some:
            told.append("ranks among those that were asked for")
        if self.beyond:
            told.append(f"{len(self.beyond)} right ones not among what the index brought")
        if self.unknown:
            told.append(f"never seen by the model: {', '.join(self.unknown)}")
        title = f"{self.model}, {self.side} of {self.collection} for {self.query!r}"
        return Table(("rank", self.side[:-1], "score", "margin", ""), rows, title, "; ".join(told), 3)


@dataclass(frozen=True, repr=False)
class QueryRanks(ShownAsTable):
    """How queries fared one by one: rank and margin of the right answer, and what stood highest of the wrong.

    The margin is the best right score minus the best wrong one: below 0 where the query failed.
    """

    model: str
    collection: str
    side: Side  # what was searched
    queries: np.ndarray  # [query]  rows of captions where images were searched, else of images
    names: tuple[str, ...]  # [query]  the captions, or the images' names
    ranks: np.ndarray  # [query]  of the best right answer, from 0; ties by half
    right: np.ndarray  # [query]  row of the best right answer
    wrong: np.ndarray  # [query]  row of the best wrong one
    right_scores: np.ndarray  # [query]
    wrong_scores: np.ndarray  # [query]
    of: int  # queries that the collection has

    def __post_init__(self):
        for name in ("queries", "ranks", "right", "wrong", "right_scores", "wrong_scores"):
            want_shape(name, getattr(self, name), (len(self.names),))

    @property
    def margins(self) -> np.ndarray:
        """[query] the best right score minus the best wrong one."""
        return self.right_scores - self.wrong_scores

    def worst(self, count: int = 20, by: Literal["rank", "margin"] = "rank") -> QueryRanks:
        """The queries with the largest ranks, or the smallest margins; the worst first."""
        if by not in ("rank", "margin"):
            raise ValueError(f"queries are ordered by rank or margin, got {by!r}")
        keys = (self.margins, -self.ranks) if by == "rank" else (-self.ranks, self.margins)
        return self._at(np.lexsort(keys)[:count])

    def table(self) -> Table:
        """A row for each query; ranks from 1."""
        rows = tuple(
            (name, f"{1 + rank:g}", margin, right)
            for name, rank, margin, right in zip(
                self.names,
                self.ranks.tolist(),
                self.margins.tolist(),
                self.right_scores.tolist(),
                strict=True,
            )
        )
        what = "caption" if self.side == "images" else "image"
        asked = f"{len(self.names):,} of {self.of:,} {what}s as queries"
        note = f"{asked}; margin: best right minus best wrong score"
        title = f"{self.model}: {self.side} of {self.collection}"
        return Table((what, "rank", "margin", "right score"), rows, title, note, 3)

    def to_frame(self):
        """A row for each query of a pandas `DataFrame`; ranks from 1."""
        import pandas as pd

        return pd.DataFrame(
            {
                "query": self.queries,
                "rank": 1 + self.ranks,
                "margin": self.margins,
                "right": self.right,
                "wrong": self.wrong,
                "right score": self.right_scores,
                "wrong score": self.wrong_scores,
                "name": self.names,
            }
        ).set_index("query")

    def _at(self, places: np.ndarray) -> QueryRanks:
        arrays = ("queries", "ranks", "right", "wrong", "right_scores", "wrong_scores")
        cut = {name: getattr(self, name)[places] for name in arrays}
        return replace(self, names=tuple(self.names[place] for place in places.tolist()), **cut)
