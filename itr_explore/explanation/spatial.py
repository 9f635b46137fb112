"""How the regions of an image lie to each other, from their boxes alone."""

from __future__ import annotations

import numpy as np

from itr_explore.data.boxes import areas, iou

INSIDE = 0.9  # share of a region that must lie in another, larger one
OVERLAPPING = 0.5  # IoU from which on two regions overlap rather than lie beside each other


def spatial_relations(
    boxes: np.ndarray, aspect: float = 1.0, reach: float = 0.5
) -> list[tuple[int, str, int]]:
    """(subject, predicate, object) for regions that lie near each other.

    After Yao, Pan, Li, Mei, "Exploring visual relationship for image captioning", ECCV 2018, section 3.2:
    inside, contains, overlaps (IoU >= 0.5), else a direction if the centres are near. A reconstruction: four
    directions instead of eight, and inside asks for 90 % of the smaller box, since detectors' boxes jitter.

    Args:
        boxes: `[region 4]` as fractions.
        aspect: width over height of the image, so that directions are those one sees.
        reach: how far apart, as a share of the image's diagonal, centres may lie.
    """
    size = areas(boxes)
    shared = _shared(boxes)
    overlap = iou(boxes, boxes)
    step = _steps(boxes, aspect)
    distance = np.linalg.norm(step, axis=-1) / np.hypot(aspect, 1.0)
    found = []
    for one in range(len(boxes)):
        for other in range(len(boxes)):
            if one == other:
                continue
            if shared[one, other] >= INSIDE * size[one] and size[one] < size[other]:
                found.append((one, "inside", other))
            elif shared[one, other] >= INSIDE * size[other] and size[other] < size[one]:
                found.append((one, "contains", other))
            elif overlap[one, other] >= OVERLAPPING:
                found.append((one, "overlaps", other))
            elif distance[one, other] <= reach:
                found.append((one, _direction(*step[one, other]), other))
    return found


def nearest(boxes: np.ndarray, neighbours: int = 3, aspect: float = 1.0) -> np.ndarray:
    """`[region region]` weights 1 / (1 + distance of centres) to each region's nearest; 0 to all others."""
    distance = np.linalg.norm(_steps(boxes, aspect), axis=-1)
    np.fill_diagonal(distance, np.inf)
    weights = np.zeros_like(distance)
    count = min(neighbours, len(boxes) - 1)
    for region, row in enumerate(distance):
        near = np.argsort(row, kind="stable")[:count]
        weights[region, near] = 1 / (1 + row[near])
    return weights


def _steps(boxes: np.ndarray, aspect: float) -> np.ndarray:
    """`[from to 2]` from centre to centre, in units of the image's height."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 * (aspect, 1.0)
    return centres[None, :] - centres[:, None]


def _shared(boxes: np.ndarray) -> np.ndarray:
    """`[region region]` area that two boxes share."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    return np.maximum(high - low, 0).prod(axis=-1)


def _direction(right: float, down: float) -> str:
    """Where the subject lies, seen from an object that is so far to the right of it and below it."""
    if abs(right) >= abs(down):
        return "left of" if right > 0 else "right of"
    return "above" if down > 0 else "below"
