"""All relations of a pair that a model can be asked for: its own edges, and others made for the eye.

| map                    | between | what it is                                                           |
| ---------------------- | ------- | -------------------------------------------------------------------- |
| a tap's                | both    | the edges that the model itself reasons on; `EdgeEdit` changes them  |
| `image_nodes.cosine`   | regions | how alike two regions are to the model, after all its layers         |
| `caption_nodes.cosine` | words   | the same of words                                                    |
| `shared_words`         | regions | a step to the words that look at a region, and on to where they look |
| `shared_regions`       | words   | a step to the regions that a word looks at, and back to words        |

The last four are derived: every system has some of them, the score is computed from none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from itr_explore.explanation.edits import Edit, check, edited
from itr_explore.explanation.intervention import EDGES, edge_weights, rewiring
from itr_explore.explanation.maps import batch_of, explain
from itr_explore.explanation.scorer import still
from itr_explore.records import Explanation, Map, MapKind, Pair

if TYPE_CHECKING:
    import pandas as pd

    from itr_explore.models.base import RetrievalModel

SHARES = ("softmax", "row_sum", "unit")  # scales of weights that can be handed on


def explain_edges(model: RetrievalModel, pair: Pair, *edits: Edit) -> Explanation:
    """`explain`, under some edits if there are any, with the relations besides that are made for the eye.

    Args:
        model: is left as it was found.
        pair: one image and one caption.
        edits: what is changed first, all at the same time (see `intervene`).

    Raises:
        ValueError: as of `explain` and of `intervene`.
    """
    with still(model), torch.no_grad():
        graphs = edge_weights(model, pair, edits)
        for change in edits:
            check(change, pair, graphs.weights)
        version = edited(pair, edits, graphs.of_words)
        with rewiring(model, [version], [version]):
            found = explain(model, version.pair)
            batch = batch_of(model, [version.pair])
            images, captions = model.encode_images(batch), model.encode_captions(batch)
    regions, words = slice(0, len(version.pair.regions)), slice(1, 1 + len(version.pair.words))
    made = [
        _cosines("image_nodes.cosine", "region_to_region", images.parts[0, regions]),
        _cosines("caption_nodes.cosine", "word_to_word", captions.parts[0, words]),
        *_shared(found),
    ]
    return replace(found, maps=(*found.maps, *made))


def editable(explanation: Explanation) -> dict[str, str]:
    """The maps whose edges can be edited, and what `EdgeEdit.tap` then says.

    A map of edges that the model itself goes on with is named by its tap. One that only shows the mean of
    several heads is edited in all of them.
    """
    edges = [found for found in explanation.maps if found.kind in EDGES]
    own = [found.name for found in edges if found.origin == "attention"]
    taps = {name: name for name in own}
    for found in edges:
        whole, _, leaf = found.name.rpartition(".")
        if found.origin == "derived" and leaf == "mean" and any(name.startswith(f"{whole}.") for name in own):
            taps[found.name] = whole
    return taps


def moved_words(before: Explanation, after: Explanation) -> pd.DataFrame:
    """Which words' attention moved: a row a word, those that moved most first.

    Columns: `word`; `moved`, the largest change of one of its cells; the `region` where that is; the weight
    there `before` and `after`; the strongest regions `strongest_before` and `strongest_after`. `attrs["map"]`
    names the map, the first that relates words to regions.

    Raises:
        ValueError: there is no such map, or the words or regions are not the same.
    """
    import pandas as pd

    first, then = (found.best("word_to_region") for found in (before, after))
    if first is None or then is None:
        raise ValueError(f"{before.model} has no map from words to regions, so nothing can have moved there")
    if before.pair.words != after.pair.words or first.values.shape != then.values.shape:
        raise ValueError("the words or regions were edited, so their weights cannot be compared")
    change = then.values - first.values
    where = np.abs(change).argmax(axis=1)
    rows = np.arange(len(change))
    frame = pd.DataFrame(
        {
            "word": before.pair.words,
            "moved": change[rows, where],
            "region": where,
            "before": first.values[rows, where],
            "after": then.values[rows, where],
            "strongest_before": first.values.argmax(axis=1),
            "strongest_after": then.values.argmax(axis=1),
        }
    ).rename_axis("position")
    frame.attrs["map"] = first.name
    return frame.sort_values("moved", key=abs, ascending=False, kind="stable")


def _cosines(name: str, kind: MapKind, nodes: Tensor) -> Map:
    unit = normalize(nodes.float(), dim=-1)
    values = (unit @ unit.T).clamp(-1, 1).cpu().numpy()
    note = "how alike two nodes are after the encoder"
    return Map(name, kind, values, "derived", "cosine", exact=False, note=note)


def _shared(explanation: Explanation) -> list[Map]:
    """Two steps: from a region to the words that look at it and on to what else they look at; and back."""
    found = explanation.best("word_to_region")
    if found is None or found.origin != "attention" or found.scale not in SHARES:
        return []
    weights = np.asarray(found.values, dtype=np.float64)
    onward = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)  # [word region]
    back = (weights / np.maximum(weights.sum(axis=0, keepdims=True), 1e-12)).T  # [region word]
    note = f"two steps of {found.name}: {{}}"

    def made(name: str, kind: MapKind, values: np.ndarray, way: str) -> Map:
        return Map(name, kind, values, "derived", "unit", exact=False, note=note.format(way))

    return [
        made("shared_words", "region_to_region", back @ onward, "region → word → region"),
        made("shared_regions", "word_to_word", onward @ back, "word → region → word"),
    ]
