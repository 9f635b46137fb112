"""All that a `GraphExplorer` needs, as one JSON value: a pair's graphs, their places, what may be edited.

Weights travel as 16-bit codes up to 48 nodes, so that the view counts what `region_graph` and `word_graph`
count; beyond as 8-bit ones, where an edge weaker than 0.2 % of the strongest may be missing (0.4 % in a graph
with negative weights), and one near a threshold be counted or not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from itr_explore.explanation.edges import editable, moved_words
from itr_explore.explanation.edits import CutEdge, EdgeEdit, MeanEdge, ReverseEdge, told
from itr_explore.explanation.graph import MEASURES, composed_relations, region_graph, word_graph
from itr_explore.explanation.layouts import layouts
from itr_explore.records import Explanation, Intervention, Map, Pair
from itr_explore.viz.images import image_data
from itr_explore.viz.stills.sentence import pieces
from itr_explore.widgets.payload import quantised

FINE = 48  # nodes up to which weights travel as 16-bit codes
TOP = 2  # edges a node that are shown at first
KINDS = {"cut": CutEdge, "reverse": ReverseEdge, "mean": MeanEdge}
MOVED = 6  # words whose attention is told of
EDGES = ("region_to_region", "word_to_word")
GROUPS = {
    "model": "what the model reasons on",
    "eye": "derived from the model, for the eye",
    "pair": "from the pair itself",
}
SYMMETRIC = ("overlap", "semantic", "image_nodes.cosine", "caption_nodes.cosine")
READS = {
    "spatial": ("where regions lie", "subject → object: “3 left of 5” is an edge from 3 to 5"),
    "overlap": ("IoU of boxes", "the same both ways"),
    "nearest": ("nearest centres", "from a region to those nearest to it; weight 1 / (1 + distance)"),
    "semantic": ("semantic: features alike", "cosine of the features as they were given; the same both ways"),
    "stated": ("stated in the caption", "subject → object of what is stated, where regions cover them"),
    "order": ("word order", "from each word to the next"),
}
NAMED = ("spatial", "stated")  # whose edges have a predicate
LEARNED = "row → column: from the node that looks to the node it looks at; the message runs back"


@dataclass(frozen=True)
class Choice:
    """A graph that can be chosen: what it is called, and its edges by one call."""

    name: str  # "learned:image_side.layers.0.affinity"
    nodes: str  # region or word
    kind: str  # what `region_graph` or `word_graph` is asked for
    map: Map | None = None  # of learned edges

    def of(self, source: Pair | Explanation, **thinned: Any) -> nx.DiGraph:
        """The graph itself."""
        make: Any = region_graph if self.nodes == "region" else word_graph
        return make(source, self.kind, **({"name": self.map.name} if self.map else {}), **thinned)


def choices(explanation: Explanation) -> list[Choice]:
    """The graphs of a pair: those that the model reasons on first."""
    pair = explanation.pair
    found = [
        Choice(f"learned:{m.name}", m.kind.split("_")[0], "learned", m)
        for m in explanation.maps
        if m.kind in EDGES
    ]
    own = [one for one in found if _group(one, explanation) == "model"]
    made = [one for one in found if one not in own]
    layers = [m for m in explanation.maps if m.kind == EDGES[0] and m.layer is not None]
    if layers:
        made.insert(0, Choice("composed", "region", "composed"))
    region = ["semantic"] if pair.boxes is None else ["spatial", "overlap", "nearest", "semantic"]
    stated = ["stated"] if pair.truth is not None and pair.truth.relations else []
    given = [Choice(f"region:{kind}", "region", kind) for kind in (*region, *stated)]
    given += [Choice(f"word:{kind}", "word", kind) for kind in ("order", *stated)]
    return sorted(own + made + given, key=lambda one: one.nodes == "word")


def graph_payload(versions: Mapping[str, Explanation], gallery: str) -> dict[str, Any]:
    """The graphs of a pair as the front end reads them (see `static/graph_explorer.js`).

    Args:
        versions: explanations of one pair by models of one kind, by name; the last is of the model itself.
        gallery: what a pair is ranked among, in words; may be empty.
    """
    explanation = list(versions.values())[-1]
    pair = explanation.pair
    graphs = choices(explanation)
    first = next((at for at, one in enumerate(graphs) if _group(one, explanation) == "model"), None)
    return {
        "model": explanation.model,
        "caption": pair.caption,
        "alt": f"Image {pair.image_id}, with the caption: {pair.caption}",
        "words": list(pair.words),
        "pieces": pieces(pair),
        "image": None if pair.image is None else image_data(pair.image),
        "boxes": None if pair.boxes is None else np.round(np.clip(pair.boxes, 0, 1), 4).tolist(),
        "labels": list(pair.labels),
        "regions": len(pair.regions),
        "versions": [[name, f"{found.score:.3f}"] for name, found in versions.items()],
        "graphs": [_graph(one, versions) for one in graphs],
        "first": first if first is not None else _of_the_eye(graphs),
        "edges": bool(editable(explanation)),
        "groups": GROUPS,
        "measures": {name: [name.replace("_", " "), says] for name, says in MEASURES.items()},
        "gallery": gallery,
        "result": None,
    }


def result_payload(
    edits: Sequence[EdgeEdit], found: Intervention, before: Explanation, after: Explanation
) -> dict[str, Any]:
    """What some edits did, as the front end reads it; ranks are counted from 1."""
    changes = []
    for name, change in found.changes.items():
        first = 0 if name == "score" else 1
        controls = [round(first + float(value), 6) for value in change.controls]
        told_ = {"before": first + change.before, "after": first + change.after, "by": change.by}
        if controls:
            low, high = change.control_range
            told_ |= {"mean": change.control_mean, "low": low, "high": high, "chance": change.as_large}
        changes.append({"name": name, "controls": controls, **told_})
    frame = moved_words(before, after) if before.best("word_to_region") else None
    now = {one.name: one for one in choices(after)}
    return {
        "edits": [edit_as_told(edit, found.pair) for edit in edits],
        "changes": changes,
        "like": found.like,
        "draws": len(found.controls),
        "gallery": found.gallery,
        "score": f"{after.score:.3f}",
        "moved": None
        if frame is None
        else {"map": frame.attrs["map"], "rows": frame.head(MOVED).reset_index().to_dict("records")},
        "graphs": {name: _codes(_weights(one, after)) for name, one in now.items() if _changes(one)},
    }


def edit_as_told(edit: EdgeEdit, pair: Pair) -> dict[str, Any]:
    """An edit as JSON; `edit_of` reads it back."""
    kind = next(name for name, made in KINDS.items() if type(edit) is made)
    return {
        "tap": edit.tap,
        "kind": kind,
        "row": int(edit.row),
        "column": int(edit.column),
        "keep_sum": edit.keep_sum,
        "text": told(edit, pair),
    }


def edit_of(said: Mapping[str, Any]) -> EdgeEdit:
    """The edit that the front end asks for."""
    return KINDS[said["kind"]](said["tap"], said["row"], said["column"], said.get("keep_sum", True))


def edited_edges(edits: Sequence[EdgeEdit], graph: Mapping[str, Any]) -> dict[tuple[int, int], str]:
    """Which edges of a graph of the payload some edits are about, and what they do: `cut`, say."""
    return {
        (int(edit.row), int(edit.column)): next(kind for kind, made in KINDS.items() if type(edit) is made)
        for edit in edits
        if edit.tap == graph["tap"]
    }


def places_of(graph: Mapping[str, Any], way: str = "spring") -> np.ndarray:
    """[node 2] between 0 and 1: one of the layouts of a graph of the payload."""
    codes = np.frombuffer(base64.b64decode(graph["layouts"][way]), dtype=np.uint8)
    return codes.reshape(-1, 2) / 255


def _changes(one: Choice) -> bool:
    return one.kind in ("learned", "composed")


def _graph(one: Choice, versions: Mapping[str, Explanation]) -> dict[str, Any]:
    explanation = list(versions.values())[-1]
    weights = [_weights(one, found) for found in versions.values()] if _changes(one) else []
    weights = weights or [_weights(one, explanation)]
    full = [value for value in weights if value is not None]
    signed = any((value < 0).any() for value in full)
    taps = editable(explanation)
    tap = taps.get(one.map.name) if one.map else None
    edges = np.abs(full[-1][~np.eye(len(full[-1]), dtype=bool)])
    plain = len(np.unique(edges[edges > 0])) < 2
    label, direction = _reads(one)
    return {
        "name": one.name,
        "nodes": one.nodes,
        "label": label,
        "group": _group(one, explanation),
        "about": _about(one, direction),
        "signed": signed,
        "symmetric": (one.map.name if one.map else one.kind) in SYMMETRIC,
        "plain": plain,  # all edges weigh the same
        "top": None if plain else TOP,
        "predicates": _predicates(one.of(explanation)) if one.kind in NAMED else None,
        "tap": tap,
        "code": _code(one),
        "weights": [None if value is None else _codes(value) for value in weights],
        "layouts": {way: _places(found) for way, found in _layouts(one, explanation, plain).items()},
    }


def _layouts(one: Choice, explanation: Explanation, plain: bool) -> dict[str, np.ndarray]:
    """Of the edges that are shown at first: a graph of all with all has no shape."""
    return layouts(one.of(explanation) if plain else one.of(explanation, top=TOP + 1))


def _weights(one: Choice, explanation: Explanation) -> np.ndarray | None:
    """[node node], on the diagonal what a node gives to itself; None where there is no such map."""
    if one.map is not None:
        found = next((m for m in explanation.maps if m.name == one.map.name), None)
        return None if found is None else np.asarray(found.values, dtype=np.float64)
    if one.kind == "composed":
        return composed_relations(explanation).values
    graph = one.of(explanation)
    return nx.to_numpy_array(graph, nodelist=range(len(graph)), weight="weight", dtype=np.float64)


def _group(one: Choice, explanation: Explanation) -> str:
    if one.map is None:
        return "eye" if one.kind == "composed" else "pair"
    return "model" if one.map.name in editable(explanation) else "eye"


def _of_the_eye(graphs: Sequence[Choice]) -> int:
    """What a system without edges shows first: what its attention joins, or else nodes that are alike."""
    for name in ("learned:shared_words", "learned:image_nodes.cosine"):
        for at, one in enumerate(graphs):
            values = one.map.values if one.map is not None and one.name == name else np.zeros((0, 0))
            if values[~np.eye(len(values), dtype=bool)].any():
                return at
    return 0


def _reads(one: Choice) -> tuple[str, str]:
    """What the graph is called, and which way its edges lead."""
    if one.kind in READS:
        label, direction = READS[one.kind]
        return label, "subject → object of what is stated" if one.name == "word:stated" else direction
    if one.map is None:
        return "all layers composed", "row → column: of what is after the last layer, which share was whose"
    titles = {
        "image_nodes.cosine": "semantic: the model's regions alike",
        "caption_nodes.cosine": "semantic: the model's words alike",
        "shared_words": "joined by words that attend to both",
        "shared_regions": "joined by regions that both attend to",
    }
    if one.map.name in titles:
        return titles[one.map.name], "the same both ways" if "cosine" in one.map.name else "row → column"
    parts = [
        part for part in one.map.name.split(".") if not part.isdigit() and part not in ("layers", "heads")
    ]
    named = [
        " ".join(parts).replace("_", " "),
        None if one.map.layer is None else f"layer {one.map.layer}",
        None if one.map.head is None else f"head {one.map.head}",
    ]
    return " · ".join(part for part in named if part), LEARNED


def _about(one: Choice, direction: str) -> str:
    """Origin, direction and how to read the numbers, in a line."""
    if one.map is None:
        note = "shares; each row sums to 1, signs left out" if one.kind == "composed" else ""
        return "; ".join(part for part in (direction, note) if part) + "."
    scales = {
        "softmax": "weights whose rows sum to 1",
        "row_sum": "weights whose rows sum to 1",
        "unit": "weights between 0 and 1",
        "cosine": "cosines",
        "signed": "signed values, 0 in the middle",
    }
    exact = "the score is computed from them" if one.map.exact else "the score is not computed from them"
    said = (one.map.origin, direction, scales[one.map.scale], exact, one.map.note)
    return "; ".join(part for part in said if part) + "."


def _code(one: Choice) -> str:
    """The call that makes the graph, up to what the view thins it by."""
    call = "region_graph" if one.nodes == "region" else "word_graph"
    if one.kind in ("learned", "composed"):
        name = f', name="{one.map.name}"' if one.map else ""
        return f'{call}(explain_edges(model, pair), "{one.kind}"{name}'
    return f'{call}(pair, "{one.kind}"'


def _predicates(graph: nx.DiGraph) -> dict[str, Any] | None:
    """What edges are called: names, and [node node] bytes of 0 (nothing) or the number of a name from 1."""
    told_ = [(a, b, says) for a, b, says in graph.edges(data="predicate") if says]
    if not told_:
        return None
    names = sorted({says for *_, says in told_})
    codes = np.zeros((len(graph), len(graph)), dtype=np.uint8)
    for a, b, says in told_:
        codes[a, b] = 1 + names.index(says)
    return {"names": names, "data": base64.b64encode(codes.tobytes()).decode("ascii")}


def _codes(values: np.ndarray | None) -> dict[str, Any] | None:
    """A square of weights, quantised."""
    if values is None:
        return None
    return {"nodes": len(values), **quantised(values, 16 if len(values) <= FINE else 8)}


def _places(places: np.ndarray) -> str:
    """[node 2] between 0 and 1, as bytes."""
    return base64.b64encode(np.rint(places * 255).astype(np.uint8).tobytes()).decode("ascii")
