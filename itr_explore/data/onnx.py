"""Regions by a plain ONNX detector, on a CPU, without the framework that it was trained in.

It reads detectors in the manner of YOLOX (github.com/Megvii-BaseDetection/YOLOX), as their own export writes
them. In goes one picture `[1 3 height width]`, BGR from 0 to 255, resized as a whole, at the top left, the
rest 114. Out come `[1 box 5 + class]` on grids of stride 8, 16 and 32: centre and size in cells, objectness,
and a score for each class.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.boxes import centred_to_corners
from itr_explore.data.checkpoints import file_digest
from itr_explore.data.coco_names import COCO_NAMES
from itr_explore.data.detections import Choice, Detections, Eyes, regions_from
from itr_explore.records import RegionsOf

if TYPE_CHECKING:
    from PIL.Image import Image

STRIDES = (8, 16, 32)
GREY = 114  # what is beside the picture
CELLS = 4  # a box's colours are averaged over so many rows and columns
LIKELY = 1000  # boxes that suppression looks at


class OnnxDetector:
    """Boxes, labels and scores of a YOLOX detector in an ONNX file, through `onnxruntime`.

    The file gives no features. So a region's feature is what the detector says and what can be seen without
    one: the square roots of its class scores, and the box's colours in 4 x 4 cells (RGB from 0 to 1). That is
    enough to try things out; `eyes=CropEncoder("google/mobilenet_v2_1.0_224")` has each box looked at by a
    pretrained network.

    Args:
        path: of the `.onnx` file.
        names: of its classes in their order; MS COCO's where there are 80.
        top: boxes at most, best scores first.
        least_score: boxes below it go; with 0 every picture has about as many regions.
        overlap: a box goes where a better one, of whatever class, overlaps it by more (IoU).
        whole_image: region 0 is the picture itself, with the highest score of each class.
        eyes: what looks at the boxes: a `CropEncoder`, or a class of yours.
        context: share of a box's sides that eyes see around it on each side.
        threads: of the processor; by default onnxruntime's choice.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: onnxruntime is not installed.
        ValueError: it is no ONNX file, or none of a detector in that manner.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        names: Sequence[str] | None = None,
        top: int = 36,
        least_score: float = 0.0,
        overlap: float = 0.5,
        whole_image: bool = True,
        eyes: Eyes | None = None,
        context: float = 0.1,
        threads: int = 0,
    ):
        self.path, self.eyes, self.context = Path(path), eyes, context
        self.choice = Choice(top, least_score, overlap, whole_image)
        self._session = _open(self.path, threads)
        (self._input,) = self._session.get_inputs()
        self._height, self._width, classes = self._sizes()
        self._cells = _grid_cells(self._height, self._width)
        told = COCO_NAMES if names is None and classes == len(COCO_NAMES) else names
        told = [f"class {code}" for code in range(classes)] if told is None else told
        if len(told) != classes:
            raise ValueError(f"{self.path} has {classes} classes, got {len(told)} names")
        self._names = dict(enumerate(told))

    def describe(self) -> dict[str, Any]:
        """What the regions depend on."""
        return {
            "kind": "onnx",
            "model": self.path.name,
            "checkpoint": file_digest(self.path),
            "names": list(self._names.values()),
            **vars(self.choice),
            "features": "scores and colours" if self.eyes is None else self.eyes.describe(),
            **({} if self.eyes is None else {"context": self.context}),
        }

    def __call__(self, pictures: list[Image]) -> list[RegionsOf]:
        """Regions of each picture: itself if wanted, then boxes, best scores first."""
        return [self._regions(picture) for picture in pictures]

    def detect(self, picture: Image) -> tuple[np.ndarray, np.ndarray]:
        """All boxes of a picture: `[box 4]` fractions inside it, and `[box class]` scores."""
        scale = min(self._width / picture.width, self._height / picture.height)
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        from PIL import Image

        pixels = np.full((self._height, self._width, 3), GREY, np.float32)
        resized = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BILINEAR))
        pixels[: size[1], : size[0]] = resized[..., ::-1]  # BGR
        (found,) = self._session.run(None, {self._input.name: pixels.transpose(2, 0, 1)[None]})
        cells, strides = self._cells
        centres, sides = (found[0, :, :2] + cells) * strides, np.exp(found[0, :, 2:4]) * strides
        corners = centred_to_corners(np.concatenate([centres, sides], axis=1))
        boxes = np.clip(corners / scale / (picture.size * 2), 0, 1)
        return boxes, found[0, :, 4:5] * found[0, :, 5:]

    def _regions(self, picture: Image) -> RegionsOf:
        boxes, by_class = self.detect(picture)
        scores = by_class.max(1)
        likely = np.argsort(-scores, kind="stable")[:LIKELY]
        features = whole = None
        if self.eyes is None:
            chosen = likely[self.choice.rows(boxes[likely], scores[likely])]
            likely = chosen
            features = _features(by_class[chosen], picture, boxes[chosen])
            whole = _features(by_class.max(0)[None], picture, np.array([[0.0, 0.0, 1.0, 1.0]]))[0]
        told = Detections(boxes[likely], scores[likely], by_class[likely].argmax(1), features, whole)
        return regions_from(told, picture, self._names, self.choice, self.eyes, self.context)

    def _sizes(self) -> tuple[int, int, int]:
        """Height and width of the input, and the number of classes, checked."""
        shape, outputs = self._input.shape, self._session.get_outputs()
        manner = "wanted YOLOX's: one picture [1 3 height width] in, [1 box 5+class] out"
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]):
            raise ValueError(f"{self.path} takes {self._input.name} {shape}; {manner}")
        height, width = shape[2:]
        boxes = sum((height // stride) * (width // stride) for stride in STRIDES)
        found = outputs[0].shape
        if len(outputs) != 1 or len(found) != 3 or found[1] != boxes or not found[2] > 5:
            shapes = ", ".join(f"{told.name} {told.shape}" for told in outputs)
            raise ValueError(f"{self.path} gives {shapes}, and {boxes} boxes were expected; {manner}")
        return height, width, found[2] - 5


def _open(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; wanted an ONNX detector")
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "an ONNX detector needs the package onnxruntime: pip install 'itr-explore[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own, which have no common type
        raise ValueError(f"{path} is no ONNX file that onnxruntime can read: {error}") from error


def _grid_cells(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row `[box 2]` of the cell that each box is told from, and its stride `[box 1]`."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _features(by_class: np.ndarray, picture: Image, boxes: np.ndarray) -> np.ndarray:
    """Square roots of class scores, and colours in cells: `[box class + 3 * CELLS ** 2]` float32."""
    from PIL import Image

    colours = [
        picture.resize((CELLS, CELLS), Image.Resampling.BOX, box=_pixels(box, picture)) for box in boxes
    ]
    seen = np.array([np.asarray(one, np.float32).ravel() / 255 for one in colours], np.float32)
    return np.concatenate(
        [np.sqrt(by_class), seen.reshape(len(boxes), 3 * CELLS**2)], axis=1, dtype=np.float32
    )


def _pixels(box: np.ndarray, picture: Image) -> tuple[float, float, float, float]:
    """A box in pixels, one pixel wide and high at least."""
    width, height = picture.size
    left, top = min(box[0] * width, width - 1), min(box[1] * height, height - 1)
    return left, top, max(box[2] * width, left + 1), max(box[3] * height, top + 1)
