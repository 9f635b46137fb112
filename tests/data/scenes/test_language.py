"""Captions are read back by a parser with its own dictionary, so text and claims cannot drift apart."""

import re
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from itr_explore.data.scenes.claims import Claims, Phrase, ambiguity_ceiling, holds
from itr_explore.data.scenes.language import Caption, make_captions, name_things, truth_of
from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.predicates import OPPOSITE
from itr_explore.data.scenes.world import COLOURS, HELD_OUT, SETTINGS, visible_box
from itr_explore.data.text import split_words

KIND_WORDS = """dog dogs|cat cats|horse horses pony ponies|sheep|elephant elephants|duck ducks
rabbit rabbits bunny bunnies|car cars|bus buses|truck trucks lorry lorries|bicycle bicycles bike bikes|boat boats
tree trees|flower flowers|cactus cacti|house houses cottage cottages|tower towers|tent tents|windmill windmills
chair chairs|table tables|bed beds|sofa sofas couch couches|lamp lamps|ball balls|robot robots
teddy teddies|block blocks cube cubes|drum drums|airplane airplanes plane planes|balloon balloons|kite kites
animal animals|vehicle vehicles|plant plants"""
KINDS = {word: line.split()[0] for line in re.split(r"[|\n]", KIND_WORDS) for word in line.split()}
COLOUR_OF = {**{colour: colour for colour in COLOURS}, "violet": "purple"}
SIZE_OF = {
    **dict.fromkeys(["small", "little", "tiny"], "small"),
    **dict.fromkeys(["large", "big", "huge", "tall"], "large"),
    "medium-sized": "medium",
}
NUMBER_OF = {
    "one": 1,
    "two": 2,
    "pair": 2,
    "couple": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
}
SETTING_OF = {
    "meadow": "meadow|grass|(grassy )?field",
    "beach": "beach scene|(sandy )?beach|sand|sea",
    "city": "city street|city scene|city|street|town",
    "room": "room|indoors",
    "night": "night scene|(dark )?night|(?<=the )dark",
    "snow": "winter scene|winter day|winter|snowy scene|snow",
}
PREDICATE_OF = {
    "(to |on )?(the )?left of": "left of", "(to |on )?(the )?right of": "right of", "on top of": "on",
    "above|over": "above", "below|beneath": "below", "underneath|under": "under", "in front of": "in front of",
    "behind": "behind", "next to|beside|by": "next to", "in between|between": "between", "on": "on",
}  # fmt: skip
FILLERS = {
    "is",
    "are",
    "there",
    "here",
    "we",
    "see",
    "the",
    "picture",
    "shows",
    "that",
    "with",
    "and",
    "stands",
    "stand",
    "waits",
    "wait",
    "parked",
    "grows",
    "grow",
    "rests",
    "rest",
    "flies",
    "fly",
    "floats",
    "float",
    "hangs",
    "hang",
    "dark",
}


def read(text: str):
    """Phrases, facts and setting as plain words say them: an independent reading of a caption."""
    text = text.lower().rstrip(".").replace(",", "").replace("teddy bear", "teddy")
    text = text.replace("teddys", "teddies")
    setting = None
    for name, nouns in SETTING_OF.items():
        pattern = rf"\b((in|on|at|by|over|inside|with)( a| the)? |the inside of a |^a |^the )?\b({nouns})\b"
        text, times = re.subn(pattern, "", text)
        assert times == 0 or (times == 1 and setting is None), text
        setting = name if times else setting
    for pattern, name in PREDICATE_OF.items():
        text = re.sub(rf"\b({pattern})\b", name.upper().replace(" ", "_"), text)
    phrases, items, words = [], [], text.split()
    said = {}
    for row, word in enumerate(words):
        if word in KINDS or (word == "one" and words[row - 1] not in ("with", "and") and said):
            kind = KINDS[word] if word in KINDS else phrases[0]["kind"]
            phrases.append({"kind": kind, "colour": None, "size": None, "count": None, **said})
            items.append(len(phrases) - 1)
            said = {}
        elif word in COLOUR_OF:
            said["colour"] = COLOUR_OF[word]
        elif word in SIZE_OF:
            said["size"] = SIZE_OF[word]
        elif word in NUMBER_OF:
            said["count"] = NUMBER_OF[word]
        elif word.isupper():
            items.append(word.lower().replace("_", " "))
        elif word in ("a", "an", "another", "of"):
            pass
        else:
            assert word in FILLERS, word
    phrases[0].update(said)  # "the dog next to a tree is small and red"
    named = [tuple(phrase.values()) for phrase in phrases]
    facts = []
    for place, item in enumerate(items):
        if isinstance(item, str):
            many = 2 if item == "between" and phrases[items[place + 1]]["count"] is None else 1
            objects = items[place + 1 : place + 1 + many]
            subject = items[place - 1] if place else items[place + 1 + many]
            facts.append((named[subject], item, tuple(sorted(map(str, (named[o] for o in objects))))))
    return sorted(map(str, named)), sorted(map(str, facts)), setting


def claimed(caption: Caption):
    """The claims of a caption in the form that `read` gives."""
    named = [(p.kind or p.group, p.colour, p.size, p.count) for p in caption.claims.phrases]
    facts = [
        (named[f.subject], f.predicate, tuple(sorted(str(named[o]) for o in f.objects)))
        for f in caption.claims.facts
    ]
    return sorted(map(str, named)), sorted(map(str, facts)), caption.claims.setting


@pytest.fixture(scope="module")
def pairs():
    scenes = [make_scene((0, "test", index)) for index in range(2000)]
    return [(scene, caption) for scene in scenes for caption in make_captions(scene)]


def test_every_caption_holds_of_its_scene(pairs):
    assert all(holds(caption.claims, scene) for scene, caption in pairs)


def test_every_caption_says_in_words_what_it_claims(pairs):
    for _, caption in pairs:
        assert read(caption.text) == claimed(caption), caption.text


def test_a_wrong_setting_never_holds(pairs):
    for scene, caption in pairs:
        for wrong in set(SETTINGS) - {scene.setting}:
            assert not holds(replace(caption.claims, setting=wrong), scene)


def mutated(caption, place, **changes):
    phrases = list(caption.claims.phrases)
    phrases[place] = replace(phrases[place], **changes)
    return replace(caption.claims, phrases=tuple(phrases))


def test_a_wrong_count_never_holds(pairs):
    counted = [
        (scene, caption, place)
        for scene, caption in pairs
        for place, phrase in enumerate(caption.claims.phrases)
        if phrase.count
    ]
    assert len(counted) > 500
    for scene, caption, place in counted:
        count = caption.claims.phrases[place].count
        assert not holds(mutated(caption, place, count=count + 1), scene)
        assert not holds(mutated(caption, place, count=count - 1), scene)


def test_a_colour_that_nothing_of_its_kind_has_never_holds(pairs):
    for scene, caption in pairs:
        for place, phrase in enumerate(caption.claims.phrases):
            present = {t.colour for t in scene.things if replace(phrase, colour=None).fits(t)}
            for wrong in set(COLOURS) - present:
                assert not holds(mutated(caption, place, colour=wrong), scene)


def test_a_kind_that_is_not_there_never_holds(pairs):
    for scene, caption in pairs:
        absent = set(KINDS.values()) - {"animal", "vehicle", "plant"} - {t.kind for t in scene.things}
        assert not any(holds(mutated(caption, 0, kind=k, group=None), scene) for k in sorted(absent)[:5])


def test_a_relation_turned_round_does_not_hold_where_it_can_only_be_meant_one_way(pairs):
    turned = Counter()
    for scene, caption in pairs:
        only = all(sum(map(p.fits, scene.things)) == (p.count or 1) for p in caption.claims.phrases)
        for place, fact in enumerate(caption.claims.facts):
            if only and fact.predicate in OPPOSITE:
                facts = list(caption.claims.facts)
                facts[place] = replace(fact, predicate=OPPOSITE[fact.predicate])
                assert not holds(replace(caption.claims, facts=tuple(facts)), scene)
                turned[fact.predicate] += 1
    assert set(turned) == set(OPPOSITE)


def test_captions_of_a_scene_differ_and_stay_short(pairs):
    for start in range(0, len(pairs), 5):
        assert len({caption.text for _, caption in pairs[start : start + 5]}) == 5
    lengths = [len(caption.text.split()) for _, caption in pairs]
    assert min(lengths) >= 5
    assert max(lengths) <= 25


def test_a_seed_always_gives_the_same_captions():
    scenes = [make_scene((0, "train", index)) for index in range(50)]
    text = "".join(caption.to_json() for scene in scenes for caption in make_captions(scene))
    assert sha256(text.encode()).hexdigest()[:16] == "982ff2a93eb4d549"


def test_a_caption_survives_json(pairs):
    for _, caption in pairs[:200]:
        assert Caption.from_json(caption.to_json()) == caption


def test_each_span_is_a_word_for_what_its_phrase_says(pairs):
    for _, caption in pairs[:2000]:
        for span in caption.spans:
            words = caption.text[span.start : span.end].lower()
            phrase = caption.claims.phrases[span.target] if span.kind != "relation" else None
            if span.kind == "thing":
                kind = KINDS.get(words.replace("teddy bear", "teddy").replace("teddys", "teddies"))
                assert words == "one" or kind == (phrase.kind or phrase.group)
            elif span.kind == "attribute":
                assert COLOUR_OF.get(words) == phrase.colour or SIZE_OF.get(words) == phrase.size
            elif span.kind == "count":
                assert NUMBER_OF[words] == phrase.count
            elif span.kind == "relation":
                said = caption.claims.facts[span.target].predicate
                assert any(re.fullmatch(p, words) for p, name in PREDICATE_OF.items() if name == said)
            else:
                assert re.fullmatch(SETTING_OF[caption.claims.setting], words) or words == "dark"


def test_truth_links_words_to_the_regions_of_what_they_name(pairs):
    for scene, caption in pairs[:300]:
        boxes = np.array([visible_box(scene, row) for row in range(len(scene.things))] + [(0, 0, 1, 1)])
        words, offsets = split_words(caption.text)
        truth = truth_of(caption, scene, words, offsets, boxes)
        for span, mention in zip(
            [s for s in caption.spans if s.kind != "relation"], truth.mentions, strict=True
        ):
            assert mention.kind == span.kind
            assert " ".join(words[w] for w in mention.words) == caption.text[span.start : span.end].lower()
            named = (-1,) if span.kind == "setting" else caption.claims.phrases[span.target].things
            assert truth.word_regions[mention.words[0]][list(named)].all()
        for relation, fact in zip(truth.relations, caption.claims.facts, strict=True):
            assert relation.predicate == fact.predicate
            assert truth.mentions[relation.subject].kind == "thing"
            assert len(relation.words) >= 1


def test_a_word_names_every_thing_that_makes_its_caption_true():
    scene = make_scene((0, "test", 0))
    two = replace(scene, things=(replace(scene.things[0], on=None), replace(scene.things[0], on=None)))
    assert name_things(Claims((Phrase(two.things[0].kind),)), two).phrases[0].things == (0, 1)


def test_truth_refuses_the_words_of_another_caption(pairs):
    (scene, caption), *_ = pairs
    with pytest.raises(ValueError, match="no word stands at characters"):
        truth_of(caption, scene, ("dog",), ((0, 3),), np.zeros((1, 4)))


def test_captions_for_the_compose_probe_all_name_a_held_out_pair():
    for index in range(100):
        scene = make_scene((0, "compose", index), novel=True)
        for caption in make_captions(scene, novel=True):
            assert any((p.kind, p.colour) in HELD_OUT for p in caption.claims.phrases)


def test_captions_are_specific_enough_for_retrieval(pairs):
    some = pairs[:2500]
    scenes = [scene for scene, _ in some[::5]]
    own = np.repeat(np.arange(500), 5)
    image_to_text, text_to_image = ambiguity_ceiling(scenes, [caption.claims for _, caption in some], own)
    assert 80 < image_to_text < 100
    assert 85 < text_to_image < 100
