"""Region features from pixels: what a small trained network sees in a crop, and nothing else.

As bottom-up features (Anderson et al., 2018, arXiv:1707.07998) they are the layer below the classifiers of
a network that was trained to name things and attributes: here kind, colour and setting. `train_features.py`
trains it; the weights are in `zoo/region-cnn`. Where a region lies and how big it is, is not in its feature.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from itr_explore.data.scenes.world import COLOURS, KINDS, SETTINGS

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 32  # of a crop, in pixels
CONTEXT = 0.1  # of a box's side is added around it
NOTHING = "nothing"  # the kind of a region that shows no thing


@dataclass(frozen=True)
class RegionConfig:
    """Sizes of a `RegionCNN`, the names its classifiers know, and how well it was measured to name them."""

    feature: int = 128
    channels: tuple[int, ...] = (32, 64, 64, 96)
    names: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"kind": (NOTHING, *KINDS), "colour": COLOURS, "setting": SETTINGS}
    )
    measured: dict[str, float] = field(default_factory=dict)  # shares on scenes it was not trained on


class RegionCNN(nn.Module):
    """Four convolutions and a linear bottleneck; crops in, one non-negative feature vector each out.

    Attributes:
        body: crops as floats in [-1, 1], [crop 3 32 32] -> features [crop feature].
        classifiers: one linear layer for kind, colour and setting each, on the features.
    """

    def __init__(self, config: RegionConfig | None = None):
        super().__init__()
        self.config = config = config or RegionConfig()
        one, two, three, four = config.channels
        self.body = nn.Sequential(
            nn.Conv2d(3, one, 5, stride=2, padding=2), nn.ReLU(),  # 16 x 16
            nn.Conv2d(one, two, 3, stride=2, padding=1), nn.ReLU(),  # 8 x 8
            nn.Conv2d(two, three, 3, padding=1), nn.ReLU(),
            nn.Conv2d(three, four, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),  # 4 x 4
            nn.Linear(16 * four, config.feature), nn.ReLU(),
        )  # fmt: skip
        self.classifiers = nn.ModuleDict(
            {what: nn.Linear(config.feature, len(names)) for what, names in config.names.items()}
        )

    def forward(self, crops: Tensor) -> Tensor:
        """Crops [crop height width colour] uint8 -> features [crop feature] float32."""
        return self.body(crops.permute(0, 3, 1, 2).float() / 127.5 - 1.0)

    def classify(self, features: Tensor) -> dict[str, Tensor]:
        """Features [crop feature] -> for kind, colour and setting the logits [crop name]."""
        return {what: layer(features) for what, layer in self.classifiers.items()}

    @torch.inference_mode()
    def label(self, features: Tensor) -> tuple[list[str], np.ndarray]:
        """What a detector would call each region, and how sure it is.

        Args:
            features: [region feature].

        Returns:
            names such as "red car", or the setting where no thing is seen; and probabilities [region].
        """
        sure = {what: logits.softmax(-1).max(-1) for what, logits in self.classify(features).items()}
        found = {
            what: [self.config.names[what][row] for row in best.indices.tolist()]
            for what, best in sure.items()
        }
        empty = np.array([kind == NOTHING for kind in found["kind"]], dtype=bool)
        names = [
            setting if kind == NOTHING else f"{colour} {kind}"
            for kind, colour, setting in zip(found["kind"], found["colour"], found["setting"], strict=True)
        ]
        probability = {what: best.values.numpy() for what, best in sure.items()}
        attribute = np.where(empty, probability["setting"], probability["colour"])
        return names, (probability["kind"] * attribute).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` (float16) into a folder."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors")
        text = json.dumps(asdict(self.config), indent=1)
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> RegionCNN:
        """The network that `save` wrote, in float32, ready for use."""
        from safetensors.torch import load_file

        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        told["channels"] = tuple(told["channels"])
        told["names"] = {what: tuple(names) for what, names in told["names"].items()}
        model = cls(RegionConfig(**told))
        model.load_state_dict(load_file(folder / "model.safetensors"))  # copies float16 into float32
        return model.eval().requires_grad_(False)


def weights_folder():
    """Where the package keeps the weights of the region network."""
    return files("itr_explore.zoo") / "region-cnn"


@lru_cache(maxsize=1)
def region_cnn() -> RegionCNN:
    """The network that comes with the package."""
    with as_file(weights_folder()) as folder:
        return RegionCNN.load(folder)


def crop(image: Image, boxes: np.ndarray) -> np.ndarray:
    """Cut regions out of an image, each with a little of what is around it, and bring them to one size.

    Args:
        image: an RGB image.
        boxes: [region 4], fractions of the image.

    Returns:
        [region 32 32 3] uint8; the shape of a box is lost, as it is in a detector's region pooling.
    """
    from PIL.Image import Resampling

    size = np.array([image.width, image.height] * 2, dtype=np.float64)
    around = CONTEXT * np.tile(boxes[:, 2:] - boxes[:, :2], 2) * [-1, -1, 1, 1]
    pixels = (boxes + around).clip(0.0, 1.0) * size
    cut = [image.resize((SIDE, SIDE), Resampling.BILINEAR, box=tuple(box)) for box in pixels]
    return np.stack([np.asarray(piece) for piece in cut])


@torch.inference_mode()
def describe(
    images: Sequence[Image], boxes: Sequence[np.ndarray], model: RegionCNN | None = None
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Features, names and certainties of the regions of some images.

    Args:
        images: RGB images.
        boxes: for each image [region 4], fractions of the image.
        model: the network that comes with the package if not given.

    Returns:
        features [regions of all images, feature] float32, and for each region a name and a probability.
    """
    model = model or region_cnn()
    crops = np.concatenate([crop(image, rows) for image, rows in zip(images, boxes, strict=True)])
    features = model(torch.from_numpy(crops))
    names, certainties = model.label(features)
    return features.numpy(), names, certainties
