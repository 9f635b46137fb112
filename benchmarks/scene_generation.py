"""Seconds to make the default train, val and test scenes from nothing, in a cache of their own.

python benchmarks/scene_generation.py      writes benchmarks/results/scene_generation.json
"""

import os
import tempfile
import time

from common import write

from itr_explore import Collection

LIMIT = 90.0  # seconds for all three on two cores


def main() -> None:
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ITR_EXPLORE_CACHE"] = folder
        for split in ("test", "val", "train"):
            start = time.perf_counter()
            made = len(Collection.scenes(split))
            seconds[f"{split}, {made} scenes"] = round(time.perf_counter() - start, 1)
    total = round(sum(seconds.values()), 1)
    write(
        "scene_generation",
        {"seconds": seconds, "total_seconds": total, "limit": LIMIT, "held": total < LIMIT},
    )


if __name__ == "__main__":
    main()
