"""A sheet of paper that is filled from top to bottom: text, lines, and the badges of right and wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Drawing, Line, Shape, Text
from itr_explore.viz.fonts import Family, measure

PAD = 20.0
GAP = 28.0
NARROWEST = 360


@dataclass
class Sheet:
    """Shapes on paper of some width, in CSS pixels.

    Raises:
        ValueError: the paper is too narrow.
    """

    width: float
    dark: bool = False
    shapes: list[Shape] = field(default_factory=list)

    def __post_init__(self):
        if self.width < NARROWEST:
            raise ValueError(f"wanted a width of {NARROWEST} pixels or more, got {self.width}")
        self.tone = theme.DARK if self.dark else theme.LIGHT
        self.room, self.right = self.width - 2 * PAD, self.width - PAD

    def add(self, *shapes: Shape) -> None:
        """Lay shapes over what is there."""
        self.shapes += shapes

    def write(self, x: float, y: float, text: str, size: float, fill: str = "", **look) -> float:
        """Text at a baseline; returns where it ends."""
        shape = Text(x, y, text, size, fill or self.tone["ink"], **look)
        self.add(shape)
        return x + shape.width

    def muted(self, x: float, y: float, text: str, size: float = 12, **look) -> float:
        """The same in the quiet ink."""
        return self.write(x, y, text, size, self.tone["muted"], **look)

    def paragraph(
        self, x: float, y: float, text: str, room: float, size: float, most: int = 0, **look
    ) -> float:
        """Muted text in lines, at most so many; returns the baseline of the last."""
        lines = wrapped(text, size, room, look.get("family", "sans"), most)
        for at, line in enumerate(lines):
            self.muted(x, y + at * size * 1.5, line, size, **look)
        return y + (len(lines) - 1) * size * 1.5

    def facts(self, x: float, y: float, facts: dict[str, str], room: float, size: float = 13) -> float:
        """Names and their values in a row, in more rows where there is no room; returns the last baseline."""
        start = x
        for name, value in facts.items():
            wide = measure(name, size) + 5 * bool(name) + measure(value, size, bold=True)
            if x > start and x + wide > start + room:
                x, y = start, y + size * 1.6
            x = self.muted(x, y, name, size) + 5 if name else x
            x = self.write(x, y, fitted(value, size, start + room - x, bold=True), size, bold=True) + 18
        return y

    def rule(self, y: float) -> None:
        """A thin line from side to side."""
        self.add(Line(((PAD, y), (self.right, y)), self.tone["line"], 1))

    def badge(self, x: float, y: float, side: float, state: str) -> None:
        """A round green tick, a square red cross, a bare dash."""
        unit = side / 16
        ways: tuple[tuple[tuple[float, float], ...], ...]
        if state == "hit":
            self.add(Box(x, y, side, side, fill=theme.HIT, radius=side / 2))
            ways = (((4.2, 8.3), (7.0, 11.0), (12.0, 6.0)),)
        elif state == "miss":
            self.add(Box(x, y, side, side, fill=theme.MISS, radius=side / 5))
            ways = (((5.0, 5.0), (11.0, 11.0)), ((11.0, 5.0), (5.0, 11.0)))
        else:
            ways = (((4.5, 8.0), (11.5, 8.0)),)
        stroke = theme.INKS[1] if state in ("hit", "miss") else self.tone["muted"]
        for way in ways:
            self.add(Line(tuple((x + a * unit, y + b * unit) for a, b in way), stroke, 2.2 * unit))

    def drawing(self, end: float, title: str, description: str) -> Drawing:
        """All of it, down to a baseline."""
        return Drawing(self.width, end + PAD, self.tone["paper"], tuple(self.shapes), title, description)


def short(value: float) -> str:
    """A number as people read it: two or three digits, a real minus sign."""
    size = abs(value)
    text = "0" if size == 0 else "<0.001" if size < 0.0005 else f"{size:.{3 if size < 0.0995 else 2}f}"
    return ("−" if value < 0 else "") + (text if value >= 0 or text[0] != "<" else "0.001")


def cut(text: str, size: float, room: float, family: Family = "serif") -> Iterator[str]:
    """A text in parts that each fit into a line."""
    while measure(text, size, family) > room:
        length = max(1, int(len(text) * room / measure(text, size, family)))
        yield text[:length]
        text = text[length:]
    if text:
        yield text


def wrapped(text: str, size: float, room: float, family: Family = "sans", most: int = 0) -> list[str]:
    """A text in lines between its spaces; the last of `most` lines is shortened."""
    lines = [""]
    for part in (piece for word in text.split() for piece in cut(word, size, room, family)):
        longer = f"{lines[-1]} {part}".strip()
        if lines[-1] and measure(longer, size, family) > room:
            if most and len(lines) == most:
                lines[-1] = fitted(longer, size, room, family)
                break
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


def fitted(text: str, size: float, room: float, family: Family = "serif", bold: bool = False) -> str:
    """A text, shortened to its room."""
    if measure(text, size, family, bold) <= room:
        return text
    while text and measure(f"{text}…", size, family, bold) > room:
        text = text[:-1]
    return f"{text}…"
