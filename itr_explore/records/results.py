"""What whole collections were measured to give, and the news from training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from itr_explore.records.checks import want_shape
from itr_explore.records.tables import Measured, ShownAsTable, Table


@dataclass(frozen=True, repr=False)
class Ranking(ShownAsTable):
    """Ranks of the right answers, from 0, in both directions; NaN where a query has no right answer.

    `ties` says where a right answer stands among wrong ones of the same score: in their `mean`, behind all
    of them (`pessimistic`) or before them (`optimistic`). Under `mean` a rank can be fractional; a right
    answer counts as among the first k only if its mean rank is at most k - 1, so that equal scores are never
    rewarded.
    """

    image_to_text: np.ndarray  # [image]  rank of its best caption
    text_to_image: np.ndarray  # [caption]  rank of its best image
    ties: str = "mean"
    folds: int = 1  # each query was ranked among the candidates of its own block of images

    def _answered(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(ranks[~np.isnan(ranks)] for ranks in (self.image_to_text, self.text_to_image))  # type: ignore[return-value]

    def recall_at(self, k: int) -> tuple[float, float]:
        """Per cent of queries whose right answer is among the first k: image to text, text to image."""
        return tuple(100.0 * float(np.mean(ranks <= k - 1)) for ranks in self._answered())  # type: ignore[return-value]

    @property
    def rsum(self) -> float:
        """Sum of the six recalls at 1, 5 and 10; at most 600."""
        return sum(sum(self.recall_at(k)) for k in (1, 5, 10))

    @property
    def median_rank(self) -> tuple[float, float]:
        """Median rank of the right answer, counted from 1: image to text, text to image."""
        return tuple(1.0 + float(np.median(ranks)) for ranks in self._answered())  # type: ignore[return-value]

    @property
    def mean_rank(self) -> tuple[float, float]:
        """Mean rank of the right answer, counted from 1: image to text, text to image."""
        return tuple(1.0 + float(np.mean(ranks)) for ranks in self._answered())  # type: ignore[return-value]

    def table(self) -> Table:
        """Recalls in per cent, median and mean rank from 1; a row for each direction."""
        columns = (*(self.recall_at(k) for k in (1, 5, 10)), self.median_rank, self.mean_rank)
        note = f"rsum {self.rsum:.1f}; ties: {self.ties}"
        if self.folds > 1:
            note += f"; over {self.folds} blocks of images"
        return Table(
            ("query", "R@1", "R@5", "R@10", "median rank", "mean rank"),
            tuple(
                (name, *(values[side] for values in columns))
                for side, name in enumerate(("image to text", "text to image"))
            ),
            note=note,
        )


@dataclass(frozen=True, repr=False)
class RemovalCurves(ShownAsTable):
    """A mean score while parts are taken away, or brought back, in the order of a map and in random orders.

    Scores are counted from that of a pair of which all parts were taken away, in units of the score's range
    (`evaluation.faithfulness`). The three numbers of a point are the mean and the ends of its 95 per cent
    interval; those of `random` hold 95 per cent of the means of one random order.
    """

    model: str
    method: str
    side: str  # regions or words
    share: np.ndarray  # [point]  of the parts, from 0 to 1
    deletion: np.ndarray  # [point 3]  this share was taken away, the most important first
    insertion: np.ndarray  # [point 3]  this share was brought back, the most important first
    random: np.ndarray  # [point 3]  this share was taken away, in a random order

    def __post_init__(self):
        for name in ("deletion", "insertion", "random"):
            want_shape(name, getattr(self, name), (len(self.share), 3))

    @property
    def measured(self) -> Measured:
        """The same as numbers with intervals: a row for each share."""
        return Measured(
            "share of its parts",
            tuple(f"{share:.0%}" for share in self.share),
            ("deletion", "insertion", "random"),
            np.stack([self.deletion, self.insertion, self.random], axis=1),
            f"{self.model}, {self.method}: score while {self.side} go or come",
            "random: taken away in a random order, 95 % of such orders",
            digits=3,
        )

    def table(self) -> Table:
        """A row for each share."""
        return self.measured.table()

    def to_frame(self):
        """A row for each share and curve of a pandas `DataFrame`: its value and the ends of its interval."""
        return self.measured.to_frame()


@dataclass(frozen=True, repr=False)
class Cascade(ShownAsTable):
    """How like the trained model's maps those of a model are that forgets, from its output to its input."""

    model: str
    method: str
    side: str  # regions or words
    stages: tuple[tuple[str, ...], ...]  # the modules that were made random at each, besides those before
    correlation: np.ndarray  # [stage 3]  mean rank correlation with the trained model's maps, its interval
    random: np.ndarray  # [3]  that of maps whose values were dealt out at random

    def __post_init__(self):
        want_shape("correlation", self.correlation, (len(self.stages), 3))
        want_shape("random", self.random, (3,))

    @property
    def measured(self) -> Measured:
        """The same as numbers with intervals: a row for each stage, and one for values dealt at random."""
        stages = tuple(
            f"{number}: {stage[0] or 'its own weights'}"
            + (f" and {len(stage) - 1} more" if stage[1:] else "")
            for number, stage in enumerate(self.stages, start=1)
        )
        return Measured(
            "made random",
            (*stages, "dealt at random"),
            ("rank correlation",),
            np.concatenate([self.correlation, self.random[None]])[:, None],
            f"{self.model}, {self.method}: maps over {self.side} while the model forgets",
            "each stage besides those before",
            digits=3,
        )

    def table(self) -> Table:
        """A row for each stage."""
        return self.measured.table()

    def to_frame(self):
        """A row for each stage of a pandas `DataFrame`: the value and the ends of its interval."""
        return self.measured.to_frame()


@dataclass(frozen=True)
class Progress:
    """One step of news from training."""

    step: int
    epoch: float
    losses: dict[str, float]
    learning_rate: float
    validation: Ranking | None = None  # only where this step ended with a validation
    best: bool = False  # this validation is the best so far
    epochs: int = 0  # of the whole run
    note: str = ""  # a sentence worth telling: resumed, interrupted, already finished


@dataclass(frozen=True, repr=False)
class History(ShownAsTable, Sequence[Progress]):
    """All news of a training run, in order; shows itself as a table of its validations."""

    steps: tuple[Progress, ...]

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, at: int) -> Progress: ...
    @overload
    def __getitem__(self, at: slice) -> History: ...
    def __getitem__(self, at: int | slice) -> Progress | History:
        return History(self.steps[at]) if isinstance(at, slice) else self.steps[at]

    def __iter__(self) -> Iterator[Progress]:
        return iter(self.steps)

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the terms of the loss, in the order they came up."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.losses))

    @property
    def best(self) -> Progress | None:
        """The step with the best validation; None before the first one."""
        return next((step for step in reversed(self.steps) if step.best), None)

    def table(self) -> Table:
        """A row for each validation: recall at 1 both ways, rsum, and which was the best."""
        best = self.best
        rows = tuple(
            (f"{step.epoch:g}", step.step, *step.validation.recall_at(1), step.validation.rsum, said)
            for step in self.steps
            if step.validation is not None
            for said in ("best" if step is best else "",)
        )
        note = f"{len(self.steps)} steps" + ("" if rows else ", no validation yet")
        columns = ("epoch", "step", "image to text R@1", "text to image R@1", "rsum", "which")
        return Table(columns, rows, note=note)

    def to_frame(self):
        """A pandas `DataFrame` with a row for each step; NaN where it has no such number."""
        import pandas as pd

        nan = float("nan")
        rows = [
            {
                "step": step.step,
                "epoch": step.epoch,
                "learning_rate": step.learning_rate,
                **{f"loss {name}": step.losses.get(name, nan) for name in self.terms},
                **dict(zip(RECALLS, _recalls(step.validation), strict=True)),
                "best": step.best,
                "note": step.note,
            }
            for step in self.steps
        ]
        return pd.DataFrame(rows).set_index("step") if rows else pd.DataFrame(rows)


RECALLS = (*(f"{side} R@{k}" for side in ("i2t", "t2i") for k in (1, 5, 10)), "rsum")


def _recalls(ranking: Ranking | None) -> tuple[float, ...]:
    if ranking is None:
        return (float("nan"),) * len(RECALLS)
    at = [ranking.recall_at(k) for k in (1, 5, 10)]
    return (*(recall[0] for recall in at), *(recall[1] for recall in at), ranking.rsum)
