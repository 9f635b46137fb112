"""Captions of scenes: sentences that are true, and know what each of their words names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from random import Random

import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.data.scenes.claims import Claims, referents
from itr_explore.data.scenes.grammar import Span, Writer
from itr_explore.data.scenes.plans import Planner
from itr_explore.data.scenes.world import HELD_OUT, Scene, visible_box
from itr_explore.records import Mention, Relation, Truth

WHOLE_IMAGE = (0.0, 0.0, 1.0, 1.0)
FEWEST_WORDS = 5
COVERS = 0.5  # IoU from which a region covers a thing


@dataclass(frozen=True)
class Caption:
    """A sentence, what it claims, and what its words stand for."""

    text: str
    claims: Claims  # whose phrases say which things of the scene they name
    spans: tuple[Span, ...]

    def to_json(self) -> str:
        """The caption as one line of JSON, which `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Caption:
        """The caption that `to_json` wrote."""
        data = json.loads(text)
        spans = tuple(Span(**span) for span in data["spans"])
        return cls(data["text"], Claims.from_dict(data["claims"]), spans)


def make_captions(scene: Scene, count: int = 5, novel: bool = False) -> tuple[Caption, ...]:
    """Different captions of a scene, always the same for the same scene.

    They are about different things and differ in detail. A phrase names every thing that makes its caption
    true, not only the one that was looked at when it was written.

    Args:
        scene: what to describe
        count: how many captions
        novel: each names, by kind and colour, a thing whose colour its kind has only in the `compose` probe
    """
    rng = Random(scene.seed)
    focus = None
    if novel:
        rows = [row for row, thing in enumerate(scene.things) if (thing.kind, thing.colour) in HELD_OUT]
        if not rows:
            raise ValueError("wanted a scene made with novel=True; this one has no held-out pair to name")
        focus = rows[0]
    planner = Planner(scene, rng, focus)
    captions: list[Caption] = []
    texts: set[str] = set()
    while len(captions) < count:
        plan = planner.draw()
        writer = Writer(plan, scene, rng)
        if writer.text not in texts and len(writer.text.split()) >= FEWEST_WORDS:
            texts.add(writer.text)
            captions.append(Caption(writer.text, name_things(plan.claims, scene), tuple(writer.spans)))
    return tuple(captions)


def name_things(claims: Claims, scene: Scene) -> Claims:
    """The same claims, whose phrases say which things of this scene they name."""
    named = referents(claims, scene)
    phrases = tuple(
        replace(phrase, things=things) for phrase, things in zip(claims.phrases, named, strict=True)
    )
    return replace(claims, phrases=phrases)


def truth_of(
    caption: Caption,
    scene: Scene,
    words: Sequence[str],
    offsets: Sequence[tuple[int, int]],
    region_boxes: np.ndarray,
) -> Truth:
    """What each word of a caption names, linked to the regions of its image.

    Nouns, adjectives and numbers name things, by the visible part of their boxes (`visible_box`); a setting
    names the whole image. A region covers what a word names where their boxes have an IoU of at least 0.5.

    Args:
        caption, scene: of one picture
        words, offsets: [word] the caption's words and where they stand, as `split_words` gives them
        region_boxes: [region 4] x1 y1 x2 y2 as fractions
    """
    mentions: list[Mention] = []
    mention_of: dict[int, int] = {}  # phrase -> the mention that is its noun
    said: dict[int, tuple[int, ...]] = {}  # fact -> the words that say it
    word_regions = np.zeros((len(words), len(region_boxes)), dtype=bool)
    visible = np.array([visible_box(scene, row) for row in range(len(scene.things))])
    for span in caption.spans:
        inside = tuple(
            row for row, (start, end) in enumerate(offsets) if start >= span.start and end <= span.end
        )
        if not inside:
            piece = caption.text[span.start : span.end]
            raise ValueError(
                f"no word stands at characters {span.start} to {span.end} ({piece!r}); wanted the words and "
                f"offsets of {caption.text!r}, got {list(words)}"
            )
        if span.kind == "relation":
            said[span.target] = inside
            continue
        if span.kind == "setting":
            boxes = np.array([WHOLE_IMAGE])
        else:
            boxes = visible[list(caption.claims.phrases[span.target].things)]
        if span.kind == "thing":
            mention_of[span.target] = len(mentions)
        mentions.append(Mention(inside, boxes, span.kind))
        if len(region_boxes):
            covered = (iou(boxes, np.asarray(region_boxes)) >= COVERS).any(axis=0)
            word_regions[list(inside)] |= covered
    relations = tuple(
        Relation(mention_of[f.subject], f.predicate, tuple(mention_of[o] for o in f.objects), said[row])
        for row, f in enumerate(caption.claims.facts)
    )
    return Truth(tuple(mentions), word_regions, relations)
