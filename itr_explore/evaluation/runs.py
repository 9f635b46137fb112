"""Many trainings of many systems, as a benchmark wrote them down: tables of means and spreads over seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def photo_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/real_photos.py` wrote: recall and pointing of each system, means over its seeds."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in results["runs"]:
        groups.setdefault(run["model"], []).append(run)

    def recalls(found: Sequence[Sequence[Sequence[float]]]) -> list[str]:
        """R@1 / 5 / 10 of image to text, then of text to image, from `[run k way]`."""
        ways = [[mean(run[k][way] for run in found) for k in range(3)] for way in range(2)]
        return [" / ".join(f"{value:.1f}" for value in way) for way in ways]

    rows: list[tuple[str | float | None, ...]] = [
        ("linear CCA", *recalls([results["linear_cca"]]), *[None] * (3 + len(CONTROLS)))
    ]
    for name, runs in groups.items():
        pointing = [mean(run["pointing"][row] for run in runs) for row in (name, *CONTROLS)]
        rows.append(
            (name, *recalls([run["test_recall"] for run in runs]), runs[0]["map"], *pointing, len(runs))
        )
    ways = ("R@1 / 5 / 10 image to text", "R@1 / 5 / 10 text to image")
    note = f"Test photos, chosen on validation; pointing on human phrase boxes. {ABOUT_MAPS}"
    return Table(("system", *ways, "map", "pointing", *CONTROLS, "seeds"), tuple(rows), "Real photos", note)


def speed_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/speed.py` wrote: encoding, scoring, and both beside SCAN's published loop."""
    measured = {
        "encode an image, ms": "ms_an_image",
        "encode a caption, ms": "ms_a_caption",
        "score 10^6 pairs, s": "seconds_a_million_pairs",
        "the loop, s": "loop_seconds_a_million_pairs",
        "loop / score": "times_the_loop_scoring_alone",
        "the same with encoding": "times_the_loop_with_encoding",
    }
    rows = tuple(
        (name, found["scoring"], *(_three_digits(found[key]) for key in measured.values()))
        for name, found in results["models"].items()
    )
    note = (
        f"{results['images']:,} images of 36 regions and {results['captions']:,} captions, preset"
        f" {results['preset']}; the loop is SCAN's as published, one caption at a time, in the same run."
    )
    return Table(("system", "scoring", *measured), rows, "Speed", note)


def truth_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/is_it_true.py` wrote: are a system's maps right, faithful and specific?

    Mean and standard deviation over seeds; of one seed the 95 per cent interval over images.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in results["runs"]:
        groups.setdefault(run["model"], []).append(run)

    def tested(method: str, side: str, measure: str) -> Callable[[dict[str, Any]], list[float | None]]:
        return lambda run: run[method].get(f"{side}: {measure}", {"value": [None]})["value"]

    def pointed(method: str, row: str | None = None) -> Callable[[dict[str, Any]], list[float | None]]:
        return lambda run: run["pointing"][method][row or run["model"]]

    asked = {
        "right: own map": (pointed("native"), 1),
        "random weights": (pointed("native", "random weights"), 1),
        "blind": (pointed("native", "blind"), 1),
        "right: joint occlusion": (pointed("joint_occlusion"), 1),
        "faithful: own map": (tested("attention", "regions", "deletion gain"), 2),
        "faithful: int. gradients": (tested("integrated_gradients", "regions", "deletion gain"), 2),
        "specific: own map": (tested("attention", "regions", "after random weights"), 2),
        "specific: int. gradients": (tested("integrated_gradients", "regions", "after random weights"), 2),
    }
    rows = tuple(
        (
            name,
            runs[0]["pointing"]["native"]["origin"],
            *(_over_seeds([found(run) for run in runs], digits) for found, digits in asked.values()),
            len(runs),
        )
        for name, runs in groups.items()
    )
    note = (
        "Right: pointing accuracy in per cent. Faithful: the deletion gain over a random order of regions, in"
        " units of the score's range. Specific: rank correlation of the map over regions with that of random"
        " weights, near 0 is good."
    )
    return Table(("system", "map", *asked, "seeds"), rows, "Is it true", note)


def _over_seeds(found: Sequence[Sequence[float | None]], digits: int) -> str:
    """Mean and spread of the numbers of several seeds, or that of one with its interval."""
    values = [value for value, *_ in found if value is not None]
    if len(values) > 1:
        return f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f}"
    if not values:
        return ""
    ends = [end for end in found[0][1:] if end is not None]
    return f"{values[0]:.{digits}f}" + (f" ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})" if ends else "")


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


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
