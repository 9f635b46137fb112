"""The fonts that a drawing is lettered with: those that Pillow finds, and how wide text is in them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
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


def measure(text: str, size: float, family: Family = "sans", bold: bool = False) -> float:
    """How wide a line of text is, in CSS pixels."""
    return _font(_known(text, family), bold, 100)[0].getlength(printable(text)) * size / 100


def lettered(text: str, family: Family, bold: bool, size: int) -> tuple[str, FreeTypeFont | ImageFont]:
    """A text as it can be drawn, and the font for it."""
    font, plain = _font(_known(text, family), bold, size)
    return printable(text).translate(PLAIN) if plain else printable(text), font


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


def printable(text: str) -> str:
    """Text without what neither XML nor a font has: controls, halves of surrogates, U+FFFE and U+FFFF."""
    return "".join(" " if _unprintable(letter) else letter for letter in text)


def _unprintable(letter: str) -> bool:
    return letter in "\ufffe\uffff" or unicodedata.category(letter) in ("Cc", "Cs")
