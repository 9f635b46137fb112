"""The `base` preset on real photos: test recall, chosen on validation, and pointing on human boxes.

    python benchmarks/real_photos.py ../shared/data/real-photos [--models scan vsrnpp] [--seeds 1] [--again]

Trains each system by its recipe for photos, once for each seed. A run that stands in results/real_photos.json
is not run again unless `--again` says so or its recipe has changed; each run is written as soon as it ends,
and one that was interrupted goes on from its checkpoint under --folder. `python benchmarks/report.py` makes
the table.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch
from common import Kept, machine

from itr_explore import Collection, evaluate, fit, ground, list_models
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import recipe_for

KEPT = Kept("real_photos", "model", "seed")
# Linear CCA between (whole photo, mean region) features and tf-idf captions, from the collection's README:
# recall at 1, 5 and 10 of image to text, then of text to image.
LINEAR_CCA = ((15.7, 12.0), (38.3, 33.3), (52.8, 45.4))


def one_run(
    name: str, seed: int, recipe: dict[str, Any], splits: dict[str, Collection], options
) -> dict[str, Any]:
    """Train by the recipe, and measure on test."""
    torch.manual_seed(seed)
    made = recipe_for(name, "photos", epochs=options.epochs)
    model = made.make_model(splits["train"])
    folder = options.folder / f"{name}-{seed}" if options.folder else None
    start, busy, best = time.perf_counter(), time.process_time(), None
    steps = fit(
        *(model, splits["train"], splits["val"]),
        **made.settings,
        seed=seed,
        device=options.device,
        folder=folder,
    )
    for progress in with_progress_bar(steps, f"{name}, seed {seed}"):
        if progress.validation:
            print(f"epoch {progress.epoch:.0f}\n{progress.validation}", flush=True)
        best = progress.validation if progress.best else best
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    if options.weights:
        model.save_pretrained(options.weights / f"{name}-{seed}")
    test = evaluate(model, splits["test"], device=options.device)
    grounding = ground(model, splits["test"], device=options.device)
    print(f"\n{name}, seed {seed}, {seconds:.0f} s\n{test}\n\n{grounding}\n", flush=True)
    return {
        "model": name,
        "seed": seed,
        "recipe": recipe,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "train_seconds": round(seconds),
        "train_cpu_seconds": round(busy),
        "validation_recall": [best.recall_at(k) for k in (1, 5, 10)] if best else None,
        "test_recall": [test.recall_at(k) for k in (1, 5, 10)],
        "map": grounding.origin,
        "pointing": {row: round(grounding.pointing(row), 1) for row in grounding.rows},
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="the folder of real photos")
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", type=Path, help="where checkpoints go; none are kept without it")
    parser.add_argument("--weights", type=Path, help="where trained models go; none are kept without it")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    splits = {split: Collection.from_karpathy(options.photos, split) for split in ("train", "val", "test")}
    KEPT.add(linear_cca=LINEAR_CCA)
    for seed, name in product(range(options.seeds), options.models):
        recipe = recipe_for(name, "photos", epochs=options.epochs)
        described = {"preset": recipe.preset, "model": dict(recipe.model), **recipe.settings}
        if options.again or not KEPT.has(model=name, seed=seed, recipe=described):
            run = one_run(name, seed, described, splits, options)
            KEPT.add(run)
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
