"""Is a map right? Each mention of a caption against the truth: its strongest region and the right ones.

The unit is the mention (a noun of a scene, a human phrase of a photo): its row is the mean of the rows of its
words. It is a hit where the strongest region is one that covers (IoU >= 0.5) something the mention names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from itr_explore.records import Map, Mention, Truth

State = Literal["hit", "miss", "uncovered", "ungrounded"]


@dataclass(frozen=True)
class Verdict:
    """What one mention's strongest region says against the truth."""

    mention: Mention
    state: State  # uncovered: no region covers what is named; ungrounded: what is named has no box
    top: int  # the region with the largest value; the first of equals
    weight: float  # its value in the mention's row
    right: tuple[int, ...]  # regions that cover something the mention names


def verdicts(found: Map, truth: Truth | None) -> tuple[Verdict, ...]:
    """One verdict for each mention; none without truth or where a map does not relate words to regions."""
    if truth is None or found.kind not in ("word_to_region", "region_to_word"):
        return ()
    rows = found.values if found.kind == "word_to_region" else found.values.T
    return tuple(_verdict(rows, mention, truth) for mention in truth.mentions)


def by_chance(judged: tuple[Verdict, ...], regions: int) -> float:
    """How many hits a region drawn at random for each mention would have, on average."""
    return sum(len(verdict.right) / regions for verdict in judged)


def _verdict(rows: np.ndarray, mention: Mention, truth: Truth) -> Verdict:
    words = list(mention.words)
    row = rows[words].mean(axis=0)
    top = int(row.argmax())
    right = np.flatnonzero(truth.word_regions[words].any(axis=0))
    if len(mention.boxes) == 0:
        state: State = "ungrounded"
    elif len(right) == 0:
        state = "uncovered"
    else:
        state = "hit" if top in right else "miss"
    return Verdict(mention, state, top, float(row[top]), tuple(int(region) for region in right))
