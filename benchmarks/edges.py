"""Do learned edges carry the relations they are drawn for? Edges between a relation's two things are changed.

    python benchmarks/edges.py [--models vsrnpp lgsf racg] [--items 250] [--controls 10]

The relation half of the `swap` probe: a caption says where one thing is, seen from another, and the wrong
caption says the reverse, in the same words. For every trained system of the zoo that has edges between
regions which the score is computed from, all edges between regions that cover the subject and regions that
cover the object, both ways, are cut, reversed, or replaced by the image's mean edge, and the margin (score of
the right caption minus that of the wrong one) is measured. The controls do the same to as many other edges of
the same image, each of nearly the same weight (`explanation.edits.elsewhere`). Last, every edge between two
different regions of the image is cut: so much can the edges do at all.

`excess` is the change by the edges of the relation minus the mean change by its controls, `excess_size` the
same of absolute changes. Where edges carry relations, cutting those of the relation lowers the margin more
than cutting others does, and reversing them more still. Intervals are 95 per cent, by the bootstrap over
mirrored pairs of items. Writes results/edges.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Any

import numpy as np
import torch
from common import write

from itr_explore import Collection, MeanEdge, ReverseEdge, from_pretrained, list_models
from itr_explore.evaluation.intervals import Bootstrap
from itr_explore.explanation.edits import CutEdge, Edit, Edited, edited, elsewhere
from itr_explore.explanation.intervention import Graphs, edge_weights, edited_scores
from itr_explore.models.base import RetrievalModel
from itr_explore.nn.tap import Tap
from itr_explore.records import Pair

WAYS = {"cut": CutEdge, "reversed": ReverseEdge, "mean": MeanEdge}


@dataclass(frozen=True)
class Item:
    """A right and a wrong caption of one image, and the edges between what they relate."""

    row: int
    right: Pair
    wrong: Pair
    edges: tuple[tuple[int, int], ...]


def items_of(swap: Collection, count: int) -> list[Item]:
    """Items of the relation half whose subject and object are covered by regions, by different ones."""
    found = []
    for row in range(len(swap)):
        if row // 2 % 2:
            continue
        right, other = (swap.pair(image, picture=False) for image in (row, row ^ 1))
        (relation,) = right.truth.relations
        covered = right.truth.word_regions
        subject, thing = (
            np.flatnonzero(covered[list(right.truth.mentions[mention].words)].any(axis=0)).tolist()
            for mention in (relation.subject, relation.objects[0])
        )
        edges = [edge for edge in product(subject, thing) if edge[0] != edge[1]]
        if not edges:
            continue
        told = other.caption, other.words, other.offsets
        wrong = replace(right, caption=told[0], words=told[1], offsets=told[2], truth=None)
        found.append(Item(row, right, wrong, tuple(edges)))
    return found[:count]


def graphs_of(model: RetrievalModel) -> list[str]:
    """What holds edges between regions that the score is computed from."""
    paths = [
        path
        for path, tap in model.named_modules()
        if isinstance(tap, Tap) and tap.kind == "region_to_region" and not tap.derived
    ]
    return list(dict.fromkeys(path.split(".")[0] for path in paths))


def changes_of(way: str, graph: str, item: Item) -> list[Edit]:
    """The edits of an item's edges, both ways; a reversal is both at once."""
    ways = item.edges if way == "reversed" else (*item.edges, *((b, a) for a, b in item.edges))
    edges = dict.fromkeys(tuple(sorted(edge)) if way == "reversed" else edge for edge in ways)
    return [WAYS[way](graph, row, column) for row, column in edges]


def scored(
    model: RetrievalModel, item: Item, graph: str, controls: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """By what is done: scores [right_and_wrong version], first of the relation's edges, then of controls."""
    graphs: Graphs = edge_weights(model, item.right, [CutEdge(graph, 0, 1)])
    edits: dict[str, list[Sequence[Edit]]] = {"nothing": [()]}
    for way in WAYS:
        own = changes_of(way, graph, item)
        edits[way] = [own, *elsewhere(item.right, own, *graphs, controls, rng)]
    everyone = permutations(range(len(item.right.regions)), 2)
    edits["all cut"] = [[CutEdge(graph, row, column) for row, column in everyone]]
    changed = [edited(item.right, each).edges for versions in edits.values() for each in versions]
    versions = [Edited(pair, edges) for pair in (item.right, item.wrong) for edges in changed]
    scores = edited_scores(model, versions).reshape(2, -1)
    ends = np.cumsum([len(each) for each in edits.values()])[:-1]
    return dict(zip(edits, np.split(scores, ends, axis=1), strict=True))


def margin(scores: np.ndarray) -> np.ndarray:
    """[version] the right caption's score minus the wrong one's."""
    return scores[0] - scores[1]


def right_score(scores: np.ndarray) -> np.ndarray:
    """[version]"""
    return scores[0]


def right_per_cent(scores: np.ndarray) -> np.ndarray:
    """[version] 100 where the right caption has the higher score, 50 where both have the same."""
    return 50 + 50 * np.sign(margin(scores))


MEASURES = (margin, right_score, right_per_cent)


def measured(
    model: RetrievalModel, graph: str, items: list[Item], controls: int, seed: int
) -> dict[str, Any]:
    """One graph of one system, over all items: each number with the ends of its interval."""
    rng = np.random.default_rng(seed)
    each = [scored(model, item, graph, controls, rng) for item in items]
    resampled = Bootstrap.of(np.array([item.row // 2 for item in items]))

    def mean(values: list[float]) -> list[float]:
        return [round(float(number), 5) for number in resampled.interval(np.array(values))]

    def compared(way: str, measure: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
        moved = [measure(found[way]) - measure(found["nothing"]) for found in each]
        own, others = (
            [one[0] for one in moved],
            [one[1:] if len(one) > 1 else np.array([np.nan]) for one in moved],
        )
        told = {"change": mean(own), "size": mean(np.abs(own).tolist())}
        if way == "all cut":
            return told
        by_others = [one.mean() for one in others]
        larger = [abs(mine) - np.abs(one).mean() for mine, one in zip(own, others, strict=True)]
        return told | {
            "change_by_controls": mean(by_others),
            "size_by_controls": mean([np.abs(one).mean() for one in others]),
            "excess": mean([mine - one for mine, one in zip(own, by_others, strict=True)]),
            "excess_size": mean(larger),
        }

    draws = {way: [found[way].shape[1] - 1 for found in each] for way in WAYS}
    return {
        "items": len(items),
        "edges_an_item": round(float(np.mean([2 * len(item.edges) for item in items])), 1),
        "items_with_controls": {way: sum(n > 0 for n in drawn) for way, drawn in draws.items()},
        "controls_an_item": {way: round(float(np.mean(drawn)), 1) for way, drawn in draws.items()},
        **{measure.__name__: mean([measure(f["nothing"])[0] for f in each]) for measure in MEASURES},
        **{way: {m.__name__: compared(way, m) for m in MEASURES} for way in (*WAYS, "all cut")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--items", type=int, default=250, help="of the probe's relation half, at most")
    parser.add_argument("--controls", type=int, default=10, help="draws for each item")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    items, found = items_of(Collection.scenes("swap"), options.items), {}
    for name in options.models:
        model = from_pretrained(f"{name}-tiny-scenes")
        for graph in graphs_of(model):
            found[f"{name}: {graph}"] = measured(model, graph, items, options.controls, options.seed)
    write("edges", {"settings": vars(options), "systems": found})


if __name__ == "__main__":
    main()
