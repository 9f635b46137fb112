"""Regions without a detector: the patches that a pretrained vision model cuts a picture into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from itr_explore.data.checkpoints import SCENES_CLIP, checkpoint_name, find_checkpoint, load_vision
from itr_explore.data.devices import choose_device
from itr_explore.records import RegionsOf

if TYPE_CHECKING:
    from PIL.Image import Image


class GridExtractor:
    """Patches of a ViT, CLIP, SigLIP, DINO or convolutional network as regions, each with its place.

    A region's feature is the model's last state of its patch. What is no patch (CLS, registers) is dropped.
    The whole picture is looked at, squeezed into the model's square if need be; `crop=True` looks at the
    middle of it undistorted, as the model was trained to.

    Args:
        model: a folder, `owner/name` on the Hugging Face hub ("openai/clip-vit-base-patch32",
            "facebook/dinov2-small", "google/siglip-base-patch16-224"), or "clip-tiny-scenes", which comes
            with the package.
        pool: average patches to so many rows and columns: `7` makes 49 regions. By default each patch is one.
        crop: look at the middle square only.
        device: "auto" is a GPU where there is one.

    Raises:
        FileNotFoundError: the model is neither here nor to be had.
        ValueError: it is no vision model that has patches.
    """

    def __init__(
        self,
        model: str | os.PathLike = SCENES_CLIP,
        *,
        pool: int | None = None,
        crop: bool = False,
        device: str = "auto",
    ):
        from transformers import AutoModel

        if pool is not None and pool < 1:
            raise ValueError(f"pool must be at least 1, or None for all patches, got {pool}")
        place, checkpoint = find_checkpoint(model, "a vision model")
        whole, self._processor = load_vision(place, "vision model", AutoModel, unused="pooler")
        self._device = choose_device(device)
        self._model = getattr(whole, "vision_model", whole).to(self._device)
        self._side = _side_of(self._processor, place)
        self._name, self._checkpoint, self.pool, self.crop = checkpoint_name(model), checkpoint, pool, crop

    def describe(self) -> dict[str, Any]:
        """What the regions depend on."""
        return {
            "kind": "grid",
            "model": self._name,
            "checkpoint": self._checkpoint,
            "pool": self.pool,
            "crop": self.crop,
        }

    def __call__(self, pictures: list[Image]) -> list[RegionsOf]:
        """Patches row by row, from the top left."""
        height, width = self._side
        filtering = getattr(self._processor, "resample", None) or 3  # bicubic
        ready = [
            picture.resize((width, height), filtering, box=self._looked_at(picture)) for picture in pictures
        ]
        pixels = self._processor(ready, return_tensors="pt", do_resize=False, do_center_crop=False)[
            "pixel_values"
        ]
        with torch.inference_mode():
            found = self._grid(pixels.to(self._device))  # [picture dim row column]
            rows, columns = found.shape[2:]
            if self.pool is not None:
                found = adaptive_avg_pool2d(found, self.pool)
        features = found.float().flatten(2).mT.cpu().numpy()
        places = grid_boxes(rows, columns, self.pool)
        return [
            RegionsOf(values, self._in_picture(places, picture), size=picture.size)
            for values, picture in zip(features, pictures, strict=True)
        ]

    def _grid(self, pixels: Tensor) -> Tensor:
        """States of the patches `[picture dim row column]`."""
        states = self._model(pixels).last_hidden_state
        if states.ndim == 4:  # a convolutional network's map
            return states
        patch = getattr(self._model.config, "patch_size", None)
        if not isinstance(patch, int):
            raise ValueError(f"{self._name} is a {type(self._model).__name__}, of which no patches are known")
        rows, columns = (side // patch for side in pixels.shape[-2:])
        others = states.shape[1] - rows * columns
        if others < 0:
            raise ValueError(
                f"{self._name} gives {states.shape[1]} states of {rows} x {columns} patches; wanted a model"
                " that keeps one state a patch, such as a ViT, CLIP, SigLIP or DINO"
            )
        return states[:, others:].mT.unflatten(2, (rows, columns))  # CLS and registers come first

    def _in_picture(self, places: np.ndarray, picture: Image) -> np.ndarray:
        """Boxes of the model's square as fractions of the whole picture."""
        left, top, right, bottom = self._looked_at(picture)
        scale = np.array([right - left, bottom - top] * 2, np.float32) / np.array(
            picture.size * 2, np.float32
        )
        corner = np.array([left, top] * 2, np.float32) / np.array(picture.size * 2, np.float32)
        return np.clip(places * scale + corner, 0, 1)

    def _looked_at(self, picture: Image) -> tuple[int, int, int, int]:
        """What the model sees of a picture, in pixels: all of it, or the largest box of its shape."""
        if not self.crop:
            return 0, 0, picture.width, picture.height
        aspect = self._side[1] / self._side[0]
        width = min(picture.width, round(picture.height * aspect))
        height = min(picture.height, round(width / aspect))
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        return left, top, left + width, top + height


def grid_boxes(rows: int, columns: int, pool: int | None = None) -> np.ndarray:
    """Boxes `[cell 4]` of a grid's cells, or of `pool` x `pool` averages of them (which may overlap)."""
    across, down = _intervals(columns, pool), _intervals(rows, pool)
    return np.array([[x1, y1, x2, y2] for y1, y2 in down for x1, x2 in across], np.float32)


def _intervals(cells: int, pool: int | None) -> list[tuple[float, float]]:
    bins = cells if pool is None else pool
    return [(i * cells // bins / cells, -(-(i + 1) * cells // bins) / cells) for i in range(bins)]


def _side_of(processor: Any, place: str) -> tuple[int, int]:
    """Height and width that a model's pictures have, as its preparation says."""
    size = processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size
    told = dict(size) if size else {}
    if told.get("height"):
        return told["height"], told["width"]
    if told.get("shortest_edge"):
        return told["shortest_edge"], told["shortest_edge"]
    raise ValueError(f"{place}: its preparation of pictures says no size ({told}); wanted height and width")
