"""How long a query takes: typed to ranked images of 8,000 photos, and among 100,000 captions.

    python benchmarks/search.py [../shared/data/real-photos] [--weights FOLDER] [--threads 2]

Kernel side: from the text to the rows with their scores, and to the JSON that the front end draws, pictures
included. The photos are all that the folder has; without it that part is left out. FOLDER holds trained
weights as `chan-0` and `vse-0` (`real_photos.py --weights`); without them models are as they are initialised,
which takes as long and says nothing of how good the first stage is. The 100,000 captions are those of the
scenes again and again, each with a number at its end so that all differ.

Medians over queries; the CPU's time stands beside the wall's, as other work may run on the machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from common import Kept, machine

from itr_explore import Collection, build_tokenizer, create_model, from_pretrained
from itr_explore.data.ragged import Ragged
from itr_explore.models.base import RetrievalModel
from itr_explore.search.gallery import Gallery
from itr_explore.widgets.retrieval_demo import RetrievalDemo

KEPT = Kept("search", "what", "model")
CAPTIONS = 100_000
REACH = {"images": 200, "captions": 300}  # milliseconds


def all_photos(folder: Path) -> Collection:
    """All splits as one collection."""
    splits = [Collection.from_karpathy(folder, split) for split in ("train", "val", "test")]
    counts = np.concatenate([split.region_counts for split in splits])
    rows = [np.arange(len(split)) for split in splits]
    firsts = np.cumsum([0, *map(len, splits)])

    def picture(row: int):
        at = int(np.searchsorted(firsts, row, side="right")) - 1
        return splits[at].image(row - int(firsts[at]))

    return Collection(
        name="real-photos",
        split="train, val and test",
        captions=[caption for split in splits for caption in split.captions],
        image_of=np.concatenate(
            [split.image_of + first for split, first in zip(splits, firsts, strict=False)]
        ),
        image_ids=[name for split in splits for name in split.image_ids],
        regions=Ragged(
            np.concatenate([s.regions_of(r)[0] for s, r in zip(splits, rows, strict=True)]),
            np.concatenate([[0], np.cumsum(counts)]),
        ),
        boxes=np.concatenate([s.boxes_of(r) for s, r in zip(splits, rows, strict=True)]),
        open_image=picture,
    )


def many_captions(of: Collection, count: int) -> Collection:
    """The captions of a collection repeated until there are so many."""
    times = -(-count // len(of.captions))
    captions = [f"{caption} {number}" for number in range(times) for caption in of.captions]
    return Collection(
        name=f"{of.name}, captions repeated",
        split=of.split,
        captions=captions[:count],
        image_of=np.tile(of.image_of, times)[:count],
        image_ids=of.image_ids,
        regions=Ragged(*_regions(of)),
        boxes=of.boxes_of(np.arange(len(of))),
    )


def _regions(of: Collection) -> tuple[np.ndarray, np.ndarray]:
    values, lengths = of.regions_of(np.arange(len(of)))
    return values, np.concatenate([[0], np.cumsum(lengths)])


def model_for(name: str, collection: Collection, weights: Path | None) -> tuple[RetrievalModel, bool]:
    """A model of the `base` preset, and whether it is trained."""
    if weights is not None:
        return from_pretrained(weights / f"{name}-0"), True
    torch.manual_seed(0)
    tokenizer = build_tokenizer(collection.captions)
    return create_model(name, "base", tokenizer=tokenizer, region_dim=collection.region_dim), False


def timed(run: Callable[[Any], Any], queries: list[Any]) -> dict[str, float]:
    """Milliseconds a query; one before that is not counted."""
    run(queries[0])
    walls, busy = [], []
    for query in queries[1:]:
        start, cpu = time.perf_counter(), time.process_time()
        run(query)
        walls.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.process_time() - cpu))
    return {
        "median_ms": round(median(walls), 2),
        "slowest_tenth_ms": round(float(np.percentile(walls, 90)), 2),
        "median_cpu_ms": round(median(busy), 2),
        "queries": len(walls),
    }


def on_photos(name: str, photos: Collection, weights: Path | None, queries: int) -> dict[str, Any]:
    model, trained = model_for(name, photos, weights)
    start = time.perf_counter()
    demo = RetrievalDemo(model, photos)
    first = time.perf_counter() - start
    random = np.random.default_rng(0)
    texts = [photos.captions[row] for row in random.choice(len(photos.captions), queries + 1, replace=False)]
    found = demo.gallery.images_for(texts[0])
    return {
        "what": f"sentence among {len(photos):,} photos",
        "model": name,
        "trained": trained,
        "of": len(photos),
        "stages": found.stages,
        "reach_ms": REACH["images"],
        "ranked": timed(lambda text: demo.gallery.images_for(text, 12), texts),
        "answered_with_pictures": timed(lambda text: demo.answer_search({"text": text}), texts),
        "first_view_s": round(first, 1),
        "machine": machine(),
    }


def among_captions(name: str, collection: Collection, queries: int) -> dict[str, Any]:
    model = from_pretrained(f"{name}-tiny-scenes")
    gallery = Gallery(model, collection)
    start = time.perf_counter()
    gallery.encode("captions")
    encoding = time.perf_counter() - start
    images = np.random.default_rng(0).choice(len(collection), queries + 1, replace=False).tolist()
    found = gallery.captions_for(images[0])
    return {
        "what": f"image among {len(collection.captions):,} captions",
        "model": name,
        "trained": True,
        "of": len(collection.captions),
        "stages": found.stages,
        "reach_ms": REACH["captions"],
        "ranked": timed(lambda image: gallery.captions_for(image, 12), images),
        "encoding_s": round(encoding, 1),
        "machine": machine(),
    }


def first_stage(name: str, collection: Collection, weights: Path, queries: int) -> dict[str, Any]:
    """Of the first ten by exact scoring, how many two stages find."""
    model, _ = model_for(name, collection, weights)
    exact, coarse = Gallery(model, collection), Gallery(model, collection, exact_up_to=0)
    rows = np.random.default_rng(0).choice(len(collection.captions), queries, replace=False).tolist()
    texts = [collection.captions[row] for row in rows]
    wanted = [exact.images_for(text, 10).rows for text in texts]
    found: dict[str, Any] = {"model": name, "of": len(collection), "queries": queries}
    for candidates in (100, 500, 2000):
        coarse.candidates = candidates
        came = [coarse.images_for(text, 10).rows for text in texts]
        same = [len(np.intersect1d(*both)) / 10 for both in zip(wanted, came, strict=True)]
        first = [one[0] == two[0] for one, two in zip(wanted, came, strict=True)]
        found[f"with_{candidates}_candidates"] = {
            "first_ten_found_percent": round(100 * float(np.mean(same)), 1),
            "first_found_percent": round(100 * float(np.mean(first)), 1),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="?", help="the folder of real photos")
    parser.add_argument("--weights", type=Path, help="a folder of trained weights for them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--queries", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    captions = many_captions(Collection.scenes("test"), CAPTIONS)
    for name in ("chan", "vse"):
        run = among_captions(name, captions, options.queries)
        KEPT.add(run)
        print(run, flush=True)
    if options.photos is None:
        return
    photos = all_photos(options.photos)
    for name in ("chan", "vse"):
        run = on_photos(name, photos, options.weights, options.queries)
        KEPT.add(run)
        print(run, flush=True)
    if options.weights is not None:
        found = first_stage("chan", photos, options.weights, options.queries)
        KEPT.add(two_stages_on_photos=found)
        print(found)


if __name__ == "__main__":
    main()
