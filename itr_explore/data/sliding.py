"""Regions of a scene from its pixels alone: boxes slid over the picture, kept where the region network sees a
thing.

`regions.py` places its boxes by what is known of a scene. Of a picture from anywhere nothing is known, so
squares of several sizes are laid out as a grid, and of those that overlap the surest one is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.data.scenes.features import NOTHING, crop, region_cnn
from itr_explore.data.scenes.regions import WHOLE

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = (0.14, 0.21, 0.31, 0.43, 0.6)  # of boxes: their height as a share of the root of the picture's area
SHAPES = (1.0, 1.8, 0.6)  # width over height, in pixels
STEP = 0.35  # of a box's side between neighbours
OVERLAP = 0.45  # IoU above which the less sure of two boxes goes
MOST = 14  # regions of a picture, the whole of it included
SURE = 0.5  # probability of a thing below which a box is dropped, while there are enough
FEWEST = 4


def sliding_regions(image: Image) -> tuple[np.ndarray, np.ndarray]:
    """Features and boxes of the regions of any picture, as models of the scenes read them.

    Args:
        image: an RGB picture.

    Returns:
        features [region feature] float32 and boxes [region 4] float32, fractions; the first is the whole.
    """
    import torch

    boxes, network = _grid(image.width / image.height), region_cnn()
    with torch.inference_mode():
        features = network(torch.from_numpy(crop(image, boxes)))
        kinds = network.classify(features)["kind"].softmax(dim=1).numpy()
    nothing = network.config.names["kind"].index(NOTHING)
    sure = 1 - kinds[:, nothing]
    kept = [0]  # the whole picture
    for row in np.argsort(-sure[1:], kind="stable") + 1:
        if len(kept) == MOST or (sure[row] < SURE and len(kept) >= FEWEST):
            break
        if (iou(boxes[row][None], boxes[kept[1:]]) <= OVERLAP).all():
            kept.append(int(row))
    return features.numpy()[kept], boxes[kept]


def _grid(aspect: float) -> np.ndarray:
    """[box 4] the whole picture, then boxes of each size and shape, edge to edge with the picture.

    Args:
        aspect: the picture's width over its height.
    """
    found = [WHOLE]
    for size in SIZES:
        for shape in SHAPES:
            width, height = size * shape / aspect**0.5, size * aspect**0.5
            if max(width, height) > 1:
                continue
            across, down = (np.linspace(0, 1 - side, _count(side)) for side in (width, height))
            found += [(x, y, x + width, y + height) for y in down for x in across]
    return np.array(found, dtype=np.float32).clip(0, 1)


def _count(side: float) -> int:
    """Places along an axis for a box with this side."""
    return 1 + int(np.ceil((1 - side) / (STEP * side)))
