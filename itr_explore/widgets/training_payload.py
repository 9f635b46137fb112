"""What a `TrainingMonitor` needs of a run, as small JSON values: curves of few points, one map an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from itr_explore.records import Explanation, Progress, Ranking
from itr_explore.viz.stills.chart import Series
from itr_explore.widgets.payload import payload

MOST_POINTS = 400  # of a curve
KS = (1, 5, 10)


class Curve:
    """A curve that grows and stays small: each point is the mean over a stretch of steps of one length.

    Stretches double in length whenever there would be more than `most` points, an even number.
    """

    def __init__(self, most: int = MOST_POINTS):
        self.most, self.stretch = most, 1
        self._sums: list[tuple[float, float, int]] = []  # of x and of y, over so many steps

    def add(self, x: float, y: float) -> None:
        """One more step."""
        if self._sums and self._sums[-1][2] < self.stretch:
            before = self._sums[-1]
            self._sums[-1] = (before[0] + x, before[1] + y, before[2] + 1)
            return
        if len(self._sums) == self.most:
            pairs = zip(self._sums[::2], self._sums[1::2], strict=True)
            self._sums = [(a[0] + b[0], a[1] + b[1], a[2] + b[2]) for a, b in pairs]
            self.stretch *= 2
        self._sums.append((x, y, 1))

    def sent(self) -> dict[str, Any]:
        """Its points as two rows, and how many steps each is the mean of."""
        points = list(self._sums)
        return {
            "x": [_short(x / count) for x, _, count in points],
            "y": [_short(y / count) for _, y, count in points],
            "stretch": self.stretch,
        }


class Curves:
    """What is drawn of a run: a curve for each term of the loss, the learning rate, every validation."""

    def __init__(self) -> None:
        self.losses: dict[str, Curve] = {}
        self.rate = Curve()
        self.validations: list[dict[str, Any]] = []

    def add(self, progress: Progress) -> None:
        """One more step."""
        if progress.losses:
            self.rate.add(progress.epoch, progress.learning_rate)
        for name, value in progress.losses.items():
            self.losses.setdefault(name, Curve()).add(progress.epoch, value)
        if progress.validation is not None:
            self.validations.append(_validation(progress, progress.validation))

    def sent(self) -> dict[str, Any]:
        """All of them."""
        return {
            "losses": [{"name": name, **curve.sent()} for name, curve in list(self.losses.items())],
            "rates": self.rate.sent(),
            "validations": list(self.validations),
        }


def _validation(progress: Progress, ranking: Ranking) -> dict[str, Any]:
    recalls = [ranking.recall_at(k) for k in KS]
    return {
        "epoch": _short(progress.epoch),
        "best": progress.best,
        "rsum": _short(ranking.rsum),
        "recalls": [[_short(recall[side]) for recall in recalls] for side in range(2)],
    }


def loss_series(state: Mapping[str, Any]) -> list[Series]:
    """The terms of the loss, as a still draws them."""
    return [Series(line["name"], line["x"], line["y"]) for line in state["losses"]]


def recall_series(state: Mapping[str, Any]) -> list[Series]:
    """Recall at 1 of every validation, both ways."""
    told, best = state["validations"], state["best"]
    ring = best["epoch"] if best else None
    epochs = [one["epoch"] for one in told]
    return [
        Series(name, epochs, [one["recalls"][side][0] for one in told], dots=True, ring=ring)
        for side, name in enumerate(("image → text", "text → image"))
    ]


def probe_payload(explanation: Explanation) -> dict[str, Any]:
    """The pair whose map is drawn anew after each epoch, without any map."""
    whole = payload(explanation)
    names = ("caption", "alt", "words", "pieces", "unknown", "image", "regions", "boxes", "right", "mentions")
    return {name: whole[name] for name in (*names, "truth", "chance")}


def probe_map(explanation: Explanation, epoch: float) -> dict[str, Any]:
    """The map of words and regions after an epoch, in 8 bits, and the score."""
    found = explanation.best("word_to_region") or explanation.best("region_to_word")
    whole = payload(replace(explanation, pair=replace(explanation.pair, image=None)))
    drawn = next((one for one in whole["maps"] if found is not None and one["name"] == found.name), None)
    return {"epoch": _short(epoch), "score": _short(explanation.score), "map": drawn}


def _short(value: float) -> float:
    """Five digits: more than can be drawn."""
    return float(f"{value:.5g}") if np.isfinite(value) else 0.0
