"""Graphs of an image's regions and of a caption's words: where they lie, what is said, what a model learned.

All kinds of edges by one call each, `region_graph` and `word_graph`. Some come from the pair alone, `learned`
ones are a model's own, so they can be laid over the others and compared. All are `networkx` graphs whose
nodes are indices of regions or of words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import networkx as nx
import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.explanation.spatial import nearest, spatial_relations
from itr_explore.records import Explanation, Map, MapKind, Pair, Truth

if TYPE_CHECKING:
    import pandas as pd

EdgeKind = Literal["spatial", "overlap", "nearest", "semantic", "stated", "learned", "composed"]
WordEdgeKind = Literal["order", "stated", "learned"]

MEASURES = {  # of `centralities`, as a reader is told what they are
    "out_degree": "how many edges lead from the node",
    "in_degree": "how many edges lead to the node",
    "out_strength": "sum of |weight| of the edges from the node",
    "in_strength": "sum of |weight| of the edges to the node",
    "betweenness": "share of the shortest paths s → t that pass the node, mean over all pairs (s, t)",
    "closeness": "r / sum of steps from the r nodes that reach it, times r / (n − 1)",
}


def region_graph(
    source: Pair | Explanation,
    edges: EdgeKind = "spatial",
    *,
    name: str | None = None,
    threshold: float | None = None,
    top: int | None = None,
    neighbours: int = 3,
    reach: float = 0.5,
) -> nx.DiGraph:
    """The regions of an image as a directed graph.

    Every node knows its `box` and `label`; every edge its `weight`, spatial ones their `predicate` as well.

    Args:
        source: a pair, or for learned and composed edges an explanation.
        edges: `spatial` (left of, right of, above, below, inside, contains, overlaps), `overlap` (the IoU),
            `nearest` (each region's `neighbours` nearest centres, weight 1 / (1 + distance)), `semantic` (the
            cosine of the regions' features as they were given), `stated` (what the caption says of things
            that regions cover, where the truth is known), `learned` (a region_to_region map, from row to
            column), or `composed` (`composed_relations`).
        name: which map, for learned edges; by default the first.
        threshold: keep edges of at least this absolute weight.
        top: keep each region's `top` strongest outgoing edges.
        neighbours: how many neighbours a region has in `nearest`.
        reach: spatial relations hold between centres no farther apart than this share of the diagonal.

    Raises:
        ValueError: boxes, the truth or the map that the edges need are missing.
    """
    _known(edges, EdgeKind)
    pair = source if isinstance(source, Pair) else source.pair
    graph = nx.DiGraph(image_id=pair.image_id, edges=edges, aspect=_aspect(pair))
    for region in range(len(pair.regions)):
        box = None if pair.boxes is None else tuple(float(value) for value in pair.boxes[region])
        graph.add_node(region, box=box, label=pair.labels[region] if pair.labels else str(region))
    if edges in ("learned", "composed"):
        learned = edges == "learned"
        affinity = (
            _learned(source, name, "region_to_region") if learned else composed_relations(_explained(source))
        )
        graph.graph["map"] = affinity.name
        _add_weights(graph, affinity.values)
    elif edges == "stated":
        for one, predicate, other in _stated_regions(_truth(pair)):
            graph.add_edge(one, other, predicate=predicate, weight=1.0)
    elif edges == "semantic":
        _add_weights(graph, _cosines(pair.regions))
    elif pair.boxes is None:
        raise ValueError(
            f"{edges} edges need boxes and image {pair.image_id!r} has none; take semantic or learned ones"
        )
    elif edges == "spatial":
        for one, predicate, other in spatial_relations(pair.boxes, graph.graph["aspect"], reach):
            graph.add_edge(one, other, predicate=predicate, weight=1.0)
    elif edges == "overlap":
        _add_weights(graph, iou(pair.boxes, pair.boxes))
    else:
        _add_weights(graph, nearest(pair.boxes, neighbours, graph.graph["aspect"]))
    _thin(graph, threshold, top)
    return graph


def word_graph(
    source: Pair | Explanation,
    edges: WordEdgeKind = "learned",
    *,
    name: str | None = None,
    threshold: float | None = None,
    top: int | None = None,
    reach: int = 1,
) -> nx.DiGraph:
    """The words of a caption as a directed graph; every node knows its word as its `label`.

    Args:
        source: a pair, or for learned edges an explanation.
        edges: `order` (from each word to those up to `reach` after it, weight 1 / distance), `stated` (from a
            subject's last word to its object's, with the `predicate`, where the truth is known) or `learned`
            (a word_to_word map, from row to column).
        name: which map, for learned edges; by default the first.
        threshold: keep edges of at least this absolute weight.
        top: keep each word's `top` strongest outgoing edges.
        reach: of `order`.

    Raises:
        ValueError: the truth or the map that the edges need is missing.
    """
    _known(edges, WordEdgeKind)
    pair = source if isinstance(source, Pair) else source.pair
    graph = nx.DiGraph(image_id=pair.image_id, edges=edges, caption=pair.caption)
    graph.add_nodes_from((word, {"label": text}) for word, text in enumerate(pair.words))
    if edges == "learned":
        found = _learned(source, name, "word_to_word")
        graph.graph["map"] = found.name
        _add_weights(graph, found.values)
    elif edges == "order":
        for word in graph:
            for step in range(1, min(reach, len(graph) - 1 - word) + 1):
                graph.add_edge(word, word + step, weight=1 / step)
    else:
        truth = _truth(pair)
        for stated in truth.relations:
            for one in stated.objects:
                ends = (max(truth.mentions[at].words) for at in (stated.subject, one))
                graph.add_edge(*ends, predicate=stated.predicate, weight=1.0)
    _thin(graph, threshold, top)
    return graph


def composed_relations(explanation: Explanation) -> Map:
    """How much of each region after all layers of reasoning comes from each region before them.

    A layer makes of a region itself and messages along its edges `E`. With the layer's `strength` s, how long
    the messages are beside the region, its share of others is `I + s_i |E_ij| / sum_j |E_ij|` with each row
    divided by its sum; shares multiply from layer to layer. A layer whose edges are inert thus adds nothing,
    however large they look. Without a strength it is `|E| + I`, as in attention rollout (Abnar and Zuidema,
    2020). The signs of edges are lost, and what messages do to each other besides.

    Returns:
        a region_to_region map whose rows, the regions after the last layer, sum to one.

    Raises:
        ValueError: the model has no layers with region_to_region maps.
    """
    maps = {found.name: found for found in explanation.maps}
    layers = [m for m in maps.values() if m.kind == "region_to_region" and m.layer is not None]
    if not layers:
        raise _nothing_related(explanation, "region_to_region")
    composed = np.eye(len(explanation.pair.regions))
    for layer in sorted(layers, key=lambda found: found.layer or 0):
        strength = maps.get(f"{layer.name.rpartition('.')[0]}.strength")
        edges = np.abs(layer.values.astype(float))
        if strength is not None:
            edges *= strength.values[:, None] / np.maximum(edges.sum(axis=1, keepdims=True), 1e-12)
        shares = edges + np.eye(len(edges))
        composed = shares / shares.sum(axis=1, keepdims=True) @ composed
    note = f"what {len(layers)} layers do one after another, signs left out"
    return Map("composed", "region_to_region", composed, "derived", "row_sum", exact=False, note=note)


def centralities(graph: nx.DiGraph) -> pd.DataFrame:
    """How central each region or word is, a row each: degrees, strengths, betweenness and closeness.

    Strengths are sums of absolute weights. Betweenness and closeness count steps, not weights, because a
    weight is a nearness in one kind of edges and a pull in another. `MEASURES` says what each is.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "label": nx.get_node_attributes(graph, "label"),
            "out_degree": dict(graph.out_degree()),
            "in_degree": dict(graph.in_degree()),
            "out_strength": _strength(graph.out_edges, graph),
            "in_strength": _strength(graph.in_edges, graph),
            "betweenness": nx.betweenness_centrality(graph),
            "closeness": nx.closeness_centrality(graph),
        }
    ).rename_axis("word" if "caption" in graph.graph else "region")


def _strength(edges, graph: nx.DiGraph) -> dict[int, float]:
    return {node: sum(abs(w) for *_, w in edges(node, data="weight")) for node in graph}


def _known(edges: str, kinds: object) -> None:
    *most, last = get_args(kinds)
    if edges not in (*most, last):
        raise ValueError(f"edges must be {', '.join(most)} or {last}, got {edges!r}")


def _learned(source: Pair | Explanation, name: str | None, kind: MapKind) -> Map:
    explanation = _explained(source)
    found = explanation.best(kind) if name is None else explanation.map(name)
    if found is None or found.kind != kind:
        raise _nothing_related(explanation, kind)
    return found


def _explained(source: Pair | Explanation) -> Explanation:
    if isinstance(source, Pair):
        raise ValueError("learned edges need an explanation, got a pair; call explain(model, pair) first")
    return source


def _nothing_related(explanation: Explanation, kind: MapKind) -> ValueError:
    return ValueError(
        f"learned edges need a {kind} map; {explanation.model} has"
        f" {[(m.name, m.kind) for m in explanation.maps]}; explain_edges(model, pair) adds some that are made"
        " for the eye"
    )


def _truth(pair: Pair) -> Truth:
    if pair.truth is None:
        raise ValueError(
            f"stated edges need the truth of a pair, and of {pair.caption!r} none is known; take a pair of"
            " Collection.scenes"
        )
    return pair.truth


def _stated_regions(truth: Truth) -> set[tuple[int, str, int]]:
    """(subject, predicate, object): the regions that cover what the ends of a stated relation name."""
    covers = [
        np.flatnonzero(truth.word_regions[list(mention.words)].any(axis=0)).tolist()
        for mention in truth.mentions
    ]
    return {
        (one, stated.predicate, other)
        for stated in truth.relations
        for at in stated.objects
        for one in covers[stated.subject]
        for other in covers[at]
        if one != other
    }


def _cosines(features: np.ndarray) -> np.ndarray:
    """[region region]"""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    return np.asarray(unit @ unit.T, dtype=np.float64)


def _add_weights(graph: nx.DiGraph, weights: np.ndarray) -> None:
    """Every non-zero weight between two different regions as an edge from row to column."""
    for one, other in np.argwhere(weights != 0).tolist():
        if one != other:
            graph.add_edge(one, other, weight=float(weights[one, other]))


def _thin(graph: nx.DiGraph, threshold: float | None, top: int | None) -> None:
    """Drop edges below a threshold, then all but each region's strongest."""
    if threshold is not None:
        weak = [(a, b) for a, b, w in graph.edges(data="weight") if abs(w) < threshold]
        graph.remove_edges_from(weak)
    if top is not None:
        for node in list(graph):
            outgoing = sorted(graph.out_edges(node, data="weight"), key=lambda edge: -abs(edge[2]))
            graph.remove_edges_from([(a, b) for a, b, _ in outgoing[top:]])


def _aspect(pair: Pair) -> float:
    return 1.0 if pair.image is None else pair.image.width / pair.image.height
