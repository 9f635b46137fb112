"""What to say: chooses things and relations for a caption before a word of it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from random import Random

from itr_explore.data.scenes.claims import Claims, Fact, Phrase
from itr_explore.data.scenes.detail import add_detail, specificity
from itr_explore.data.scenes.layout import pick
from itr_explore.data.scenes.lexicon import GROUPS
from itr_explore.data.scenes.predicates import between, relations_of
from itr_explore.data.scenes.world import KINDS, Scene

FORMS = {  # what a caption is about, with weights; `Planner` and `grammar.Writer` have a method for each
    "one": 0.7,  # one thing
    "several": 1.3,  # several of a kind
    "relation": 3.0,  # this is there
    "list": 1.3,  # two to four things
    "whole": 1.0,  # the setting, and what is in it
    "two relations": 1.1,  # this is there and that is there
    "chain": 0.8,  # this is by that, which is by something else
    "between": 0.9,
    "contrast": 0.8,  # two of a kind, a red one and a blue one
    "predicate": 0.8,  # the one that is there is red
}
PREDICATES_SAID = {  # how often, with weights
    "left of": 1.0, "right of": 1.0, "above": 1.2, "below": 0.7, "on": 1.3, "under": 0.7,
    "in front of": 0.9, "behind": 0.9, "next to": 0.9,
}  # fmt: skip
VAGUE = 8.5  # bits; captions that say less are avoided
SEVERAL = 0.45  # how often a subject is several things, where there are several of a kind


@dataclass(frozen=True)
class Plan:
    """What a caption will say, and in which form."""

    form: str
    claims: Claims


class Planner:
    """Draws plans for one scene.

    Args:
        scene: what to speak of
        rng: where chance comes from
        focus: every plan shall name this thing by its kind and colour
    """

    def __init__(self, scene: Scene, rng: Random, focus: int | None = None):
        self.scene, self.rng, self.focus = scene, rng, focus
        self.said: set[tuple[str, frozenset[int]]] = set()  # forms and things there is a plan of already
        self.subjects: set[tuple[int, ...]] = set()

    def draw(self) -> Plan:
        """A plan unlike the ones drawn before, and not too vague, as far as the scene has so much to say."""
        tries = 0
        while True:
            form = pick(self.rng, list(FORMS), list(FORMS.values()))
            for _ in range(4):  # or the forms that ask more of a scene would be rare
                tries += 1
                bones = self._bones(form)
                if bones is None:
                    continue
                about = (form, frozenset(thing for phrase in bones.phrases for thing in phrase.things))
                subject = bones.phrases[0].things
                if (tries < 40 and about in self.said) or (tries < 20 and subject in self.subjects):
                    continue
                claims = add_detail(form, bones, self.scene, self.rng, self.focus)
                if (tries < 40 and specificity(claims) < VAGUE) or not self._sound(form, claims):
                    continue
                self.said.add(about)
                self.subjects.add(subject)
                return Plan(form, claims)

    def _bones(self, form: str) -> Claims | None:
        """A caption of this form without detail, or None where the scene has none."""
        bones: Claims | None = getattr(self, "_" + form.replace(" ", "_"))()
        if bones is not None and self.focus is not None:
            wanted = (self.focus,)
            if not any(phrase.things == wanted and phrase.kind for phrase in bones.phrases):
                return None
        return None if bones is not None and form != "contrast" and _names_twice(bones) else bones

    def _sound(self, form: str, claims: Claims) -> bool:
        """Nobody mistakes what is meant, and the thing in focus has its colour said."""
        if form != "contrast" and _confusing(claims):
            return False
        wanted = (self.focus,)
        return self.focus is None or any(p.things == wanted and p.kind and p.colour for p in claims.phrases)

    # --- what the scene offers

    @cached_property
    def relations(self) -> dict[str, list[tuple[int, int]]]:
        """The pairs of things of which each predicate holds."""
        found: dict[str, list[tuple[int, int]]] = {}
        for subject, predicate, other in relations_of(self.scene):
            found.setdefault(predicate, []).append((subject, other))
        return found

    @cached_property
    def several(self) -> list[Phrase]:
        """Phrases that count: two or more of a kind or a group, or of a kind in one colour or size."""
        wanted: dict[Phrase, None] = {}  # in a fixed order, each once
        for one, other in combinations(self.scene.things, 2):
            if one.kind == other.kind:
                wanted[Phrase(one.kind)] = None
                if one.colour == other.colour:
                    wanted[Phrase(one.kind, colour=one.colour)] = None
                if one.size == other.size:
                    wanted[Phrase(one.kind, size=one.size)] = None
            elif KINDS[one.kind].group == KINDS[other.kind].group in GROUPS:
                wanted[Phrase(group=KINDS[one.kind].group)] = None
        found = [(phrase, [phrase.fits(thing) for thing in self.scene.things]) for phrase in wanted]
        return [
            replace(phrase, count=sum(fit), things=tuple(row for row, yes in enumerate(fit) if yes))
            for phrase, fit in found
        ]

    # --- the ways to speak of one or several things

    def _single(self, row: int) -> Phrase:
        kind = self.scene.things[row].kind
        group = KINDS[kind].group
        if group in GROUPS and row != self.focus and self.rng.random() < 0.07:
            return Phrase(group=group, things=(row,))
        return Phrase(kind, things=(row,))

    def _any(self) -> Phrase:
        if self.several and self.rng.random() < SEVERAL:
            return pick(self.rng, self.several)
        return self._single(int(self.rng.random() * len(self.scene.things)))

    def _related(self) -> tuple[str, Phrase, Phrase] | None:
        """A predicate with its subject and object; the subject may be several things."""
        names = [name for name in PREDICATES_SAID if name in self.relations]
        if not names:
            return None
        name = pick(self.rng, names, [PREDICATES_SAID[n] for n in names])
        pairs = self.relations[name]
        subject, other = pick(self.rng, pairs)
        if self.several and self.rng.random() < 2 * SEVERAL:
            groups = [p for p in self.several if subject in p.things and other not in p.things]
            groups = [p for p in groups if all((row, other) in pairs for row in p.things)]
            if groups:
                return name, pick(self.rng, groups), self._single(other)
        return name, self._single(subject), self._single(other)

    # --- one method a form: the bare bones of a caption, or None where the scene has none

    def _one(self) -> Claims:
        return Claims((self._single(int(self.rng.random() * len(self.scene.things))),))

    def _several(self) -> Claims | None:
        return Claims((pick(self.rng, self.several),)) if self.several else None

    def _list(self, least: int = 2, most: int = 4) -> Claims:
        number = least + int(self.rng.random() * (min(most, len(self.scene.things)) - least + 1))
        return Claims(tuple(self._any() for _ in range(number)))

    def _whole(self) -> Claims:
        return self._list(1, 3)

    def _relation(self) -> Claims | None:
        found = self._related()
        return found and Claims((found[1], found[2]), (Fact(0, found[0], (1,)),))

    def _predicate(self) -> Claims | None:
        found = self._related()
        if found is None or found[1].count is not None or found[1].kind is None:
            return None
        subject = replace(found[1], colour=self.scene.things[found[1].things[0]].colour)
        return Claims((subject, found[2]), (Fact(0, found[0], (1,)),))

    def _two_relations(self) -> Claims | None:
        one, other = self._related(), self._related()
        if one is None or other is None:
            return None
        return Claims((one[1], one[2], other[1], other[2]), (Fact(0, one[0], (1,)), Fact(2, other[0], (3,))))

    def _chain(self) -> Claims | None:
        found = self._related()
        if found is None:
            return None
        name, subject, middle = found
        further = [(n, b) for n, pairs in self.relations.items() for a, b in pairs if a == middle.things[0]]
        further = [(n, b) for n, b in further if b not in subject.things]
        if not further:
            return None
        again, last = pick(self.rng, further)
        return Claims((subject, middle, self._single(last)), (Fact(0, name, (1,)), Fact(1, again, (2,))))

    def _between(self) -> Claims | None:
        left = self.relations.get("left of", [])
        found = [(b, a, d) for a, b in left for c, d in left if b == c and between(self.scene, b, a, d)]
        if not found:
            return None
        middle, one, other = pick(self.rng, found)
        if self.rng.random() < 0.5:
            one, other = other, one
        pairs = [p for p in self.several if set(p.things) == {one, other}]
        if pairs and self.rng.random() < 0.7:
            return Claims((self._single(middle), pick(self.rng, pairs)), (Fact(0, "between", (1,)),))
        phrases = (self._single(middle), self._single(one), self._single(other))
        return Claims(phrases, (Fact(0, "between", (1, 2)),))

    def _contrast(self) -> Claims | None:
        pairs = [p for p in self.several if p.kind and p.count == 2 and not p.colour and not p.size]
        if not pairs:
            return None
        both = pick(self.rng, pairs)
        rows = both.things if self.rng.random() < 0.5 else both.things[::-1]
        one, other = (self.scene.things[row] for row in rows)
        if one.colour != other.colour:
            parts = [Phrase(both.kind, colour=self.scene.things[row].colour, things=(row,)) for row in rows]
        elif {one.size, other.size} == {"small", "large"}:
            parts = [Phrase(both.kind, size=self.scene.things[row].size, things=(row,)) for row in rows]
        else:
            return None
        return Claims((both, *parts))


def _names_twice(claims: Claims) -> bool:
    named = [row for phrase in claims.phrases for row in phrase.things]
    return len(named) != len(set(named))


def _confusing(claims: Claims) -> bool:
    """Two phrases could be taken for one another, or one of them counts what the other names too.

    "A dog next to another dog", "a red dog next to a blue dog" and "two red dogs and a blue dog" are clear;
    "a dog next to a blue dog" and "two dogs and a blue dog" are not.
    """
    for one, other in combinations(claims.phrases, 2):
        same = (one.kind, one.group) == (other.kind, other.group)
        if not same and one.kind and other.kind:
            continue
        groups = [KINDS[phrase.kind].group if phrase.kind else phrase.group for phrase in (one, other)]
        if not same and groups[0] != groups[1]:
            continue
        told = [(a, b) for a, b in ((one.colour, other.colour), (one.size, other.size)) if a and b]
        apart = any(a != b for a, b in told)
        alike = (one.colour, one.size, one.count) == (other.colour, other.size, other.count)
        if not apart and not (alike and same and one.count is None):
            return True
    return False
