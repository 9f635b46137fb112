"""Many trainings of many systems, as a benchmark wrote them down: tables of means and spreads over seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from itr_explore.records import Table

CONTROLS = ("random weights", "random region", "centre region", "largest region", "ceiling")
ABOUT_MAPS = (
    "Pointing is in per cent of mentions. The score is computed from an attention map, an attribution splits"
    " the score exactly, and a derived map does neither."
)
Numbers = Callable[[dict[str, Any]], Sequence[float]]  # from a run to what is tabled of it


@dataclass(frozen=True)
class Runs:
    """What `benchmarks/scenes.py` measured: an entry a system, seed, with or without boxes and foils."""

    runs: tuple[dict[str, Any], ...]
    ceiling: tuple[float, float]  # R@1 that the captions' ambiguity allows: image to text, text to image

    @classmethod
    def read(cls, file: str | Path) -> Runs:
        """The results in a JSON file.

        Raises:
            FileNotFoundError: there is no such file; says which command writes it.
            ValueError: the file holds something else.
        """
        path = Path(file)
        if not path.exists():
            raise FileNotFoundError(
                f"no results in {str(path)!r}; write them with python benchmarks/scenes.py"
            )
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            ceiling = told["ambiguity_ceiling_recall_at_1"]["test"]
            return cls(tuple(told["runs"]), (float(ceiling[0]), float(ceiling[1])))
        except (json.JSONDecodeError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{str(path)!r} holds no results of benchmarks/scenes.py: {error!r}") from error

    def __iter__(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Each system, as its recipe has it and then without boxes or foils, and its runs."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for run in sorted(self.runs, key=lambda r: (r["model"], _unusual(r), not r["box"], r["seed"])):
            name = run["model"] + _unusual(run) + ("" if run["box"] else ", no boxes")
            groups.setdefault(name, []).append(run)
        return iter(groups.items())

    def spread(self, numbers: Numbers) -> dict[str, list[tuple[float, float]]]:
        """Mean and standard deviation over the seeds (NaN for one seed) of some numbers, by system."""
        found = {}
        for name, runs in self:
            columns = list(zip(*map(numbers, runs), strict=True))
            found[name] = [(mean(c), stdev(c) if len(c) > 1 else float("nan")) for c in columns]
        return found

    def recall_table(self) -> Table:
        """Recall at 1 on test scenes and `compose`, parameters, processor seconds of training."""
        recall = self.spread(recall_at_1)
        rows: list[tuple[str | float | None, ...]] = []
        for name, runs in self:
            seconds = mean(run["train_cpu_seconds"] for run in runs)
            cells = [shown(*value) for value in recall[name]]
            foils = "yes" if runs[0]["foils"] else "no"
            size = f"{runs[0]['parameters'] / 1e6:.2f} M"
            rows.append((name, foils, *cells, size, f"{seconds:.0f}", len(runs)))
        ways = ("R@1 image to text", "R@1 text to image", "compose i2t", "compose t2i")
        note = (
            "Test scenes, chosen on validation; mean and standard deviation over seeds. The captions' own"
            f" ambiguity allows {self.ceiling[0]:.1f} and {self.ceiling[1]:.1f}."
        )
        columns = ("system", "foils", *ways, "parameters", "train, CPU s", "seeds")
        return Table(columns, tuple(rows), "Recall", note)

    def swap_table(self) -> Table:
        """Right caption above its mirror image, by half of the `swap` probe, with the blind row."""
        kinds = ("relation", "left or right", "attribute")
        rows: list[tuple[str, ...]] = []
        for name, runs in self:
            found = [{**run["swap"][run["model"]], **left_or_right(run)} for run in runs]
            rows.append((name, *(told([run[kind] for run in found if kind in run]) for kind in kinds)))
        blind = self.runs[0]["swap"]["text only"]
        rows.append(("text only", *(told([blind[kind]] if kind in blind else []) for kind in kinds)))
        columns = ("system", "relation direction", "of these, left or right", "attribute binding")
        return Table(columns, tuple(rows), "Swap", "Per cent of items; chance is 50.")

    def pointing_table(self) -> Table:
        """Do words point at what they name? Each system's map beside the controls (seed 0)."""
        rows = []
        for name, runs in self:
            for run in runs:
                if "pointing" in run:
                    found = run["pointing"]
                    rows.append((name, run["map"], found[run["model"]], *(found[row] for row in CONTROLS)))
        return Table(("system", "map", "pointing", *CONTROLS), tuple(rows), "Pointing", ABOUT_MAPS)


def _unusual(run: dict[str, Any]) -> str:
    """Foils where the system's recipe has none, or none where it has some, in words."""
    return "" if run["foils"] == run["usual_foils"] else ", foils" if run["foils"] else ", no foils"


def recall_at_1(run: dict[str, Any]) -> list[float]:
    """Test scenes both ways, then `compose` both ways."""
    return [*run["test_recall"][0], *run["compose_recall_at_1"]]


def swap_halves(run: dict[str, Any]) -> list[float]:
    """Relation direction, attribute binding."""
    return [run["swap"][run["model"]][half] for half in ("relation", "attribute")]


def left_or_right(run: dict[str, Any]) -> dict[str, float]:
    """The relations that nothing but the boxes tells, where a run was asked for each relation."""
    asked = run.get("swap_by_what")
    return {"left or right": (asked["left of"] + asked["right of"]) / 2} if asked else {}


def told(values: Sequence[float]) -> str:
    """Mean and spread of some numbers; nothing where there is none."""
    return shown(mean(values), stdev(values) if len(values) > 1 else float("nan")) if values else ""


def shown(middle: float, spread: float) -> str:
    """ "80.1 ± 0.4", or "80.1" where one seed has no spread."""
    return f"{middle:.1f}" if spread != spread else f"{middle:.1f} ± {spread:.1f}"
