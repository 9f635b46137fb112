"""The brush that all sprites share.

A sprite is drawn three times too large, cut to what was painted, and reduced into its box, so that a box is
always exactly what can be seen of its thing. Light comes from the upper left everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from itr_explore.data.scenes.sprites.colours import SHADE, Colour, darker, lighter, outline
from itr_explore.data.scenes.sprites.shapes import Shape, ellipse


@lru_cache(maxsize=1)
def _slope() -> tuple[Image.Image, Image.Image]:
    """[64 64] how strongly light models a shape, least along its diagonal; and where it darkens."""
    y, x = np.mgrid[0:64, 0:64] / 63
    down = 0.42 * x + 0.58 * y - 0.46
    strength = np.clip(abs(down) / np.where(down < 0, 0.46, 0.49), 0, 1) ** 1.1
    return Image.fromarray((255 * strength).astype(np.uint8)), Image.fromarray(
        (255 * (down > 0)).astype(np.uint8)
    )


class Brush:
    """Paints one sprite in units of a hundredth of its height; `width` units wide, mirrored if asked."""

    margin = 12  # units around the nominal extent; what is painted there still counts

    def __init__(self, width: float, pixels: float, mirror: bool = False, line: float = 1.25):
        self.width, self.mirror = width, mirror
        over = 4 if pixels < 28 else 3 if pixels < 64 else 2
        self.scale = max(pixels, 8) * over / 100
        self.line = min(line * over, 5 * self.scale)  # outlines keep about one width, whatever the size
        self.size = (
            round((width + 2 * self.margin) * self.scale),
            round((100 + 2 * self.margin) * self.scale),
        )
        self.canvas = Image.new("RGBA", self.size, (60, 50, 70, 0))
        self.pen = ImageDraw.Draw(self.canvas)

    def _corners(self, shape: Shape) -> np.ndarray:
        points = (shape.points + self.margin) * self.scale
        if self.mirror:
            points[:, 0] = self.size[0] - points[:, 0]
        return points

    def flat(self, colour: Colour, *shapes: Shape) -> None:
        """Fill without an outline."""
        for shape in shapes:
            self.pen.polygon(self._corners(shape).ravel().tolist(), fill=colour)

    def body(self, colour: Colour, *shapes: Shape, soft: float = 0.0, line: Colour | None = None) -> None:
        """Fill, with one outline around them all; `soft` in 0..1 rounds each off with light and shade."""
        edge = outline(colour) if line is None else line
        grow = np.array([-self.line if self.mirror else self.line, self.line])
        corners = [self._corners(shape) for shape in shapes]
        for shape, points in zip(shapes, corners, strict=True):
            self.pen.polygon((points + grow * shape.normals).ravel().tolist(), fill=edge)
        for points in corners:
            self.pen.polygon(points.ravel().tolist(), fill=colour)
        if soft:
            for shape in shapes:
                self.shade(shape, colour, soft, clip=False)

    def _mask(self, shape: Shape, strength: float, clip: bool) -> tuple[Image.Image, tuple[int, int]]:
        """A mask of the shape, if `clip` of what is painted inside it; and where its upper left corner is."""
        points = self._corners(shape)
        (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
        left, top = max(int(left), 0), max(int(top), 0)
        size = (
            max(min(int(right) + 1, self.size[0]) - left, 1),
            max(min(int(bottom) + 1, self.size[1]) - top, 1),
        )
        inside = Image.new("L", size)
        ImageDraw.Draw(inside).polygon((points - (left, top)).ravel().tolist(), fill=round(255 * strength))
        if clip:
            painted = self.canvas.crop((left, top, right, bottom)).getchannel("A")
            inside = ImageChops.multiply(inside, painted)
        return inside, (left, top)

    def pattern(self, colour: Colour, within: Shape, *shapes: Shape) -> None:
        """Fill only what lies within another shape."""
        inside, corner = self._mask(within, 1.0, clip=False)
        marks = Image.new("L", inside.size)
        pen = ImageDraw.Draw(marks)
        for shape in shapes:
            pen.polygon((self._corners(shape) - corner).ravel().tolist(), fill=255)
        self.canvas.paste((*colour, 255), corner, ImageChops.multiply(inside, marks))

    def shade(self, shape: Shape, colour: Colour, strength: float, clip: bool = True) -> None:
        """Light from the upper left on what was painted inside the shape; all was, if not `clip`."""
        inside, corner = self._mask(shape, strength, clip)
        strengths, dark = _slope()
        tones = Image.new("RGBA", dark.size, (*lighter(colour, 0.65), 255))
        tones.paste((*darker(colour, 0.55), 255), (0, 0), dark)
        amount = strengths.resize(inside.size, Image.Resampling.BILINEAR)
        tones = tones.resize(inside.size, Image.Resampling.NEAREST)
        self.canvas.paste(tones, corner, ImageChops.multiply(inside, amount))

    def glow(self, shape: Shape, colour: Colour, strength: float) -> None:
        """Soft light from the middle of a shape, on what was painted inside it."""
        inside, corner = self._mask(shape, strength, clip=True)
        spot = soft_disc().resize(inside.size, Image.Resampling.BILINEAR)
        self.canvas.paste((*colour, 255), corner, ImageChops.multiply(inside, spot))

    def eye(self, x: float, y: float, radius: float = 2.6) -> None:
        """A round black eye with a glint."""
        self.flat((250, 248, 244), ellipse(x, y, radius * 1.25, radius * 1.3))
        self.flat((30, 24, 34), ellipse(x, y, radius, radius * 1.1))
        glint = -0.35 if not self.mirror else 0.35
        self.flat((255, 255, 255), ellipse(x + glint * radius, y - 0.4 * radius, radius * 0.35))

    def finish(self, width: int, height: int, rim: Colour, strength: float) -> Image.Image:
        """RGBA of exactly (width, height) pixels, filled from edge to edge, its edges modelled by light."""
        painted = self.canvas.getbbox()
        sprite = self.canvas.crop(painted).resize((width, height), Image.Resampling.BOX)
        return model_edges(sprite, rim, strength)


@lru_cache(maxsize=64)
def soft_disc(strength: float = 1.0) -> Image.Image:
    """[64 64] a disc that fades to nothing at its rim."""
    y, x = (np.mgrid[0:64, 0:64] - 31.5) / 31.5
    return Image.fromarray((255 * strength * np.clip(1 - np.hypot(x, y), 0, 1) ** 1.3).astype(np.uint8))


def model_edges(sprite: Image.Image, rim: Colour, strength: float) -> Image.Image:
    """Shade a sprite's lower right edges and light its upper left ones, softly."""
    width, height = sprite.size
    reach = max(1, round(0.05 * min(width, height)))
    pad = 2 * reach
    alpha = sprite.getchannel("A")
    wide = Image.new("L", (width + 2 * pad, height + 2 * pad))
    wide.paste(alpha, (pad, pad))
    wide = wide.filter(ImageFilter.BoxBlur(reach))
    full = Image.new("L", sprite.size, 255)
    result = sprite.convert("RGB")
    for side, tone, share in ((pad + reach, SHADE, 0.30), (pad - reach, rim, strength)):
        inside = wide.crop((side, side, side + width, side + height))
        result.paste(tone, (0, 0), ImageChops.subtract(full, inside, 1 / share))
    result.putalpha(alpha)
    return result
