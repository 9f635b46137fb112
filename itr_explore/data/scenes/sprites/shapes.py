"""Closed outlines to paint with, in units of a hundredth of the sprite's height, y downwards.

Builders are cached, since most sprites ask for the same few outlines again and again.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

Point = tuple[float, float]

_cached = lru_cache(maxsize=4096)


class Shape:
    """A closed outline: points [point 2], and outward normals to thicken it by."""

    def __init__(self, points: np.ndarray):
        self.points = np.asarray(points, dtype=np.float64)

    @cached_property
    def normals(self) -> np.ndarray:
        """[point 2]: moving every point by `w * normal` moves every side outwards by about w."""
        ahead = np.roll(self.points, -1, 0) - self.points
        ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
        side = np.stack([ahead[:, 1], -ahead[:, 0]], 1)
        corner = side + np.roll(side, 1, 0)
        corner /= np.maximum((corner**2).sum(1), 1.1)[:, None] / 2  # a mitre, limited
        x, y = self.points.T
        area = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
        return corner if area > 0 else -corner

    def moved(self, right: float, down: float) -> Shape:
        """The same outline elsewhere."""
        return Shape(self.points + np.array([right, down]))

    def turned(self, degrees: float, centre: Point) -> Shape:
        """The same outline turned clockwise about `centre`."""
        a = np.radians(degrees)
        turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        return Shape((self.points - centre) @ turn + centre)


_STEPS = np.arange(6)[:, None] / 6
_BASIS = 0.5 * np.concatenate(
    [
        -(_STEPS**3) + 2 * _STEPS**2 - _STEPS,
        3 * _STEPS**3 - 5 * _STEPS**2 + 2,
        -3 * _STEPS**3 + 4 * _STEPS**2 + _STEPS,
        _STEPS**3 - _STEPS**2,
    ],
    1,
)  # Catmull-Rom: [step neighbour]


def _ring(points: np.ndarray) -> np.ndarray:
    """Smooth curve through a ring of points: [6 * point 2]."""
    ring = np.stack([np.roll(points, shift, 0) for shift in (1, 0, -1, -2)])
    return np.einsum("sk,kpd->psd", _BASIS, ring).reshape(-1, 2)


def curve(points: tuple[Point, ...]) -> np.ndarray:
    """Smooth open curve through the points, from the first to the last: [6 * (point - 1) + 1, 2]."""
    way = np.array(points, dtype=np.float64)
    padded = np.concatenate([2 * way[:1] - way[1:2], way, 2 * way[-1:] - way[-2:-1]])
    ring = np.stack([padded[k : k + len(way) - 1] for k in range(4)])
    return np.concatenate([np.einsum("sk,kpd->psd", _BASIS, ring).reshape(-1, 2), way[-1:]])


@_cached
def polygon(*points: Point) -> Shape:
    """Straight sides through the points."""
    return Shape(np.array(points, dtype=np.float64))


@_cached
def blob(*points: Point) -> Shape:
    """A smooth outline through the points."""
    return Shape(_ring(np.array(points, dtype=np.float64)))


@_cached
def ellipse(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0) -> Shape:
    """An ellipse about (x, y), turned clockwise by `turn` degrees; a circle if `ry` is left out."""
    a = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    shape = Shape(np.stack([x + rx * np.cos(a), y + (rx if ry is None else ry) * np.sin(a)], 1))
    return shape.turned(turn, (x, y)) if turn else shape


@_cached
def box(x1: float, y1: float, x2: float, y2: float, radius: float = 0) -> Shape:
    """An upright rectangle, its corners rounded by `radius`."""
    if radius <= 0:
        return polygon((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    radius = min(radius, (x2 - x1) / 2, (y2 - y1) / 2)
    a = np.linspace(0, np.pi / 2, 6)
    corner = radius * np.stack([np.cos(a), np.sin(a)], 1)
    quarter = np.array([[0, 1], [-1, 0]])
    parts = []
    for x, y in ((x2 - radius, y2 - radius), (x1 + radius, y2 - radius), (x1 + radius, y1 + radius),
                 (x2 - radius, y1 + radius)):  # fmt: skip
        parts.append(corner + np.array([x, y]))
        corner = corner @ quarter
    return Shape(np.concatenate(parts))


@_cached
def limb(x1: float, y1: float, x2: float, y2: float, start: float, end: float | None = None) -> Shape:
    """A straight limb with round ends, `start` wide at (x1, y1) and `end` wide at (x2, y2)."""
    end = start if end is None else end
    along = np.arctan2(y2 - y1, x2 - x1)
    a = along + np.linspace(np.pi / 2, 3 * np.pi / 2, 9)
    arc = np.stack([np.cos(a), np.sin(a)], 1) / 2
    return Shape(np.concatenate([arc * start + (x1, y1), -arc * end + (x2, y2)]))


@_cached
def ribbon(points: tuple[Point, ...], start: float, end: float | None = None) -> Shape:
    """A smooth open stroke through the points, `start` wide at its first and `end` wide at its last."""
    line = curve(points)
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    width = np.linspace(start, start if end is None else end, len(line))[:, None] / 2
    side = np.stack([-ahead[:, 1], ahead[:, 0]], 1) * width
    caps = []
    for middle, half, out in ((line[-1], width[-1], ahead[-1]), (line[0], width[0], -ahead[0])):
        a = np.linspace(np.pi / 2, -np.pi / 2, 7)[1:-1, None]
        caps.append(middle + half * (np.cos(a) * out + np.sin(a) * np.array([-out[1], out[0]])))
    return Shape(np.concatenate([line + side, caps[0], (line - side)[::-1], caps[1]]))
