"""All that a `PairView` needs, as one small JSON value, sent once.

Maps travel as 8-bit codes: `value = (code - zero) * step`, so that zero stays exactly zero and no value is
off by more than half a step (0.2 % of the largest; 0.4 % where a map has negative values). The image travels
as a JPEG of at most 640 pixels a side.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from itr_explore.explanation.verdicts import by_chance, verdicts
from itr_explore.records import Explanation, Map, Pair, Truth
from itr_explore.viz.images import image_data
from itr_explore.viz.stills.sentence import pieces

KINDS_FIRST = (
    "word_to_region",
    "region_to_word",
    "region_to_region",
    "word_to_word",
    "per_region",
    "per_word",
)


def payload(explanation: Explanation, beside: Mapping[str, Explanation] | None = None) -> dict[str, Any]:
    """The explanation as the front end reads it (see `static/pair_view.js`).

    Args:
        beside: other explanations of the pair by their titles; the first panel is `explanation` itself.
    """
    sent = pair_payload(explanation.pair) | system_payload(explanation)
    if beside:
        sent["beside"] = [
            {"title": own_title(explanation), "maps": None},
            *({"title": title, "maps": system_payload(found)["maps"]} for title, found in beside.items()),
        ]
    return sent


def pair_payload(pair: Pair) -> dict[str, Any]:
    """What is known of a pair whichever model looks at it."""
    return {
        "caption": pair.caption,
        "alt": f"Image {pair.image_id}, with the caption: {pair.caption}",
        "words": list(pair.words),
        "pieces": pieces(pair),
        "image": None if pair.image is None else image_data(pair.image),
        "regions": len(pair.regions),
        "boxes": None if pair.boxes is None else _rounded(np.clip(pair.boxes, 0, 1)),
        "labels": list(pair.labels),
        "truth": pair.truth is not None,
        "right": []
        if pair.truth is None
        else [np.flatnonzero(row).tolist() for row in pair.truth.word_regions],
        "mentions": _mentions(pair.truth),
        "circle": _circle(pair),
    }


def system_payload(explanation: Explanation) -> dict[str, Any]:
    """What one model says of a pair."""
    maps = sorted(explanation.maps, key=lambda found: KINDS_FIRST.index(found.kind))
    return {
        "model": explanation.model,
        "score": f"{explanation.score:.3f}",
        "unknown": list(explanation.unknown),
        "chance": _chance(explanation),
        "maps": [_map(found, explanation.pair.truth) for found in maps],
    }


def own_title(explanation: Explanation) -> str:
    """What a panel calls the model's first map of words and regions."""
    found = explanation.best("word_to_region") or explanation.best("region_to_word")
    if found is None or found.origin == "attention":
        return "attention"
    return found.name.rpartition(".")[2].replace("_", " ")


def _map(found: Map, truth: Truth | None) -> dict[str, Any]:
    """One map, words as rows where it has words and regions; a vector is one row or one column."""
    axes: list[str | None] = [*found.kind.removeprefix("per_").split("_to_")]
    values = np.asarray(found.values, dtype=np.float64)
    if found.kind == "region_to_word":
        axes, values = ["word", "region"], values.T
    elif found.kind == "per_region":
        axes, values = [None, "region"], values[None, :]
    elif found.kind == "per_word":
        axes, values = ["word", None], values[:, None]
    judged = [[v.state, v.top, float(f"{v.weight:.4g}")] for v in verdicts(found, truth)]
    return {
        "name": found.name,
        "kind": found.kind,
        "origin": found.origin,
        "scale": found.scale,
        "exact": found.exact,
        "layer": found.layer,
        "head": found.head,
        "note": found.note,
        "axes": axes,
        "shape": list(values.shape),
        "verdicts": judged or None,
        **quantised(values),
    }


def quantised(values: np.ndarray, bits: Literal[8, 16] = 8) -> dict[str, Any]:
    """Numbers as codes in base64, with the `zero`, the `step` and the `bits` to read them by."""
    largest = float(np.abs(values).max(initial=0.0))
    signed, most = bool((values < 0).any()), 2**bits - 1
    zero, levels = (2 ** (bits - 1), most // 2) if signed else (0, most)
    step = largest / levels if largest else 1.0
    codes = np.rint(values / step + zero).astype(f"<u{bits // 8}")
    text = base64.b64encode(codes.tobytes()).decode("ascii")
    return {"bits": bits, "zero": zero, "step": step, "data": text}


def _mentions(truth: Truth | None) -> list[dict[str, Any]]:
    if truth is None:
        return []
    return [
        {
            "words": list(mention.words),
            "kind": mention.kind,
            "boxes": _rounded(mention.boxes),
            "right": np.flatnonzero(truth.word_regions[list(mention.words)].any(axis=0)).tolist(),
        }
        for mention in truth.mentions
    ]


def _circle(pair: Pair) -> list[list[float]]:
    """[region 2] places on a circle of radius 1, regions in the order of their directions in the image."""
    import networkx as nx

    around = range(len(pair.regions))
    if pair.boxes is not None and len(pair.boxes):
        boxes = np.asarray(pair.boxes, dtype=np.float64)
        x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5).T
        around = np.argsort(np.arctan2(y, x), kind="stable").tolist()
    places = nx.circular_layout(list(around))
    return [np.round(places[region], 3).tolist() for region in range(len(pair.regions))]


def _chance(explanation: Explanation) -> float:
    """Hits of a region drawn at random for each mention; it does not depend on the map."""
    found = explanation.best("word_to_region") or explanation.best("region_to_word")
    if found is None:
        return 0.0
    return by_chance(verdicts(found, explanation.pair.truth), len(explanation.pair.regions))


def _rounded(boxes: np.ndarray) -> list[list[float]]:
    return np.round(np.asarray(boxes, dtype=np.float64), 4).tolist()
