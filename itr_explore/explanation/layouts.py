"""Where the nodes of a graph are drawn, by `networkx`: the same graph and seed give the same places."""

from __future__ import annotations

import networkx as nx
import numpy as np

LAYOUTS = ("spring", "circular", "kamada_kawai", "spectral")
APART = 0.2  # least distance of two nodes, as a share of the drawing; less where there are many
FEW = 60  # nodes up to which Kamada and Kawai's is computed: it takes seconds beyond
ROUNDS = 60  # of moving nodes apart
MARGIN = 0.06


def layouts(graph: nx.DiGraph, seed: int = 0) -> dict[str, np.ndarray]:
    """`[node 2]` places between 0 and 1, y down, for each way of `LAYOUTS`, nodes in the graph's order.

    More than `FEW` nodes have no `kamada_kawai`.

    The graph is drawn as undirected, an edge as strong as both its directions together, signs left out. In
    `spring` a strong edge pulls, in `kamada_kawai` it is short, `spectral` takes the two smoothest vectors
    of the Laplacian. Nodes that would lie over each other are then moved apart.
    """
    weights = np.abs(nx.to_numpy_array(graph, weight="weight")) if len(graph) else np.zeros((0, 0))
    weights = weights + weights.T
    np.fill_diagonal(weights, 0)
    largest = weights.max(initial=0.0)
    if largest:
        weights = weights / largest
    if len(graph) < 3 or not largest:
        return dict.fromkeys(LAYOUTS, _fitted(_circle(len(graph))))
    pulls = nx.from_numpy_array(weights)
    joined = nx.from_numpy_array(weights + 0.02)  # weakly all with all, or loose parts fall on one spot
    found = {
        "spring": nx.spring_layout(pulls, weight="weight", seed=seed, iterations=200),
        "circular": dict(enumerate(_circle(len(graph)))),
        "spectral": nx.spectral_layout(joined, weight="weight"),
    }
    if len(graph) <= FEW:
        lengths = 1 / np.sqrt(np.maximum(weights, 0.05))
        far = {a: {b: float(lengths[a, b]) if a != b else 0.0 for b in pulls} for a in pulls}
        found["kamada_kawai"] = nx.kamada_kawai_layout(pulls, dist=far)
    return {
        way: _fitted(_apart(_fitted(np.array([places[node] for node in pulls]))))
        for way, places in found.items()
    }


def _circle(count: int) -> np.ndarray:
    """[node 2] from the top on, clockwise."""
    angle = 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def _fitted(places: np.ndarray) -> np.ndarray:
    """The places stretched over the drawing, but for a margin; all on one line or spot stay in the middle."""
    if not len(places):
        return places.reshape(0, 2)
    low, size = places.min(axis=0), np.ptp(places, axis=0)
    shares = (places - low) / np.where(size > 1e-9, size, 1.0)
    shares[:, size <= 1e-9] = 0.5
    return MARGIN + shares * (1 - 2 * MARGIN)


def _apart(places: np.ndarray) -> np.ndarray:
    """The same with no two nodes nearer to each other than `APART`, as far as that is possible."""
    least = min(APART, 0.75 / np.sqrt(len(places)))
    jitter = 1e-3 * _circle(len(places))  # those on one spot part in different directions
    places = places + jitter
    for _ in range(ROUNDS):
        away = places[:, None] - places[None]
        distance = np.linalg.norm(away, axis=-1) + np.eye(len(places))
        push = np.maximum(least - distance, 0) / 2
        np.fill_diagonal(push, 0)
        if not push.any():
            break
        places = places + (away / np.maximum(distance, 1e-9)[..., None] * push[..., None]).sum(axis=1)
    return places
