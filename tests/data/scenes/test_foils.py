"""Foils are false of their scene, and differ from a true caption by one exchange."""

import pytest

from itr_explore import Collection
from itr_explore.data.scenes.claims import Claims, Fact, Phrase
from itr_explore.data.scenes.foils import foils_of
from itr_explore.data.scenes.grammar import Sentence
from itr_explore.data.scenes.language import Caption
from itr_explore.data.scenes.world import Scene, Thing


def thing(kind, colour, size, left):
    return Thing(kind, colour, size, (left, 0.6, left + 0.1, 0.8), 0.8, None, 0)


DOG, CAR = thing("dog", "orange", "large", 0.1), thing("car", "blue", "small", 0.4)
LEFT, RIGHT = Phrase("dog", colour="orange"), Phrase("car", colour="blue")


def scene(*things) -> Scene:
    return Scene("city", things, (), 0)


def caption(first, predicate, second) -> Caption:
    """ "An orange dog is left of a blue car.", with its spans."""
    sentence = Sentence()
    for place, phrase in enumerate((first, second)):
        if place:
            sentence.say("is")
            sentence.say(predicate, "relation", 0)
        sentence.say("an" if phrase.colour == "orange" else "a")
        sentence.say(phrase.colour or "", "attribute", place)
        sentence.say(phrase.kind, "thing", place)
    sentence.finish()
    claims = Claims((first, second), (Fact(0, predicate, (1,)),))
    return Caption(sentence.text, claims, tuple(sentence.spans))


def test_foils_of_a_sentence_are_what_one_would_write_by_hand():
    found = [(foil.kind, foil.text) for foil in foils_of(caption(LEFT, "left of", RIGHT), scene(DOG, CAR))]
    assert found == [
        ("relation", "An orange dog is right of a blue car."),
        ("relation", "A blue car is left of an orange dog."),
        ("attribute", "A blue dog is left of an orange car."),
    ]


def test_what_happens_to_be_true_of_the_scene_is_no_foil():
    another_dog = thing("dog", "orange", "large", 0.7)
    found = foils_of(caption(LEFT, "left of", RIGHT), scene(DOG, CAR, another_dog))
    assert [foil.text for foil in found] == ["A blue dog is left of an orange car."]


def test_a_relation_without_an_opposite_has_no_relation_foil():
    found = foils_of(caption(LEFT, "next to", RIGHT), scene(DOG, CAR))
    assert {foil.kind for foil in found} == {"attribute"}


def test_the_same_attribute_is_not_exchanged():
    red_car = thing("car", "orange", "small", 0.4)
    same = caption(LEFT, "left of", Phrase("car", colour="orange"))
    assert {foil.kind for foil in foils_of(same, scene(DOG, red_car))} == {"relation"}


def test_scenes_bring_foils_that_are_made_of_known_words():
    scenes = Collection.scenes("val", size=40)
    known = {
        word for caption in Collection.scenes("val").captions for word in caption.lower().strip(".").split()
    }
    foils = [foil for caption in range(len(scenes.captions)) for foil in scenes.foils(caption)]
    assert len(foils) > 100
    assert all(set(foil.lower().strip(".").replace(",", "").split()) <= known for foil in foils)


@pytest.mark.parametrize("caption", [0, 57])
def test_foils_follow_their_captions_into_a_subset(caption):
    scenes = Collection.scenes("val", size=40)
    image = int(scenes.image_of[caption])
    place = list(scenes.captions_of(image)).index(caption)
    assert scenes.subset([5, image]).foils(5 + place if image != 5 else place) == scenes.foils(caption)
