"""Which index of Milvus for how many vectors, and what it takes in memory and on disk.

| vectors up to | index | why |
| --- | --- | --- |
| 20 million | HNSW, M 16, efConstruction 200, ef 128 | vectors and graph fit one machine's memory |
| 200 million | IVF_SQ8, nlist 4 sqrt(n), nprobe 1/64 of it | one byte a number |
| more | DISKANN, max_degree 56, codes of 1/32 | vectors and graph on NVMe disks, only short codes in memory |

What is worked out is the index alone, from its layout: vectors float32 unless said otherwise, links of 4
bytes, ids of 8. A server wants a third more for what it is just writing or building.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

FLOAT, LINK, ROW_ID, SECTOR = 4, 4, 8, 4096  # bytes
HNSW_UP_TO, IVF_UP_TO = 20_000_000, 200_000_000
LEAST_EF = 128
CODES, CACHED = 1 / 32, 0.1  # of the raw vectors: DISKANN's codes, and its cache of nodes


@dataclass(frozen=True)
class IndexPlan:
    """An index of Milvus: its parameters, and the bytes that it takes."""

    kind: str
    build: dict[str, Any]
    search: dict[str, Any]
    memory: float
    disk: float

    def asked(self, k: int) -> dict[str, Any]:
        """The search parameters for k results; lists are as long as k at least."""
        return {
            name: max(value, k) if name in ("ef", "search_list") else value
            for name, value in self.search.items()
        }


def plan_index(count: int, dim: int) -> IndexPlan:
    """The index that is advised for so many vectors.

    Args:
        count: vectors; where there will be more one day, those.
        dim: numbers a vector.
    """
    if count < 0 or dim < 1:
        raise ValueError(f"wanted a number of vectors and a dim from 1, got {count} and {dim}")
    raw = count * dim * FLOAT
    if count <= HNSW_UP_TO:
        degree = 16  # links upwards, twice as many at the bottom; one item in `degree` stands higher
        links = LINK * degree * (2 + 1 / (degree - 1))
        memory = count * (dim * FLOAT + links + ROW_ID)
        build = {"M": degree, "efConstruction": 200}
        return IndexPlan("HNSW", build, {"ef": LEAST_EF}, memory, memory)
    if count <= IVF_UP_TO:
        lists = min(65_536, 2 ** round(math.log2(4 * math.sqrt(count))))
        memory = count * (dim + ROW_ID) + lists * dim * FLOAT
        return IndexPlan("IVF_SQ8", {"nlist": lists}, {"nprobe": max(1, lists // 64)}, memory, memory + raw)
    degree = 56
    node = dim * FLOAT + LINK * (degree + 1)
    disk = count / (SECTOR // node) * SECTOR if node <= SECTOR else count * math.ceil(node / SECTOR) * SECTOR
    disk_build: dict[str, Any] = {
        "max_degree": degree,
        "search_list_size": 100,
        "pq_code_budget_gb_ratio": CODES,
    }
    return IndexPlan("DISKANN", disk_build, {"search_list": 100}, raw * (CODES + CACHED), disk + raw)


def search_of(kind: str, lists: int = 0) -> dict[str, Any]:
    """How an index of Milvus is searched that somebody made; empty where Milvus' own way is taken.

    Args:
        kind: as Milvus calls it; kinds of a family (`HNSW_SQ`, `IVF_FLAT`) are searched alike.
        lists: of an IVF; where nobody knows, as many are looked at as in a large one.
    """
    family = kind.split("_")[0]
    if family == "IVF" and lists:
        return {"nprobe": max(1, lists // 64)}
    plans = [plan_index(count, 1) for count in (HNSW_UP_TO, IVF_UP_TO, IVF_UP_TO + 1)]
    return next((dict(plan.search) for plan in plans if plan.kind.split("_")[0] == family), {})
