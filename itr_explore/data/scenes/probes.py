"""The `swap` probe: right and wrong captions that differ only in who is where, or in who has what.

Items come in mirrored pairs. Both scenes of a pair have the same setting, clutter and bystanders; two things
have changed places (half "relation") or exchanged a colour or a size (half "attribute"). The right caption of
one scene is, to the letter, the wrong caption of the other: so whoever scores captions without looking is
right about one item of every pair, which is half the time. And whoever sees the things but not where they are
cannot tell the scenes of a relation pair apart, for nothing in them hides anything else that moves.

Both captions are made of the same words. (The other probe, `compose`, is a split of ordinary scenes:
`make_scene` and `make_captions` with `novel=True`.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

from itr_explore.data.scenes.claims import Claims, Fact, Phrase, holds
from itr_explore.data.scenes.grammar import Sentence, article
from itr_explore.data.scenes.language import Caption, name_things
from itr_explore.data.scenes.layout import make_scene, pick, scene_seed
from itr_explore.data.scenes.lexicon import (
    COLOUR_WORDS,
    IN_THE_AIR,
    NOUNS,
    ON_THE_GROUND,
    RELATION_PHRASES,
    SIZE_WORDS,
)
from itr_explore.data.scenes.predicates import OPPOSITE, relations_of
from itr_explore.data.scenes.stage import Mirrored, exchanged, turned
from itr_explore.data.scenes.world import Scene, aloft

HALVES = ("relation", "attribute")
ATTRIBUTES = ("colour", "size")


@dataclass(frozen=True)
class SwapItem:
    """One scene with a caption that holds of it and one that does not."""

    scene: Scene
    right: Caption
    wrong: Caption  # holds of the mirrored scene; its things are meant there
    half: str  # one of HALVES
    what: str  # the predicate whose direction is asked for, or "colour" or "size"


def swap(seed: int, size: int) -> Iterator[SwapItem]:
    """The first `size` items of the `swap` probe."""
    return (swap_item(seed, index) for index in range(size))


def swap_item(seed: int, index: int) -> SwapItem:
    """An item of the `swap` probe; items 2k and 2k + 1 are mirrored.

    Halves alternate from pair to pair; the predicates take turns in the one, colour and size in the other.
    """
    pair = index // 2
    half = HALVES[pair % 2]
    what = (tuple(OPPOSITE) if half == "relation" else ATTRIBUTES)[
        pair // 2 % (8 if half == "relation" else 2)
    ]
    for chance in _seeds(seed, pair):
        scene = make_scene(chance)
        rng = Random(scene.seed)
        found = turned(scene, what, rng) if half == "relation" else exchanged(scene, what, rng)
        if found is None:
            continue
        captions = (
            _tell_relation(found, what, rng) if half == "relation" else _tell_attribute(found, what, rng)
        )
        true = [[holds(caption.claims, scene) for scene in found.scenes] for caption in captions]
        if true == [[True, False], [False, True]]:
            here = index % 2
            return SwapItem(found.scenes[here], captions[here], captions[1 - here], half, what)
    raise AssertionError("the seeds never end")


def _seeds(seed: int, pair: int) -> Iterator[np.random.SeedSequence]:
    parent = scene_seed(seed, "swap", pair)
    while True:
        yield parent.spawn(1)[0]


def _tell_relation(found: Mirrored, predicate: str, rng: Random) -> list[Caption]:
    """This is by that, and that is by this."""
    first, second = (found.scenes[0].things[row] for row in found.rows)
    with_colours = first.kind == second.kind or rng.random() < 0.7
    phrases = [Phrase(t.kind, colour=t.colour if with_colours else None) for t in (first, second)]
    setting = found.scenes[0].setting if rng.random() < 0.5 else None
    words = _Words(found, predicate, rng)
    fact = (Fact(0, predicate, (1,)),)
    claims = [Claims(tuple(phrases), fact, setting), Claims(tuple(phrases[::-1]), fact, setting)]
    return [words.write(claim, scene) for claim, scene in zip(claims, found.scenes, strict=True)]


def _tell_attribute(found: Mirrored, attribute: str, rng: Random) -> list[Caption]:
    """A red this and a blue that, and a blue this and a red that; sometimes one beside the other."""
    scene = found.scenes[0]
    a, b = found.rows
    before, after = (relations_of(each) for each in found.scenes)
    same = [name for one, name, other in before if (one, other) == (a, b) and (a, name, b) in after]
    predicate = pick(rng, same) if same and rng.random() < 0.5 else None
    setting = scene.setting if rng.random() < 0.5 else None
    words = _Words(found, predicate, rng)
    captions = []
    for scene in found.scenes:
        things = (scene.things[a], scene.things[b])
        phrases = tuple(Phrase(t.kind, **{attribute: getattr(t, attribute)}) for t in things)
        facts = (Fact(0, predicate, (1,)),) if predicate else ()
        captions.append(words.write(Claims(phrases, facts, setting), scene))
    return captions


class _Words:
    """The choice of words, made once, so that both captions of a pair are made of the same."""

    def __init__(self, found: Mirrored, predicate: str | None, rng: Random):
        self.colours = {colour: pick(rng, words) for colour, words in COLOUR_WORDS.items()}
        self.sizes = {size: pick(rng, words) for size, words in SIZE_WORDS.items()}
        self.nouns = {kind: pick(rng, nouns)[0] for kind, nouns in NOUNS.items()}
        self.relation = pick(rng, RELATION_PHRASES[predicate]) if predicate else "and"
        self.opening = pick(rng, ("", "there is", "we see"))
        self.verb = "is" if predicate and not self.opening and rng.random() < 0.5 else ""
        scene = found.scenes[0]
        flying = all(aloft(scene.things[row]) for row in found.rows)
        self.setting = pick(rng, (IN_THE_AIR if flying else ON_THE_GROUND)[scene.setting])

    def write(self, claims: Claims, scene: Scene) -> Caption:
        """Two noun phrases with what is between them, and the setting if it is claimed."""
        sentence = Sentence()
        sentence.say(self.opening)
        self._phrase(sentence, claims, 0)
        sentence.say(self.verb)
        sentence.say(self.relation, "relation" if claims.facts else None, 0)
        self._phrase(sentence, claims, 1)
        if claims.setting:
            sentence.say(self.setting[0])
            sentence.say(self.setting[1], "setting")
        sentence.finish()
        return Caption(sentence.text, name_things(claims, scene), tuple(sentence.spans))

    def _phrase(self, sentence: Sentence, claims: Claims, place: int) -> None:
        phrase = claims.phrases[place]
        size = self.sizes[phrase.size] if phrase.size else ""
        colour = self.colours[phrase.colour] if phrase.colour else ""
        noun = self.nouns[phrase.kind or ""]
        sentence.say(article(size or colour or noun))
        sentence.say(size, "attribute", place)
        sentence.say(colour, "attribute", place)
        sentence.say(noun, "thing", place)
