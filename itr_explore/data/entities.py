"""Phrases of a caption that people linked to boxes in its image (Flickr30k Entities), as truth.

Plummer et al., "Flickr30k Entities", ICCV 2015: people marked the phrases of every caption, gave phrases that
speak of the same thing the same number (a *chain*), and drew boxes for chains. A chain may have several boxes
(two dogs), name the whole scene (no box drawn), or name nothing that can be boxed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from itr_explore.data.boxes import iou
from itr_explore.records import Mention, Truth

COVERS = 0.5  # IoU from which a region covers a thing
WHOLE_SCENE = "whole scene"  # kind of a mention that names the scene as such; its box is the image
UNGROUNDED = "0"  # the chain of phrases that name nothing in the image
IMAGE = np.array([[0.0, 0.0, 1.0, 1.0]], np.float32)


class Phrase(NamedTuple):
    """Some tokens of a caption, next to each other, that name one chain."""

    start: int  # among the tokens
    stop: int
    chain: str
    kind: str  # people, clothing, bodyparts, animals, vehicles, instruments, scene, other, notvisual


class ChainBoxes(NamedTuple):
    """Where in one image each chain is."""

    boxes: np.ndarray  # [box 4] fractions
    of_chain: dict[str, list[int]]  # rows of `boxes`
    scenes: frozenset[str]  # chains that name the whole scene

    def find(self, phrase: Phrase) -> tuple[np.ndarray, str]:
        """The boxes `[box 4]` of what a phrase names, and the kind of mention it is."""
        if phrase.chain == UNGROUNDED:
            return self.boxes[:0], phrase.kind
        if phrase.chain in self.scenes:
            return IMAGE, WHOLE_SCENE
        return self.boxes[self.of_chain.get(phrase.chain, [])], phrase.kind


def phrase_truth(
    caption: str,
    offsets: Sequence[tuple[int, int]],
    tokens: Sequence[str],
    phrases: Sequence[Phrase],
    chains: ChainBoxes,
    region_boxes: np.ndarray,
) -> Truth:
    """What people said that a caption's phrases name; each phrase is a mention.

    Args:
        caption: as it was written.
        offsets: where our words stand in it.
        tokens: the source's own words, in which phrases are counted; they need not be ours.
        phrases: of this caption.
        chains: of its image.
        region_boxes: `[region 4]` fractions.

    Returns:
        mentions in the phrases' order, and for every word which regions cover one of its boxes (IoU >= 0.5).
        No relations: nobody annotated any.
    """
    spans = locate_tokens(caption, tokens)
    mentions, word_regions = [], np.zeros((len(offsets), len(region_boxes)), dtype=bool)
    for phrase in phrases:
        begin, end = spans[phrase.start][0], spans[phrase.stop - 1][1]
        words = tuple(row for row, (first, last) in enumerate(offsets) if first < end and last > begin)
        if not words:  # a phrase of punctuation
            continue
        boxes, kind = chains.find(phrase)
        mentions.append(Mention(words, boxes, kind))
        if len(boxes):
            word_regions[list(words)] |= (iou(boxes, region_boxes) >= COVERS).any(0)
    return Truth(tuple(mentions), word_regions)


def locate_tokens(caption: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Where each token stands in a caption, in characters; tokens are found one after the other, in any case.

    Raises:
        ValueError: a token is not in what is left of the caption.
    """
    lowered, place, spans = caption.lower(), 0, []
    if len(lowered) != len(caption):  # some letters grow when they are lowered
        lowered = "".join(letter.lower()[0] for letter in caption)
    for token in tokens:
        begin = lowered.find(token.lower(), place)
        if begin < 0:
            raise ValueError(
                f"token {token!r} does not occur in the caption {caption!r} from place {place} on"
            )
        place = begin + len(token)
        spans.append((begin, place))
    return spans
