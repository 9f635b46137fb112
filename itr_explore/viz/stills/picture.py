"""A pair's image under a veil that regions break through as far as their weight goes; the strongest named."""

from __future__ import annotations

import numpy as np
from PIL import Image

from itr_explore.records import Pair
from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Photo, channels
from itr_explore.viz.fonts import measure
from itr_explore.viz.images import opened
from itr_explore.viz.stills.colours import Scale, as_hex, ink_on
from itr_explore.viz.stills.sheet import Sheet, short

LIT = 0.15  # share of the scale from which on a region counts as lit
TAGS = 3  # how many of the strongest regions carry their number
TALLEST = 460.0
SHARP = 2  # pixels of an image for each CSS pixel


def picture(
    sheet: Sheet,
    x: float,
    y: float,
    room: float,
    pair: Pair,
    scale: Scale | None = None,
    heat: np.ndarray | None = None,
    *,
    word: int | None = None,
    tallest: float = TALLEST,
) -> float:
    """The image with its boxes; returns where it ends.

    Args:
        scale: what colours the weights have.
        heat: [region] weights over the image.
        word: what it names is framed, where the truth is known.
    """
    image = None if pair.image is None else opened(pair.image)
    width, height = extent(image, room, tallest)
    boxes = None if pair.boxes is None else np.clip(pair.boxes, 0, 1)
    heat = None if boxes is None or scale is None else heat
    photo = _sized(sheet, image, width, height)
    if heat is not None and boxes is not None and scale is not None:
        photo = _heated(photo, boxes, heat, scale, veiled=image is not None)
    sheet.add(Photo(x, y, width, height, photo))
    if boxes is None:
        return sheet.paragraph(x, y + height + 18, "No boxes are known for this collection.", width, 12)
    strengths = np.zeros(len(boxes))
    if heat is not None and scale is not None:
        strengths = np.array([scale.strength(value) for value in heat])
    rim = theme.INKS[1] if image is not None else sheet.tone["muted"]
    for at in np.argsort(strengths, kind="stable"):
        left, top, right, bottom = boxes[at] * (width, height, width, height)
        lit = strengths[at] >= LIT
        line = 1.2 + 1.8 * float(strengths[at]) if lit else 1.0
        opacity = 0.95 if lit else 0.3 if heat is None or len(boxes) <= 30 else 0.12
        sheet.add(Box(x + left, y + top, right - left, bottom - top, stroke=rim, line=line, opacity=opacity))
    for left, top, right, bottom in _named(pair, word) * (width, height, width, height):
        place = (x + left, y + top, right - left, bottom - top)
        sheet.add(Box(*place, stroke=theme.RING_ON_PHOTO, line=2.5, dash=(7, 5)))
    if heat is not None and scale is not None:
        _tags(sheet, x, y, width, height, boxes, heat, scale)
    return y + height


def extent(image: Image.Image | None, room: float, tallest: float = TALLEST) -> tuple[float, float]:
    """Width and height of an image in its room."""
    aspect = 0.72 if image is None else image.height / image.width
    width = min(room, tallest / aspect)
    return width, max(width * aspect, 1.0)


def crop(image: Image.Image, box: np.ndarray) -> Image.Image:
    """The middle square of a box."""
    left, top, right, bottom = box * (*image.size, *image.size)
    half = max(1.0, min(right - left, bottom - top)) / 2
    across, down = (left + right) / 2, (top + bottom) / 2
    return image.crop(
        (round(across - half), round(down - half), round(across + half) or 1, round(down + half) or 1)
    )


def _named(pair: Pair, word: int | None) -> np.ndarray:
    """[box 4] what a word names."""
    if pair.truth is None or word is None:
        return np.zeros((0, 4))
    boxes = [mention.boxes for mention in pair.truth.mentions if word in mention.words]
    return np.clip(np.concatenate([np.zeros((0, 4)), *boxes]), 0, 1)


def _sized(sheet: Sheet, image: Image.Image | None, width: float, height: float) -> Image.Image:
    """The image in as many pixels as are drawn; without one, blank paper."""
    size = (max(1, round(SHARP * width)), max(1, round(SHARP * height)))
    if image is None:
        return Image.new("RGB", size, sheet.tone["raised"])
    larger = image.width * image.height > size[0] * size[1]
    return image.resize(size, Image.Resampling.LANCZOS if larger else Image.Resampling.BICUBIC)


def _heated(
    photo: Image.Image, boxes: np.ndarray, heat: np.ndarray, scale: Scale, veiled: bool
) -> Image.Image:
    """A photo under a veil, open and coloured where regions have weight; blank paper is only coloured."""
    depth, tint = (0.55, 0.28 if scale.dark else 0.45) if veiled else (0.06, 0.85)
    size = photo.size
    veil, hue = np.full(size[::-1], depth), np.zeros((*size[::-1], 4))
    strengths = np.array([scale.strength(value) for value in heat])
    for at in np.argsort(strengths, kind="stable"):
        left, top, right, bottom = np.rint(boxes[at] * (*size, *size)).astype(int)
        place = (slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1)))
        veil[place] = depth * (1 - strengths[at] ** 0.6)
        hue[place] = (*scale.colour(heat[at]), tint * strengths[at])
    mixed = np.asarray(photo, dtype=float) * (1 - veil[..., None])
    mixed += np.array(channels(theme.VEIL)) * veil[..., None]
    mixed = mixed * (1 - hue[..., 3:]) + hue[..., :3] * hue[..., 3:]
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _tags(
    sheet: Sheet,
    x: float,
    y: float,
    width: float,
    height: float,
    boxes: np.ndarray,
    heat: np.ndarray,
    scale: Scale,
) -> None:
    """Number and weight of the strongest regions, none over another."""
    taken: list[tuple[float, float]] = []
    strengths = np.array([scale.strength(value) for value in heat])
    for at in np.argsort(-strengths, kind="stable")[:TAGS]:
        if strengths[at] < LIT:
            return
        left, top, _, bottom = boxes[at] * (width, height, width, height)
        text, rgb = f"{at} · {short(heat[at])}", scale.colour(heat[at])
        wide = measure(text, 11.5, bold=True) + 11
        up = min(max(top - 20 if bottom - top < 50 else top, 0), height - 20)
        along = min(max(left, 0), max(width - wide, 0))
        while any(abs(a - along) < 62 and abs(b - up) < 20 for a, b in taken) and up < height - 40:
            up += 20
        taken.append((along, up))
        sheet.add(Box(x + along, y + up, wide, 18, fill=as_hex(rgb), radius=3))
        sheet.write(x + along + 5, y + up + 13, text, 11.5, ink_on(rgb), bold=True)
