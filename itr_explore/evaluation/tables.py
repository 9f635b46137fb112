"""Tables of what the benchmarks wrote down, one function a file of `benchmarks/results`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from itr_explore.data.mistakes import CLASSES
from itr_explore.evaluation.runs import ABOUT_MAPS, CONTROLS
from itr_explore.records import Table


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

    Mean and standard deviation over seeds, and the 95 per cent interval over images, its ends averaged over
    seeds: of one seed always, of several for a system's own map.
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
            *(
                _over_seeds([found(run) for run in runs], digits, what.endswith("own map"))
                for what, (found, digits) in asked.items()
            ),
            len(runs),
        )
        for name, runs in groups.items()
    )
    note = (
        "Right: pointing accuracy in per cent. Faithful: the deletion gain over a random order of regions, in"
        " units of the score's range. Specific: rank correlation of the map over regions with that of random"
        " weights, near 0 is good. A system's own map over regions is what words gave them by attention;"
        " where no word looks at regions, the shares or the trace of pooling, or the graph's edges. ±:"
        " standard deviation over seeds; in brackets the 95 per cent interval over images, its ends averaged."
    )
    return Table(("system", "map", *asked, "seeds"), rows, "Is it true", note)


def mistakes_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/relevance.py` wrote of scenes: what is wrong with captions that wrongly came first."""
    kinds = (*CLASSES, "nothing")
    rows: list[tuple[str | float | None, ...]] = []
    for run in (run for run in results["runs"] if run["collection"] == "scenes"):
        (asked, found), *_ = run["errors"].items()
        count = int(asked.rsplit("(", 1)[1].rstrip(")"))
        all_true, written = (
            run["relevance"][row]["image to text precision at 1"][0]
            for row in (run["model"], f"{run['model']}, written pairs only")
        )
        rows.append((run["model"], count, *(found[kind][0] for kind in kinds), written, all_true))
    note = (
        "Per cent of the errors on 500 test scenes; of two ways to see a mistake each counts half. Nothing:"
        " the caption of the other picture is true of this one too. R@1 of image to text with the five"
        " written captions as right ones, and with all that are true."
    )
    columns = ("system", "errors", *kinds, "R@1, written", "R@1, all true")
    return Table(columns, tuple(rows), "Mistakes", note)


def relevance_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/relevance.py` wrote of scenes: ranks by all that is true, and single false claims."""
    measures = [
        f"{way} {what}" for way in ("image to text", "text to image") for what in ("mAP@R", "R-precision")
    ]
    rows: list[tuple[str | float | None, ...]] = []
    for run in (run for run in results["runs"] if run["collection"] == "scenes"):
        ranks = (run["relevance"][run["model"]][measure][0] for measure in measures)
        above = {name.split(" (")[0]: cell[0] for name, cell in run["above_negatives"][run["model"]].items()}
        rows.append((run["model"], *ranks, *(above.get(kind) for kind in CLASSES)))
    note = (
        "500 test scenes; right is every caption that is true of the picture, not only the five written for"
        " it. Then how often, per cent, a right caption scores above one with a single false claim, by what"
        " is false."
    )
    return Table(("system", *measures, *CLASSES), tuple(rows), "Relevance", note)


def agreement_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/relevance.py` wrote of photos: agreement with experts, and hard negatives."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}  # the same controls stand in every run
    for run in (run for run in results["runs"] if run["collection"] == "photos"):
        for name, correlations in run["agreement"].items():
            found[name] = correlations, run.get("above_negatives", {}).get(name, {})
    controls = ("one expert", "text only", "random order")
    rows: list[tuple[str | float | None, ...]] = []
    for name in (*(name for name in found if name not in controls), *controls):
        correlations, above = found[name]
        every = next((cell[0] for kind, cell in above.items() if kind.startswith("all ")), None)
        rows.append((name, *(f"{cell[0]:.2f}" for cell in correlations.values()), every))
    note = (
        "Rank correlation with the mean judgement of three experts (Flickr8k); one expert is compared with"
        " the other two. Then how often, per cent, a caption scores above its hard negative (SugarCrepe, of"
        " 10 photos of COCO: a hint)."
    )
    columns = ("system", "Spearman's rho", "Kendall's tau-b", "above hard negatives")
    return Table(columns, tuple(rows), "Agreement", note)


def edges_table(results: Mapping[str, Any]) -> Table:
    """What `benchmarks/edges.py` wrote: do edges carry the relations that they are drawn for?"""
    ways = ("cut", "reversed", "mean")

    def told(numbers: Sequence[float], scale: float, digits: int) -> str:
        value, low, high = (scale * number for number in numbers)
        return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    rows = tuple(
        (
            graph,
            told(found["right_per_cent"], 1, 1),
            told(found["margin"], 1000, 2),
            *(told(found[way]["margin"]["excess"], 1000, 2) for way in ways),
        )
        for graph, found in results["systems"].items()
    )
    note = (
        "Items of the relation half of swap. Margin: the right caption's score less the wrong one's, times"
        " 1,000. Then how much more it changes where the edges between the two related things are cut, turned"
        " round or made the mean edge than where other edges of nearly their weight are."
    )
    return Table(("graph", "right, per cent", "margin", *ways), rows, "Edges", note)


def switches_table(results: Mapping[str, Any], scenes: Mapping[str, Any], photos: Mapping[str, Any]) -> Table:
    """What `benchmarks/switches.py` wrote, beside seed 0 of the recipes as they stand (scenes, photos)."""

    def both(recalls: Sequence[float] | None) -> str:
        return "" if recalls is None else f"{recalls[0]:.1f} / {recalls[1]:.1f}"

    usual = {
        (run["model"], "scenes"): (None, run["test_recall"][0])
        for run in scenes["runs"]
        if run["seed"] == 0 and run["box"] and run["foils"] == run["usual_foils"]
    } | {
        (run["model"], "photos"): (run["validation_recall"][0], run["test_recall"][0])
        for run in photos["runs"]
        if run["seed"] == 0
    }
    rows = []
    for run in results["runs"]:
        changed = ", ".join(f"{name} = {value}" for name, value in json.loads(run["changed"]).items())
        validation, test = usual[run["model"], run["collection"]]
        found = run["validation_recall_at_1"], validation, run["test_recall_at_1"], test
        rows.append((run["model"], run["collection"], changed, *map(both, found)))
    columns = ("system", "collection", "switch", "validation", "validation without", "test", "test without")
    note = "R@1 image to text / text to image, one seed; a validation figure that was not kept is left out."
    return Table(columns, tuple(rows), "Switches", note)


def _over_seeds(found: Sequence[Sequence[float | None]], digits: int, interval: bool) -> str:
    """Mean and spread over seeds, with the mean interval if asked; of one seed always."""
    values = [value for value, *_ in found if value is not None]
    if not values:
        return ""
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    told = f"{mean(values):.{digits}f}{spread}"
    ends = [(low, high) for _, low, high in found if low is not None and high is not None]
    if not ends or not (interval or len(values) == 1):
        return told
    low, high = map(mean, zip(*ends, strict=True))
    return f"{told} ({low:.{digits}f} to {high:.{digits}f})"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
