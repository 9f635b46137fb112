"""Exact search beside faiss, and Milvus Lite beside exact search: throughput, latency, recall.

    python benchmarks/index.py [exact] [milvus] [--threads 2] [--repeats 7]

`exact`: 1,000,000 x 512 unit vectors, batches of 32 queries, k = 10; `ExactIndex` (float16) and faiss'
`IndexFlatIP` (float32) hold the same numbers, those that float16 can hold, and take turns in one process. The
recall against the vectors before they were rounded stands beside it.

`milvus`: 200,000 x 512 in Milvus Lite with the parameters that `plan_index` advises, against `ExactIndex`.
The vectors are made: points around 2,000 centres that lie in 64 of the 512 dimensions, with noise in all of
them, as encoded collections are neither uniform nor of full dimension. Queries are drawn in the same way and
are not in the index. With `--uniform` vectors drawn evenly over the sphere, the hardest case there is and no
collection, are measured, too.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from common import Kept, machine, side_by_side

from itr_explore.search.exact import ExactIndex
from itr_explore.search.milvus import MilvusIndex

KEPT = Kept("index", "what")
DIM, QUERIES, K = 512, 32, 10
PIECE = 50_000


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def uniform(count: int, seed: int) -> np.ndarray:
    """[count dim] on the sphere."""
    return unit(np.random.default_rng(seed).standard_normal((count, DIM), dtype=np.float32))


def clustered(count: int, seed: int) -> np.ndarray:
    """[count dim] around centres of a subspace."""
    world = np.random.default_rng(0)
    basis = np.linalg.qr(world.standard_normal((DIM, 64)))[0].astype(np.float32)
    centres = world.standard_normal((2000, 64), dtype=np.float32)
    rng = np.random.default_rng(1000 + seed)
    inside = centres[rng.integers(0, len(centres), count)]
    inside = inside + 0.7 * rng.standard_normal(inside.shape, dtype=np.float32)
    return unit(inside @ basis.T + 0.1 * rng.standard_normal((count, DIM), dtype=np.float32))


def exact_beside_faiss(count: int, repeats: int, threads: int) -> None:
    """Both search the same vectors in turns."""
    import faiss

    faiss.omp_set_num_threads(threads)
    ours, theirs, before = ExactIndex(DIM), faiss.IndexFlatIP(DIM), ExactIndex(DIM, dtype="float32")
    for start in range(0, count, PIECE):
        values = uniform(min(PIECE, count - start), start)
        ids = np.arange(start, start + len(values))
        ours.add(ids, values)
        before.add(ids, values)
        theirs.add(values.astype(np.float16).astype(np.float32))
    queries = uniform(QUERIES, count + 1)
    found, wanted = ours.search(queries, K), theirs.search(queries, K)[1]
    recall = float(np.mean([np.isin(one, own).mean() for one, own in zip(wanted, found.ids, strict=True)]))
    unrounded = found.recall(before.search(queries, K))
    del before
    seconds = side_by_side(
        {
            "exact": lambda: ours.search(queries, K),
            "faiss": lambda: theirs.search(queries, K),
            "exact, one query": lambda: ours.search(queries[:1], K),
            "faiss, one query": lambda: theirs.search(queries[:1], K),
        },
        repeats,
    )
    run = {
        "what": "exact beside faiss IndexFlatIP",
        "vectors": count,
        "dim": DIM,
        "batch": QUERIES,
        "k": K,
        "seconds_a_batch": {name: round(value, 4) for name, value in seconds.items()},
        "queries_a_second": {name: round(QUERIES / seconds[name], 1) for name in ("exact", "faiss")},
        "throughput_of_faiss": round(seconds["faiss"] / seconds["exact"], 2),
        "recall": recall,
        "recall_against_vectors_before_rounding": round(unrounded, 4),
        "bytes": {"exact": count * DIM * 2, "faiss": count * DIM * 4},
        "faiss": faiss.__version__,
        "repeats": repeats,
        "machine": machine(),
    }
    KEPT.add(run)
    print(run, flush=True)


def lite_beside_exact(name: str, make, count: int, queries: int) -> None:
    """Milvus Lite's answers against all inner products."""
    import milvus_lite
    import pymilvus

    folder = Path(tempfile.mkdtemp())
    exact = ExactIndex(DIM, dtype="float32")
    try:
        with MilvusIndex(folder / "lite.db", "vectors", DIM, expected=count) as index:
            writing = 0.0
            index.rest()
            for start in range(0, count, PIECE):
                values = make(min(PIECE, count - start), start)
                ids = np.arange(start, start + len(values))
                exact.add(ids, values)
                begun = time.perf_counter()
                index.upsert(ids, values)
                writing += time.perf_counter() - begun
            begun = time.perf_counter()
            index.save()
            left = index.wait(1800)
            building = time.perf_counter() - begun
            asked = make(queries, count + 1)
            wanted = exact.search(asked, K)
            one = []
            for query in asked:
                begun = time.perf_counter()
                index.search(query, K)
                one.append(1000 * (time.perf_counter() - begun))
            begun = time.perf_counter()
            found = index.search(asked, K)
            run = {
                "what": f"Milvus Lite, {name} vectors",
                "vectors": count,
                "dim": DIM,
                "k": K,
                "index": {"kind": index.plan.kind, **index.plan.build, **index.plan.asked(K)},
                "recall_at_10": round(found.recall(wanted), 4),
                "one_query_ms": {
                    "median": round(median(one), 2),
                    "slowest_tenth": round(float(np.percentile(one, 90)), 2),
                },
                "batch_ms_a_query": round(1000 * (time.perf_counter() - begun) / queries, 2),
                "queries": queries,
                "writing_s": round(writing, 1),
                "building_s": round(building, 1),
                "not_indexed": left,
                "bytes_on_disk": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
                "milvus_lite": milvus_lite.__version__,
                "pymilvus": pymilvus.__version__,
                "machine": machine(),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    KEPT.add(run)
    print(run, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["exact", "milvus"], help="exact, milvus (default: both)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--exact", type=int, default=1_000_000, help="vectors of the exact part")
    parser.add_argument("--milvus", type=int, default=200_000, help="vectors of the other")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--uniform", action="store_true", help="the hardest case, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if "exact" in options.parts:
        exact_beside_faiss(options.exact, options.repeats, options.threads)
    if "milvus" in options.parts:
        lite_beside_exact("clustered", clustered, options.milvus, options.queries)
        if options.uniform:
            lite_beside_exact("uniform", uniform, options.milvus, options.queries)


if __name__ == "__main__":
    main()
