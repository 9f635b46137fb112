"""Region graphs: how the regions of an image lie to each other, and which edges a model learned between them.

Five kinds of edges, one call. The first three come from boxes alone; the fourth is a model's own affinity, so
it can be laid over the others and compared, and the fifth what all its layers do together. All are `networkx`
graphs whose nodes are region indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import networkx as nx
import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.explanation.spatial import nearest, spatial_relations
from itr_explore.records import Explanation, Map, Pair

if TYPE_CHECKING:
    import pandas as pd

EdgeKind = Literal["spatial", "overlap", "nearest", "learned", "composed"]


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
            `nearest` (each region's `neighbours` nearest centres, weight 1 / (1 + distance)), `learned` (a
            region_to_region map, from row to column), or `composed` (`composed_relations`).
        name: which map, for learned edges; by default the first.
        threshold: keep edges of at least this absolute weight.
        top: keep each region's `top` strongest outgoing edges.
        neighbours: how many neighbours a region has in `nearest`.
        reach: spatial relations hold between centres no farther apart than this share of the diagonal.

    Raises:
        ValueError: boxes or the map that the edges need are missing.
    """
    pair = source if isinstance(source, Pair) else source.pair
    graph = nx.DiGraph(image_id=pair.image_id, edges=edges, aspect=_aspect(pair))
    for region in range(len(pair.regions)):
        box = None if pair.boxes is None else tuple(float(value) for value in pair.boxes[region])
        graph.add_node(region, box=box, label=pair.labels[region] if pair.labels else str(region))
    if edges in ("learned", "composed"):
        affinity = _learned(source, name) if edges == "learned" else composed_relations(_explained(source))
        graph.graph["map"] = affinity.name
        _add_weights(graph, affinity.values)
    elif edges in ("spatial", "overlap", "nearest"):
        if pair.boxes is None:
            raise ValueError(
                f"{edges} edges need boxes and image {pair.image_id!r} has none; use edges='learned'"
            )
        if edges == "spatial":
            for one, predicate, other in spatial_relations(pair.boxes, graph.graph["aspect"], reach):
                graph.add_edge(one, other, predicate=predicate, weight=1.0)
        elif edges == "overlap":
            _add_weights(graph, iou(pair.boxes, pair.boxes))
        else:
            _add_weights(graph, nearest(pair.boxes, neighbours, graph.graph["aspect"]))
    else:
        raise ValueError(f"edges must be spatial, overlap, nearest, learned or composed, got {edges!r}")
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
        raise _no_regions_related(explanation)
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
    """How central each region is, a row a region: degrees, strengths, betweenness and closeness.

    Strengths are sums of absolute weights. Betweenness and closeness count steps, not weights, because a
    weight is a nearness in one kind of edges and a pull in another.
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
    ).rename_axis("region")


def _strength(edges, graph: nx.DiGraph) -> dict[int, float]:
    return {node: sum(abs(w) for *_, w in edges(node, data="weight")) for node in graph}


def _learned(source: Pair | Explanation, name: str | None) -> Map:
    explanation = _explained(source)
    found = explanation.best("region_to_region") if name is None else explanation.map(name)
    if found is None or found.kind != "region_to_region":
        raise _no_regions_related(explanation)
    return found


def _explained(source: Pair | Explanation) -> Explanation:
    if isinstance(source, Pair):
        raise ValueError("learned edges need an explanation, got a pair; call explain(model, pair) first")
    return source


def _no_regions_related(explanation: Explanation) -> ValueError:
    return ValueError(
        f"learned edges need a region_to_region map; {explanation.model} has"
        f" {[(m.name, m.kind) for m in explanation.maps]}"
    )


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
