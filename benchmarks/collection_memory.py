"""Peak memory of reading a collection of COCO's size: 113,287 x 36 regions x 2048 features, 566,435 captions.

    python benchmarks/collection_memory.py [--batches 100]

The array is a sparse file in a temporary folder, so it takes no room on the disk, but every byte of it is
read as if it did. Each row runs in its own process: captions from text files or from a JSON; float32 or
float16; a region store of 222 shards; and, for contrast, float32 with the pages of the map never handed back.
`loader_share` is the part of a training step of VSE++ (`paper`, the cheapest of the systems) that waits for
its batch. `peak` is the process's largest resident size (VmHWM: the library, captions and mapped pages
together), which shall stay below 1 GB; `peak_training` is the same after those steps, with the model and its
gradients, and shall stay below 2 GB. Linux only.
Writes `results/collection_memory.json`; with `--only`, the others' rows stay as they are there.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

IMAGES, REGIONS, FEATURES, CAPTIONS_EACH, BATCH = 113_287, 36, 2048, 5, 128
LIMIT_MB, TRAINING_LIMIT_MB = 1000, 2000
ROWS = {  # layout, dtype, pages handed back
    "caption files, float32": ("texts", "float32", True),
    "caption files, float16": ("texts", "float16", True),
    "region store, float16": ("store", "float16", True),
    "Karpathy's JSON, float32": ("json", "float32", True),
    "caption files, float32, pages kept": ("texts", "float32", False),
}


def caption(chance: random.Random) -> str:
    """As long as COCO's are: ten words and a half."""
    return " ".join(
        f"word{int(chance.paretovariate(0.6)) % 25_000}" for _ in range(chance.choice((9, 10, 11, 12)))
    )


def write_collection(folder: Path, layout: str, dtype: str) -> None:
    """The files of a training split, features all zero."""
    chance, boxes = random.Random(0), np.random.default_rng(0)
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (IMAGES, REGIONS, FEATURES)}
    with (folder / "train_ims.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + IMAGES * REGIONS * FEATURES * np.dtype(dtype).itemsize)
    corners = np.sort(boxes.uniform(0, 480, (IMAGES, REGIONS, 2, 2)), axis=2).astype(np.float32)
    np.save(folder / "train_ims_bbx.npy", corners.reshape(IMAGES, REGIONS, 4))
    np.save(folder / "train_ims_size.npy", np.tile([640, 480], (IMAGES, 1)))
    captions = [[caption(chance) for _ in range(CAPTIONS_EACH)] for _ in range(IMAGES)]
    if layout == "store":
        write_store(folder / "store", corners)
    if layout in ("texts", "store"):
        lines = [line for of_image in captions for line in of_image]
        (folder / "train_caps.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    images = [
        {
            "imgid": row,
            "cocoid": row,
            "filepath": "train2014",
            "filename": f"COCO_train2014_{row:012}.jpg",
            "split": "train",
            "sentids": list(range(5 * row, 5 * row + 5)),
            "sentences": [
                {"raw": text, "tokens": text.split(), "sentid": 0, "imgid": row} for text in of_image
            ],
        }
        for row, of_image in enumerate(captions)
    ]
    (folder / "dataset_coco.json").write_text(
        json.dumps({"images": images, "dataset": "coco"}), encoding="utf-8"
    )


def write_store(folder: Path, corners: np.ndarray) -> None:
    """A store of the same regions, whose features are sparse files."""
    from itr_explore.data import store

    shards = []
    for number, first in enumerate(range(0, IMAGES, store.IMAGES_A_SHARD)):
        images = min(store.IMAGES_A_SHARD, IMAGES - first)
        place = folder / f"{number:05}"
        place.mkdir(parents=True)
        boxes = corners[first : first + images].reshape(-1, 4) / np.array([640, 480] * 2) * 65535
        arrays = {
            "starts": np.arange(images + 1) * REGIONS,
            "sizes": np.tile(np.array([640, 480], np.int32), (images, 1)),
            "boxes": boxes.astype(np.uint16),
        }
        files = {f"{name}.npy": store._save(place / f"{name}.npy", array) for name, array in arrays.items()}
        header = {"descr": "<f2", "fortran_order": False, "shape": (images * REGIONS, FEATURES)}
        with (place / store.FEATURES).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            length = file.tell() + 2 * images * REGIONS * FEATURES
            file.truncate(length)
        files[store.FEATURES] = {"bytes": length, "sha256": "not known", "rows": images * REGIONS}
        keys = [f"train-{image:05}" for image in range(first, first + images)]  # as its captions' images
        card = {"keys": keys, "labels": [], "dim": FEATURES, "parts": ["boxes"], "files": files}
        store._replace(place / store.CARD, json.dumps(card))
        shards.append(store.Shard(place.name, images, images * REGIONS, store._digest(place / store.CARD)))
    told = {
        "version": store.VERSION,
        "extractor": {"kind": "file"},
        "dim": FEATURES,
        "parts": ["boxes"],
        "shards": [vars(shard) for shard in shards],
    }
    store._replace(folder / store.MANIFEST, json.dumps(told))


def loader_share(collection, tokenizer, steps: int = 4) -> float:
    """How much of a training step is waiting for the batch, in per cent."""
    from itr_explore import create_model
    from itr_explore.data.batching import training_batches

    model = create_model("vse", "paper", region_dim=FEATURES, tokenizer=tokenizer).train()
    batches = training_batches(collection, tokenizer, BATCH, np.random.default_rng(1))
    waited, begin = 0.0, 0.0
    for step in range(steps + 1):
        start = time.perf_counter()
        batch = next(batches)
        waited += (step > 0) * (time.perf_counter() - start)
        sum(model.training_loss(batch).values()).backward()
        model.zero_grad()
        if step == 0:  # which warmed up
            begin = time.perf_counter()
    return round(100 * waited / (time.perf_counter() - begin), 1)


def memory() -> dict[str, int]:
    """Resident megabytes of this process: its own now, mapped from files now, and the largest sum so far."""
    lines = (line.split() for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    found = {line[0].rstrip(":"): int(line[1]) / 1000 for line in lines if line[-1] == "kB"}
    return {
        name: round(found[key])
        for name, key in [("own", "RssAnon"), ("mapped", "RssFile"), ("peak", "VmHWM")]
    }


def read_collection(folder: Path, batches: int, hand_back: bool) -> dict[str, float]:
    """Load, build the vocabulary, read random training batches, then images in order."""
    from itr_explore.data import ragged
    from itr_explore.data.batching import image_batches, training_batches
    from itr_explore.data.collection import Collection
    from itr_explore.data.text import build_tokenizer

    if not hand_back:
        ragged.RELEASE = sys.maxsize
    before, start = memory(), time.perf_counter()
    collection = Collection.from_karpathy(folder, "train")
    if (folder / "store").exists():
        collection = collection.with_regions(folder / "store", progress=False)
    loaded, load_seconds = memory(), time.perf_counter() - start
    tokenizer = build_tokenizer(collection.captions)
    collection.token_ids(tokenizer)
    start, most = time.perf_counter(), {"own": 0, "mapped": 0}
    in_random_order = training_batches(collection, tokenizer, BATCH, np.random.default_rng(0))
    in_order = image_batches(collection, None, BATCH)
    seen = 0
    for batch in chain(islice(in_random_order, batches), islice(in_order, batches)):
        assert batch.regions.shape[1:] == (REGIONS, FEATURES)
        seen += len(batch.regions)
        most = {name: max(most[name], memory()[name]) for name in most}
    batch_ms = round(1000 * (time.perf_counter() - start) / (2 * batches), 1)
    peak = memory()["peak"]
    return {
        "peak_mb": peak,
        "loader_share": loader_share(collection, tokenizer),
        "peak_training_mb": memory()["peak"],
        "most_own_mb": most["own"],
        "most_mapped_mb": most["mapped"],
        "imported_mb": before["peak"],
        "loaded_peak_mb": loaded["peak"],
        "load_s": round(load_seconds, 1),
        "images_read": seen,
        "batch_ms": batch_ms,
    }


def within(row: dict[str, Any]) -> bool:
    """A row kept to the limits, in training too where that was measured."""
    return row["peak_mb"] < LIMIT_MB and row.get("peak_training_mb", 0) < TRAINING_LIMIT_MB


def main() -> None:
    from common import RESULTS, write

    file = RESULTS / "collection_memory.json"

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--batches", type=int, default=100, help="random ones, and as many in order")
    options.add_argument("--only", choices=ROWS, help="one row; the others of the results stay")
    options.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.row:
        name, folder = told.row
        print(json.dumps(read_collection(Path(folder), told.batches, ROWS[name][2])))
        return
    before = json.loads(file.read_text(encoding="utf-8")) if told.only and file.exists() else {"rows": {}}
    measured = {name: {"date": before.get("date"), **row} for name, row in before["rows"].items()}
    for name, (layout, dtype, _) in ROWS.items():
        if told.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            write_collection(Path(folder), layout, dtype)
            again = [sys.executable, __file__, "--batches", str(told.batches), "--row", name, folder]
            done = subprocess.run(again, check=True, stdout=subprocess.PIPE, text=True)
        date = time.strftime("%Y-%m-%d")
        measured[name] = {"date": date, "batches": told.batches, **json.loads(done.stdout)}
        print(f"{name}: {measured[name]}")
    rows = {name: measured[name] for name in ROWS if name in measured}
    held = all(within(row) for name, row in rows.items() if ROWS[name][2])
    array = {
        "shape": [IMAGES, REGIONS, FEATURES],
        "float32_gb": round(IMAGES * REGIONS * FEATURES * 4 / 1e9, 1),
    }
    write(
        "collection_memory",
        {
            "array": array,
            "batch_captions": BATCH,
            "limit_mb": LIMIT_MB,
            "training_limit_mb": TRAINING_LIMIT_MB,
            "held": held,
            "rows": rows,
        },
    )
    if not held:
        sys.exit(f"a row took more than {LIMIT_MB} MB, or {TRAINING_LIMIT_MB} MB in training")


if __name__ == "__main__":
    main()
