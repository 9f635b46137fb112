"""Detector regions of real photos, killed on the way and resumed: none lost, none twice, and how fast.

    python benchmarks/extraction.py [--photos 8000] [--kills 2]

YOLOX-nano looks at the photos of `../shared/data/real-photos`. The process that does so is ended by `kill -9`
so many times, at even distances, and started again; then the store is compared with the photos: every one
there, none twice, all checksums right. The rate is that of processes that came to their end. `found_again`
is the share of the boxes given in `regions-test.npz` (score >= 0.3; made of other copies of the photos) that
one of the extractor's boxes overlaps with IoU >= 0.7, of all its 36 and of its best 12.
Writes `results/extraction.json`.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SURE, RIGHT = 0.3, 0.7


def photos(split: str):
    from itr_explore import Collection

    return Collection.from_karpathy(DATA / "real-photos", split)


def extract(folder: str, split: str, first: int, last: int) -> None:
    """What the process does that is killed."""
    from itr_explore import OnnxDetector, extract_regions

    detector = OnnxDetector(DATA / "weights" / "yolox_nano.onnx")
    begin = time.perf_counter()
    extract_regions(photos(split).subset(range(first, last)), detector, folder, progress=False)
    print(time.perf_counter() - begin)


def found_again(store) -> dict[str, float]:
    """Shares of the given boxes that the extractor finds."""
    from itr_explore.data.boxes import iou
    from itr_explore.data.extract import content_key

    test, told = photos("test"), np.load(DATA / "real-photos" / "regions-test.npz")
    hits, wanted = {"36": 0, "12": 0}, 0
    for row in range(len(test)):
        sure = np.flatnonzero(told["scores"][row] >= SURE)[1:]
        key = content_key(test.image(row))
        if not len(sure) or key not in store:
            continue
        overlaps = iou(test.boxes(row)[sure], store[key].boxes[1:])
        wanted += len(sure)
        for most in hits:
            hits[most] += int((overlaps[:, : int(most)].max(1) >= RIGHT).sum())
    return {"boxes": wanted, **{f"best_{most}": round(hit / wanted, 4) for most, hit in hits.items()}}


def plan(count: int) -> list[tuple[str, int]]:
    """How many photos of each split: those of test first, whose boxes are given."""
    left, chosen = count, []
    for split, size in (("test", 1000), ("val", 1000), ("train", 6000)):
        if left > 0:
            chosen.append((split, min(size, left)))
            left -= size
    return chosen


def main() -> None:
    from common import write

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--photos", type=int, default=8000)
    options.add_argument("--kills", type=int, default=2)
    options.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.work:
        extract(told.work[0], told.work[1], int(told.work[2]), int(told.work[3]))
        return
    from itr_explore import RegionStore
    from itr_explore.data.extract import content_key

    with tempfile.TemporaryDirectory() as folder:
        killed_at, seconds, resumed = [], 0.0, 0
        marks = [told.photos * (kill + 1) // (told.kills + 1) for kill in range(told.kills)]
        for split, size in plan(told.photos):
            while True:
                before = kept(folder)
                begin = [sys.executable, __file__, "--work", folder, split, "0", str(size)]
                run = subprocess.Popen(begin, stdout=subprocess.PIPE, text=True)
                while run.poll() is None and not (marks and kept(folder) >= marks[0]):
                    time.sleep(0.05)
                if run.poll() is None:
                    run.send_signal(signal.SIGKILL)
                    run.wait()
                    killed_at.append(kept(folder))
                    marks.pop(0)
                    print(f"killed with {killed_at[-1]:,} photos kept", flush=True)
                    continue
                if run.returncode:
                    sys.exit("the extraction failed")
                seconds += float(run.stdout.read())
                resumed += kept(folder) - before
                break
        store = RegionStore(folder)
        keys = []
        for split, size in plan(told.photos):
            album = photos(split)
            keys += [content_key(album.image(row)) for row in range(size)]
        result = {
            "photos": told.photos,
            "pictures_that_differ": len(set(keys)),
            "killed_at": killed_at,
            "kept": len(store),
            "lost": len(set(keys) - set(store.keys)),
            "twice": len(store.keys) - len(set(store.keys)),
            "damaged_shards": len(store.verify()),
            "photos_per_s": round(resumed / seconds, 1),
            "mb": round(sum(file.stat().st_size for file in Path(folder).rglob("*.npy")) / 1e6, 1),
            "found_again": found_again(store),
        }
    write("extraction", result)
    if result["lost"] or result["twice"] or result["damaged_shards"]:
        sys.exit("photos were lost or done twice")


def kept(folder: str) -> int:
    """Photos in the store's shards, as its manifest says."""
    file = Path(folder) / "manifest.json"
    return json.loads(file.read_text(encoding="utf-8"))["images"] if file.exists() else 0


if __name__ == "__main__":
    main()
