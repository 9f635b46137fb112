"""Reading files that may be damaged: whatever goes wrong becomes one sentence with the file's name."""

from __future__ import annotations

import gzip
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DAMAGE = (OSError, EOFError, ValueError, RecursionError, zlib.error, zipfile.BadZipFile)


class Misfit(ValueError):
    """A whole file that says something impossible; the message names that, and not yet the file."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises inside the block into one ValueError that names it."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except Misfit as error:
        raise ValueError(f"{path}: {error}") from error
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
    """Widths and heights `[image 2]` from a `.npy` of numbers; pickled objects are refused, not run."""
    with reading(path):
        try:
            sizes = np.load(path, allow_pickle=False)
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            raise Misfit(
                "it holds pickled objects, which can run anything when opened; where you trust the file, save"
                " its numbers as a plain array of widths and heights [image 2]"
            ) from error
        numbers = sizes.dtype.kind in "fiu" and sizes.ndim == 2 and sizes.shape[1] == 2
        if not numbers or not (sizes > 0).all():
            raise Misfit(
                "wanted widths and heights [image 2], numbers above 0, "
                f"got {sizes.dtype} {list(sizes.shape)}{', some not above 0' if numbers else ''}"
            )
    return sizes.astype(np.float64)
