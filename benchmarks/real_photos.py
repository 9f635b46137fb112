"""The `base` preset on real photos: test recall, chosen on validation, and pointing on human boxes.

    python benchmarks/real_photos.py ../shared/data/real-photos [--models scan vsrnpp] [--seeds 1]

Trains each model by its recipe, once for each seed, and prints recall beside the linear CCA row of the
collection's README, then pointing on human phrase boxes with its ceiling and controls. Writes
benchmarks/results/real_photos.json. Runs are checkpointed under --folder and go on where they stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from common import RESULTS, write

from itr_explore import Collection, evaluate, fit, ground, list_models
from itr_explore.evaluation.report import Grounding, recall_table
from itr_explore.records import Ranking
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import recipe_for

# Linear CCA between (whole photo, mean region) features and tf-idf captions, from the collection's README.
LINEAR_CCA = (15.7, 38.3, 52.8, 12.0, 33.3, 45.4)


def six(ranking: Ranking) -> list[float]:
    """Recall at 1, 5, 10 of images to text, then of text to images."""
    return [ranking.recall_at(k)[side] for side in (0, 1) for k in (1, 5, 10)]


def one_run(name: str, seed: int, splits: dict[str, Collection], options) -> tuple[dict, Grounding]:
    """Train by the recipe, measure on test; what was measured and the grounding record."""
    recipe = recipe_for(name, "real photos", epochs=options.epochs)
    torch.manual_seed(seed)
    model = recipe.make_model(splits["train"])
    start, best = time.perf_counter(), None
    steps = fit(
        model,
        splits["train"],
        splits["val"],
        **recipe.settings,
        seed=seed,
        device=options.device,
        folder=options.folder / f"{name}-{seed}" if options.folder else None,
    )
    for progress in with_progress_bar(steps, f"{name}, seed {seed}"):
        best = progress.validation if progress.best else best
    seconds = time.perf_counter() - start
    test = evaluate(model, splits["test"], device=options.device)
    grounding = ground(model, splits["test"], device=options.device)
    print(f"\n{name}, seed {seed}, {seconds:.0f} s\n{test}\n\n{grounding}\n", flush=True)
    measured = {
        "seed": seed,
        "train_seconds": round(seconds),
        "validation_rsum": round(best.rsum, 1) if best else None,
        "test_recalls": [round(value, 1) for value in six(test)],
        "pointing": {row: round(grounding.pointing(row), 1) for row in grounding.rows},
        "map": grounding.origin,
    }
    return measured, grounding


def earlier() -> dict[str, dict]:
    """What an earlier call measured of other models: each model's entry is replaced only by its own runs."""
    file = RESULTS / "real_photos.json"
    return json.loads(file.read_text(encoding="utf-8"))["models"] if file.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="the folder of real photos")
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", type=Path, help="where checkpoints go; none are kept without it")
    options = parser.parse_args()

    splits = {split: Collection.from_karpathy(options.photos, split) for split in ("train", "val", "test")}
    rows: dict[str, tuple[float, ...]] = {"linear CCA (README)": LINEAR_CCA}
    results = {}
    for name in options.models:
        runs = [one_run(name, seed, splits, options)[0] for seed in range(options.seeds)]
        rows[name] = tuple(np.mean([run["test_recalls"] for run in runs], axis=0))
        results[name] = {"recipe": recipe_for(name, "real photos", options.epochs).settings, "runs": runs}
    note = f"1,000 test photos, chosen on validation; mean of {options.seeds} seed(s)"
    print(recall_table(rows, note=note))
    write("real_photos", {"linear_cca": LINEAR_CCA, "models": {**earlier(), **results}})


if __name__ == "__main__":
    main()
