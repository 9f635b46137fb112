"""A page about one model on one collection: what it finds, what it looks at, where it fails.

Each part is a function that can be called by itself: `evaluate`, `ground`, `error_classes`, `faithfulness`,
`query_ranks`, `explore`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import itr_explore
from itr_explore.evaluation.faithfulness import faithfulness
from itr_explore.evaluation.grounding import ground
from itr_explore.evaluation.queries import query_ranks
from itr_explore.evaluation.ranking import evaluate
from itr_explore.records import Pair
from itr_explore.viz.faithfulness import removal_curves
from itr_explore.viz.intervals import interval_dots
from itr_explore.viz.recall import recall_bars
from itr_explore.widgets.page import Section, save_page
from itr_explore.widgets.pair_view import explore

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


def save_report(
    model: RetrievalModel,
    collection: Collection,
    path: str | Path,
    *,
    pairs: Sequence[Pair] | int = 3,
    worst: int = 10,
    views_of_worst: int = 2,
    faithful_pairs: int = 0,
    device: str = "auto",
    seed: int = 0,
) -> Path:
    """Write a page about a model that opens from disk, needs no kernel and asks no network; returns its path.

    Recall both ways; grounding where the truth is known; on request whether integrated gradients are
    faithful; some pairs as linked views; the queries with the largest ranks.

    Args:
        model: is left as it was found.
        collection: what it is measured on.
        path: folders are made where they are missing.
        pairs: which pairs are shown, or how many, evenly spread over the collection.
        worst: how many of the worst captions are listed.
        views_of_worst: so many of these are shown.
        faithful_pairs: on how many pairs faithfulness is measured; 0 leaves it out (200 take minutes).
        device: "auto" is a GPU where there is one.
        seed: of what is drawn at random.

    Raises:
        ValueError: there are fewer than two images or no captions, a number is below 0, or a score is NaN.
        OSError: the page could not be written; an older one is still there.
    """
    for name, value in {
        "worst": worst,
        "views_of_worst": views_of_worst,
        "faithful_pairs": faithful_pairs,
    }.items():
        if value < 0:
            raise ValueError(f"{name} must be 0 or more, got {value}")
    shown = _spread(collection, pairs) if isinstance(pairs, int) else list(pairs)
    sections = [
        _recall(model, collection, device),
        *([_grounding(model, collection, device, seed)] if collection.has_truth else []),
        *([_faithfulness(model, collection, faithful_pairs, device, seed)] if faithful_pairs else []),
        *([Section("Some pairs", views=[explore(model, pair) for pair in shown])] if shown else []),
        *(_worst(model, collection, worst, views_of_worst, device, seed) if worst else []),
    ]
    weights = sum(parameter.numel() for parameter in model.parameters())
    facts = (
        f"{model.name}, {weights:,} weights, on {collection.name}, {collection.split}:"
        f" {len(collection):,} images, {len(collection.captions):,} captions."
        f" Written by itr_explore {itr_explore.__version__}."
    )
    title = f"{model.name} on {collection.name}"
    return save_page(path, title=title, text=[facts], sections=sections)


def _recall(model: RetrievalModel, collection: Collection, device: str) -> Section:
    ranking = evaluate(model, collection, device=device)
    text = "Per cent of queries whose right answer is among the first 1, 5 or 10."
    return Section("What it finds", [text], [ranking], [partial(recall_bars, {model.name: ranking})])


def _grounding(model: RetrievalModel, collection: Collection, device: str, seed: int) -> Section:
    found = ground(model, collection, device=device, seed=seed)
    text = (
        "Does a word's strongest region show what the word names? A map has to beat the same network with"
        " random weights, and the model with all regions made alike; no map can exceed the ceiling."
    )
    return Section("What it looks at", [text], [found], [partial(interval_dots, found.measured())])


def _faithfulness(
    model: RetrievalModel, collection: Collection, pairs: int, device: str, seed: int
) -> Section:
    found = faithfulness(model, collection, pairs=pairs, device=device, seed=seed)
    text = "Parts go in the order of a map; one that says what the model goes by beats random orders."
    return Section(
        "Whether its attributions are faithful", [text], [found], [partial(removal_curves, found.curves)]
    )


def _worst(
    model: RetrievalModel, collection: Collection, count: int, views: int, device: str, seed: int
) -> Iterator[Section]:
    found = query_ranks(model, collection, "images", device=device, seed=seed).worst(count)
    yield Section("Where it fails", ["Captions whose own image stands furthest down."], [found])
    for at in range(min(views, len(found.names))):
        caption = int(found.queries[at])
        image = int(collection.image_of[caption])
        which = collection.captions_of(image).tolist().index(caption)
        first = (
            f"first stands image {collection.image_ids[found.wrong[at]]}"
            if found.ranks[at]
            else "it is first"
        )
        text = (
            f"Its own image, {collection.image_ids[image]}, stands at rank {1 + found.ranks[at]:g}; {first}."
        )
        view = explore(model, collection.pair(image, caption=which))
        yield Section(f"Rank {1 + found.ranks[at]:g}", [text], views=[view])


def _spread(collection: Collection, count: int) -> list[Pair]:
    """Some pairs, evenly spread over the images that have captions."""
    if count < 0:
        raise ValueError(f"pairs must be 0 or more, got {count}")
    told = [image for image in range(len(collection)) if len(collection.captions_of(image))]
    count = min(count, len(told))
    return [collection.pair(told[place * len(told) // count]) for place in range(count)]
