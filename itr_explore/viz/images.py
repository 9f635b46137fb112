"""Pictures for figures and views: small JPEGs as data URIs, so that nothing has to be fetched."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 640  # pixels
MOST_BYTES = 150_000  # as base64 about 200 KB, so that a view with its maps and script stays below 300 KB
QUALITIES = (85, 75, 60, 45, 30)


class ImageData(TypedDict):
    """A data URI and the size it was cut down to, in pixels."""

    src: str
    width: int
    height: int


def image_data(image: Image) -> ImageData:
    """An image as a JPEG data URI: at most `LONG_SIDE` a side, and `MOST_BYTES` as far as quality allows."""
    from PIL import ImageOps

    small = ImageOps.exif_transpose(image)
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    small = small.convert("RGB")
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    source = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"src": source, "width": small.width, "height": small.height}
