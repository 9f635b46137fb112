"""Several layers or heads as one map, by name.

| name      | what it is                                                                    | of           |
| --------- | ----------------------------------------------------------------------------- | ------------ |
| `mean`    | the mean of each cell: what all said on average                               | any one kind |
| `max`     | the largest absolute value of each cell, with its sign: what one said loudly  | any one kind |
| `rollout` | layers multiplied, so that what reached a node by way of others counts too    | square edges |

Rollout: Abnar and Zuidema, Quantifying attention flow in transformers, 2020, equation 1. A layer hands a node
on beside what it attends to: `a = (edges + 1) / 2`, and `rollout = a_L ... a_2 a_1`, heads averaged before.
What words gave to <start> and <end> is first shared out among the words. The score is computed from none of
these.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, get_args

import numpy as np

from itr_explore.records import Explanation, Map

Way = Literal["mean", "max", "rollout"]


def aggregate(explanation: Explanation, way: Way = "mean", within: str = "") -> Map:
    """The layers and heads of an explanation as one map.

    Args:
        explanation: with one map for each layer or head.
        way: `mean`, `max` or `rollout`, see the top of this file.
        within: the beginning of the maps' names, up to a dot (`"image_side"`, or `"image_side.layers.0"` for
            one layer's heads). Maps that are themselves made for the eye only are left out.

    Returns:
        a map of origin `derived` that says in its note what went into it.

    Raises:
        ValueError: an unknown way, no such maps, maps of several kinds or scales, or for rollout maps
            that are no edges, have no layer or whose rows do not sum to one.
    """
    if way not in get_args(Way):
        raise ValueError(f"there is no way {way!r} to aggregate; there is {', '.join(get_args(Way))}")
    found = [m for m in explanation.maps if m.origin == "attention" and _begins(m.name, within)]
    if not found:
        names = [m.name for m in explanation.maps if m.origin == "attention"]
        raise ValueError(f"{explanation.model} has no map within {within!r}; it has {names}")
    kinds = dict.fromkeys((m.kind, m.scale) for m in found)
    if len(kinds) > 1:
        raise ValueError(
            f"maps of one kind and scale can be aggregated, those within {within!r} are {list(kinds)}; narrow"
            f" it: {[m.name for m in found]}"
        )
    values = _rollout(found) if way == "rollout" else _cell_by_cell(found, way)
    layers, heads = {m.layer for m in found}, {m.head for m in found}
    scale = "row_sum" if way == "rollout" else found[0].scale
    if way == "max" and scale in ("softmax", "row_sum"):
        scale = "unit"
    return Map(
        f"{within}.{way}".lstrip("."),
        found[0].kind,
        values,
        "derived",
        scale,
        exact=False,
        layer=layers.pop() if len(layers) == 1 else None,
        head=heads.pop() if len(heads) == 1 else None,
        note=f"{way} of {', '.join(m.name for m in found)}",
    )


def _begins(name: str, within: str) -> bool:
    return not within or name == within or name.startswith(f"{within}.")


def _cell_by_cell(found: list[Map], way: str) -> np.ndarray:
    values = np.stack([m.values for m in found])
    if way == "mean":
        return values.mean(axis=0)
    return np.take_along_axis(values, np.abs(values).argmax(axis=0)[None], axis=0)[0]


def _rollout(found: list[Map]) -> np.ndarray:
    """[node node] what each node after the last layer holds of each before the first."""
    layers: dict[int, list[np.ndarray]] = defaultdict(list)
    for m in found:
        if m.kind not in ("region_to_region", "word_to_word"):
            raise ValueError(
                f"rollout multiplies edges between regions, or between words; {m.name!r} is a {m.kind} map"
            )
        if m.scale not in ("softmax", "row_sum", "unit") or (m.values < 0).any():
            raise ValueError(
                f"rollout wants edges whose rows sum to one, {m.name!r} is {m.scale}; composed_relations goes"
                " by absolute weights"
            )
        if m.layer is None and len(found) > 1:
            raise ValueError(f"rollout multiplies layers, and {m.name!r} is of no layer; give one map alone")
        layers[m.layer or 0].append(m.values.astype(float))
    composed = np.eye(len(found[0].values))
    for layer in sorted(layers):
        mixed = np.mean(layers[layer], axis=0)
        shares = mixed / np.maximum(mixed.sum(axis=1, keepdims=True), 1e-12) + np.eye(len(mixed))
        composed = shares / 2 @ composed
    return composed
