"""What all detectors share: which boxes stay, the picture as a whole, and other eyes for what is in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from itr_explore.data.boxes import suppress
from itr_explore.data.checkpoints import SCENES_CLIP, checkpoint_name, find_checkpoint, load_vision
from itr_explore.data.devices import choose_device
from itr_explore.data.region_files import WHOLE
from itr_explore.records import RegionsOf

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Choice:
    """Which boxes stay: non-maximum suppression whatever the classes, then the best."""

    top: int = 36  # boxes at most, as the field has them
    least_score: float = 0.0  # boxes below it go; 0 keeps as many regions in every picture
    overlap: float = 0.5  # a box goes where a better one overlaps it by more
    whole_image: bool = True  # region 0 is the picture itself

    def __post_init__(self):
        if self.top < 1 or not 0 <= self.least_score < 1 or not 0 < self.overlap <= 1:
            raise ValueError(
                "wanted top >= 1, least_score from 0 to below 1 and overlap above 0 to 1, got"
                f" {self.top}, {self.least_score} and {self.overlap}"
            )

    def rows(self, boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Rows of the boxes `[box 4]` that stay, best first; one at least, or the whole image is a region."""
        likely = np.flatnonzero(scores >= self.least_score)
        if not len(likely) and not self.whole_image:
            likely = np.array([scores.argmax()])
        return likely[suppress(boxes[likely], scores[likely], self.overlap, self.top)]


@dataclass(frozen=True)
class Detections:
    """All boxes that a detector proposes for a picture, of which few are meant."""

    boxes: np.ndarray  # [box 4]  fractions, inside the picture
    scores: np.ndarray  # [box]
    codes: np.ndarray  # [box]  which label
    features: np.ndarray | None  # [box dim]; None where crops are looked at instead
    whole: np.ndarray | None  # [dim]  of the picture


class Eyes(Protocol):
    """What sees the inside of boxes in place of the detector."""

    def describe(self) -> dict[str, Any]:
        """All that its features depend on."""

    def __call__(self, crops: list[Image]) -> np.ndarray:
        """Features `[crop dim]`."""


class CropEncoder:
    """A pretrained vision model that sees each box as a picture of its own.

    For detectors that have no features to give: the crop, with some of what is around it, is resized to the
    model's square and becomes one vector. "google/mobilenet_v2_1.0_224" is a small and fast one.

    Args:
        model: a folder, `owner/name` on the hub, or "clip-tiny-scenes", which comes with the package.
        batch_size: crops at a time.
        device: "auto" is a GPU where there is one.
    """

    def __init__(self, model: str | os.PathLike = SCENES_CLIP, *, batch_size: int = 64, device: str = "auto"):
        from transformers import AutoModel

        place, self._checkpoint = find_checkpoint(model, "a vision model")
        self._model, self._processor = load_vision(place, "vision model", AutoModel)
        self._device = choose_device(device)
        self._model.to(self._device)
        self._name, self.batch_size = checkpoint_name(model), batch_size

    def describe(self) -> dict[str, Any]:
        """What the features depend on."""
        return {"model": self._name, "checkpoint": self._checkpoint}

    def __call__(self, crops: list[Image]) -> np.ndarray:
        """Pooled features `[crop dim]` float32."""
        found = []
        with torch.inference_mode():
            for first in range(0, len(crops), self.batch_size):
                some = crops[first : first + self.batch_size]
                pixels = self._processor(images=some, return_tensors="pt")["pixel_values"].to(self._device)
                if hasattr(self._model, "get_image_features"):
                    pooled = self._model.get_image_features(pixel_values=pixels)
                    pooled = getattr(pooled, "pooler_output", pooled)
                else:
                    pooled = self._model(pixels).pooler_output
                found.append(pooled.float().flatten(1).cpu().numpy())
        return np.concatenate(found)


def regions_from(
    found: Detections,
    picture: Image,
    names: dict[int, str],
    choice: Choice,
    eyes: Eyes | None,
    context: float,
) -> RegionsOf:
    """The regions of a picture: the boxes that stay, and the picture as a whole before them if wanted.

    Args:
        found: all boxes.
        picture: they are of.
        names: the word for each code.
        choice: which stay.
        eyes: what looks at the boxes; None takes the detector's own features.
        context: share of a box's sides that eyes see around it on each side.
    """
    rows = choice.rows(found.boxes, found.scores)
    boxes, scores = found.boxes[rows], found.scores[rows]
    labels = [names.get(int(code), str(code)) for code in found.codes[rows]]
    if choice.whole_image:
        boxes = np.concatenate([np.array([[0, 0, 1, 1]], boxes.dtype), boxes])
        scores, labels = np.concatenate([np.ones(1, scores.dtype), scores]), [WHOLE, *labels]
    if eyes is not None:
        features = eyes([crop(picture, box, context) for box in boxes])
    else:
        assert found.features is not None
        features = found.features[rows]
        if choice.whole_image:
            assert found.whole is not None
            features = np.concatenate([found.whole[None], features])
    return RegionsOf(
        features, boxes.astype(np.float32), tuple(labels), scores.astype(np.float32), picture.size
    )


def crop(picture: Image, box: np.ndarray, context: float) -> Image:
    """What is in a box (fractions), with some of its surroundings, one pixel at least."""
    more = np.concatenate([box[:2] - box[2:], box[2:] - box[:2]]) * context
    x1, y1, x2, y2 = np.clip(box + more, 0, 1) * (picture.size * 2)
    left, top = min(int(x1), picture.width - 1), min(int(y1), picture.height - 1)
    return picture.crop((left, top, max(left + 1, round(x2)), max(top + 1, round(y2))))
