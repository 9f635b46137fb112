"""A drawing as an image, by Pillow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from itr_explore.viz.drawing import Area, Box, Drawing, Line, Photo, Text, channels
from itr_explore.viz.fonts import lettered

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw as Pen

Points = Sequence[tuple[float, float]]


def png(drawing: Drawing, scale: float = 2.0) -> Image:
    """The drawing as an image with `scale` pixels for each CSS pixel."""
    from PIL import Image, ImageDraw

    smooth = 2  # shapes are drawn larger and made smaller again; text and photos are sharp by themselves
    factor = scale * smooth
    size = (math.ceil(drawing.width * factor), math.ceil(drawing.height * factor))
    sheet = Image.new("RGB", size, drawing.paper)
    pen = ImageDraw.Draw(sheet, "RGBA")
    for shape in drawing.shapes:
        if isinstance(shape, Box):
            _box(pen, shape, factor)
        elif isinstance(shape, Line):
            _line(pen, shape, factor)
        elif isinstance(shape, Area):
            pen.polygon([(x * factor, y * factor) for x, y in shape.points], shape.fill)
        elif isinstance(shape, Photo):
            width, height = max(1, round(shape.width * factor)), max(1, round(shape.height * factor))
            place = (round(shape.x * factor), round(shape.y * factor))
            sheet.paste(shape.image.convert("RGB").resize((width, height)), place)
    sheet = sheet.reduce(smooth)
    for shape in drawing.shapes:
        if isinstance(shape, Text):
            _text(sheet, shape, scale)
    return sheet


def _box(pen: Pen, box: Box, factor: float) -> None:
    corners = [box.x * factor, box.y * factor, (box.x + box.width) * factor, (box.y + box.height) * factor]
    line = max(1, round(box.line * factor))
    stroke = _with(box.stroke, box.opacity)
    if box.fill:
        pen.rounded_rectangle(corners, box.radius * factor, _with(box.fill, box.opacity))
    if not box.stroke:
        return
    half = line / 2  # a stroke lies half outside its rectangle
    outer = [corners[0] - half, corners[1] - half, corners[2] + half, corners[3] + half]
    if not box.dash:
        pen.rounded_rectangle(outer, box.radius * factor, outline=stroke, width=line)
        return
    left, top, right, bottom = corners
    around = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for side in pairwise(around):
        for part in _dashes(side, box.dash, factor):
            pen.line(part, stroke, line)


def _line(pen: Pen, line: Line, factor: float) -> None:
    points = [(x * factor, y * factor) for x, y in line.points]
    for part in _dashes(points, line.dash, factor) if line.dash else [points]:
        pen.line(part, _with(line.stroke, line.opacity), max(1, round(line.line * factor)), joint="curve")


def _dashes(points: Points, dash: tuple[float, float], factor: float) -> Iterator[list[tuple[float, float]]]:
    """The parts of a stroke that are drawn."""
    on, off = (part * factor for part in dash)
    done, drawn = 0.0, [points[0]]
    for (x1, y1), (x2, y2) in pairwise(points):
        length = math.hypot(x2 - x1, y2 - y1)
        at = 0.0
        while at < length:
            ends = on if done < on else on + off
            step = min(ends - done, length - at)
            at, done = at + step, done + step
            here = (x1 + (x2 - x1) * at / length, y1 + (y2 - y1) * at / length)
            if ends == on:
                drawn.append(here)
            if done >= ends - 1e-9:
                if ends == on:
                    yield drawn
                drawn, done = [here], done if ends == on else 0.0
    if len(drawn) > 1:
        yield drawn


def _text(sheet: Image, text: Text, scale: float) -> None:
    from PIL import ImageDraw

    shown, font = lettered(text.text, text.family, text.bold, round(text.size * scale))
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[text.anchor]
    ImageDraw.Draw(sheet).text((text.x * scale, text.y * scale), shown, text.fill, font, anchor)


def _with(colour: str | None, opacity: float) -> tuple[int, ...] | None:
    return None if colour is None else (*channels(colour), round(255 * opacity))
