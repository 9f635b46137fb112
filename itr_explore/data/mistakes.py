"""What is wrong with a caption of another scene? The least that it would have to take back to be true.

A caption of the scenes knows what it claims (`scenes.claims`). It can take back a number ("two" becomes "at
least one"), a colour or a size, a relation, the setting, or a thing, with all that is said of it. The fewest
such steps that make it true of a scene are what is wrong with it. Of equally many, those count that take back
least: where a blue car stands, "a red car" is wrong in its colour, not in the car. What is still as small is
another way to see the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from random import Random
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from itr_explore.data.scenes.claims import Claims, Phrase, fits, holds
from itr_explore.data.scenes.foils import COLOURS, foils_of, reworded
from itr_explore.data.scenes.grammar import Span
from itr_explore.data.scenes.language import Caption
from itr_explore.data.scenes.lexicon import (
    COLOUR_WORDS,
    IN_THE_AIR,
    NOUNS,
    NUMBERS,
    ON_THE_GROUND,
    SIZE_WORDS,
    WHOLE_SCENES,
)
from itr_explore.data.scenes.load import KeptScenes
from itr_explore.data.scenes.world import KINDS, Scene

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection

Class = Literal["thing", "attribute", "relation", "count", "setting"]
CLASSES: tuple[Class, ...] = get_args(Class)


@dataclass(frozen=True)
class Told:
    """The scenes of a collection and what its captions claim."""

    scenes: tuple[Scene, ...]  # one an image
    captions: tuple[Caption, ...]

    @property
    def true(self) -> np.ndarray:
        """[image caption] bool: which captions are true of which scenes."""
        return fits([caption.claims for caption in self.captions], self.scenes).T


def told(collection: Collection) -> Told:
    """What is known of a collection of scenes.

    Raises:
        ValueError: the collection is of something else.
    """
    source = _source(collection)
    if source is None:
        raise ValueError(
            f"{collection.name} does not know what its captions claim, so nobody can say what is wrong with"
            " one; take Collection.scenes()"
        )
    images, captions = (rows.tolist() for rows in collection.source_rows)
    return Told(tuple(map(source.scene, images)), tuple(source.meaning(row)[0] for row in captions))


def false_claims(collection: Collection, caption: int, image: int) -> tuple[str, ...] | None:
    """What a caption claims that is false of an image, in words; None where the collection does not know."""
    source = _source(collection)
    if source is None:
        return None
    images, captions = collection.source_rows
    said, _ = source.meaning(int(captions[caption]))
    ways = mistakes(said.claims, source.scene(int(images[image])))
    named = [" and ".join(f"{step.kind} {_piece(said, step)!r}" for step in way) for way in ways if way]
    return (" or ".join(named),) if named else ()


def _source(collection: Collection) -> KeptScenes | None:
    return collection.source if isinstance(collection.source, KeptScenes) else None


@dataclass(frozen=True)
class Step:
    """One thing that a caption takes back."""

    kind: Class
    target: int = -1  # a phrase, or of a relation a fact
    field: str = ""  # of an attribute: colour or size


Way = tuple[Step, ...]


def mistakes(claims: Claims, scene: Scene) -> tuple[Way, ...]:
    """The smallest ways to make claims true of a scene; one way without steps where they are true already."""
    steps = list(_steps(claims))
    for count in range(len(steps) + 1):
        ways = [way for way in combinations(steps, count) if _apart(claims, way)]
        found = [way for way in ways if any(holds(less, scene) for less in _without(claims, way, scene))]
        if found:
            freed = [sum(len(_freed(claims, step)) for step in way) for way in found]
            return tuple(way for way, size in zip(found, freed, strict=True) if size == min(freed))
    raise AssertionError("a caption that claims nothing is true")


def _steps(claims: Claims) -> Iterator[Step]:
    """All that a caption could take back."""
    for place, phrase in enumerate(claims.phrases):
        yield Step("thing", place)
        yield from (Step("attribute", place, name) for name in ("colour", "size") if getattr(phrase, name))
        if phrase.count is not None:
            yield Step("count", place)
    yield from (Step("relation", fact) for fact in range(len(claims.facts)))
    if claims.setting is not None:
        yield Step("setting")


def _freed(claims: Claims, step: Step) -> set[Step]:
    """What is taken back with a step: with a thing all that is said of it."""
    if step.kind != "thing":
        return {step}
    about = {
        Step("relation", row)
        for row, fact in enumerate(claims.facts)
        if step.target in (fact.subject, *fact.objects)
    }
    own = (other for other in _steps(claims) if other.target == step.target and other.kind != "relation")
    return {*own, *about}


def _apart(claims: Claims, way: Way) -> bool:
    """No step takes back what another one has taken back already."""
    return not any(
        one in _freed(claims, other) or other in _freed(claims, one) for one, other in combinations(way, 2)
    )


def _without(claims: Claims, way: Way, scene: Scene) -> Iterator[Claims]:
    """What is left of the claims; where things are counted, with each colour and size they could have."""
    gone = {step.target for step in way if step.kind == "thing"}
    unsaid = {step.target for step in way if step.kind == "relation"}
    kept = [place for place in range(len(claims.phrases)) if place not in gone]
    facts = tuple(
        replace(
            fact, subject=kept.index(fact.subject), objects=tuple(kept.index(place) for place in fact.objects)
        )
        for row, fact in enumerate(claims.facts)
        if row not in unsaid and not gone & {fact.subject, *fact.objects}
    )
    setting = None if Step("setting") in way else claims.setting
    options = [list(_loosened(claims.phrases[place], place, way, scene)) for place in kept]
    for phrases in product(*options):
        yield Claims(phrases, facts, setting)


def _loosened(phrase: Phrase, place: int, way: Way, scene: Scene) -> Iterator[Phrase]:
    if Step("count", place) in way:
        phrase = replace(phrase, count=None)
    names = [step.field for step in way if step.kind == "attribute" and step.target == place]
    counted = phrase.count is not None
    values = [
        [None, *sorted({getattr(thing, name) for thing in scene.things})] if counted else [None]
        for name in names
    ]
    for chosen in product(*values):
        yield replace(phrase, **dict(zip(names, chosen, strict=True)))


def _piece(caption: Caption, step: Step) -> str:
    """The words that say what a step takes back."""
    for span in caption.spans:
        text = caption.text[span.start : span.end]
        named = span.kind == step.kind and (span.target == step.target or step.kind == "setting")
        if named and (not step.field or (text.lower() in COLOURS) == (step.field == "colour")):
            return text
    return step.kind


def minimal_foils(caption: Caption, scene: Scene) -> dict[Class, str]:
    """For each class a sentence that is the caption but for one claim, and false; not every class has one.

    A thing, colour, size, number or setting gives way to another, chosen once and for all for a sentence; a
    relation is turned round (`scenes.foils`).
    """
    rng = Random(caption.text)
    found: dict[Class, str] = {}
    spans = list(caption.spans)
    rng.shuffle(spans)
    for span in spans:
        if span.kind in found or span.kind == "relation":
            continue
        changed = _exchange(caption, span, rng)
        if changed is not None and not holds(changed[0], scene):
            found[span.kind] = reworded(caption.text, [(span.start, span.end, changed[1])])  # type: ignore[index]
    turned = [foil.text for foil in foils_of(caption, scene) if foil.kind == "relation"]
    return {**found, "relation": turned[0]} if turned else found


def _exchange(caption: Caption, span: Span, rng: Random) -> tuple[Claims, str] | None:
    """What a caption would claim with other words for a span, and these words."""
    claims, said = caption.claims, caption.text[span.start : span.end].lower()
    if span.kind == "setting":
        return _elsewhere(caption, span, said, rng)
    phrase = claims.phrases[span.target]
    change: dict[str, str | int]
    if span.kind == "thing":
        place = phrase.count is not None and phrase.count > 1
        if said not in {forms[place] for forms in NOUNS[phrase.kind or phrase.group or ""]}:
            return None  # "a red one" goes with another noun
        kind = rng.choice([kind for kind in KINDS if kind != phrase.kind])
        change, words = {"kind": kind}, NOUNS[kind][0][place]
        if any(caption.text[s.start : s.end].lower() == "one" for s in caption.spans if s.kind == "thing"):
            return None
        phrase = replace(phrase, group=None)
    elif span.kind == "attribute":
        name = "colour" if said in COLOURS else "size"
        ways = COLOUR_WORDS if name == "colour" else {k: v for k, v in SIZE_WORDS.items() if k != "medium"}
        value = rng.choice([value for value in ways if value != getattr(phrase, name)])
        change, words = {name: value}, ways[value][0]
    else:
        plain = {count: forms[0][1] for count, forms in NUMBERS.items() if count > 1}
        if plain.get(phrase.count or 0) != said:
            return None  # "a pair of", and "one", which goes with a noun of another form
        number = rng.choice([count for count in plain if abs(count - (phrase.count or 0)) == 1])
        change, words = {"count": number}, plain[number]
    phrases = list(claims.phrases)
    phrases[span.target] = replace(phrase, **change)  # type: ignore[arg-type]
    return replace(claims, phrases=tuple(phrases)), words


def _elsewhere(caption: Caption, span: Span, said: str, rng: Random) -> tuple[Claims, str] | None:
    """Another setting that the words before allow: "in the meadow" becomes "in the city"."""
    here, before = caption.claims.setting or "", caption.text[: span.start].rstrip().lower()
    options: list[tuple[str, str]] = []
    for table in (ON_THE_GROUND, IN_THE_AIR, WHOLE_SCENES):
        ways: Sequence[str] = [
            start for start, noun in table.get(here, ()) if noun == said and before.endswith(start)
        ]
        options += [
            (setting, noun)
            for setting, forms in table.items()
            for start, noun in forms
            if setting != here and start in ways and start
        ]
    if not options:
        return None
    setting, words = rng.choice(options)
    return replace(caption.claims, setting=setting), words
