"""One pair as a still: the sentence with its badges, the image with one word's heat, the matrix, the scale.

The same marks as in the linked view, for paper, slides, and places where no script runs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from itr_explore.records import Explanation, Map, Pair
from itr_explore.viz import theme
from itr_explore.viz.drawing import Box, Drawing, Family, Line, Photo, Shape, Text, channels, measure
from itr_explore.viz.images import opened

PAD = 20.0
GAP = 28.0
NARROWEST = 360
LIT = 0.15  # share of the scale from which on a region counts as lit
TAGS = 3  # how many of the strongest regions carry their number
ARROWS = {"word_to_region": "word → region", "region_to_word": "region → word", "per_region": "each region"}


def pair_still(
    explanation: Explanation,
    found: Map | None,
    states: Mapping[int, str],
    *,
    remark: str = "",
    word: int | None = None,
    width: float = 1000,
    dark: bool = False,
    description: str = "",
) -> Drawing:
    """The drawing of one explanation.

    Args:
        explanation: what is drawn.
        found: the map that is drawn: of words and regions, or one value for each region; None draws the pair.
        states: `hit`, `miss`, `uncovered` or `ungrounded` after the words that carry a badge.
        remark: what stands beside the score, how many mentions are right, say.
        word: the word whose heat lies over the image; by default the first with a badge of hit or miss, else
            the one with the largest weight.
        width: of the drawing, in CSS pixels.
        dark: light marks on dark paper.
        description: the same in words, for those who do not see the picture.
    """
    if width < NARROWEST:
        raise ValueError(f"wanted a width of {NARROWEST} pixels or more, got {width}")
    return _Still(explanation, found, states, word, width, dark).drawn(remark, description)


def blend(stops: tuple[str, ...], place: float) -> tuple[int, int, int]:
    """The colour at a place, 0 to 1, along colour stops."""
    points = np.array([channels(stop) for stop in stops], dtype=np.float64)
    at = float(np.clip(place, 0, 1)) * (len(points) - 1)
    start = min(int(at), len(points) - 2)
    red, green, blue = np.rint(points[start] + (points[start + 1] - points[start]) * (at - start)).astype(int)
    return int(red), int(green), int(blue)


def ink_on(rgb: tuple[int, int, int]) -> str:
    """The dark or the light ink, whichever reads better on a colour."""
    parts = np.array(rgb) / 255
    light = np.where(parts <= 0.04, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return theme.INKS[0] if float(light @ (0.2126, 0.7152, 0.0722)) > 0.18 else theme.INKS[1]


def short(value: float) -> str:
    """A number as people read it: two or three digits, a real minus sign."""
    size = abs(value)
    text = "0" if size == 0 else "<0.001" if size < 0.0005 else f"{size:.{3 if size < 0.0995 else 2}f}"
    return ("−" if value < 0 else "") + (text if value >= 0 or text[0] != "<" else "0.001")


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


@dataclass
class _Still:
    explanation: Explanation
    found: Map | None
    states: Mapping[int, str]
    word: int | None
    width: float
    dark: bool
    shapes: list[Shape] = field(default_factory=list)

    def __post_init__(self):
        found = self.found
        self.pair: Pair = self.explanation.pair
        self.tone = theme.DARK if self.dark else theme.LIGHT
        self.rows: np.ndarray | None = None  # [word region]
        self.regions: np.ndarray | None = None  # [region]: the heat over the image
        if found is not None and found.kind in ("word_to_region", "region_to_word"):
            self.rows = found.values if found.kind == "word_to_region" else found.values.T
            self.word = self._first_word(self.rows) if self.word is None else self.word
            self.regions = self.rows[self.word]
        elif found is not None and found.kind == "per_region":
            self.regions = found.values
        self.largest = float(np.abs(found.values).max(initial=0.0)) if found is not None else 0.0
        self.signed = found is not None and (
            found.scale in ("signed", "cosine") or bool((found.values < 0).any())
        )

    def _first_word(self, rows: np.ndarray) -> int:
        judged = [word for word, state in sorted(self.states.items()) if state in ("hit", "miss")]
        return judged[0] if judged else int(np.argmax(rows.max(axis=1)))

    def share(self, value: float) -> float:
        return min(abs(value) / self.largest, 1.0) if self.largest else 0.0

    def strength(self, value: float) -> float:
        return 0.0 if self.signed and value < 0 else self.share(value)

    def colour(self, value: float) -> tuple[int, int, int]:
        if self.signed:
            return blend(theme.diverging(self.dark), 0.5 + np.sign(value) * self.share(value) / 2)
        return blend(theme.sequential(self.dark), self.share(value))

    def write(self, x: float, y: float, text: str, size: float, fill: str = "", **look) -> float:
        """Text at a baseline; returns where it ends."""
        shape = Text(x, y, text, size, fill or self.tone["ink"], **look)
        self.shapes.append(shape)
        return x + shape.width

    def wrapped(self, x: float, y: float, text: str, room: float, size: float) -> float:
        """Muted text in lines; returns the baseline of the last."""
        lines = [""]
        for part in text.split():
            longer = f"{lines[-1]} {part}".strip()
            if lines[-1] and measure(longer, size) > room:
                lines.append(part)
            else:
                lines[-1] = longer
        for at, line in enumerate(lines):
            self.write(x, y + at * size * 1.5, line, size, self.tone["muted"])
        return y + (len(lines) - 1) * size * 1.5

    def drawn(self, remark: str, description: str) -> Drawing:
        y = self.header(remark)
        y = self.sentence(y + 14)
        room = self.width - 2 * PAD
        pictured = self.pair.image is not None or self.pair.boxes is not None
        beside = pictured and self.rows is not None and room >= 620
        left = room * 0.48 if beside else min(room, 640.0)
        ends = [y]
        if pictured:
            ends.append(self.picture(PAD, y, left))
        x = PAD + left + GAP if beside else PAD
        top = y if beside else ends[-1] + (18 if pictured else 0)
        tallest = max(ends[-1] - y, 260.0) if beside else 420.0
        end = self.matrix(x, top, self.width - PAD - x, tallest) if self.rows is not None else top - 18
        ends.append(self.wrapped(x, end + 22, self.about(), min(self.width - PAD - x, 460), 12.5) + 6)
        y = self.legend(max(ends) + 16)
        title = f"{self.explanation.model}: {self.pair.caption}"
        return Drawing(self.width, y + PAD, self.tone["paper"], tuple(self.shapes), title, description)

    def header(self, remark: str) -> float:
        y = PAD + 12
        x = self.write(PAD, y, self.explanation.model, 14, bold=True)
        x = self.write(x + 16, y, "score", 13, self.tone["muted"])
        x = self.write(x + 4, y, f"{self.explanation.score:.3f}", 13, bold=True)
        if remark and x + 18 + measure(remark, 13) > self.width - PAD:
            x, y = PAD - 18, y + 20
        if remark:
            self.write(x + 18, y, remark, 13, self.tone["muted"])
        return y

    # the sentence

    def sentence(self, y: float) -> float:
        size = 24.0 if len(self.pair.words) <= 45 else 16.0
        room, step = self.width - 2 * PAD, size * 1.55
        backward = _backward(self.pair.caption)
        space = measure(" ", size, "serif")
        x = 0.0
        y += size
        for chunk in self._chunks(size, room):
            length = sum(part[2] for part in chunk)
            if x and x + length > room:
                x, y = 0.0, y + step
            for text, word, wide in chunk:
                self._piece(text, word, PAD + (room - x - wide if backward else x), y, size)
                x += wide
            x += space
        return y + 24

    def _chunks(self, size: float, room: float) -> Iterator[list[tuple[str, int | None, float]]]:
        """Runs of the caption between spaces, none wider than a line: text, its word, its width and badge."""
        chunk: list[tuple[str, int | None, float]] = []
        for text, word in pieces(self.pair):
            parts = text.split() if word is None else [text]
            if text[:1].isspace() and chunk:
                yield chunk
                chunk = []
            for at, whole in enumerate(parts):
                if at and chunk:
                    yield chunk
                    chunk = []
                for part in _cut(whole, size, room - size):
                    last = part == whole or whole.endswith(part)
                    badge = size * 0.85 if word in self.states and last else 0.0
                    wide = measure(part, size, "serif") + badge
                    if chunk and sum(one[2] for one in chunk) + wide > room:
                        yield chunk
                        chunk = []
                    chunk.append((part, word, wide))
            if text[-1:].isspace() and chunk:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _piece(self, text: str, word: int | None, x: float, y: float, size: float) -> None:
        wide = measure(text, size, "serif")
        badge = x + wide + size * 0.2
        if _backward(self.pair.caption):
            badge, x = x + size * 0.07, x + size * 0.85 * (word in self.states)
        chosen = word is not None and word == self.word and self.rows is not None
        if chosen:
            ground = Box(x - 3, y - size, wide + 6, size * 1.3, fill=self.tone["ink"], radius=4)
            self.shapes.append(ground)
        self.write(x, y, text, size, self.tone["paper" if chosen else "ink"], family="serif")
        if word in self.explanation.unknown:
            dots = [
                Line(((x + at, y + 5), (x + at + 1, y + 5)), self.tone["muted"], 1.5)
                for at in range(0, int(wide), 4)
            ]
            self.shapes += dots
        if word is not None and word in self.states:
            self.badge(badge, y - size * 0.95, size * 0.58, self.states[word])

    def badge(self, x: float, y: float, side: float, state: str) -> None:
        """A round green tick, a square red cross, a bare dash."""
        unit = side / 16
        ways: tuple[tuple[tuple[float, float], ...], ...]
        if state == "hit":
            self.shapes.append(Box(x, y, side, side, fill=theme.HIT, radius=side / 2))
            ways = (((4.2, 8.3), (7.0, 11.0), (12.0, 6.0)),)
        elif state == "miss":
            self.shapes.append(Box(x, y, side, side, fill=theme.MISS, radius=side / 5))
            ways = (((5.0, 5.0), (11.0, 11.0)), ((11.0, 5.0), (5.0, 11.0)))
        else:
            ways = (((4.5, 8.0), (11.5, 8.0)),)
        stroke = theme.INKS[1] if state in ("hit", "miss") else self.tone["muted"]
        for way in ways:
            self.shapes.append(Line(tuple((x + a * unit, y + b * unit) for a, b in way), stroke, 2.2 * unit))

    # the picture

    def picture(self, x: float, y: float, room: float) -> float:
        image = None if self.pair.image is None else opened(self.pair.image)
        aspect = 0.72 if image is None else image.height / image.width
        width = min(room, 460 / aspect)
        height = max(width * aspect, 1.0)
        boxes = None if self.pair.boxes is None else np.clip(self.pair.boxes, 0, 1)
        heat = None if boxes is None else self.regions
        self.shapes.append(Photo(x, y, width, height, self._heated(image, boxes, heat, width, height)))
        if boxes is None:
            return self.wrapped(x, y + height + 18, "No boxes are known for this collection.", width, 12)
        strengths = np.array([self.strength(v) for v in heat]) if heat is not None else np.zeros(len(boxes))
        rim = theme.INKS[1] if image is not None else self.tone["muted"]
        for at in np.argsort(strengths, kind="stable"):
            left, top, right, bottom = boxes[at] * (width, height, width, height)
            lit = strengths[at] >= LIT
            line = 1.2 + 1.8 * float(strengths[at]) if lit else 1.0
            opacity = 0.95 if lit else 0.3 if heat is None or len(boxes) <= 30 else 0.12
            frame = Box(x + left, y + top, right - left, bottom - top, stroke=rim, line=line, opacity=opacity)
            self.shapes.append(frame)
        for left, top, right, bottom in self._true_boxes() * (width, height, width, height):
            place = (x + left, y + top, right - left, bottom - top)
            self.shapes.append(Box(*place, stroke=theme.RING_ON_PHOTO, line=2.5, dash=(7, 5)))
        if heat is not None:
            self._tags(x, y, width, height, boxes, heat, strengths)
        return y + height

    def _true_boxes(self) -> np.ndarray:
        """[box 4] what the chosen word names."""
        if self.pair.truth is None or self.rows is None:
            return np.zeros((0, 4))
        boxes = [mention.boxes for mention in self.pair.truth.mentions if self.word in mention.words]
        return np.clip(np.concatenate([np.zeros((0, 4)), *boxes]), 0, 1)

    def _heated(self, image, boxes, heat, width: float, height: float) -> Image.Image:
        """The image under a veil that regions break through as far as their weight goes."""
        size = (max(1, round(2 * width)), max(1, round(2 * height)))
        if image is None:
            base = Image.new("RGB", size, self.tone["raised"])
        elif image.width * image.height <= size[0] * size[1]:
            base = image.resize(size, Image.Resampling.BICUBIC)
        else:
            base = image.resize(size, Image.Resampling.LANCZOS)
        if heat is None or boxes is None:
            return base
        depth, tint = (0.55, 0.28 if self.dark else 0.45) if image is not None else (0.06, 0.85)
        veil, hue, pixels = (
            np.full(size[::-1], depth),
            np.zeros((*size[::-1], 4)),
            np.asarray(base, dtype=float),
        )
        strengths = np.array([self.strength(value) for value in heat])
        for at in np.argsort(strengths, kind="stable"):
            left, top, right, bottom = np.rint(boxes[at] * (*size, *size)).astype(int)
            place = (slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1)))
            veil[place] = depth * (1 - strengths[at] ** 0.6)
            hue[place] = (*self.colour(heat[at]), tint * strengths[at])
        mixed = pixels * (1 - veil[..., None]) + np.array(channels(theme.VEIL)) * veil[..., None]
        mixed = mixed * (1 - hue[..., 3:]) + hue[..., :3] * hue[..., 3:]
        return Image.fromarray(np.rint(mixed).astype(np.uint8))

    def _tags(self, x, y, width, height, boxes, heat, strengths) -> None:
        taken: list[tuple[float, float]] = []
        for at in np.argsort(-strengths, kind="stable")[:TAGS]:
            if strengths[at] < LIT:
                return
            left, top, _, bottom = boxes[at] * (width, height, width, height)
            text, rgb = f"{at} · {short(heat[at])}", self.colour(heat[at])
            wide = measure(text, 11.5, bold=True) + 11
            up = min(max(top - 20 if bottom - top < 50 else top, 0), height - 20)
            along = min(max(left, 0), max(width - wide, 0))
            while any(abs(a - along) < 62 and abs(b - up) < 20 for a, b in taken) and up < height - 40:
                up += 20
            taken.append((along, up))
            self.shapes.append(Box(x + along, y + up, wide, 18, fill=_hex(rgb), radius=3))
            self.write(x + along + 5, y + up + 13, text, 11.5, ink_on(rgb), bold=True)

    # the matrix

    def matrix(self, x: float, y: float, room: float, tallest: float) -> float:
        assert self.rows is not None
        words, (count, columns) = self.pair.words, self.rows.shape
        label = min(118.0, max([44.0, *(14 + measure(word, 13, "serif") for word in words)]))
        cell = min(46.0, (room - label) / max(columns, 1))
        image = self.pair.image if self.pair.boxes is not None else None
        crops = image is not None and cell >= 20
        head = cell + 16 if crops else 16
        step = min(26.0, max(9.0 if count > 40 else 17.0, (tallest - head) / max(count, 1)))
        size = min(13.0, step * 0.78)
        if crops and image is not None:
            self.shapes.append(Photo(x + label, y, cell * columns, cell, self._crops(opened(image), cell)))
        every = 1 if cell >= 15 else 5 if cell >= 8 else 10
        for column in range(0, columns, every):
            middle = x + label + (column + 0.5) * cell
            self.write(middle, y + head - 4, str(column), 10.5, self.tone["muted"], anchor="middle")
        right = None if self.pair.truth is None else self.pair.truth.word_regions
        gap = 1.0 if cell > 12 else 0.12 * cell
        for row, values in enumerate(self.rows):
            top, chosen = y + head + row * step, row == self.word
            ink = self.tone["ink" if chosen else "muted"]
            name = _fitted(words[row], size, label - 10)
            self.write(
                x + label - 8,
                top + step / 2 + size * 0.36,
                name,
                size,
                ink,
                family="serif",
                bold=chosen,
                anchor="end",
            )
            best, flat = int(values.argmax()), bool((values == values.max()).all())
            for column, value in enumerate(values):
                rgb = self.colour(value)
                place = (x + label + column * cell + gap, top + gap, cell - 2 * gap, step - 2 * gap)
                ring = right is not None and bool(right[row, column])
                radius = 3.0 if cell > 12 else 0.0
                self.shapes.append(Box(*place, fill=_hex(rgb), radius=radius))
                if ring:
                    inner = (place[0] + 1, place[1] + 1, place[2] - 2, place[3] - 2)
                    self.shapes.append(
                        Box(*inner, stroke=self.tone["ring"], line=2 if cell > 12 else 1.2, radius=radius)
                    )
                if column == best and not flat:
                    dot = 2.6 if min(cell, step) > 14 else 1.4
                    middle, centre = place[0] + place[2] / 2, place[1] + place[3] / 2
                    self.shapes.append(
                        Box(middle - dot, centre - dot, 2 * dot, 2 * dot, fill=ink_on(rgb), radius=dot)
                    )
            if chosen:
                self.shapes.append(
                    Box(x + label, top, cell * columns, step, stroke=self.tone["ink"], line=1.6, radius=3)
                )
        return y + head + count * step

    def _crops(self, image: Image.Image, cell: float) -> Image.Image:
        """The middle square of each region's box, in a row."""
        assert self.pair.boxes is not None
        side, gap = round(2 * cell), 3
        strip = Image.new("RGB", (side * len(self.pair.boxes), side), self.tone["paper"])
        for at, box in enumerate(np.clip(self.pair.boxes, 0, 1)):
            left, top, right, bottom = box * (*image.size, *image.size)
            half = max(1.0, min(right - left, bottom - top)) / 2
            across, down = (left + right) / 2, (top + bottom) / 2
            crop = image.crop(
                (round(across - half), round(down - half), round(across + half) or 1, round(down + half) or 1)
            )
            strip.paste(crop.resize((side - 2 * gap, side - 2 * gap)), (at * side + gap, gap))
        return strip

    # what it means

    def about(self) -> str:
        found = self.found
        if found is None or self.regions is None:
            return "This model has no map of words and regions."
        whose = f" The image shows “{self.pair.words[self.word or 0]}”." if self.rows is not None else ""
        source = (
            "the score is computed from these values"
            if found.exact
            else "the score is not computed from these values"
        )
        name = f", {found.name}" if found.name not in (found.kind, found.origin) else ""
        return f"{ARROWS[found.kind]}, {found.origin}{name}; {source}.{whose}"

    def legend(self, y: float) -> float:
        self.shapes.append(Line(((PAD, y), (self.width - PAD, y)), self.tone["line"], 1))
        x, y, muted = PAD, y + 20, self.tone["muted"]
        if self.regions is not None:
            x = self.write(x, y, short(-self.largest) if self.signed else "0", 12, muted) + 6
            for at in range(46):
                place = (at / 45 - 0.5) * 2 * self.largest if self.signed else at / 45 * self.largest
                self.shapes.append(Box(x + 2 * at, y - 9, 2.5, 9, fill=_hex(self.colour(place))))
            x = self.write(x + 98, y, f"{short(self.largest)}, the largest in this map", 12, muted) + 18
        marks: list[tuple[str, str]] = [("dot", "the word’s largest")] if self.rows is not None else []
        if self.states:
            marks += [("ring", "right region (IoU ≥ 0.5)")] + [("dash", "true box")] * (
                self.pair.boxes is not None
            )
            says = {"hit": "strongest region is right", "miss": "it is not"}
            marks += [(state, text) for state, text in says.items() if state in self.states.values()]
            if {"uncovered", "ungrounded"} & set(self.states.values()):
                marks.append(("uncovered", "cannot be checked"))
        if self.explanation.unknown:
            marks.append(("unknown", "never seen by the model"))
        for sign, text in marks:
            if x + 22 + measure(text, 12) > self.width - PAD:
                x, y = PAD, y + 22
            self._sign(sign, x, y)
            x = self.write(x + 20, y, text, 12, muted) + 18
        return y

    def _sign(self, sign: str, x: float, y: float) -> None:
        if sign == "dot":
            self.shapes.append(Box(x + 5, y - 8, 7, 7, fill=self.tone["ink"], radius=3.5))
        elif sign in ("ring", "dash"):
            dash = (4.0, 3.0) if sign == "dash" else None
            radius = 0.0 if dash else 3.0
            self.shapes.append(
                Box(x + 1, y - 10, 13, 10, stroke=self.tone["ring"], line=2, radius=radius, dash=dash)
            )
        elif sign == "unknown":
            self.shapes += [
                Line(((x + at, y), (x + at + 1, y)), self.tone["muted"], 1.5) for at in range(0, 15, 4)
            ]
        else:
            self.badge(x, y - 11, 13, sign)


def pieces(pair: Pair) -> list[tuple[str, int | None]]:
    """The caption cut at its words: text, and the index of the word, or None between words."""
    found: list[tuple[str, int | None]] = []
    done = 0
    for index, (start, end) in enumerate(pair.offsets):
        found += [(pair.caption[done:start], None), (pair.caption[start:end], index)]
        done = end
    return [piece for piece in (*found, (pair.caption[done:], None)) if piece[0]]


def _backward(text: str) -> bool:
    """Whether the first letter that has a direction is written from right to left."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


def _cut(text: str, size: float, room: float, family: Family = "serif") -> Iterator[str]:
    """A text in parts that each fit into a line."""
    while measure(text, size, family) > room:
        length = max(1, int(len(text) * room / measure(text, size, family)))
        yield text[:length]
        text = text[length:]
    if text:
        yield text


def _fitted(text: str, size: float, room: float, family: Family = "serif") -> str:
    """A text, shortened to its room."""
    if measure(text, size, family) <= room:
        return text
    while text and measure(f"{text}…", size, family) > room:
        text = text[:-1]
    return f"{text}…"
