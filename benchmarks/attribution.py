"""How complete attributions are, and what interactions and a report of faithfulness cost.

    python benchmarks/attribution.py [--pairs 100] [--models scan vsrnpp] [--reports scan racg]

Completeness: integrated gradients of 64 steps for pairs of the scenes' test split, by the zoo's weights:
the gap as a share of `score - baseline score`, which can be next to nothing for a pair, of that of all pairs
together, and of what all regions and words gave or took.
Cost: joint occlusion of all cells of a pair of 12 words and 36 regions (`base`, random weights), beside
scoring every changed pair alone; and `faithfulness` of integrated gradients on a pair of each of 500 scenes,
for the systems of `--reports`. Writes `results/attribution.json`.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import torch
from common import side_by_side, write

from itr_explore import (
    Collection,
    Pair,
    attribute,
    build_tokenizer,
    create_model,
    faithfulness,
    from_pretrained,
    list_models,
)
from itr_explore.data.text import split_words
from itr_explore.explanation.attribution import region_baseline, word_baseline
from itr_explore.explanation.scorer import Scorer, still

STEPS, WORDS, REGIONS, FEATURES = 64, 12, 36, 512


def completeness(name: str, scenes: Collection, pairs: int) -> dict[str, float]:
    """Of integrated gradients: the gap in per cent, and what a pair costs."""
    model, seconds = from_pretrained(f"{name}-tiny-scenes"), time.process_time()
    found = [
        attribute(model, scenes.pair(row, row % 5, picture=False), steps=STEPS)
        for row in np.linspace(0, len(scenes) - 1, pairs).astype(int).tolist()
    ]
    seconds = (time.process_time() - seconds) / pairs
    of_change = 100 * np.array([one.relative_gap for one in found])
    given = np.array([np.abs(one.regions).sum() + np.abs(one.words).sum() for one in found])
    gaps = np.abs([one.gap for one in found])
    changes = np.abs([one.score - one.baseline_score for one in found])
    of_given = 100 * gaps / given
    return {
        "gap_per_cent_of_change": {
            "median": _rounded(median(of_change)),
            "largest": _rounded(of_change.max()),
            "of all pairs together": _rounded(100 * gaps.sum() / changes.sum()),
        },
        "gap_per_cent_of_what_was_given": {
            "median": _rounded(median(of_given)),
            "largest": _rounded(of_given.max()),
        },
        "pairs_below_1_per_cent_of_change": _rounded(100 * float(np.mean(of_change < 1))),
        "cpu_seconds_a_pair": _rounded(seconds),
    }


def _rounded(value: float) -> float:
    return round(float(value), 3)


def made_pair() -> Pair:
    """A pair of the published sizes, of random features and made-up words."""
    rng = np.random.default_rng(0)
    caption = " ".join(f"word{row}" for row in range(WORDS))
    words, offsets = split_words(caption)
    corners = np.sort(rng.random((REGIONS, 2, 2)), axis=1).reshape(REGIONS, 4).astype(np.float32)
    features = rng.normal(size=(REGIONS, FEATURES)).astype(np.float32)
    return Pair("made", None, features, corners, caption, words, offsets)


@torch.no_grad()
def one_by_one(scorer: Scorer) -> np.ndarray:
    """[word region] the same interactions, every changed pair scored alone."""
    regions, words = region_baseline(scorer, "mean"), word_baseline(scorer, "padding")

    def score(region: int | None, word: int | None) -> float:
        seen, told = scorer.regions.clone(), scorer.embeddings.clone()
        if region is not None:
            seen[0, region] = regions[0, region]
        if word is not None:
            told[0, scorer.owner == word] = words[0, scorer.owner == word]
        return float(scorer(seen, told))

    whole = score(None, None)
    no_region = np.array([score(region, None) for region in range(REGIONS)])
    no_word = np.array([score(None, word) for word in range(WORDS)])
    neither = np.array([[score(region, word) for region in range(REGIONS)] for word in range(WORDS)])
    return whole - no_region[None, :] - no_word[:, None] + neither


def cost(name: str) -> dict[str, float]:
    """Of all cells in one forward, and one by one."""
    pair = made_pair()
    tokenizer = build_tokenizer([pair.caption], min_count=1)
    model = create_model(name, "base", region_dim=FEATURES, tokenizer=tokenizer).eval()
    with still(model):
        scorer = Scorer.of(model, pair)
        seconds = side_by_side(
            {
                "joint": lambda: attribute(model, pair, "joint_occlusion"),
                "one_by_one": lambda: one_by_one(scorer),
            },
            repeats=3,
        )
        apart = np.abs(attribute(model, pair, "joint_occlusion").interactions - one_by_one(scorer)).max()
    return {
        "joint_seconds": round(seconds["joint"], 4),
        "one_by_one_over_joint": round(seconds["one_by_one"] / seconds["joint"], 1),
        "largest_difference": float(f"{apart:.1e}"),
    }


def report_seconds(name: str, scenes: Collection) -> dict[str, float]:
    """By the clock and of the processor, of one report on all scenes."""
    model, start, busy = from_pretrained(f"{name}-tiny-scenes"), time.perf_counter(), time.process_time()
    report = faithfulness(model, scenes, pairs=len(scenes), device="cpu")
    spent = time.perf_counter() - start, time.process_time() - busy
    return {
        "report_pairs": report.pairs,
        "report_seconds": round(spent[0]),
        "report_cpu_seconds": round(spent[1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--reports", nargs="*", choices=list_models(), default=["scan", "racg"])
    options = parser.parse_args()
    scenes, found = Collection.scenes("test"), {}
    for name in options.models:
        found[name] = completeness(name, scenes, options.pairs) | cost(name)
        if name in options.reports:
            found[name] |= report_seconds(name, scenes)
        print(name, found[name], flush=True)
    write("attribution", {"pairs": options.pairs, "steps": STEPS, "systems": found})


if __name__ == "__main__":
    main()
