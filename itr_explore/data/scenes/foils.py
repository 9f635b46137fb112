"""Foils: what a caption would say if one thing about its scene were the other way round, and false.

Two kinds, as in the two halves of the `swap` probe, though there every wrong caption is true of a mirrored
scene and a foil is true of none in particular:

- *relation*: the predicate is turned into its opposite, or subject and object change places;
- *attribute*: two things exchange their colour or their size.

Each is checked against the scene (`claims.holds`), so that no foil is true by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from itr_explore.data.scenes.claims import Claims, holds
from itr_explore.data.scenes.grammar import Span, article
from itr_explore.data.scenes.language import Caption
from itr_explore.data.scenes.lexicon import COLOUR_WORDS, RELATION_PHRASES
from itr_explore.data.scenes.predicates import OPPOSITE
from itr_explore.data.scenes.world import Scene

COLOURS = {word for words in COLOUR_WORDS.values() for word in words}
Edit = tuple[int, int, str]  # from, to, what to put there


@dataclass(frozen=True)
class Foil:
    """A sentence that is false of the scene, and what was turned round in it."""

    text: str
    kind: Literal["relation", "attribute"]


def foils_of(caption: Caption, scene: Scene) -> tuple[Foil, ...]:
    """All foils of a caption of a scene; none where nothing can be turned round."""
    found = [*_relations(caption), *_attributes(caption)]
    return tuple(
        Foil(reworded(caption.text, edits), kind) for kind, claims, edits in found if not holds(claims, scene)
    )


_Change = tuple[Literal["relation", "attribute"], Claims, list[Edit]]


def _relations(caption: Caption) -> Iterator[_Change]:
    claims = caption.claims
    for span in caption.spans:
        if span.kind != "relation" or claims.facts[span.target].predicate not in OPPOSITE:
            continue
        fact = claims.facts[span.target]
        opposite = OPPOSITE[fact.predicate]
        facts = [replace(each, predicate=opposite) if each is fact else each for each in claims.facts]
        edit = (span.start, span.end, _in_the_same_way(caption.text[span.start : span.end], fact.predicate))
        yield "relation", replace(claims, facts=tuple(facts)), [edit]

        subject, other = (_noun_phrase(caption, place) for place in (fact.subject, fact.objects[0]))
        if len(claims.facts) == 1 and subject is not None and other is not None:
            yield (
                "relation",
                _exchanged(claims, fact.subject, fact.objects[0]),
                _swap(caption.text, subject, other),
            )


def _attributes(caption: Caption) -> Iterator[_Change]:
    claims = caption.claims
    for attribute in ("colour", "size"):
        said = [
            span
            for span in caption.spans
            if span.kind == "attribute"
            and (caption.text[span.start : span.end].lower() in COLOURS) == (attribute == "colour")
        ]
        for one, other in combinations(said, 2):
            a, b = (getattr(claims.phrases[span.target], attribute) for span in (one, other))
            if a != b and one.target != other.target:
                phrases = list(claims.phrases)
                phrases[one.target] = replace(phrases[one.target], **{attribute: b})
                phrases[other.target] = replace(phrases[other.target], **{attribute: a})
                yield "attribute", replace(claims, phrases=tuple(phrases)), _swap(caption.text, one, other)


def _in_the_same_way(phrase: str, predicate: str) -> str:
    """The opposite of a relation phrase: "on the left of" becomes "on the right of"."""
    ways, opposites = RELATION_PHRASES[predicate], RELATION_PHRASES[OPPOSITE[predicate]]
    return opposites[min(ways.index(phrase.lower()), len(opposites) - 1)]


def _noun_phrase(caption: Caption, place: int) -> Span | None:
    """Adjectives and noun of a phrase that names one thing; None where they do not stand together."""
    phrase = caption.claims.phrases[place]
    mine = [span for span in caption.spans if span.target == place and span.kind in ("attribute", "thing")]
    if not mine or mine[-1].kind != "thing" or (phrase.count or 1) > 1:
        return None
    return Span(mine[0].start, mine[-1].end, "thing", place)


def _exchanged(claims: Claims, one: int, other: int) -> Claims:
    phrases = list(claims.phrases)
    phrases[one], phrases[other] = phrases[other], phrases[one]
    return replace(claims, phrases=tuple(phrases))


def _swap(text: str, one: Span, other: Span) -> list[Edit]:
    return [
        (one.start, one.end, text[other.start : other.end]),
        (other.start, other.end, text[one.start : one.end]),
    ]


def reworded(text: str, edits: list[Edit]) -> str:
    """The sentence after the edits, with "a" and "an" as the words after them want."""
    for start, end, words in sorted(edits, reverse=True):
        text = text[:start] + words + text[end:]
    text = re.sub(r"\ban? (?=(\w+))", lambda found: f"{article(found[1])} ", text.lower())
    return text[0].upper() + text[1:]
