"""Makes a split of scenes and writes it as an Arrow dataset: draw, store, propose, describe, put into words.

Work goes by chunks of scenes. Other processes make chunks and send them through a pipe as record batches
(`python -m itr_explore.data.scenes.build` is such a process); this one writes them down in order. They are
started as commands, neither forked nor spawned, so it makes no difference what the caller's `__main__` is or
which threads it has; where they cannot run, this process does their work.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from itr_explore.data.scenes.cache import FEATURES, SCENES
from itr_explore.data.scenes.draw import draw
from itr_explore.data.scenes.features import describe
from itr_explore.data.scenes.pixels import decode, encode
from itr_explore.data.scenes.regions import propose
from itr_explore.data.scenes.splits import told

CHUNK = 32  # scenes
WORTH_IT = 400  # scenes from which starting other processes takes less time than it saves
MOST_PROCESSES = 8


def write_split(
    folder: Path, split: str, size: int, seed: int, processes: int | None = None
) -> dict[str, Any]:
    """Make a split and write it into an empty folder, with a progress bar.

    `scenes.arrow` has a row for each scene; `features.arrow` has a row for each region, all in one piece, so
    that it can be used from the disk as one array. Both are files that `datasets.Dataset.from_file` opens.

    Args:
        folder: where to.
        split, size, seed: what to make, see `splits.told`.
        processes: 1 for this one alone; by default as many as there are processors, for many scenes.

    Returns:
        what was made: split, size, seed, number of regions.
    """
    import pyarrow as pa

    if processes is None:
        processes = min(_processors(), MOST_PROCESSES) if size >= WORTH_IT else 1
    features, schema = [], scenes_schema()
    with (
        tqdm(total=size, desc=f"making {size} {split} scenes", unit="scene", mininterval=0.5) as bar,
        pa.OSFile(str(folder / SCENES), "wb") as file,
        pa.ipc.new_stream(file, schema) as writer,
    ):
        for batch in _batches(split, size, seed, processes):
            values = batch.column("features").flatten()
            features.append(values.flatten().to_numpy().reshape(len(values), -1))
            writer.write_batch(batch.drop_columns(["features"]).cast(schema))
            bar.update(batch.num_rows)
    values = np.concatenate(features)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    with (
        pa.OSFile(str(folder / FEATURES), "wb") as file,
        pa.ipc.new_stream(file, pa.schema({"features": rows.type})) as writer,
    ):
        writer.write_batch(pa.record_batch([rows], ["features"]))
    return {"split": split, "size": size, "seed": seed, "regions": len(values)}


def scenes_schema():
    """The columns of `scenes.arrow`, with the note by which `datasets` knows that `image` is one."""
    from datasets import Features, Image, List, Value

    columns = {
        "image": Image(),
        "scene": Value("string"),  # Scene.to_json
        "captions": List(Value("string")),
        "meanings": List(Value("string")),  # of each caption, Caption.to_json
        "boxes": List(List(Value("float32"), length=4)),
        "labels": List(Value("string")),  # what the region network calls each region
        "certainties": List(Value("float32")),
    }
    return Features(columns).arrow_schema


def make_chunk(split: str, size: int, seed: int, first: int):
    """CHUNK scenes of a split from the place `first` on, as a record batch; features are one list a scene."""
    import pyarrow as pa

    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})  # as `datasets` keeps images
    made = [told(split, seed, index) for index in range(first, min(first + CHUNK, size))]
    files = [encode(draw(scene)) for scene, _ in made]
    boxes = [propose(scene) for scene, _ in made]
    values, labels, certainties = describe([decode(file) for file in files], boxes)
    starts = np.cumsum([0, *map(len, boxes)]).astype(np.int32)

    def by_scene(rows):
        return pa.ListArray.from_arrays(pa.array(starts), rows)

    def vectors(array: np.ndarray):
        return by_scene(pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), array.shape[1]))

    return pa.record_batch(
        {
            "image": pa.array([{"bytes": file} for file in files], image),
            "scene": pa.array([scene.to_json() for scene, _ in made]),
            "captions": pa.array([[caption.text for caption in captions] for _, captions in made]),
            "meanings": pa.array([[caption.to_json() for caption in captions] for _, captions in made]),
            "boxes": vectors(np.concatenate(boxes)),
            "labels": by_scene(pa.array(labels)),
            "certainties": by_scene(pa.array(certainties)),
            "features": vectors(values.astype(np.float16)),
        }
    )


class Worker:
    """Another process that makes the chunks number k, k + n, k + 2n ... and sends them through a pipe.

    Killed with its owner's `close`; and if its owner is killed it ends at the next chunk, as nobody reads it.
    """

    def __init__(self, split: str, size: int, seed: int, number: int, processes: int):
        package = Path(__file__).resolve().parents[3]  # what holds `itr_explore`, installed or not
        paths = [str(package), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, split, *map(str, (size, seed, number, processes))],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what went wrong there goes wrong again here, with a traceback
        )
        self.stream: Any = None

    def next_batch(self):
        """The next of its chunks, or None where the process is no more."""
        import pyarrow as pa

        try:
            self.stream = self.stream or pa.ipc.open_stream(self.process.stdout)
            return self.stream.read_next_batch()
        except (OSError, StopIteration, pa.ArrowInvalid):
            return None

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def _batches(split: str, size: int, seed: int, processes: int) -> Iterator[Any]:
    """All chunks of a split in order, made by that many processes at once."""
    with ExitStack() as stack:
        workers: list[Worker] = []
        with suppress(OSError):  # no process can be started
            for number in range(processes if processes > 1 else 0):
                workers.append(Worker(split, size, seed, number, processes))
                stack.callback(workers[-1].close)
        for row, first in enumerate(range(0, size, CHUNK)):
            number = row % processes
            batch = workers[number].next_batch() if number < len(workers) else None
            yield batch if batch is not None else make_chunk(split, size, seed, first)


def _send(split: str, size: int, seed: int, number: int, processes: int) -> None:
    """What a `Worker` does."""
    import pyarrow as pa
    import torch

    torch.set_num_threads(1)
    pipe, sys.stdout = sys.stdout.buffer, sys.stderr  # whatever is printed stays out of the pipe
    writer = None
    for first in range(number * CHUNK, size, processes * CHUNK):
        batch = make_chunk(split, size, seed, first)
        writer = writer or pa.ipc.new_stream(pipe, batch.schema)
        writer.write_batch(batch)
        pipe.flush()
    if writer is not None:
        writer.close()


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    _send(sys.argv[1], *map(int, sys.argv[2:]))
