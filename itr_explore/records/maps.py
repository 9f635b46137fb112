"""What a model did with one pair, as maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from itr_explore.records.checks import want, want_shape
from itr_explore.records.pairs import Pair
from itr_explore.records.tables import ShownAsTable, Table

MapKind = Literal[
    "word_to_region", "region_to_word", "region_to_region", "word_to_word", "per_region", "per_word"
]
Origin = Literal["attention", "attribution", "derived"]


@dataclass(frozen=True)
class Map:
    """One picture of a model's insides for one pair, with what is needed to read it honestly.

    `values` are as the model has them; nothing is stretched to fill a scale.
    """

    name: str
    kind: MapKind
    values: np.ndarray  # [word region], [region word], [region region], [word word], [region] or [word]
    origin: Origin
    scale: str  # softmax, signed, row_sum, cosine, unit (see nn.tap)
    exact: bool = True
    layer: int | None = None
    head: int | None = None
    note: str = ""  # what a reader has to know besides, in a sentence

    def __post_init__(self):
        axes = 1 if self.kind.startswith("per_") else 2
        want(self.values.ndim == axes, f"a {self.kind} map has {axes} axes, got {self.values.ndim}")
        want(bool(np.isfinite(self.values).all()), f"map {self.name!r} holds NaN or infinite values")


@dataclass(frozen=True, repr=False)
class Explanation(ShownAsTable):
    """What a model did with one pair: its score and the maps it was looked into by."""

    pair: Pair
    model: str
    score: float
    maps: tuple[Map, ...] = field(default=())
    unknown: tuple[int, ...] = ()  # positions of the words that the model has never seen

    def __post_init__(self):
        lengths = {"word": len(self.pair.words), "region": len(self.pair.regions)}
        for found in self.maps:
            axes = found.kind.removeprefix("per_").split("_to_")
            want_shape(f"map {found.name!r}", found.values, tuple(lengths[axis] for axis in axes))

    def map(self, name: str) -> Map:
        """The map of that name (`KeyError` lists the names there are)."""
        for found in self.maps:
            if found.name == name:
                return found
        raise KeyError(f"no map {name!r}; this explanation has {[found.name for found in self.maps]}")

    def best(self, kind: MapKind) -> Map | None:
        """The first map of a kind, or None."""
        return next((found for found in self.maps if found.kind == kind), None)

    def table(self) -> Table:
        """What maps there are, and how to read each; the numbers are in `maps`."""
        columns = ("map", "kind", "origin", "scale", "exact", "layer", "head", "note")
        rows = tuple(
            (m.name, m.kind, m.origin, m.scale, "yes" if m.exact else "no", m.layer, m.head, m.note)
            for m in self.maps
        )
        unknown = ", ".join(self.pair.words[place] for place in self.unknown)
        note = f"never seen by the model: {unknown}" if unknown else ""
        return Table(columns, rows, f"{self.model}: {self.pair.caption!r}, score {self.score:.4f}", note)
