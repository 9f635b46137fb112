"""How much to say: adds colours, sizes, numbers and the setting until a caption is specific enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from itr_explore.data.scenes.claims import Claims, Phrase
from itr_explore.data.scenes.layout import pick
from itr_explore.data.scenes.world import Scene

DETAIL = (10.0, 15.0)  # how specific captions are, in bits: each draws its own from this range

# How telling a word is, in bits: about minus log2 of the share of scenes of which it holds.
KIND_BITS, GROUP_BITS, COLOUR_BITS, SIZE_BITS, SETTING_BITS = 2.8, 0.7, 2.6, 1.3, 2.6
COUNT_BITS = 1.3  # for each thing after the first
FACT_BITS = {"left of": 0.9, "right of": 0.9, "next to": 1.8, "between": 2.0}
RARE_FACT_BITS = 2.3  # for the other predicates


def add_detail(form: str, claims: Claims, scene: Scene, rng: Random, focus: int | None = None) -> Claims:
    """The claims with attributes and setting added by chance, as long as they are not specific enough.

    Args:
        form: one of `plans.FORMS`; "whole" needs the setting
        claims: the bare bones, true of the scene; they stay true
        focus: a thing whose colour is said wherever it is named
    """
    target = DETAIL[0] + rng.random() * (DETAIL[1] - DETAIL[0])
    if form == "whole":
        claims = replace(claims, setting=scene.setting)
    for place, phrase in enumerate(claims.phrases):
        if focus is not None and phrase.things == (focus,) and phrase.kind:
            claims = _with(claims, place, replace(phrase, colour=scene.things[focus].colour))
    while specificity(claims) < target:
        options = list(_options(form, claims, scene))
        if not options:
            break
        place, field = pick(rng, [option[1:] for option in options], [option[0] for option in options])
        if field == "setting":
            claims = replace(claims, setting=scene.setting)
            continue
        phrase = claims.phrases[place]
        thing = scene.things[phrase.things[0]]
        if field == "colour":
            phrase = replace(phrase, colour=thing.colour)
        elif field == "size":
            phrase = replace(phrase, size=thing.size)
        else:
            phrase = replace(phrase, count=1)
        claims = _with(claims, place, phrase)
    return claims


def _with(claims: Claims, place: int, phrase: Phrase) -> Claims:
    return replace(claims, phrases=(*claims.phrases[:place], phrase, *claims.phrases[place + 1 :]))


def _options(form: str, claims: Claims, scene: Scene) -> Iterator[tuple[float, int, str]]:
    """What could be added: (weight, which phrase, which of its fields)."""
    if claims.setting is None:
        yield 1.6, -1, "setting"
    for place, phrase in enumerate(claims.phrases):
        if form == "contrast" and place == 0:
            continue  # what its two parts differ in is still to come
        things = [scene.things[row] for row in phrase.things]
        if phrase.colour is None and len({thing.colour for thing in things}) == 1:
            yield 2.2, place, "colour"
        if phrase.size is None and len({thing.size for thing in things}) == 1:
            yield 0.25 if things[0].size == "medium" else 0.9, place, "size"
        if phrase.count is None and form == "list" and sum(phrase.fits(thing) for thing in scene.things) == 1:
            yield 0.1, place, "count"


def specificity(claims: Claims) -> float:
    """In bits: roughly minus log2 of the share of scenes of which the claims hold."""
    total = SETTING_BITS if claims.setting else 0.0
    for phrase in claims.phrases:
        total += KIND_BITS if phrase.kind else GROUP_BITS
        total += COLOUR_BITS if phrase.colour else 0.0
        total += SIZE_BITS if phrase.size else 0.0
        total += COUNT_BITS * (phrase.count - 1) if phrase.count else 0.0
    return total + sum(FACT_BITS.get(fact.predicate, RARE_FACT_BITS) for fact in claims.facts)
