from itertools import product

import numpy as np
import pytest

from itr_explore.data.scenes.claims import (
    Claims,
    Fact,
    Phrase,
    ambiguity_ceiling,
    fits,
    holds,
    referents,
)
from itr_explore.data.scenes.language import make_captions
from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.predicates import PREDICATES
from itr_explore.data.scenes.world import Scene, Thing


def thing(kind, colour, left, base, size="medium", wide=0.1, high=0.2, on=None):
    return Thing(kind, colour, size, (left, base - high, left + wide, base), base, on, 0)


ROW = Scene(  # from left to right: a red car, a blue dog, a red car
    "city",
    (thing("car", "red", 0.1, 0.8), thing("dog", "blue", 0.4, 0.8), thing("car", "red", 0.7, 0.8)),
    (),
    0,
)
CAR, RED_CAR, DOG = Phrase("car"), Phrase("car", colour="red"), Phrase("dog")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (Claims((RED_CAR,)), True),
        (Claims((Phrase("car", colour="blue"),)), False),
        (Claims((Phrase("dog", size="large"),)), False),
        (Claims((Phrase(group="vehicle"), DOG)), True),
        (Claims((CAR,), setting="city"), True),
        (Claims((CAR,), setting="beach"), False),
        (Claims((Phrase("car", count=2),)), True),
        (Claims((Phrase("car", count=1),)), False),
        (Claims((Phrase("dog", count=1),)), True),
        (Claims((CAR, CAR)), True),  # a car and another car
        (Claims((CAR, CAR, CAR)), False),
        (Claims((DOG, CAR), (Fact(0, "left of", (1,)),)), True),
        (Claims((DOG, CAR), (Fact(0, "right of", (1,)),)), True),
        (Claims((DOG, Phrase("car", count=2)), (Fact(0, "right of", (1,)),)), False),  # of both
        (Claims((Phrase("car", count=2), DOG), (Fact(0, "left of", (1,)),)), False),  # both of them
        (Claims((DOG, Phrase("car", count=2)), (Fact(0, "between", (1,)),)), True),
        (Claims((DOG, CAR, CAR), (Fact(0, "between", (1, 2)),)), True),
        (Claims((CAR, DOG, CAR), (Fact(0, "between", (1, 2)),)), False),
        (Claims((CAR, DOG, CAR), (Fact(0, "left of", (1,)), Fact(1, "left of", (2,)))), True),
    ],
)
def test_claims_about_three_things_in_a_row(claims, expected):
    assert holds(claims, ROW) is expected


def test_a_phrase_names_only_what_makes_the_claims_true():
    assert referents(Claims((RED_CAR, DOG), (Fact(0, "left of", (1,)),)), ROW) == [(0,), (1,)]
    assert referents(Claims((RED_CAR,)), ROW) == [(0, 2)]
    assert referents(Claims((DOG,), setting="beach"), ROW) == [()]


def obviously_holds(claims, scene):
    """The definition, word by word, with every assignment tried."""
    if claims.setting not in (None, scene.setting):
        return False
    rows = range(len(scene.things))
    options = []
    for phrase in claims.phrases:
        fitting = tuple(row for row in rows if phrase.fits(scene.things[row]))
        counted = [fitting] if len(fitting) == phrase.count else []
        options.append([(row,) for row in fitting] if phrase.count is None else counted)
    for found in product(*options):
        single = [f for f, p in zip(found, claims.phrases, strict=True) if p.count is None]
        if len(set(single)) == len(single) and all(
            (
                all(PREDICATES["between"](scene, s, *[o for place in f.objects for o in found[place]])
                    for s in found[f.subject])
                if f.predicate == "between"
                else all(PREDICATES[f.predicate](scene, s, o)
                         for s in found[f.subject] for o in found[f.objects[0]])
            )
            for f in claims.facts
        ):  # fmt: skip
            return True
    return False


def test_fits_agrees_with_trying_every_assignment_on_every_scene():
    scenes = [make_scene((3, "test", index)) for index in range(60)]
    claims = [caption.claims for scene in scenes for caption in make_captions(scene)]
    vague = [Claims(c.phrases, c.facts) for c in claims] + [
        Claims(tuple(Phrase(p.kind, p.group) for p in c.phrases), c.facts) for c in claims
    ]
    for some in (claims, vague):
        found = fits(some, scenes)
        assert found.shape == (len(some), 60)
        assert (found == [[obviously_holds(c, scene) for scene in scenes] for c in some]).all()
    assert fits(vague, scenes).sum() > 1.5 * len(vague)  # the comparison saw captions of several scenes


def test_the_ceiling_matches_the_value_worked_out_by_hand():
    other = Scene("city", (thing("dog", "blue", 0.4, 0.8), thing("cat", "red", 0.1, 0.8)), (), 0)
    claims = [Claims((DOG,)), Claims((CAR,)), Claims((Phrase("cat"),))]  # a dog is in both scenes
    image_to_text, text_to_image = ambiguity_ceiling([ROW, other], claims, [0, 0, 1])
    assert text_to_image == pytest.approx(100 * (1 / 2 + 1 + 1) / 3)
    assert image_to_text == pytest.approx(100 * (2 / 2 + 1 / 2) / 2)


def test_the_ceiling_refuses_a_caption_that_is_false_of_its_scene():
    with pytest.raises(ValueError, match="caption 1 does not"):
        ambiguity_ceiling([ROW], [Claims((DOG,)), Claims((Phrase("cat"),))], np.array([0, 0]))
