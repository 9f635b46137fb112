"""A pair's graph as a still: its edges over the image and as a layout, and what edits of them did."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from itr_explore.records import Intervention, Pair
from itr_explore.viz import theme
from itr_explore.viz.drawing import Area, Box, Drawing, Line, Photo
from itr_explore.viz.fonts import measure
from itr_explore.viz.images import opened
from itr_explore.viz.stills.legend import SIGNS, legend, signed_disc
from itr_explore.viz.stills.picture import SHARP, crop, extent, picture
from itr_explore.viz.stills.sentence import sentence
from itr_explore.viz.stills.sheet import GAP, PAD, Sheet, fitted, short
from itr_explore.viz.stills.table import table

if TYPE_CHECKING:
    import networkx as nx

BESIDE = 620  # pixels from which on the layout stands beside the image
DISC = 10.0  # radius of a region's number over the image
PIECE = 36.0  # side of a region's piece of the image in the layout
MOST_DRAWN = 400  # edges
STEPS = 14  # straight parts of a curve
Place = tuple[float, float]
Edge = tuple[int, int]


def graph_still(
    pair: Pair,
    graph: nx.DiGraph,
    places: np.ndarray,
    *,
    model: str,
    facts: Mapping[str, str],
    label: str,
    about: str = "",
    words: bool = False,
    symmetric: bool = False,
    edited: Mapping[Edge, str] | None = None,
    found: Intervention | None = None,
    width: float = 1000,
    dark: bool = False,
    title: str = "",
    description: str = "",
) -> Drawing:
    """The drawing of a graph of regions or of words.

    Args:
        graph: nodes with `label`, edges with `weight`.
        places: [node 2] of the layout, between 0 and 1, y down.
        facts: the scores, by names.
        label: what the graph is called.
        about: how to read it.
        words: its nodes are the pair's words.
        symmetric: an edge and its reverse are one.
        edited: which edges were `cut`, `reverse`d or made the `mean` one.
        found: what that did.

    Raises:
        ValueError: the drawing would be too narrow.
    """
    sheet, edited = Sheet(width, dark), dict(edited or {})
    edges = _edges(graph, symmetric, edited)
    y = PAD + 12
    x = sheet.write(PAD, y, model, 14, bold=True) + 18
    y = sentence(sheet, sheet.facts(x, y, dict(facts), sheet.right - x) + 14, pair, {}) + 4
    said = f"{label}: {len(edges)} edges drawn" + (f"; {about}" if about else ".")
    y = sheet.paragraph(PAD, y, said, min(sheet.room, 820), 12.5) + 16
    pictured = pair.image is not None or pair.boxes is not None
    beside = pictured and sheet.room >= BESIDE
    left = (sheet.room - GAP) / 2 if beside else min(sheet.room, 560.0)
    end, high = y, min(left * 0.75, 420.0)
    if pictured:
        image = None if pair.image is None else opened(pair.image)
        wide, high = extent(image, left)
        end = picture(sheet, PAD, y, left, pair)
        if not words and pair.boxes is not None:
            boxes = np.clip(pair.boxes, 0, 1)
            centres = (boxes[:, :2] + boxes[:, 2:]) / 2 * (wide, high) + (PAD, y)
            _draw_edges(sheet, edges, centres, DISC, edited, symmetric, rim=theme.INKS[1])
            _discs(sheet, centres)
    x, top = (PAD + left + GAP, y) if beside else (PAD, end + (16 if pictured else 0))
    area = (x, top, sheet.right - x, max(high, 260.0))
    _layout(sheet, pair, graph, edges, places, area, edited, symmetric, words)
    y = max(end, top + area[3])
    y = y if found is None else _what_if(sheet, y + 34, found)
    y += 18
    sheet.rule(y)
    return sheet.drawing(legend(sheet, PAD, y + 20, _marks(edges, edited, symmetric)), title, description)


def _edges(graph: nx.DiGraph, symmetric: bool, edited: Mapping[Edge, str]) -> list[tuple[int, int, float]]:
    """The edges that are drawn, the strongest first; what was cut is drawn, too."""
    found = {(a, b): float(weight) for a, b, weight in graph.edges(data="weight", default=1.0)}
    found |= {edge: 0.0 for edge in edited if edge not in found and set(edge) <= set(graph)}
    if symmetric:
        found = {(a, b): weight for (a, b), weight in found.items() if a < b or (b, a) not in found}
    order = sorted(found, key=lambda edge: (edge not in edited, -abs(found[edge])))[:MOST_DRAWN]
    return [(a, b, found[a, b]) for a, b in order]


def _draw_edges(
    sheet: Sheet,
    edges: Sequence[tuple[int, int, float]],
    places: np.ndarray,
    radius: float,
    edited: Mapping[Edge, str],
    symmetric: bool,
    rim: str,
) -> None:
    """Curves from rim to rim, wider for more weight, dashed below zero, those that were edited marked."""
    sizes = [abs(weight) for *_, weight in edges]
    largest, alike = max(sizes, default=1.0) or 1.0, len({size for size in sizes if size}) < 2
    signs = []
    for a, b, weight in reversed(edges):
        wide = 1.6 if alike else 1 + 3 * abs(weight) / largest
        curve, tip, middle = _curve(tuple(places[a]), tuple(places[b]), radius, wide, not symmetric)
        sign = edited.get((a, b)) or (edited.get((b, a)) if symmetric else None)
        if sign == "cut":
            sheet.add(Line(curve, rim, 3, opacity=0.6), Line(curve, sheet.tone["muted"], 1.2, (3, 4)))
        else:
            colour = theme.EDGE_NEGATIVE if weight < 0 else theme.EDGE
            sheet.add(Line(curve, rim, wide + 2, opacity=0.75))
            sheet.add(Line(curve, colour, wide, (6, 3) if weight < 0 else None))
            sheet.add(*([Area(tip, colour)] if tip else []))
        signs += [(middle, sign)] if sign else []
    for (x, y), sign in signs:
        signed_disc(sheet, x, y, sign)


def _curve(
    start: Place, end: Place, radius: float, wide: float, tipped: bool
) -> tuple[tuple[Place, ...], tuple[Place, ...], Place]:
    """The points of a bent line between two nodes' rims, its tip, and its middle."""
    p, q = np.array(start), np.array(end)
    along = q - p
    length = float(np.hypot(*along)) or 1.0
    bend = min(0.16 * length, 40.0)
    control = (p + q) / 2 + np.array([-along[1], along[0]]) / length * bend

    def toward(one: np.ndarray, other: np.ndarray, by: float) -> np.ndarray:
        return one + (other - one) / (float(np.hypot(*(other - one))) or 1.0) * by

    first, last = (toward(one, control, min(radius + 1, length / 3)) for one in (p, q))
    base = toward(last, control, 5 + 1.6 * wide) if tipped else last
    shares = np.linspace(0, 1, STEPS + 1)[:, None]
    points = (1 - shares) ** 2 * first + 2 * shares * (1 - shares) * control + shares**2 * base
    side = np.array([last[1] - base[1], base[0] - last[0]]) / 2
    tip = (_place(last), _place(base + side), _place(base - side)) if tipped else ()
    return tuple(map(_place, points)), tip, _place(points[STEPS // 2])


def _place(point: np.ndarray) -> Place:
    return float(point[0]), float(point[1])


def _discs(sheet: Sheet, places: np.ndarray) -> None:
    """The numbers of regions."""
    for node, (x, y) in enumerate(places):
        disc = (x - DISC, y - DISC, 2 * DISC, 2 * DISC)
        sheet.add(Box(*disc, fill=theme.INKS[1], stroke=theme.EDGE, line=1.6, radius=DISC))
        sheet.write(x, y + 4, str(node), 11, theme.INKS[0], bold=True, anchor="middle")


def _layout(
    sheet: Sheet,
    pair: Pair,
    graph: nx.DiGraph,
    edges: Sequence[tuple[int, int, float]],
    places: np.ndarray,
    area: tuple[float, float, float, float],
    edited: Mapping[Edge, str],
    symmetric: bool,
    words: bool,
) -> None:
    """The graph by itself: regions as pieces of the image over their names, words as they are."""
    x, y, wide, high = area
    sheet.add(Box(x, y, wide, high, fill=sheet.tone["raised"], radius=6))
    side = 0.0 if words else min(PIECE, 0.3 * (wide * high / max(len(graph), 1)) ** 0.5)
    edge = np.array([max(34.0, side / 2 + 12), max(26.0, side / 2 + 18)])
    spots = edge + places * ((wide, high) - 2 * edge) + (x, y)
    radius = 13.0 if words else side / 2 + 2
    _draw_edges(sheet, edges, spots, radius, edited, symmetric, rim=sheet.tone["raised"])
    names = [str(graph.nodes[node].get("label", "")) for node in graph]
    if words:
        _pads(sheet, spots, [fitted(name, 13, wide / 4) for name in names])
    else:
        _cut_pieces(sheet, pair, spots, side)
        _names(sheet, spots + np.array([0, side / 2 + 13]), names, spelled=wide >= BESIDE / 2 + GAP)


def _pads(sheet: Sheet, spots: np.ndarray, names: Sequence[str]) -> None:
    """Words on small pads."""
    for (x, y), name in zip(spots, names, strict=True):
        half = measure(name, 13, "serif") / 2 + 7
        pad = (x - half, y - 11, 2 * half, 22)
        sheet.add(Box(*pad, fill=sheet.tone["paper"], stroke=sheet.tone["muted"], line=1.2, radius=5))
        sheet.write(x, y + 4.5, name, 13, family="serif", anchor="middle")


def _cut_pieces(sheet: Sheet, pair: Pair, spots: np.ndarray, side: float) -> None:
    """A piece of the image for each region."""
    image = None if pair.image is None or pair.boxes is None else opened(pair.image)
    pixels = max(1, round(SHARP * side))
    for node, (x, y) in enumerate(spots):
        frame = (x - side / 2, y - side / 2, side, side)
        if image is not None and pair.boxes is not None:
            piece = crop(image, np.clip(pair.boxes[node], 0, 1))
            sheet.add(Photo(*frame, piece.resize((pixels, pixels), Image.Resampling.LANCZOS)))
        else:
            sheet.add(Box(*frame, fill=sheet.tone["paper"], radius=3))
        sheet.add(Box(*frame, stroke=sheet.tone["muted"], line=1.6, radius=3))


def _names(sheet: Sheet, spots: np.ndarray, names: Sequence[str], spelled: bool) -> None:
    """Numbers of regions, and what they are called where there is room."""
    for node, ((x, y), name) in enumerate(zip(spots, names, strict=True)):
        known = spelled and name not in ("", str(node))
        text = fitted(f"{node} {name}" if known else str(node), 11, 110, "sans")
        half = measure(text, 11) / 2 + 3
        sheet.add(Box(x - half, y - 10, 2 * half, 14, fill=sheet.tone["raised"], radius=3, opacity=0.8))
        sheet.write(x, y, text, 11, anchor="middle")


def _what_if(sheet: Sheet, y: float, found: Intervention) -> float:
    """Score and ranks before and after, beside the same done to other edges; returns the last baseline."""
    x = sheet.write(PAD, y, "What if", 13, bold=True) + 12
    y = sheet.paragraph(x, y, found.what, sheet.right - x, 12.5)
    made = found.table()
    head, *rows = ([_minus(text) for text in row] for row in made.cells())
    y = table(sheet, PAD, y + 24, sheet.room, head, rows)
    return sheet.paragraph(PAD, y + 24, f"{made.note}. Ranks count from 1.", min(sheet.room, 760), 12)


def _minus(number: str) -> str:
    """A number, or two, with real minus signs; none before a zero."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", re.sub(r"-(0\.?0*)(?![\d.])", r"\1", number))


def _marks(
    edges: Sequence[tuple[int, int, float]], edited: Mapping[Edge, str], symmetric: bool
) -> list[tuple[str, str]]:
    sizes = {abs(weight) for *_, weight in edges if weight}
    wide = f"; width: |weight|, up to {short(max(sizes))}" if len(sizes) > 1 else ""
    found = [("edge", f"edge{'' if symmetric else ', from → to'}{wide}")] if sizes else []
    found += [("below", "below zero")] if any(weight < 0 for *_, weight in edges) else []
    says = {"cut": "cut", "reverse": "reversed", "mean": "the mean edge in its place"}
    return found + [(kind, says[kind]) for kind in SIGNS if kind in edited.values()]
