"""What do systems get wrong on scenes, who else was right, and which claims do they see?

    python benchmarks/relevance.py [--models scan vsrnpp] [--images 500]
    python benchmarks/relevance.py --photos ../shared/data/real-photos --weights FOLDER
                                   [--negatives ../shared/data/coco-small]

The first measures the zoo's weights on the test split of the scenes: the classes of their errors
(`error_classes`), retrieval by all captions that are true (`relevance`), and how often a right caption scores
above one with a single false claim (`above_negatives`). The second asks the weights of real photos that
`benchmarks/real_photos.py --weights FOLDER` kept how far they agree with experts, and how often they score a
right caption above SugarCrepe's hard negatives. Both write results/relevance.json, a run as soon as it ends.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from common import Kept, machine

from itr_explore import Collection, from_pretrained, list_models
from itr_explore.data.judgments import read_judgments, read_negatives, scene_negatives
from itr_explore.evaluation.encoding import score_matrix
from itr_explore.evaluation.errors import above_negatives, error_classes
from itr_explore.evaluation.relevance import agreement, relevance
from itr_explore.records import Measured

KEPT = Kept("relevance", "collection", "model")


def plain(found: Measured) -> dict[str, Any]:
    """Every number with the ends of its interval, by row and column; what is not known is left out."""
    return {
        row: {
            column: [round(number, 3) for number in cell if number == number]
            for column, cell in zip(found.columns, cells, strict=True)
        }
        for row, cells in zip(found.rows, found.values.tolist(), strict=True)
    }


def on_scenes(name: str, images: int, device: str) -> dict[str, Any]:
    """All three measurements of a system's weights in the zoo."""
    model, scenes = from_pretrained(f"{name}-tiny-scenes"), Collection.scenes("test").subset(range(images))
    start = time.perf_counter()
    scores = score_matrix(model, scenes, device=device)
    read = Collection.scenes("train").captions
    found = {
        "errors": error_classes(model, scenes, scores=scores),
        "relevance": relevance(model, scenes, scores=scores),
        "above_negatives": above_negatives(
            {name: model}, scenes, scene_negatives(scenes), read, device=device
        ),
    }
    print(*found.values(), sep="\n\n", flush=True)
    told = {what: plain(measured) for what, measured in found.items()}
    seconds = round(time.perf_counter() - start, 1)
    return {"collection": "scenes", "model": name, "images": images, **told, "seconds": seconds}


def on_photos(folder: Path, weights: Path, hard: Path | None, device: str) -> dict[str, Any]:
    """Agreement with experts of weights trained on photos, and hard negatives of other photos."""
    model, photos = from_pretrained(weights), Collection.from_karpathy(folder, "test")
    judgments = read_judgments(folder / "expert_judgments.tsv", photos)
    read = Collection.from_karpathy(folder, "train").captions
    found = agreement(model, photos, judgments, read, device=device)
    print(found, flush=True)
    told = {"collection": "photos", "model": weights.name, "agreement": plain(found)}
    if hard is not None:
        others = Collection.from_karpathy(hard, "test")
        above = above_negatives(
            {model.name: model}, others, read_negatives(hard, others), read, device=device
        )
        print(above, flush=True)
        told["above_negatives"] = plain(above)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--images", type=int, default=500, help="of the test split")
    parser.add_argument("--photos", type=Path, help="a folder of photos with expert_judgments.tsv")
    parser.add_argument("--weights", type=Path, help="a folder of folders of weights trained on these photos")
    parser.add_argument("--negatives", type=Path, help="a folder of photos with hard negatives")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if (options.photos is None) != (options.weights is None):
        parser.error("--photos and --weights go together")
    torch.set_num_threads(options.threads)
    if options.photos is None:
        for name in options.models:
            KEPT.add({**on_scenes(name, options.images, options.device), "machine": machine()})
        return
    for weights in sorted(path.parent for path in options.weights.glob("*/config.json")):
        found = on_photos(options.photos, weights, options.negatives, options.device)
        KEPT.add({**found, "machine": machine()})


if __name__ == "__main__":
    main()
