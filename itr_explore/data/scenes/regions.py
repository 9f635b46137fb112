"""Proposals: the boxes that a detector would give for a scene, more and less well placed.

Boxes come from the state of the world and a scene's own stream of chance; they say *where* to look and never
what is there. Features are read from the pixels inside them (`features.py`). As with bottom-up features
(Anderson et al., 2018, arXiv:1707.07998) their number varies, some things have two boxes and some have none,
and the order is that of a noisy score.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.data.scenes.language import COVERS
from itr_explore.data.scenes.world import Box, Scene, hidden_fraction, visible_box
from itr_explore.records import Mention

FEWEST, MOST = 8, 16  # regions of an image
SMALLEST = 0.04  # side of a box, as a fraction of the image's
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

EXTRAS = {"double": 0.35, "part": 0.22, "merged": 0.18, "background": 0.25}  # what fills the list up


def propose(scene: Scene, draft: int = 0) -> np.ndarray:
    """Boxes of a scene, the same for the same scene and draft: [region 4] float32, FEWEST to MOST of them.

    The whole scene is always among them. A thing nearly always has a box, but that may be badly placed, and
    a small or much hidden thing may have none: about one thing in twenty is not covered by any.
    """
    chance = np.random.default_rng([scene.seed, 1 + draft])
    scored: list[tuple[float, Box]] = [(float(chance.normal(0.6, 0.25)), WHOLE)]

    def keep(score: float, box: np.ndarray | None) -> None:
        if box is not None and not (iou(box[None], np.array([other for _, other in scored])) > 0.9).any():
            scored.append((score + float(chance.normal(0.0, 0.15)), tuple(box)))

    found = []
    for row, thing in enumerate(scene.things):
        hidden = hidden_fraction(thing, scene.things)
        extent = np.array(visible_box(scene, row))
        if chance.random() >= _missed(extent, hidden):
            found.append(extent)
            keep(0.8 - 0.4 * hidden, _jitter(chance, extent))
    for piece in scene.clutter:
        if chance.random() < 0.5:
            keep(0.45, _jitter(chance, np.array(piece.box)))

    wanted = int(np.clip(round(chance.normal(7.5 + 1.1 * len(scene.things), 1.6)), FEWEST, MOST))
    while len(scored) < wanted:
        kind = str(chance.choice(list(EXTRAS), p=list(EXTRAS.values())))
        keep(0.35, _extra(chance, kind, found))
    order = sorted(range(len(scored)), key=lambda row: -scored[row][0])[:wanted]
    rows = order if 0 in order else [*order[:-1], 0]
    return np.array([scored[row][1] for row in rows], dtype=np.float32)


def ceiling(pairs: Iterable[tuple[Mention, np.ndarray]]) -> dict[str, tuple[float, int]]:
    """What share of mentions any model can point at, given the proposals.

    Args:
        pairs: mentions, each with the regions' boxes [region 4] of its image; one without a box is left out.

    Returns:
        for each kind of mention, and "all": the share that a region covers with IoU >= 0.5, and how many.
    """
    hits: dict[str, list[bool]] = {}
    for mention, boxes in pairs:
        if len(mention.boxes):
            hit = bool((iou(mention.boxes, boxes) >= COVERS).any())
            hits.setdefault(mention.kind, []).append(hit)
    hits["all"] = [hit for kind in hits.values() for hit in kind]
    return {kind: (float(np.mean(found)) if found else 0.0, len(found)) for kind, found in hits.items()}


def _missed(box: np.ndarray, hidden: float) -> float:
    """How likely a detector overlooks a thing: more so where it is small or stands behind something."""
    small = max(0.0, 1.0 - float((box[2:] - box[:2]).prod()) / 0.02)
    return 0.01 + 0.06 * small + 0.15 * hidden


def _jitter(chance: np.random.Generator, box: np.ndarray, spread: float | None = None) -> np.ndarray | None:
    """A box near a box: mostly IoU 0.6 to 0.95, now and then less than 0.5; None if it shrinks to nothing."""
    if spread is None:
        spread = 0.22 if chance.random() < 0.08 else float(np.exp(chance.normal(np.log(0.055), 0.45)))
    side = np.tile(box[2:] - box[:2], 2)
    return _inside(box + spread * side * chance.normal(size=4))


def _extra(chance: np.random.Generator, kind: str, found: list[np.ndarray]) -> np.ndarray | None:
    """One more box of the kind that EXTRAS names."""
    if kind == "background" or not found or (kind == "merged" and len(found) < 2):
        centre, half = chance.uniform(0.0, 1.0, 2), chance.uniform(0.06, 0.3, 2)
        return _inside(np.concatenate([centre - half, centre + half]))
    box = found[int(chance.integers(len(found)))]
    if kind == "double":
        return _jitter(chance, box, 0.12)
    if kind == "part":
        part, axis = box.copy(), int(chance.integers(2))
        middle = box[axis] + (box[axis + 2] - box[axis]) * chance.uniform(0.4, 0.6)
        part[axis + 2 * int(chance.integers(2))] = middle
        return _jitter(chance, part, 0.06)
    near = sorted((o for o in found if o is not box), key=lambda o: float(np.abs(o - box).sum()))[0]
    return _jitter(chance, np.concatenate([np.minimum(box, near)[:2], np.maximum(box, near)[2:]]), 0.04)


def _inside(box: np.ndarray) -> np.ndarray | None:
    """The part of a box inside the image, or None where that is smaller than a box may be."""
    inside = box.clip(0.0, 1.0)
    return inside if bool((inside[2:] - inside[:2] >= SMALLEST).all()) else None
