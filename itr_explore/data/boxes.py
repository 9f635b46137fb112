"""Boxes `x1 y1 x2 y2`: overlaps, and turning what a source has into fractions of width and height."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

EXCESS = 0.02  # so far outside its image may a box lie and be clipped; detectors and people overshoot


def areas(boxes: np.ndarray) -> np.ndarray:
    """Areas `[...]` of boxes `[... 4]`, in the boxes' units squared."""
    return np.maximum(boxes[..., 2] - boxes[..., 0], 0) * np.maximum(boxes[..., 3] - boxes[..., 1], 0)


def iou(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `left [n 4]` with every box of `right [m 4]`: `[n m]`.

    Two boxes without area overlap by 0.

    >>> iou(np.array([[0, 0, 2, 1]]), np.array([[1, 0, 3, 1], [0, 0, 2, 1]]))
    array([[0.33333333, 1.        ]])
    """
    left, right = np.asarray(left, np.float64)[:, None], np.asarray(right, np.float64)[None]
    low, high = np.maximum(left[..., :2], right[..., :2]), np.minimum(left[..., 2:], right[..., 2:])
    shared = np.maximum(high - low, 0).prod(-1)
    union = areas(left) + areas(right) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float, most: int) -> np.ndarray:
    """Non-maximum suppression whatever the classes: rows of the boxes that stay, best score first.

    Args:
        boxes: `[box 4]`.
        scores: `[box]`.
        overlap: a box goes where a better one overlaps it by more (intersection over union).
        most: how many stay at most.

    >>> suppress(np.array([[0, 0, 2, 2], [0, 0, 2, 1.9], [2, 2, 3, 3]]), np.array([0.8, 0.9, 0.1]), 0.5, 9)
    array([1, 2])
    """
    left = np.argsort(-np.asarray(scores), kind="stable")
    kept: list[int] = []
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[iou(boxes[[best]], boxes[left])[0] <= overlap]
    return np.array(kept, dtype=np.int64)


def centred_to_corners(boxes: np.ndarray) -> np.ndarray:
    """Boxes `[... 4]` as centre, width and height, turned into `x1 y1 x2 y2`."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def voc_to_fractions(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Boxes `[box 4]` in whole pixels counted from 1, both ends included (Pascal VOC), as fractions."""
    boxes = np.asarray(boxes, np.float64)
    if boxes.size and boxes.shape[-1] != 4:
        raise ValueError(f"wanted boxes of four numbers, x1 y1 x2 y2, got {list(boxes.shape)}")
    boxes = boxes.reshape(-1, 4) - (1, 1, 0, 0)
    return boxes / (width, height, width, height)


def clip_to_image(boxes: np.ndarray, name: Callable[[int], str]) -> np.ndarray:
    """Boxes `[box 4]`, fractions, as float32 inside the image.

    What lies outside by less than `EXCESS` of the image's side is cut off.

    Args:
        boxes: fractions of width and height.
        name: says which box (and which image) a row is, for the message.

    Raises:
        ValueError: a box is not finite, ends before it begins, or lies farther outside.
    """
    boxes = np.asarray(boxes, np.float32)
    with np.errstate(invalid="ignore"):
        fine = (
            (boxes >= -EXCESS).all(-1)
            & (boxes <= 1 + EXCESS).all(-1)
            & (boxes[:, 2:] >= boxes[:, :2]).all(-1)
        )
    if not fine.all():
        row = int(np.argmin(fine))
        found = " ".join(f"{value:.4g}" for value in boxes[row])
        raise ValueError(
            f"{name(row)} is no box inside its image: [{found}] as fractions of width and height; "
            "wanted x1 y1 x2 y2 between 0 and 1 with x1 <= x2 and y1 <= y2"
        )
    return np.clip(boxes, 0, 1)
