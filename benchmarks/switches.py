"""What one switch of a published system changes, beside its recipe.

    python benchmarks/switches.py [--photos ../shared/data/real-photos] [--only vsrnpp] [--again]

Recipes leave out some of what papers have, where it does not pay for its time on small collections. Each row
of SWITCHES trains a recipe with the setting named, one seed, and tells recall at 1 on validation, which would
decide, and on test; the recipe's own figures stand in results/scenes.json and results/real_photos.json. Runs
are written to results/switches.json as they end; photos need their folder.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from common import Kept, machine

from itr_explore import Collection, evaluate, fit
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import recipe_for

KEPT = Kept("switches", "model", "collection", "seed", "changed")
SWITCHES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("vsrnpp", "scenes", {"generation_weight": 1.0}),  # the caption-generation loss
    ("lgsf", "photos", {"constraint_weight": 1.0}),  # the angular constraint, of a mean and not of a sum
    ("user", "photos", {"uto": True}),  # its unified objective
)


def one_run(name: str, where: str, changed: dict[str, Any], splits, seed: int, device: str) -> dict[str, Any]:
    """Train by a recipe with some settings changed, and measure."""
    recipe = recipe_for(name, where)
    recipe = replace(recipe, model={**recipe.model, **changed})
    torch.manual_seed(seed)
    model = recipe.make_model(splits["train"])
    busy = time.process_time()
    steps = fit(model, splits["train"], splits["val"], **recipe.settings, seed=seed, device=device)
    for _ in with_progress_bar(steps, f"{name} on {where}, {changed}"):
        pass
    busy = time.process_time() - busy
    recalls = {split: evaluate(model, splits[split], device=device).recall_at(1) for split in ("val", "test")}
    told = {"preset": recipe.preset, "model": dict(recipe.model), **recipe.settings}
    return {
        "model": name,
        "collection": where,
        "seed": seed,
        "changed": json.dumps(changed),
        "recipe": told,
        "train_cpu_seconds": round(busy),
        "validation_recall_at_1": recalls["val"],
        "test_recall_at_1": recalls["test"],
        "machine": machine(),
    }


def splits_of(where: str, photos: Path | None) -> dict[str, Collection] | None:
    """The three splits of a collection; None for photos of which no folder was given."""
    names = ("train", "val", "test")
    if where == "scenes":
        return {split: Collection.scenes(split) for split in names}
    return photos and {split: Collection.from_karpathy(photos, split) for split in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="the folder of real photos")
    parser.add_argument("--only", nargs="+", help="these systems")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name, where, switch in SWITCHES:
        splits = splits_of(where, options.photos)
        if splits is None or (options.only and name not in options.only):
            continue
        key = {"model": name, "collection": where, "seed": options.seed, "changed": json.dumps(switch)}
        if options.again or not KEPT.has(**key):
            run = one_run(name, where, switch, splits, options.seed, options.device)
            KEPT.add(run)
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
