"""A scene's picture as it is kept: drawn once, stored as JPEG, and read back whenever pixels are wanted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from itr_explore.data.scenes.draw import draw
from itr_explore.data.scenes.world import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 88


def encode(image: Image) -> bytes:
    """An RGB image as JPEG, with colours at full resolution so that small things keep theirs."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()


def decode(data: bytes) -> Image:
    """The RGB image in JPEG bytes."""
    from PIL import Image as images

    with images.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def picture(scene: Scene) -> Image:
    """The picture of a scene exactly as a cached collection shows it."""
    return decode(encode(draw(scene)))
