"""A drawing as SVG, for a paper or a slide that is printed at any size."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from itr_explore.viz import theme
from itr_explore.viz.drawing import Area, Box, Drawing, Line, Photo, Shape, Text
from itr_explore.viz.fonts import printable

if TYPE_CHECKING:
    from PIL.Image import Image


def svg(drawing: Drawing) -> str:
    """The drawing as SVG: text stays text, images are JPEGs inside it, nothing is fetched."""
    width, height = _number(drawing.width), _number(drawing.height)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": width,
            "height": height,
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-label": printable(". ".join(filter(None, (drawing.title, drawing.description)))),
        },
    )
    ElementTree.SubElement(root, "title").text = printable(drawing.title)
    ElementTree.SubElement(root, "desc").text = printable(drawing.description)
    ElementTree.SubElement(root, "rect", {"width": width, "height": height, "fill": drawing.paper})
    for shape in drawing.shapes:
        name, attributes = _element(shape)
        node = ElementTree.SubElement(root, name, {key: str(value) for key, value in attributes.items()})
        if isinstance(shape, Text):
            node.text = printable(shape.text)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _element(shape: Shape) -> tuple[str, dict[str, str | float]]:
    if isinstance(shape, Text):
        found: dict[str, str | float] = {
            "x": _number(shape.x),
            "y": _number(shape.y),
            "font-family": theme.SANS if shape.family == "sans" else theme.SERIF,
            "font-size": _number(shape.size),
            "fill": shape.fill,
            "textLength": _number(shape.width),
            "lengthAdjust": "spacingAndGlyphs",
        }
        if shape.bold:
            found["font-weight"] = 600
        if shape.anchor != "start":
            found["text-anchor"] = shape.anchor
        return "text", found
    if isinstance(shape, Area):
        return "polygon", {"points": _points(shape.points), "fill": shape.fill}
    if isinstance(shape, Line):
        found = {
            "points": _points(shape.points),
            "fill": "none",
            "stroke": shape.stroke,
            "stroke-width": _number(shape.line),
            "stroke-linecap": "butt" if shape.dash else "round",
            "stroke-linejoin": "round",
        }
        return "polyline", found | _look(shape)
    place = {name: _number(getattr(shape, name)) for name in ("x", "y", "width", "height")}
    if isinstance(shape, Photo):
        return "image", {**place, "preserveAspectRatio": "none", "href": jpeg(shape.image, 88)}
    found = {**place, "fill": shape.fill or "none"}
    if shape.stroke:
        found |= {"stroke": shape.stroke, "stroke-width": _number(shape.line)}
    if shape.radius:
        found["rx"] = _number(shape.radius)
    return "rect", found | _look(shape)


def _look(shape: Box | Line) -> dict[str, str]:
    """Dashes and opacity, where there are any."""
    found = {}
    if shape.dash:
        found["stroke-dasharray"] = " ".join(map(_number, shape.dash))
    if shape.opacity < 1:
        found["opacity"] = _number(shape.opacity)
    return found


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def jpeg(image: Image, quality: int) -> str:
    """An image as the data URI of a JPEG."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
