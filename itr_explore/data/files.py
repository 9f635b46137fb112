"""Reading files that may be damaged: whatever goes wrong becomes one sentence with the file's name."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, pickle.UnpicklingError)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises inside the block into one ValueError that names it."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except DAMAGE as error:
        raise ValueError(
            f"{path} cannot be read ({error}); it may be truncated: copy or make it again"
        ) from error


def read_json(path: Path, hook: Callable[[dict], Any] | None = None) -> Any:
    """What a JSON file holds, `.gz` or plain; `hook` sees each object as soon as it is whole."""
    with reading(path):
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return json.load(file, object_hook=hook)
        with path.open(encoding="utf-8") as file:
            return json.load(file, object_hook=hook)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, UTF-8; an empty line in the middle stays."""
    with reading(path), path.open(encoding="utf-8-sig") as file:
        lines = file.read().split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def map_array(path: Path) -> np.ndarray:
    """A `.npy` array, left on the disk until rows of it are asked for."""
    with reading(path):
        return np.load(path, mmap_mode="r", allow_pickle=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a `.npz` file, in memory."""
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def read_sizes(path: Path) -> np.ndarray:
    """Widths and heights `[image 2]` from a `.npy`: numbers, or the field's pickled dicts `image_w, image_h`.

    Of a pickle nothing is ever run: anything but arrays of plain dicts is refused.
    """
    with reading(path):
        try:
            sizes = np.load(path, allow_pickle=False)
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            rows = _read_plain_pickle(path).ravel().tolist()
            sizes = np.array([[row["image_w"], row["image_h"]] for row in rows])
        if sizes.ndim != 2 or sizes.shape[1] != 2 or not (sizes > 0).all():
            raise ValueError(f"wanted widths and heights [image 2], all above 0, got {list(sizes.shape)}")
    return sizes.astype(np.float64)


class _Plain(pickle.Unpickler):
    """Makes arrays and numbers of numpy, and nothing else."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "scalar"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in self.ALLOWED:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}; wanted an array of plain dicts")


def _read_plain_pickle(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read_header:
            raise ValueError(f"a .npy of version {version}")
        read_header[version](file)
        return _Plain(io.BytesIO(file.read()), encoding="latin1").load()
