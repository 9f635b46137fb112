"""A billion pairs on paper: storage, hours of encoding, and the index, worked out from measured rates.

    python benchmarks/scale.py [--pairs 1e9] [--model vse_infty] [--dim 512] [--gpu-times 50] [--save]

Measured and read from `results/`: the milliseconds that a system takes to encode an image (from its regions'
features) and a caption on two cores (`speed.json`, the `base` preset), and exact search (`index.json`).
Assumed, each an option: how many regions and features, how large a photo is, how many times as fast as these
two cores one GPU encodes. No GPU was at hand: hours of a GPU are hours of the CPU divided by that number, and
nothing more. Making regions from pixels is counted only where `--regions-ms` says what it takes. The index
is what `itr_explore.plan_index` advises, its size worked out from its layout.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from common import RESULTS, write

from itr_explore.search.sizes import plan_index

SIZES = (10**6, 10**8, 10**9)
BOX = 8  # bytes, four numbers of 16 bits


def measured(model: str) -> dict[str, float]:
    """Milliseconds an item on two cores."""
    models = json.loads((RESULTS / "speed.json").read_text(encoding="utf-8"))["models"]
    if model not in models:
        raise SystemExit(f"speed.json has {', '.join(models)}, not {model}")
    return {"image": models[model]["ms_an_image"], "caption": models[model]["ms_a_caption"]}


def exact_rate() -> float | None:
    """Numbers (vectors times dim) a second that exact search reads for a batch, where it was measured."""
    file = RESULTS / "index.json"
    if not file.exists():
        return None
    runs = json.loads(file.read_text(encoding="utf-8"))["runs"]
    run = next((run for run in runs if run["what"].startswith("exact beside")), None)
    return None if run is None else run["vectors"] * run["dim"] / run["seconds_a_batch"]["exact"]


def worked_out(options: argparse.Namespace) -> dict[str, Any]:
    """All numbers of the page; bytes and hours."""
    pairs, rates, exact = int(options.pairs), measured(options.model), exact_rate()
    row = options.regions * (2 * options.region_dim + BOX)
    hours = {
        "images": pairs * rates["image"] / 3.6e6,
        "captions": pairs * options.captions_an_image * rates["caption"] / 3.6e6,
    }
    if options.regions_ms is not None:
        hours["regions from pixels"] = pairs * options.regions_ms / 3.6e6
    plans = {}
    for count in sorted({*SIZES, pairs}):
        plan = plan_index(count, options.dim)
        plans[f"{count:,}"] = {
            "index": plan.kind,
            "build": plan.build,
            "search": plan.search,
            "memory_bytes": round(plan.memory),
            "disk_bytes": round(plan.disk),
            "exact_float16_bytes": 2 * count * options.dim,
            "exact_seconds_a_batch_of_32": None if exact is None else round(count * options.dim / exact, 2),
        }
    return {
        "assumed": {key: value for key, value in vars(options).items() if key != "save"},
        "measured_ms_on_two_cores": rates,
        "storage_bytes": {
            "photos": pairs * options.photo_bytes,
            "captions": pairs * options.captions_an_image * options.caption_bytes,
            "region features, float16": pairs * row,
            "vectors of images and captions, float16": pairs
            * (1 + options.captions_an_image)
            * options.dim
            * 2,
        },
        "hours_on_two_cores": {name: round(value) for name, value in hours.items()},
        "gpu_hours_if_so_many_times_as_fast": {
            name: round(value / options.gpu_times) for name, value in hours.items()
        },
        "one_side_of_the_index": plans,
    }


def size(count: float) -> str:
    """Bytes in words."""
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} B"


def page(found: dict[str, Any]) -> str:
    """The same as tables."""
    lines = ["| to store | size |", "| --- | --- |"]
    lines += [f"| {name} | {size(value)} |" for name, value in found["storage_bytes"].items()]
    times = found["assumed"]["gpu_times"]
    lines += [
        "",
        f"| to encode | hours, two cores | GPU-hours, if {times:g} times as fast |",
        "| --- | --- | --- |",
    ]
    for name, hours in found["hours_on_two_cores"].items():
        lines.append(f"| {name} | {hours:,} | {found['gpu_hours_if_so_many_times_as_fast'][name]:,} |")
    lines += [
        "",
        "| vectors | index | build | search | memory | disk | exact, float16 | exact, 32 queries |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for count, plan in found["one_side_of_the_index"].items():
        build, search = (", ".join(f"{k} {v:g}" for k, v in plan[key].items()) for key in ("build", "search"))
        seconds = plan["exact_seconds_a_batch_of_32"]
        took = "" if seconds is None else f"{seconds:,.3g} s"
        sizes = [size(plan[f"{key}_bytes"]) for key in ("memory", "disk", "exact_float16")]
        lines.append(f"| {count} | {plan['index']} | {build} | {search} | {' | '.join(sizes)} | {took} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=float, default=1e9, help="images, each with captions")
    parser.add_argument("--model", default="vse_infty", help="whose measured rates")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--captions-an-image", type=int, default=1)
    parser.add_argument("--regions", type=int, default=36)
    parser.add_argument("--region-dim", type=int, default=2048)
    parser.add_argument("--photo-bytes", type=int, default=100_000)
    parser.add_argument("--caption-bytes", type=int, default=60)
    parser.add_argument("--gpu-times", type=float, default=50, help="one GPU beside two cores; not measured")
    parser.add_argument(
        "--regions-ms", type=float, help="milliseconds to make an image's regions on two cores"
    )
    parser.add_argument("--save", action="store_true", help="write results/scale.json")
    options = parser.parse_args()
    found = worked_out(options)
    if options.save:
        write("scale", found, quiet=True)
    print(page(found))


if __name__ == "__main__":
    main()
