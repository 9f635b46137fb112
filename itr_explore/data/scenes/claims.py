"""What a caption claims, and whether that holds of a scene: a small model checker.

A caption's claims are phrases (what is spoken of), facts (relations between phrases) and the setting. They
hold of a scene if things can be found for all phrases at once such that every fact holds:

- a phrase without a count ("a red car") wants one thing that fits; two such phrases want two things;
- a phrase with a count ("two red cars") speaks of *all* things that fit, and there must be exactly so many;
- a fact about several things must hold of each of them.

"The" claims no more than "a".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from itr_explore.data.scenes.predicates import PREDICATES
from itr_explore.data.scenes.world import KINDS, Scene, Thing


@dataclass(frozen=True)
class Phrase:
    """What a noun phrase says of the things it names; None where it says nothing."""

    kind: str | None = None  # a key of KINDS
    group: str | None = None  # instead of a kind: "animal", "vehicle", "plant"
    colour: str | None = None
    size: str | None = None
    count: int | None = None  # exactly so many there are; None: at least one
    things: tuple[int, ...] = ()  # what it names in the caption's own scene; not part of the claim

    def fits(self, thing: Thing) -> bool:
        """The thing is of this kind, colour and size, as far as they are said."""
        return (
            (self.kind is None or thing.kind == self.kind)
            and (self.group is None or KINDS[thing.kind].group == self.group)
            and (self.colour is None or thing.colour == self.colour)
            and (self.size is None or thing.size == self.size)
        )


@dataclass(frozen=True)
class Fact:
    """A relation between phrases, each given by its place among the claims' phrases."""

    subject: int
    predicate: str  # a key of PREDICATES
    objects: tuple[int, ...]  # one; "between" has two, or one that names two things


@dataclass(frozen=True)
class Claims:
    """All that a caption says of its scene."""

    phrases: tuple[Phrase, ...]
    facts: tuple[Fact, ...] = ()
    setting: str | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Claims:
        """The claims that `dataclasses.asdict` took apart, also after a trip through JSON."""
        phrases = tuple(Phrase(**{**phrase, "things": tuple(phrase["things"])}) for phrase in data["phrases"])
        facts = tuple(Fact(f["subject"], f["predicate"], tuple(f["objects"])) for f in data["facts"])
        return cls(phrases, facts, data["setting"])


Found = list[tuple[int, ...]]  # for each phrase, the things it names


def holds(claims: Claims, scene: Scene) -> bool:
    """Whether all that is claimed is so in the scene."""
    return next(findings(claims, scene), None) is not None


def findings(claims: Claims, scene: Scene) -> Iterator[Found]:
    """Every way to find things for the phrases so that all claims hold."""
    if claims.setting is not None and claims.setting != scene.setting:
        return
    choices: list[list[tuple[int, ...]]] = []
    for phrase in claims.phrases:
        fitting = [row for row, thing in enumerate(scene.things) if phrase.fits(thing)]
        if phrase.count is None:
            choices.append([(row,) for row in fitting])
        else:
            choices.append([tuple(fitting)] if len(fitting) == phrase.count else [])
        if not choices[-1]:
            return
    due: list[list[Fact]] = [
        [] for _ in claims.phrases
    ]  # facts to check once the last of their phrases is found
    for fact in claims.facts:
        due[max(fact.subject, *fact.objects)].append(fact)
    yield from _extend(claims, scene, choices, due, [])


def _extend(
    claims: Claims, scene: Scene, choices: list[list[tuple[int, ...]]], due: list[list[Fact]], found: Found
) -> Iterator[Found]:
    place = len(found)
    if place == len(choices):
        yield found
        return
    single = claims.phrases[place].count is None
    taken = [things for things, phrase in zip(found, claims.phrases, strict=False) if phrase.count is None]
    for things in choices[place]:
        longer = [*found, things]
        if not (single and things in taken) and all(_true(fact, scene, longer) for fact in due[place]):
            yield from _extend(claims, scene, choices, due, longer)


def _true(fact: Fact, scene: Scene, found: Found) -> bool:
    test = PREDICATES[fact.predicate]
    objects = [thing for place in fact.objects for thing in found[place]]
    subjects = found[fact.subject]
    if fact.predicate == "between":
        return len(objects) == 2 and all(test(scene, subject, *objects) for subject in subjects)
    return all(subject != thing and test(scene, subject, thing) for subject in subjects for thing in objects)


def referents(claims: Claims, scene: Scene) -> list[tuple[int, ...]]:
    """For each phrase, every thing that it can be said to name: all that any of the `findings` gives it."""
    named: list[set[int]] = [set() for _ in claims.phrases]
    for found in findings(claims, scene):
        for things, more in zip(named, found, strict=True):
            things.update(more)
    return [tuple(sorted(things)) for things in named]


def fits(claims: Sequence[Claims], scenes: Sequence[Scene]) -> np.ndarray:
    """[caption scene] bool: which captions hold of which scenes.

    A pair is checked by `holds` only where setting, phrases and counts, compared for all scenes at once,
    allow it.
    """
    index = _Index(scenes)
    result = np.zeros((len(claims), len(scenes)), dtype=bool)
    for row, claim in enumerate(claims):
        for column in np.flatnonzero(index.may_hold(claim)).tolist():
            result[row, column] = holds(claim, scenes[column])
    return result


class _Index:
    """The things of many scenes as arrays, to rule out most scenes of a caption at once."""

    def __init__(self, scenes: Sequence[Scene]):
        things = [(row, thing) for row, scene in enumerate(scenes) for thing in scene.things]
        self.scene_of = np.array([row for row, _ in things], dtype=int)
        self.columns = {
            "kind": np.array([thing.kind for _, thing in things]),
            "group": np.array([KINDS[thing.kind].group for _, thing in things]),
            "colour": np.array([thing.colour for _, thing in things]),
            "size": np.array([thing.size for _, thing in things]),
        }
        self.settings = np.array([scene.setting for scene in scenes])
        self.equal: dict[tuple[str, str], np.ndarray] = {}
        self.scenes = len(scenes)

    def _equal(self, column: str, value: str) -> np.ndarray:
        key = (column, value)
        if key not in self.equal:
            self.equal[key] = self.columns[column] == value
        return self.equal[key]

    def may_hold(self, claims: Claims) -> np.ndarray:
        """[scene] bool: True wherever the claims hold, and in few other scenes."""
        allowed = np.ones(self.scenes, dtype=bool)
        if claims.setting is not None:
            allowed &= self.settings == claims.setting
        for phrase in claims.phrases:
            said = [(column, getattr(phrase, column)) for column in self.columns]
            masks = [self._equal(column, value) for column, value in said if value is not None]
            rows = self.scene_of[np.logical_and.reduce(masks)] if masks else self.scene_of
            number = np.bincount(rows, minlength=self.scenes)
            allowed &= number >= 1 if phrase.count is None else number == phrase.count
        return allowed


def ambiguity_ceiling(
    scenes: Sequence[Scene], claims: Sequence[Claims], image_of: Sequence[int]
) -> tuple[float, float]:
    """Expected R@1, in per cent, of an oracle that knows which captions hold of which scenes and no more.

    It gives every pair that holds the same score and breaks ties at random. With F[c, s] = 1 where caption c
    holds of scene s, and s(c) the scene that c was written for:

        text to image:  mean over c of  1 / sum_s F[c, s]
        image to text:  mean over s of  |{c : s(c) = s}| / sum_c F[c, s]

    Nobody can expect more in text to image. Image to text can be beaten a little: who prefers, among the
    captions that hold, the one that says more, will pick the scene's own more often than chance does.

    Args:
        scenes: [scene]
        claims: [caption], each holding of its own scene
        image_of: [caption] the row of `scenes` that each was written for

    Returns:
        image to text, text to image
    """
    matrix, own = fits(claims, scenes), np.asarray(image_of)
    wrong = np.flatnonzero(~matrix[np.arange(len(claims)), own])
    if len(wrong):
        raise ValueError(f"wanted captions that hold of their own scenes; caption {wrong[0]} does not")
    written = np.bincount(own, minlength=len(scenes))
    image_to_text = float(np.mean(written[written > 0] / matrix.sum(axis=0)[written > 0]))
    text_to_image = float(np.mean(1 / matrix.sum(axis=1)))
    return 100 * image_to_text, 100 * text_to_image
