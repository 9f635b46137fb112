"""Run several things side by side in one process, and write what was measured with the machine named."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch
from filelock import FileLock

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    found: dict[str, Any] = {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "wait_policy": os.environ.get("OMP_WAIT_POLICY", "default"),
        "load": [round(load, 1) for load in os.getloadavg()],  # besides what is measured, nothing should run
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def cpu_model() -> str:
    """The processor's own name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def side_by_side(contestants: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each over `repeats` turns of all, so that all share the weather; warm up before."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in seconds.items()}


def write(name: str, result: Mapping[str, Any], *, quiet: bool = False) -> Path:
    """Write `results/NAME.json` with the machine and the date, print it unless `quiet`, return its path."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    described = {**result, "machine": machine(), "date": time.strftime("%Y-%m-%d")}
    text = json.dumps(described, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
    if not quiet:
        print(text)
    return file


class Kept:
    """Runs that are kept in `results/NAME.json` as they end; several processes may add to one file.

    A run is a dict; the values of the keys `which` tell it from others, and order the file.
    """

    def __init__(self, name: str, *which: str):
        self.name, self.which = name, which

    def read(self) -> dict[str, Any]:
        """The whole file: the `runs`, and what else was measured."""
        file = RESULTS / f"{self.name}.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"runs": []}

    def has(self, **wanted: Any) -> bool:
        """There is a run that says all this of itself (its name, its recipe)."""
        wanted = json.loads(json.dumps(wanted))
        return any(all(run[key] == value for key, value in wanted.items()) for run in self.read()["runs"])

    def add(self, *runs: Mapping[str, Any], **facts: Any) -> None:
        """Put runs among the others, each in the place of an older one, and facts beside them."""
        RESULTS.mkdir(exist_ok=True)
        with FileLock(RESULTS / f"{self.name}.json.lock"):
            before = self.read()
            kept = {tuple(run[key] for key in self.which): run for run in (*before["runs"], *runs)}
            write(self.name, {**before, **facts, "runs": [kept[key] for key in sorted(kept)]}, quiet=True)
