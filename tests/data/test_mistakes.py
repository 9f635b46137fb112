import numpy as np
import pytest
from toys import toy_collection

from itr_explore.data.collection import Collection
from itr_explore.data.mistakes import (
    CLASSES,
    Step,
    false_claims,
    minimal_foils,
    mistakes,
    told,
)
from itr_explore.data.scenes.claims import Claims, Fact, Phrase, holds
from itr_explore.data.scenes.world import Scene, Thing


def thing(kind, colour, left, size="medium"):
    return Thing(kind, colour, size, (left, 0.6, left + 0.1, 0.8), 0.8, None, 0)


ROW = Scene(  # from left to right: a red car, a blue dog, a white car
    "city", (thing("car", "red", 0.1), thing("dog", "blue", 0.4), thing("car", "white", 0.7)), (), 0
)
CAR, DOG = Phrase("car"), Phrase("dog")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (Claims((CAR, DOG)), [()]),
        (Claims((Phrase("car", colour="blue"),)), [(Step("attribute", 0, "colour"),)]),
        (Claims((Phrase("bus", colour="pink"),)), [(Step("thing", 0),)]),
        (Claims((Phrase("car", count=3),)), [(Step("count", 0),)]),
        (Claims((DOG,), setting="beach"), [(Step("setting"),)]),
        (Claims((DOG, Phrase("car", colour="red")), (Fact(0, "left of", (1,)),)),
         [(Step("attribute", 1, "colour"),), (Step("relation", 0),)]),  # left of the white one, or right
        (Claims((DOG, Phrase("bus")), (Fact(0, "left of", (1,)),)), [(Step("thing", 1),)]),
        (Claims((Phrase("car", colour="red", count=2),)),
         [(Step("attribute", 0, "colour"),), (Step("count", 0),)]),  # two cars, or one red one
        (Claims((Phrase("bus"),), setting="beach"), [(Step("thing", 0), Step("setting"))]),
    ],
)  # fmt: skip
def test_the_least_to_take_back_by_hand(claims, expected):
    assert list(mistakes(claims, ROW)) == expected


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("val", size=40)


def test_captions_are_true_of_their_own_scenes_and_no_others_without_a_mistake(scenes):
    known = told(scenes)
    true = known.true
    assert true[scenes.image_of, np.arange(len(scenes.captions))].all()
    for image, caption in np.ndindex(8, 60):
        ways = mistakes(known.captions[caption].claims, known.scenes[image])
        assert (
            (ways == ((),))
            == true[image, caption]
            == holds(known.captions[caption].claims, known.scenes[image])
        )


def test_a_subset_knows_its_own_scenes(scenes):
    part, whole = told(scenes.subset([7, 3])), told(scenes)
    assert part.scenes == (whole.scenes[7], whole.scenes[3])
    assert [caption.text for caption in part.captions] == scenes.subset([7, 3]).captions


def test_a_mistake_is_told_in_the_words_of_the_caption(scenes):
    known = told(scenes)
    named = false_claims(scenes, 0, 5)
    assert false_claims(scenes, 0, 0) == ()
    assert named
    assert named[0].split("'")[1] in known.captions[0].text
    assert false_claims(toy_collection(3), 0, 1) is None


def test_minimal_foils_are_false_and_differ_in_one_claim(scenes):
    known, seen = told(scenes), set()
    for caption, image in zip(known.captions, scenes.image_of, strict=True):
        for kind, text in minimal_foils(caption, known.scenes[image]).items():
            seen.add(kind)
            assert text != caption.text
            assert len(text.split()) - len(caption.text.split()) in (-2, -1, 0, 1, 2)
    assert seen == set(CLASSES)


def test_the_words_of_foils_are_words_of_the_captions(scenes):
    known = told(scenes)
    read = {word for text in Collection.scenes("val").captions for word in text.lower().strip(".").split()}
    foils = [
        text
        for caption, image in zip(known.captions, scenes.image_of, strict=True)
        for text in minimal_foils(caption, known.scenes[image]).values()
    ]
    assert {word for text in foils for word in text.lower().strip(".").split()} <= read | {"seven", "six"}


def test_other_collections_do_not_know_what_captions_claim():
    with pytest.raises(ValueError, match=r"take Collection.scenes\(\)"):
        told(toy_collection(3))
