"""Where a collection was read, what was taken for what, and what had to be left out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

NAMED = 3  # of what is left out, so many are named


@dataclass(frozen=True)
class Origin:
    """What a reader should know of how a collection was read."""

    place: str  # a folder, a file or a name on the hub
    note: str  # what was guessed
    skipped: tuple[tuple[str, str], ...] = ()  # what was left out, and why
    splits: tuple[str, ...] = ()  # that a file of captions names

    def warn(self) -> None:
        """Say once that something was left out, how much, and the first few; silent if nothing was."""
        if self.skipped:
            first = "; ".join(f"{name}: {why}" for name, why in self.skipped[:NAMED])
            more = "" if len(self.skipped) <= NAMED else f"; and {len(self.skipped) - NAMED:,} more"
            warnings.warn(
                f"{self.place}: left out {len(self.skipped):,} ({first}{more}); collection.skipped has all",
                stacklevel=4,
            )
