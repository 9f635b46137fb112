"""A model's own maps as one value a region and one a word, so that they can be tested like attributions."""

from __future__ import annotations

import numpy as np

from itr_explore.explanation.attribution import METHODS
from itr_explore.records import Explanation, Map


def own_values(explanation: Explanation) -> dict[str, np.ndarray]:
    """What a model's own maps say of each of the `regions` [region] and `words` [word]; either may be absent.

    For each side the first that there is:

    1. the mean weight that the parts of the other side gave it: a word_to_region map, say, over its words;
    2. the last per_region or per_word map that the score is computed from;
    3. the last one that a tap derives: a share of the pooled vector, the trace in a memory;
    4. the mean that its own kind gave it, over all heads of the last layer.

    Cosines of nodes and exact parts of the score are no map of the model's own, and are not asked.

    Raises:
        ValueError: there is no such map on either side.
    """
    own = [found for found in explanation.maps if found.origin == "attention"]
    derived = [found for found in explanation.maps if found.origin == "derived"]
    values: dict[str, np.ndarray] = {}
    for side, part, other in (("regions", "region", "word"), ("words", "word", "region")):
        given = [found for found in own if found.kind == f"{other}_to_{part}"]
        pooled = [found for maps in (derived, own) for found in maps if found.kind == f"per_{part}"]
        among = [found for found in own if found.kind == f"{part}_to_{part}"]
        if given:
            values[side] = given[0].values.mean(axis=0)
        elif pooled:
            values[side] = pooled[-1].values
        elif among:
            values[side] = _last_layer(among).mean(axis=0)
    if not values:
        raise ValueError(
            f"{explanation.model} has no map of its own over regions or over words, so its attention cannot"
            f" be tested; take {', '.join(METHODS)}"
        )
    return values


def _last_layer(maps: list[Map]) -> np.ndarray:
    last = max(found.layer or 0 for found in maps)
    return np.mean([found.values for found in maps if (found.layer or 0) == last], axis=0)
