"""Training by two processes of one thread each beside one of one thread: the same batches, the same curve.

    python benchmarks/processes.py [--systems vse scan ...] [--preset base] [--images 512] [--turns 3]

Each turn trains every system alone, then in two processes, for one epoch of scenes. Steps are timed from the
fifth on, without the start of processes and without the validation; the ratio is of the medians over turns.
Dropout is off, so that the losses of all steps and the validation can be compared. On a machine that does
other work too the second core is not free, and the ratio falls: the load is written beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from common import write

WARM = 4  # steps that are not timed
NO_CHANCE = (  # settings by which processes would draw numbers of their own
    *("dropout", "region_dropout", "word_dropout", "attention_dropout", "guide_dropout", "decoder_dropout"),
)


def main() -> None:
    options = _options()
    if options.worker is not None:
        _work(options)
        return
    seconds: dict[str, dict[int, list[float]]] = {name: {1: [], 2: []} for name in options.systems}
    courses: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in options.systems}
    for _ in range(options.turns):
        for name in options.systems:
            for processes in (1, 2):
                told = _launch(name, processes, options)
                seconds[name][processes].append(told["seconds"])
                courses[name][processes] = told
    systems = {
        name: {
            "seconds_one": round(median(seconds[name][1]), 2),
            "seconds_two": round(median(seconds[name][2]), 2),
            "ratio": round(median(seconds[name][1]) / median(seconds[name][2]), 2),
            **_difference(courses[name][1], courses[name][2]),
        }
        for name in options.systems
    }
    settings = {"preset": options.preset, "images": options.images, "batch_size": options.batch_size}
    write("processes", {**settings, "threads_a_process": 1, "turns": options.turns, "systems": systems})


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("--systems", nargs="+", default=["vse", "scan", "user", "lgsf"])
    made.add_argument("--preset", default="base")
    made.add_argument("--images", type=int, default=512)
    made.add_argument("--batch-size", type=int, default=128)
    made.add_argument("--turns", type=int, default=3)
    made.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return made.parse_args()


def _launch(name: str, processes: int, options: argparse.Namespace) -> dict[str, Any]:
    """What a run of so many processes tells."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(processes), __file__, "--worker", str(told), "--systems", name),
            *("--preset", options.preset, "--images", str(options.images)),
            *("--batch-size", str(options.batch_size)),
        ]
        subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
        return json.loads(told.read_text(encoding="utf-8"))


def _work(options: argparse.Namespace) -> None:
    """One of the processes: train for an epoch, and tell."""
    import torch

    from itr_explore import Collection, create_model, fit
    from itr_explore.data.text import build_tokenizer
    from itr_explore.models.registry import model_class

    (name,) = options.systems
    training = Collection.scenes("train").subset(range(options.images))
    validation = Collection.scenes("val").subset(range(100))
    known = model_class(name).Config.__dataclass_fields__
    torch.manual_seed(0)
    model = create_model(
        name,
        preset=options.preset,
        region_dim=training.region_dim,
        tokenizer=build_tokenizer(training.captions, min_count=1),
        **{setting: 0.0 for setting in NO_CHANCE if setting in known},
    )
    begun = ended = 0.0
    losses, rsum = [], 0.0
    steps = -(-len(training.captions) // options.batch_size)
    settings = {"epochs": 1, "batch_size": options.batch_size, "learning_rate": 5e-4, "device": "cpu"}
    for progress in fit(model, training, validation, warm_up_epochs=0, **settings):
        losses.append(sum(progress.losses.values()))
        if progress.step == WARM:
            begun = time.perf_counter()
        if progress.step == steps - 1:  # the last one is followed by the validation
            ended = time.perf_counter()
        if progress.validation is not None:
            rsum = progress.validation.rsum
    if os.environ["RANK"] == "0":
        told = {"seconds": ended - begun, "losses": losses, "rsum": rsum}
        options.worker.write_text(json.dumps(told), encoding="utf-8")


def _difference(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """How far apart the two courses are."""
    largest = max(abs(a - b) / max(abs(a), 1e-9) for a, b in zip(one["losses"], two["losses"], strict=True))
    return {
        "largest_difference_of_a_loss": float(f"{largest:.2g}"),
        "rsum_one": round(one["rsum"], 1),
        "rsum_two": round(two["rsum"], 1),
    }


if __name__ == "__main__":
    main()
