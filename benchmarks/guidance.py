"""USER on scenes, guided by nobody but itself (SGE) and by the scenes' CLIP (CGE), beside that CLIP alone.

    python benchmarks/guidance.py [--seeds 3] [--again]

The guide vectors are those of `zoo/clip-tiny-scenes`, which `python -m itr_explore.data.scenes.train_clip`
has trained on the same training scenes. `guide_length` is 1, as in the paper, and 15, the norm of the scenes'
regions: what is added to a region is then of its own size. Rows of USER by itself are those of scenes.json.
Writes `results/guidance.json`; a run that stands there is not run again unless `--again` says so.
"""

from __future__ import annotations

import argparse
import time
from importlib.resources import files
from typing import Any

import torch
from common import Kept, machine

from itr_explore import Collection, evaluate, fit, guide_vectors
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import recipe_for

KEPT = Kept("guidance", "guide_length", "seed")
SPLITS = ("train", "val", "test", "swap", "compose")
LENGTHS = (1.0, 15.0)


def one_run(seed: int, length: float, splits: dict[str, Collection]) -> dict[str, Any]:
    """Train by USER's recipe for scenes with CLIP as the guide, and measure."""
    from itr_explore.evaluation.relations import pair_scores

    recipe = recipe_for("user", "scenes")
    torch.manual_seed(seed)
    model = recipe.make_model(splits["train"], guide_dim=splits["train"].guide_dim, guide_length=length)
    busy = time.process_time()
    steps = fit(model, splits["train"], splits["val"], **recipe.settings, seed=seed, device="cpu")
    for _ in with_progress_bar(steps, f"USER, guide of length {length:g}, seed {seed}"):
        pass
    busy = time.process_time() - busy
    own, other = pair_scores(model, splits["swap"], device="cpu")
    return {
        "guide_length": length,
        "seed": seed,
        "recipe": {"preset": recipe.preset, "model": dict(recipe.model), **recipe.settings},
        "train_cpu_seconds": round(busy, 1),
        "test_recall_at_1": evaluate(model, splits["test"], device="cpu").recall_at(1),
        "compose_recall_at_1": evaluate(model, splits["compose"], device="cpu").recall_at(1),
        "swap_per_cent": round(100 * float(((own > other) + 0.5 * (own == other)).mean()), 1),
        "machine": machine(),
    }


def main() -> None:
    from transformers import CLIPConfig

    from itr_explore.data.guide import SCENES_CLIP

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--lengths", type=float, nargs="+", default=LENGTHS)
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    splits = {split: Collection.scenes(split) for split in SPLITS}
    splits = {split: scenes.with_guide(guide_vectors(scenes)) for split, scenes in splits.items()}
    clip = CLIPConfig.from_pretrained(str(files("itr_explore.zoo") / SCENES_CLIP))
    KEPT.add(clip_alone_recall_at_1=clip.measured)
    for seed in range(options.seeds):
        for length in options.lengths:
            if options.again or not KEPT.has(guide_length=length, seed=seed):
                run = one_run(seed, length, splits)
                KEPT.add(run)
                print(run, flush=True)


if __name__ == "__main__":
    main()
