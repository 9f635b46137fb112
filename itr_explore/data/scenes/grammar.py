"""How to say it: writes a plan down as an English sentence and notes what every word stands for."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from itr_explore.data.scenes.claims import Claims, Phrase
from itr_explore.data.scenes.layout import pick
from itr_explore.data.scenes.lexicon import (
    COLOUR_WORDS,
    HANGS,
    IN_THE_AIR,
    NOUNS,
    NUMBERS,
    ON_THE_GROUND,
    RELATION_PHRASES,
    SIZE_WORDS,
    TALL,
    VERBS,
    WHOLE_SCENES,
)
from itr_explore.data.scenes.plans import Plan
from itr_explore.data.scenes.world import KINDS, Scene


@dataclass(frozen=True)
class Span:
    """Some characters of a caption and what they stand for."""

    start: int
    end: int  # one past the last
    kind: str  # thing, attribute, count, relation or setting
    target: int  # which phrase of the claims, or for a relation which fact; -1 for the setting


class Sentence:
    """Words put one after another; `spans` says what they stand for."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: list[Span] = []

    def say(self, words: str, kind: str | None = None, target: int = -1) -> None:
        """Add words, with a space before them; no words add nothing."""
        if not words:
            return
        if self.text:
            self.text += " "
        start = len(self.text)
        self.text += words
        if kind is not None:
            self.spans.append(Span(start, len(self.text), kind, target))

    def comma(self) -> None:
        """Add a comma."""
        self.text += ","

    def finish(self) -> None:
        """A capital at the beginning, a full stop at the end."""
        self.text = self.text[0].upper() + self.text[1:] + "."


def article(following: str) -> str:
    """ "a" or "an", as the word after it wants."""
    return "an" if following[0] in "aeio" and following != "one" else "a"


class Writer(Sentence):
    """Writes one plan; afterwards `text` and `spans` say what was written."""

    def __init__(self, plan: Plan, scene: Scene, rng: Random):
        super().__init__()
        self.claims: Claims = plan.claims
        self.scene, self.rng = scene, rng
        self.introduced: list[Phrase] = []
        self.setting_due = plan.claims.setting is not None
        getattr(self, "_" + plan.form.replace(" ", "_"))()
        if self.setting_due:
            self._setting()
        self.finish()

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # --- phrases

    def _phrase(self, place: int, definite: bool = True, bare: bool = False, noun: str | None = None) -> None:
        """A noun phrase with all that is claimed of it; `bare` leaves its attributes for later."""
        phrase = self.claims.phrases[place]
        adjectives = [] if bare else self._adjectives(phrase)
        many = phrase.count is not None and phrase.count > 1
        if noun is None:
            noun = pick(self.rng, NOUNS[phrase.kind or phrase.group or ""])[many]
        self._determiner(place, (adjectives or [noun])[0], definite, bare)
        for adjective in adjectives:
            self.say(adjective, "attribute", place)
        self.say(noun, "thing", place)
        self.introduced.append(phrase)

    def _adjectives(self, phrase: Phrase) -> list[str]:
        words = []
        if phrase.size is not None:
            tall = phrase.size == "large" and phrase.kind in TALL and self._chance(0.5)
            words.append("tall" if tall else _usual(self.rng, SIZE_WORDS[phrase.size]))
        if phrase.colour is not None:
            words.append(_usual(self.rng, COLOUR_WORDS[phrase.colour], 0.8))
        return words

    def _determiner(self, place: int, following: str, definite: bool, bare: bool) -> None:
        phrase = self.claims.phrases[place]
        if phrase.count is not None:
            if definite and self._chance(0.12):
                self.say("the")
                options = NUMBERS[phrase.count][:1]
            else:
                options = NUMBERS[phrase.count][: 1 if self.text.endswith(" are") else None]
            before, number, after = _usual(self.rng, options, 0.75)
            self.say(before)
            self.say(number, "count", place)
            self.say(after)
            return
        if self._another(phrase):
            self.say("another")
            return
        said = Phrase(phrase.kind, phrase.group) if bare else phrase
        only = sum(said.fits(thing) for thing in self.scene.things) == 1
        if only and definite and self._chance(0.9 if bare else 0.25):
            self.say("the")
        else:
            self.say(article(following))

    def _another(self, phrase: Phrase) -> bool:
        """The same has been said of something else."""
        before = [p for p in self.introduced if p.count is None]
        same = [p for p in before if p.kind == phrase.kind and p.group == phrase.group]
        plain = phrase.colour is None and phrase.size is None
        return any(plain or (p.colour == phrase.colour and p.size == phrase.size) for p in same)

    def _many(self, place: int) -> bool:
        count = self.claims.phrases[place].count
        return count is not None and count > 1

    def _verb(self, place: int, plain: float = 0.45) -> None:
        """What the things of a phrase do: mostly they just are, but a kite flies."""
        phrase, many = self.claims.phrases[place], self._many(place)
        group = phrase.group or KINDS[phrase.kind or ""].group
        if self._chance(plain):
            self.say("are" if many else "is")
        elif group == "sky" and self.scene.setting == "room":
            self.say(HANGS[many])
        else:
            self.say(pick(self.rng, VERBS.get(phrase.kind or "", VERBS[group]))[many])

    def _there(self, place: int) -> None:
        """An opening that needs no verb after it."""
        be = "are" if self._many(place) else "is"
        if self.text:
            self.say(pick(self.rng, (f"there {be}", "we see"), (4, 1)))
        else:
            self.say(
                pick(self.rng, (f"there {be}", f"here {be}", "we see", "the picture shows"), (5, 1, 1, 1))
            )

    def _fact(self, place: int) -> None:
        fact = self.claims.facts[place]
        self.say(_usual(self.rng, RELATION_PHRASES[fact.predicate], 0.6), "relation", place)

    def _objects(self, place: int) -> None:
        for row, phrase in enumerate(self.claims.facts[place].objects):
            if row:
                self.say("and")
            self._phrase(phrase)

    def _setting(self) -> None:
        """Where or when it all is, said once."""
        self.setting_due = False
        groups = {p.group or KINDS[p.kind or ""].group for p in self.claims.phrases}
        phrases = (IN_THE_AIR if groups == {"sky"} else ON_THE_GROUND)[self.scene.setting]
        before, noun = pick(self.rng, phrases)
        self.say(before)
        self.say(noun, "setting")

    def _setting_by_chance(self, probability: float) -> bool:
        """Say the setting here already, or leave it for the end."""
        if self.setting_due and self._chance(probability):
            self._setting()
            return True
        return False

    def _list(self, places: list[int] | None = None) -> None:
        if places is None:  # as a caption of its own
            places = list(range(len(self.claims.phrases)))
            if self._setting_by_chance(0.3) or self._chance(0.6):
                self._there(0)
        for row, place in enumerate(places):
            if row and row == len(places) - 1:
                if len(places) > 2 and self._chance(0.5):
                    self.comma()
                self.say("and")
            elif row:
                self.comma()
            self._phrase(place, definite=False)

    # --- one method a form, as `plans.FORMS` names them

    def _one(self) -> None:
        if self._setting_by_chance(0.25):
            self._there(0)
            self._phrase(0, definite=False)
        elif self.setting_due and self._chance(0.4):
            self._phrase(0)
            self._verb(0)
        else:
            if not self.setting_due or self._chance(0.5):
                self._there(0)
            self._phrase(0, definite=False)

    _several = _one

    def _relation(self) -> None:
        if self._chance(0.18):  # next to the tree stands a dog
            self._fact(0)
            self._objects(0)
            if self._chance(0.4):
                self.say("there are" if self._many(0) else "there is")
            else:
                self._verb(0)
            self._phrase(0, definite=False)
            return
        fronted = self._setting_by_chance(0.12)
        if fronted:
            self.comma()
        if not fronted and self._chance(0.45):
            if self._chance(0.4):
                self._there(0)
            self._phrase(0, definite=False)
        else:
            self._phrase(0)
            self._verb(0)
        self._fact(0)
        self._objects(0)

    _between = _relation

    def _two_relations(self) -> None:
        if self._setting_by_chance(0.15):
            self.comma()
        for place in (0, 1):
            if place:
                self.say("and")
            subject = self.claims.facts[place].subject
            self._phrase(subject)
            self._verb(subject)
            self._fact(place)
            self._objects(place)

    def _chain(self) -> None:
        self._phrase(0)
        if self._chance(0.7):
            self._verb(0)
        self._fact(0)
        self._phrase(1)
        self.say("that")
        self._verb(1, plain=0.8)
        self._fact(1)
        self._phrase(2)

    def _whole(self) -> None:
        self.setting_due = False
        before, noun = pick(self.rng, WHOLE_SCENES[self.scene.setting])
        self.say(before)
        self.say(noun, "setting")
        self.say("with")
        self._list(list(range(len(self.claims.phrases))))

    def _contrast(self) -> None:
        self._there(0)
        self._phrase(0, definite=False)
        self._setting_by_chance(0.5)
        self.comma()
        self._phrase(1, definite=False, noun="one")
        self.say("and")
        self._phrase(2, definite=False, noun="one")

    def _predicate(self) -> None:
        phrase = self.claims.phrases[0]
        self._phrase(0, bare=True)
        if self._chance(0.3):
            self.say("that is")
        self._fact(0)
        self._objects(0)
        if self.setting_due:
            self._setting()
        self.say("is")
        words = self._adjectives(phrase)
        for row, word in enumerate(words):
            if row:
                self.say("and")
            self.say(word, "attribute", 0)


def _usual(rng: Random, options: tuple, probability: float = 0.65):
    """The first of several, or now and then another."""
    if len(options) == 1 or rng.random() < probability:
        return options[0]
    return pick(rng, options[1:])
