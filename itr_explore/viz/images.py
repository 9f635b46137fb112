"""Pictures for figures and views: small JPEGs as data URIs, so that nothing has to be fetched."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, TypedDict

from itr_explore.records.pictures import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 640  # pixels
MOST_BYTES = 90_000  # as base64 120 KB, so that a view with its maps, script and still stays below 300 KB
QUALITIES = (85, 75, 60, 45, 30)


class ImageData(TypedDict):
    """A data URI and the size it was cut down to, in pixels."""

    src: str
    width: int
    height: int


def opened(image: Image) -> Image:
    """An image as people see it (`upright_rgb`).

    Raises:
        ValueError: its file is cut short or damaged, so that its pixels cannot be read.
    """
    try:
        return upright_rgb(image)
    except (OSError, SyntaxError) as error:
        name = getattr(image, "filename", "") or "the image"
        raise ValueError(
            f"could not read the pixels of {name} ({error}); its file is damaged or cut short: bring it again"
        ) from error


def image_data(image: Image) -> ImageData:
    """An image as a JPEG data URI: at most `LONG_SIDE` a side, and `MOST_BYTES` as far as quality allows.

    Raises:
        ValueError: the image cannot be read (see `opened`).
    """
    small = opened(image)
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    return within(small, MOST_BYTES)


def within(image: Image, most_bytes: int) -> ImageData:
    """An RGB image as a JPEG data URI of so many bytes at most, as far as quality allows."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= most_bytes:
            break
    source = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"src": source, "width": image.width, "height": image.height}
