"""A picture of any kind as people see it; all that opens, draws or cuts pictures goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


def upright_rgb(image: Image) -> Image:
    """A picture turned as its camera says, in RGB, on white where it is see-through.

    Greys of more than eight bits, and floating-point ones, keep their range: 65,535 levels, 255 where no
    value is above, or 0 to 1. The image that is given is left as it was.

    Raises:
        OSError, SyntaxError: its file is damaged or cut short.
    """
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        return _deep_grey(upright)
    if upright.has_transparency_data:
        over = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _deep_grey(image: Image) -> Image:
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    most = values.max(initial=0.0)
    largest = 1.0 if image.mode == "F" and most <= 1 else 255.0 if most <= 255 else 65_535.0
    return Image.fromarray(np.rint(255 * np.clip(values / largest, 0, 1)).astype(np.uint8)).convert("RGB")
