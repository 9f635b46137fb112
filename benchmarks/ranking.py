"""Ranks of 5,000 images and 25,000 captions: counting against sorting in one run, and the memory of counting.

    python benchmarks/ranking.py [--images 5000]      writes benchmarks/results/ranking.json

The scores are random and lie in memory beforehand; what is measured is what ranking them takes. Sorting is
what the field's repositories do: one full argsort a query, then a search for the right answer.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch
from common import write

from itr_explore.evaluation.ranking import rank

CAPTIONS_AN_IMAGE = 5


def by_sorting(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks the way SCAN, VSRN and their descendants compute them."""
    images, captions = scores.shape
    to_text = np.empty(images)
    for image in range(images):
        order = np.argsort(scores[image])[::-1]
        first = CAPTIONS_AN_IMAGE * image
        to_text[image] = min(
            np.flatnonzero(order == own)[0] for own in range(first, first + CAPTIONS_AN_IMAGE)
        )
    to_image = np.empty(captions)
    columns = np.ascontiguousarray(scores.T)
    for caption in range(captions):
        order = np.argsort(columns[caption])[::-1]
        to_image[caption] = np.flatnonzero(order == caption // CAPTIONS_AN_IMAGE)[0]
    return to_text, to_image


def peak_mebibytes() -> float:
    """Most memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000)
    options = parser.parse_args()
    torch.set_num_threads(1)

    captions = CAPTIONS_AN_IMAGE * options.images
    scores = np.random.default_rng(0).standard_normal((options.images, captions), dtype=np.float32)
    image_of = np.arange(captions) // CAPTIONS_AN_IMAGE
    rank(scores[:100, :500], image_of[:500])  # first use loads what is loaded once
    before = peak_mebibytes()
    start = time.perf_counter()
    rank(scores, image_of)
    counting, extra = time.perf_counter() - start, peak_mebibytes() - before
    start = time.perf_counter()
    to_text, to_image = by_sorting(scores)
    sorting = time.perf_counter() - start
    low, high = rank(scores, image_of, ties="optimistic"), rank(scores, image_of, ties="pessimistic")
    same = all(  # sorting puts equal scores in any order
        np.all((getattr(low, side) <= ranks) & (ranks <= getattr(high, side)))
        for side, ranks in (("image_to_text", to_text), ("text_to_image", to_image))
    )

    result = {
        "images": options.images,
        "captions": captions,
        "counting_seconds": round(counting, 3),
        "sorting_seconds": round(sorting, 3),
        "times_faster": round(sorting / counting, 1),
        "counting_extra_memory_mib": round(extra, 1),
        "ranks_equal_but_for_ties": same,
    }
    write("ranking", result)


if __name__ == "__main__":
    main()
