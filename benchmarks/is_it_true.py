"""Is a system's picture of itself true? Right, faithful and specific, by system, method and seed.

    python benchmarks/is_it_true.py [--models scan vsrnpp] [--weights FOLDER] [--pairs 200] [--again]

Seed 0 is the zoo's; further seeds are FOLDER/SYSTEM-SEED, as `scenes.py --weights FOLDER` writes them. On the
scenes' test split, each system's own maps and those of attributions are asked three things:
- right: does the strongest region of a word lie on what the word names? Pointing accuracy of the system's
  own map (`ground`; an exact split of the score where a system has no attention) and of the interactions of
  joint occlusion, beside random weights, the blind map, a random region and the ceiling;
- faithful: does more of the score go when the parts that a map holds important go first? The deletion and
  insertion gains over a random order, and the share of parts whose sign is right (`faithfulness`);
- specific: how like is the map to that of the same network with random weights? (`faithfulness`, the last
  stage of its cascade; near 0 is good.)
Intervals are 95 per cent of the bootstrap over images. A run that stands in results/is_it_true.json is not
run again unless `--again` says so.
"""

from __future__ import annotations

import argparse
from math import isnan
from pathlib import Path
from typing import Any

import torch
from common import Kept, machine

from itr_explore import Collection, faithfulness, from_pretrained, ground, list_models

KEPT = Kept("is_it_true", "model", "seed")
METHODS = ("attention", "integrated_gradients", "joint_occlusion")
MEASURES = ("deletion gain", "insertion gain", "sign agreement", "after random weights")


def rounded(numbers, digits: int) -> list[float | None]:
    """A number and the ends of its interval; None where there is none."""
    return [None if isnan(number) else round(float(number), digits) for number in numbers]


def pointing(model, scenes: Collection) -> dict[str, Any]:
    """Of the system's own map and of joint occlusion, with their controls, in per cent."""
    found = {}
    for method in ("native", "joint_occlusion"):
        grounding = ground(model, scenes, method=method, device="cpu")
        found[method] = {row: rounded(grounding.interval(row), 1) for row in grounding.rows} | {
            "origin": grounding.origin
        }
    return found


def tested(model, scenes: Collection, method: str, pairs: int) -> dict[str, Any]:
    """The measures of one method by side; empty where the system has no such map."""
    try:
        report = faithfulness(model, scenes, method, pairs=pairs, examined=min(20, pairs), device="cpu")
    except ValueError as error:
        return {"refused": str(error)}
    return {
        f"{side}: {name}": {
            "value": rounded(report.measure(name, side).value, 3),
            "random": rounded(report.measure(name, side).random or (), 3),
        }
        for side in report.sides
        for name in MEASURES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--weights", type=Path, help="a folder with the weights of further seeds")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--images", type=int, default=200, help="that pointing is measured on")
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    scenes = Collection.scenes("test")
    some = scenes.subset(range(options.images))
    for seed in range(options.seeds):
        for name in options.models:
            source = f"{name}-tiny-scenes" if seed == 0 else (options.weights or Path()) / f"{name}-{seed}"
            if seed and not Path(source).exists():
                continue
            asked = {"model": name, "seed": seed, "pairs": options.pairs, "images": options.images}
            if KEPT.has(**asked) and not options.again:
                continue
            model = from_pretrained(source)
            run = {**asked, "pointing": pointing(model, some)}
            for method in METHODS:
                run[method] = tested(model, scenes, method, options.pairs)
            KEPT.add({**run, "machine": machine()})
            print(name, seed, run, flush=True)


if __name__ == "__main__":
    main()
