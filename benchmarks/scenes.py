"""The `tiny` preset on scenes: recall and its ceiling, pointing and its ceiling, swaps, by system and seed.

    python benchmarks/scenes.py [--models scan vsrnpp] [--seeds 3] [--boxes yes no] [--foils yes no]
                                [--save] [--weights FOLDER]

Trains each system by its recipe for scenes, once for each seed, with and without the boxes of the regions
(without them no system can tell left from right) and with and without foils (nearly right captions that are
false, as further negatives), and measures the weights that validation chose. A run that stands in
results/scenes.json is not run again unless `--again` says so, its recipe has changed or its weights are
wanted and not there; each run is written as soon as it ends. `--save` writes the weights of seed 0, with
boxes and as the recipe has it, to itr_explore/zoo, `--weights` those of every seed, with boxes and as the
recipe has it, to FOLDER/SYSTEM-SEED.
`python benchmarks/report.py` makes tables and charts of the results.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from common import Kept, machine

import itr_explore
from itr_explore import Collection, evaluate, fit, ground, list_models
from itr_explore.data.scenes.claims import ambiguity_ceiling
from itr_explore.data.scenes.language import Caption
from itr_explore.data.scenes.load import open_dataset
from itr_explore.data.scenes.predicates import OPPOSITE
from itr_explore.data.scenes.probes import ATTRIBUTES
from itr_explore.data.scenes.world import Scene
from itr_explore.evaluation.relations import swap_accuracy
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import Recipe, recipe_for

SPLITS = ("train", "val", "test", "swap", "compose")


class Which(NamedTuple):
    """What tells one run from another."""

    model: str
    seed: int
    box: bool
    foils: bool

    def __str__(self) -> str:
        box, foils = "boxes" if self.box else "no boxes", "foils" if self.foils else "no foils"
        return f"{self.model}, {box}, {foils}, seed {self.seed}"


KEPT = Kept("scenes", *Which._fields)
# what the pairs of the `swap` probe ask for in turn (data.scenes.probes.swap_item)
TURNS = [tuple(OPPOSITE)[turn // 2] if turn % 2 == 0 else ATTRIBUTES[turn // 2 % 2] for turn in range(16)]


def ceiling_of(split: str) -> tuple[float, float]:
    """Recall at 1 that the captions' own ambiguity allows: image to text, text to image."""
    rows = open_dataset(split)
    scenes = [Scene.from_json(text) for text in rows["scene"]]
    told = [
        (image, Caption.from_json(text)) for image, texts in enumerate(rows["meanings"]) for text in texts
    ]
    return ambiguity_ceiling(scenes, [caption.claims for _, caption in told], [image for image, _ in told])


def described(recipe: Recipe) -> dict[str, Any]:
    """What a run depends on besides its seed."""
    return {"preset": recipe.preset, "model": dict(recipe.model), **recipe.settings}


def recipe_of(which: Which) -> Recipe:
    """The recipe for scenes, with or without foils."""
    return replace(recipe_for(which.model, "scenes"), foils=which.foils)


def as_usual(which: Which) -> bool:
    """Whether a run sees the boxes and is trained as the recipe has it."""
    return which.box and which.foils == recipe_for(which.model, "scenes").foils


def weights_missing(which: Which, folder: Path | None) -> bool:
    """Whether a run's weights are wanted and not there."""
    return folder is not None and as_usual(which) and not (folder / f"{which.model}-{which.seed}").exists()


def one_run(which: Which, splits: dict[str, Collection], options) -> dict[str, Any]:
    """Train, measure, and save to the zoo where that is asked for."""
    recipe, (name, seed, box, _) = recipe_of(which), which
    torch.manual_seed(seed)
    model = recipe.make_model(splits["train"], box=box)
    start, busy = time.perf_counter(), time.process_time()
    steps = fit(model, splits["train"], splits["val"], **recipe.settings, seed=seed, device=options.device)
    for _ in with_progress_bar(steps, str(which)):
        pass
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    first = seed == 0 and as_usual(which)
    if options.weights and as_usual(which):
        model.save_pretrained(options.weights / f"{name}-{seed}", half=True)
    if options.save and first:
        zoo = Path(itr_explore.__file__).parent / "zoo"
        model.save_pretrained(zoo / f"{name}-tiny-scenes", half=True)
    known = splits["train"].subset(range(len(splits["test"])))
    test, compose, trained = (
        evaluate(model, scenes, device=options.device)
        for scenes in (splits["test"], splits["compose"], known)
    )
    asked = {name: model}, splits["swap"], splits["train"].captions
    swaps = swap_accuracy(*asked, device=options.device)
    turns = swap_accuracy(*asked, TURNS, device=options.device)
    found = {
        **which._asdict(),
        "usual_foils": recipe_for(name, "scenes").foils,
        "recipe": described(recipe),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "train_seconds": round(seconds, 1),
        "train_cpu_seconds": round(busy, 1),  # of all threads: what a run costs, however busy the machine is
        "test_recall": [test.recall_at(k) for k in (1, 5, 10)],
        "compose_recall_at_1": compose.recall_at(1),
        "recall_at_1_on_as_many_training_scenes": trained.recall_at(1),
        "swap": {
            row: dict(zip(swaps.kinds, values, strict=True))
            for row, values in zip(swaps.rows, swaps.values.tolist(), strict=True)
        },
        "swap_by_what": {what: turns.accuracy(name, what) for what in turns.kinds[1:]},
        "machine": machine(),
    }
    if first:
        grounding = ground(model, splits["test"], device=options.device)
        found["map"] = grounding.origin
        found["pointing"] = {row: round(grounding.pointing(row), 1) for row in grounding.rows}
        found["pointing_share_of_ceiling"] = round(grounding.share_of_ceiling, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--boxes", nargs="+", choices=["yes", "no"], default=["yes"])
    parser.add_argument("--foils", nargs="+", choices=["yes", "no"], help="default: as the recipe has it")
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    parser.add_argument("--save", action="store_true", help="write the weights of seed 0 to the zoo")
    parser.add_argument("--weights", type=Path, help="a folder for the weights of every seed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    splits = {split: Collection.scenes(split) for split in SPLITS}
    if "ambiguity_ceiling_recall_at_1" not in KEPT.read():
        KEPT.add(ambiguity_ceiling_recall_at_1={split: ceiling_of(split) for split in ("test", "compose")})
    for seed, name in product(range(options.seeds), options.models):
        usual = "yes" if recipe_for(name, "scenes").foils else "no"
        for box, foils in product(options.boxes, options.foils or [usual]):
            which = Which(name, seed, box == "yes", foils == "yes")
            known = KEPT.has(recipe=described(recipe_of(which)), **which._asdict())
            if known and not options.again and not weights_missing(which, options.weights):
                continue
            run = one_run(which, splits, options)
            KEPT.add(run)
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
