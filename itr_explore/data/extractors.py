"""From what a user names to an extractor: an ONNX file, a detector or any vision model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from itr_explore.data.checkpoints import find_checkpoint
from itr_explore.data.extract import Extractor


def open_extractor(
    name: str | os.PathLike,
    *,
    pool: int | None = None,
    top: int | None = None,
    eyes: str | None = None,
    device: str = "auto",
) -> Extractor:
    """The extractor that a name means, with its own settings where none are given.

    Args:
        name: an `.onnx` file (`OnnxDetector`), or a folder, `owner/name` on the hub or "clip-tiny-scenes":
            `DetectorExtractor` where it holds a detector, else `GridExtractor`.
        pool: of a grid: average patches to so many rows and columns.
        top: of a detector: boxes at most.
        eyes: of a detector: the name of the model that looks at the boxes in its place (`CropEncoder`).
        device: "auto" is a GPU where there is one; ONNX runs on the CPU.

    Raises:
        FileNotFoundError: there is no such file or model.
        ValueError: it cannot be read, or a setting is another kind's.
    """
    from itr_explore.data.detections import CropEncoder
    from itr_explore.data.detector import DetectorExtractor, is_detector
    from itr_explore.data.grid import GridExtractor
    from itr_explore.data.onnx import OnnxDetector

    onnx = Path(name).suffix == ".onnx"
    if not onnx and not is_detector(find_checkpoint(name, "a vision model or a detector")[0]):
        if top is not None or eyes is not None:
            raise ValueError(f"{name} is no detector and finds no boxes; leave top and eyes out")
        return GridExtractor(name, pool=pool, device=device)
    if pool is not None:
        raise ValueError(f"{name} is a detector and has no grid to pool; leave pool out")
    settings: dict[str, Any] = {} if top is None else {"top": top}
    if eyes is not None:
        settings["eyes"] = CropEncoder(eyes, device=device)
    return OnnxDetector(name, **settings) if onnx else DetectorExtractor(name, device=device, **settings)
