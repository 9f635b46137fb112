"""What became of scores and ranks when something was changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.records.checks import want_shape
from itr_explore.records.pairs import Pair
from itr_explore.records.tables import ShownAsTable, Table


@dataclass(frozen=True)
class Change:
    """A number before and after an intervention, and after each draw of the same done to other things."""

    before: float
    after: float
    controls: np.ndarray  # [draw]

    def __post_init__(self):
        want_shape("controls", self.controls, ("draw",))

    @property
    def by(self) -> float:
        """What the intervention did."""
        return self.after - self.before

    @property
    def by_controls(self) -> np.ndarray:
        """[draw] what the controls did."""
        return self.controls - self.before

    @property
    def control_mean(self) -> float:
        """What a control did on average; NaN without controls."""
        return float(self.by_controls.mean()) if len(self.controls) else float("nan")

    @property
    def control_range(self) -> tuple[float, float]:
        """Between which 95 per cent of the controls' changes lie; NaN without controls."""
        if not len(self.controls):
            return float("nan"), float("nan")
        low, high = np.percentile(self.by_controls, (2.5, 97.5))
        return float(low), float(high)

    @property
    def as_large(self) -> float:
        """How likely a thing drawn at random does at least as much: (1 + so many controls) / (1 + all)."""
        larger = int((np.abs(self.by_controls) >= abs(self.by)).sum())
        return (1 + larger) / (1 + len(self.controls))


@dataclass(frozen=True, repr=False)
class Intervention(ShownAsTable):
    """What became of a pair's score, and of its ranks in a gallery, when something was changed.

    `caption_rank` is that of the caption for the image, among it and the captions of all other images;
    `image_rank` that of the image for the caption. Ranks count from 0, ties by half.
    """

    pair: Pair
    changed: Pair  # as it was after its regions and words were edited
    model: str
    edits: tuple[str, ...]  # in words
    controls: tuple[str, ...]  # [draw] what was done instead
    like: str  # what a control is: "another region"
    score: Change
    caption_rank: Change | None = None
    image_rank: Change | None = None
    gallery: str = ""
    unknown: tuple[str, ...] = ()  # words of the edited caption that the model has never seen

    def __post_init__(self):
        for change in self.changes.values():
            want_shape("controls of a change", change.controls, (len(self.controls),))

    @property
    def changes(self) -> dict[str, Change]:
        """What was measured, by name."""
        found = {
            "score": self.score,
            "rank of the caption": self.caption_rank,
            "rank of the image": self.image_rank,
        }
        return {name: change for name, change in found.items() if change is not None}

    @property
    def what(self) -> str:
        """The edits as one text."""
        return "; ".join(self.edits)

    def table(self) -> Table:
        """A row for the score and for each rank (from 1); the controls' changes beside the edits'."""
        rows = []
        for name, change in self.changes.items():
            first, digits = (0, 4) if name == "score" else (1, 1)
            known = (first + change.before, first + change.after, change.by)
            shown = [f"{number:.{digits}f}" for number in known]
            seen: tuple[str | float | None, ...] = (None, None, None)
            if self.controls:
                mean, low, high = (f"{n:.{digits}f}" for n in (change.control_mean, *change.control_range))
                seen = (mean, f"{low} to {high}", change.as_large)
            rows.append((name, *shown, *seen))
        columns = ("", "before", "after", "change", "controls' mean", "95 % of them", "as large by chance")
        told = [f"{len(self.controls)} controls, the same done to {self.like}"]
        told += [f"in {self.gallery}"] if self.gallery else []
        told += [f"never seen by the model: {', '.join(self.unknown)}"] if self.unknown else []
        return Table(columns, tuple(rows), f"{self.model}: {self.what}", "; ".join(told), 3)

    def to_frame(self):
        """The table's numbers as they are, ranks from 1, as a pandas `DataFrame`."""
        import pandas as pd

        rows = []
        for name, change in self.changes.items():
            first = 0 if name == "score" else 1
            chance = change.as_large if self.controls else float("nan")
            seen = (change.control_mean, *change.control_range, chance)
            rows.append((first + change.before, first + change.after, change.by, *seen))
        columns = ["before", "after", "change", "controls' mean", "low", "high", "as large by chance"]
        return pd.DataFrame(rows, index=list(self.changes), columns=columns)
