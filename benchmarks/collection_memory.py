"""Peak memory of reading a collection of COCO's size: 113,287 x 36 regions x 2048 features, 566,435 captions.

    python benchmarks/collection_memory.py [--batches 100]

The array is a sparse file in a temporary folder, so it takes no room on the disk, but every byte of it is
read as if it did. Each row runs in its own process: captions from text files or from a JSON; float32 or
float16; and, for contrast, float32 with the pages of the map never handed back. `peak` is the process's
largest resident size (VmHWM: the library, captions and mapped pages together), which shall stay below 1 GB.
Linux only.
Writes `results/collection_memory.json`.
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

import numpy as np

IMAGES, REGIONS, FEATURES, CAPTIONS_EACH, BATCH = 113_287, 36, 2048, 5, 128
LIMIT_MB = 1000
ROWS = {  # layout, dtype, pages handed back
    "caption files, float32": ("texts", "float32", True),
    "caption files, float16": ("texts", "float16", True),
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
    if layout == "texts":
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
    return {
        "peak_mb": memory()["peak"],
        "most_own_mb": most["own"],
        "most_mapped_mb": most["mapped"],
        "imported_mb": before["peak"],
        "loaded_peak_mb": loaded["peak"],
        "load_s": round(load_seconds, 1),
        "images_read": seen,
        "batch_ms": round(1000 * (time.perf_counter() - start) / (2 * batches), 1),
    }


def main() -> None:
    from common import write

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--batches", type=int, default=100, help="random ones, and as many in order")
    options.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.row:
        name, folder = told.row
        print(json.dumps(read_collection(Path(folder), told.batches, ROWS[name][2])))
        return
    rows = {}
    for name, (layout, dtype, _) in ROWS.items():
        with tempfile.TemporaryDirectory() as folder:
            write_collection(Path(folder), layout, dtype)
            again = [sys.executable, __file__, "--batches", str(told.batches), "--row", name, folder]
            done = subprocess.run(again, check=True, stdout=subprocess.PIPE, text=True)
        rows[name] = json.loads(done.stdout)
        print(f"{name}: peak {rows[name]['peak_mb']:,} MB")
    held = all(row["peak_mb"] < LIMIT_MB for name, row in rows.items() if ROWS[name][2])
    array = {
        "shape": [IMAGES, REGIONS, FEATURES],
        "float32_gb": round(IMAGES * REGIONS * FEATURES * 4 / 1e9, 1),
    }
    write(
        "collection_memory",
        {"array": array, "batch_captions": BATCH, "limit_mb": LIMIT_MB, "held": held, "rows": rows},
    )
    if not held:
        sys.exit(f"a row took more than {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
