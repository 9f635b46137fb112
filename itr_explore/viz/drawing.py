"""A drawing of few kinds of shapes, as PNG (by Pillow) or as SVG: for a paper or a slide, without a browser.

Lengths are CSS pixels. Text is measured with the fonts that Pillow finds, and an SVG says how wide each text
is, so that both lay out alike whatever fonts a reader has.
"""

from __future__ import annotations

import base64
import io
import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree

from itr_explore.viz import theme

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw as Pen
    from PIL.ImageFont import FreeTypeFont, ImageFont

Family = Literal["sans", "serif"]
FACES = {
    "sans": ("DejaVuSans", "Arial", "Helvetica", "LiberationSans-Regular", "NotoSans-Regular"),
    "serif": ("DejaVuSerif", "Georgia", "Times New Roman", "LiberationSerif-Regular", "NotoSerif-Regular"),
}
BOLD = {
    "sans": ("DejaVuSans-Bold", "Arial Bold", "arialbd", "LiberationSans-Bold", "NotoSans-Bold"),
    "serif": ("DejaVuSerif-Bold", "Georgia Bold", "georgiab", "LiberationSerif-Bold", "NotoSerif-Bold"),
}
PLAIN = str.maketrans({"→": "-", "−": "-", "≥": ">", "“": '"', "”": '"', "’": "'", "±": "+", "…": "."})


@dataclass(frozen=True)
class Box:
    """A rectangle; with `radius` half its height a circle."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None
    line: float = 1.0
    radius: float = 0.0
    dash: tuple[float, float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Line:
    """A stroke through points."""

    points: tuple[tuple[float, float], ...]
    stroke: str
    line: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line of text; `x, y` is where its baseline starts, or its middle or its end."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    family: Family = "sans"
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"
    turned: float = 0.0  # degrees, against the clock, about `x, y`

    @property
    def width(self) -> float:
        """How wide the text is when it is drawn."""
        return measure(self.text, self.size, self.family, self.bold)


@dataclass(frozen=True)
class Photo:
    """An image, stretched into a rectangle."""

    x: float
    y: float
    width: float
    height: float
    image: Image


Shape = Box | Line | Text | Photo


@dataclass(frozen=True)
class Drawing:
    """Shapes on paper, later ones above earlier ones, and what they show in words."""

    width: float
    height: float
    paper: str
    shapes: tuple[Shape, ...]
    title: str
    description: str = ""


def measure(text: str, size: float, family: Family = "sans", bold: bool = False) -> float:
    """How wide a line of text is, in CSS pixels."""
    return _font(_known(text, family), bold, 100)[0].getlength(_printable(text)) * size / 100


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
            points = [(x * factor, y * factor) for x, y in shape.points]
            pen.line(points, shape.stroke, max(1, round(shape.line * factor)), joint="curve")
        elif isinstance(shape, Photo):
            width, height = max(1, round(shape.width * factor)), max(1, round(shape.height * factor))
            place = (round(shape.x * factor), round(shape.y * factor))
            sheet.paste(shape.image.convert("RGB").resize((width, height)), place)
    sheet = sheet.reduce(smooth)
    for shape in drawing.shapes:
        if isinstance(shape, Text):
            _text(sheet, shape, scale)
    return sheet


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
            "aria-label": _printable(". ".join(filter(None, (drawing.title, drawing.description)))),
        },
    )
    ElementTree.SubElement(root, "title").text = _printable(drawing.title)
    ElementTree.SubElement(root, "desc").text = _printable(drawing.description)
    ElementTree.SubElement(root, "rect", {"width": width, "height": height, "fill": drawing.paper})
    for shape in drawing.shapes:
        name, attributes = _element(shape)
        node = ElementTree.SubElement(root, name, {key: str(value) for key, value in attributes.items()})
        if isinstance(shape, Text):
            node.text = _printable(shape.text)
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
        if shape.turned:
            found["transform"] = f"rotate({-shape.turned} {_number(shape.x)} {_number(shape.y)})"
        return "text", found
    if isinstance(shape, Line):
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
        round_ends = {"stroke-linecap": "round", "stroke-linejoin": "round"}
        return "polyline", {
            "points": points,
            "fill": "none",
            "stroke": shape.stroke,
            "stroke-width": _number(shape.line),
            **round_ends,
        }
    place = {name: _number(getattr(shape, name)) for name in ("x", "y", "width", "height")}
    if isinstance(shape, Photo):
        return "image", {**place, "preserveAspectRatio": "none", "href": jpeg(shape.image, 88)}
    found = {**place, "fill": shape.fill or "none"}
    if shape.stroke:
        found |= {"stroke": shape.stroke, "stroke-width": _number(shape.line)}
    if shape.radius:
        found["rx"] = _number(shape.radius)
    if shape.dash:
        found["stroke-dasharray"] = " ".join(map(_number, shape.dash))
    if shape.opacity < 1:
        found["opacity"] = _number(shape.opacity)
    return "rect", found


def jpeg(image: Image, quality: int) -> str:
    """An image as the data URI of a JPEG."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


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
    on, off = (part * factor for part in box.dash)
    for (x1, y1), (x2, y2) in (
        ((left, top), (right, top)),
        ((right, top), (right, bottom)),
        ((right, bottom), (left, bottom)),
        ((left, bottom), (left, top)),
    ):
        length = math.hypot(x2 - x1, y2 - y1)
        for start in range(math.ceil(length / (on + off))):
            begin, end = start * (on + off), min(start * (on + off) + on, length)
            along = [(x1 + (x2 - x1) * at / length, y1 + (y2 - y1) * at / length) for at in (begin, end)]
            pen.line(along, stroke, line)


def _text(sheet: Image, text: Text, scale: float) -> None:
    from PIL import Image, ImageDraw

    font, plain = _font(_known(text.text, text.family), text.bold, round(text.size * scale))
    shown = _printable(text.text).translate(PLAIN) if plain else _printable(text.text)
    x, y = text.x * scale, text.y * scale
    if not text.turned:
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[text.anchor]
        ImageDraw.Draw(sheet).text((x, y), shown, text.fill, font, anchor)
        return
    side = 2 * math.ceil(font.getlength(shown) + text.size * scale) + 1
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).text((side / 2, side / 2), shown, 255, font, "ls")
    mask = mask.rotate(text.turned, Image.Resampling.BICUBIC)
    sheet.paste(text.fill, (round(x - side / 2), round(y - side / 2)), mask)


@cache
def _font(family: Family, bold: bool, size: int) -> tuple[FreeTypeFont | ImageFont, bool]:
    """A font, and whether it is the plain one that Pillow brings, which knows little more than Latin."""
    from PIL import ImageFont

    for name in (BOLD if bold else FACES)[family]:
        try:
            return ImageFont.truetype(f"{name}.ttf", size), False
        except OSError:
            continue
    return ImageFont.load_default(size), True


def _known(text: str, family: Family) -> Family:
    """The family to draw a text in: the one without serifs knows more scripts."""
    return family if family == "sans" or all(map(_drawn_with_serifs, text)) else "sans"


@cache
def _drawn_with_serifs(letter: str) -> bool:
    font = _font("serif", False, 20)[0]
    unknown = "\uffff"
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(unknown))


def _with(colour: str | None, opacity: float) -> tuple[int, ...] | None:
    return None if colour is None else (*channels(colour), round(255 * opacity))


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour like `#0072b2`, 0 to 255."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _printable(text: str) -> str:
    """Text without what neither XML nor a font has: controls, halves of surrogates, U+FFFE and U+FFFF."""
    return "".join(" " if _unprintable(letter) else letter for letter in text)


def _unprintable(letter: str) -> bool:
    return letter in "\ufffe\uffff" or unicodedata.category(letter) in ("Cc", "Cs")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
