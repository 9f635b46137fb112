"""The `tiny` preset on scenes: training time, recall and its ceiling, pointing and its ceiling, swaps.

    python benchmarks/scenes.py [--models scan vsrnpp] [--no-boxes] [--save] [--device cpu] [--threads 2]

`--no-boxes` trains each model a second time without the boxes of the regions: such a model cannot tell left
from right. `--save` writes the weights to itr_explore/zoo. Results go to benchmarks/results/scenes.json.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

import torch
from common import write

import itr_explore
from itr_explore import Collection, evaluate, fit, ground, list_models
from itr_explore.data.scenes.claims import ambiguity_ceiling
from itr_explore.data.scenes.language import Caption
from itr_explore.data.scenes.load import open_dataset
from itr_explore.data.scenes.world import Scene
from itr_explore.evaluation.relations import swap_accuracy
from itr_explore.evaluation.report import recall_table
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.recipes import recipe_for

SPLITS = ("train", "val", "test", "swap", "compose")


def ceiling_of(split: str) -> tuple[float, float]:
    """Recall at 1 that the captions' own ambiguity allows: image to text, text to image."""
    rows = open_dataset(split)
    scenes = [Scene.from_json(text) for text in rows["scene"]]
    told = [
        (image, Caption.from_json(text)) for image, texts in enumerate(rows["meanings"]) for text in texts
    ]
    return ambiguity_ceiling(scenes, [caption.claims for _, caption in told], [image for image, _ in told])


def train(name: str, splits: dict[str, Collection], device: str, box: bool):
    """A model by the recipe for scenes, and the seconds that it took."""
    recipe = recipe_for(name, "scenes")
    torch.manual_seed(0)
    model = recipe.make_model(splits["train"], box=box)
    start = time.perf_counter()
    steps = fit(model, splits["train"], splits["val"], **recipe.settings, device=device)
    for _ in with_progress_bar(steps, name if box else f"{name}, no boxes"):
        pass
    return model, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--no-boxes", action="store_true", help="also train without boxes")
    parser.add_argument("--save", action="store_true", help="write the weights to the zoo")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    splits = {split: Collection.scenes(split) for split in SPLITS}
    ceilings = {split: ceiling_of(split) for split in ("test", "compose")}
    models, results, rankings = {}, {}, {}
    for name in options.models:
        for box in (True, False) if options.no_boxes else (True,):
            row = name if box else f"{name}, no boxes"
            model, seconds = train(name, splits, options.device, box)
            rankings[row] = evaluate(model, splits["test"], device=options.device)
            compose = evaluate(model, splits["compose"], device=options.device)
            grounding = ground(model, splits["test"], device=options.device)
            print(f"\n{row}, {seconds:.0f} s\n{grounding}\n", flush=True)
            models[row] = model
            results[row] = {
                "recipe": recipe_for(name, "scenes").settings,
                "train_seconds": round(seconds, 1),
                "test_recall_at_1": rankings[row].recall_at(1),
                "compose_recall_at_1": compose.recall_at(1),
                "pointing": {line: round(grounding.pointing(line), 1) for line in grounding.rows},
                "pointing_share_of_ceiling": round(grounding.share_of_ceiling, 1),
                "map": grounding.origin,
            }
            if options.save and box:
                zoo = Path(itr_explore.__file__).parent / "zoo"
                copy.deepcopy(model).half().save_pretrained(zoo / f"{name}-tiny-scenes")  # half the size
    swaps = swap_accuracy(models, splits["swap"], splits["train"].captions, device=options.device)
    note = "R@1 that the captions' ambiguity allows: {:.1f} image to text, {:.1f} text to image"
    print(recall_table(rankings, "Test scenes, recall in per cent", note.format(*ceilings["test"])))
    print(f"\n{swaps}\n")
    swapped = {
        row: dict(zip(swaps.kinds, swaps.values[i].tolist(), strict=True)) for i, row in enumerate(swaps.rows)
    }
    write("scenes", {"ambiguity_ceiling_recall_at_1": ceilings, "swap_accuracy": swapped, "models": results})


if __name__ == "__main__":
    main()
