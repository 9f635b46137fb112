import numpy as np
import pytest

from itr_explore.data.entities import ChainBoxes, Phrase, locate_tokens, phrase_truth
from itr_explore.data.text import split_words

CAPTION = "Two dogs run on the beach, past it."
TOKENS = ("two", "dogs", "run", "on", "the", "beach", "past", "it")
BOXES = np.array([[0, 0, 0.2, 0.2], [0.5, 0.5, 0.7, 0.7]], np.float32)
CHAINS = ChainBoxes(BOXES, {"7": [0, 1]}, frozenset({"9"}))
REGIONS = np.array([[0, 0, 1, 1], [0, 0, 0.2, 0.21], [0.8, 0.8, 0.9, 0.9]], np.float32)


def truth(phrases, tokens=TOKENS, caption=CAPTION):
    return phrase_truth(caption, split_words(caption)[1], tokens, phrases, CHAINS, REGIONS)


def test_a_phrase_is_a_mention_with_the_boxes_of_its_chain():
    (mention,) = truth([Phrase(0, 2, "7", "animals")]).mentions
    assert (mention.words, mention.kind) == ((0, 1), "animals")
    np.testing.assert_array_equal(mention.boxes, BOXES)


def test_words_of_a_phrase_name_the_regions_that_cover_one_of_its_boxes():
    found = truth([Phrase(0, 2, "7", "animals")]).word_regions
    assert found[:2].tolist() == [[False, True, False]] * 2
    assert not found[2:].any()


def test_a_phrase_without_a_box_names_no_region():
    found = truth([Phrase(7, 8, "0", "notvisual"), Phrase(3, 4, "8", "other")])
    assert [len(mention.boxes) for mention in found.mentions] == [0, 0]
    assert not found.word_regions.any()


def test_chain_0_is_never_grounded_even_where_a_file_gives_it_a_box():
    chains = ChainBoxes(BOXES, {"0": [0]}, frozenset())
    assert len(chains.find(Phrase(0, 1, "0", "other"))[0]) == 0


def test_the_scene_as_such_is_the_whole_image_and_a_kind_of_its_own():
    found = truth([Phrase(4, 6, "9", "scene")])
    assert found.mentions[0].kind == "whole scene"
    assert found.word_regions[5].tolist() == [True, False, False]


def test_phrases_are_counted_in_the_source_s_own_tokens():
    tokens = ("Two", "dogs", "run", "on", "the", "beach", ",", "past", "it", ".")
    assert truth([Phrase(8, 9, "7", "animals")], tokens).mentions[0].words == (7,)
    assert truth([Phrase(6, 7, "7", "other")], tokens).mentions == ()  # a comma is no word


def test_a_token_inside_one_of_our_words_names_that_word():
    found = truth([Phrase(1, 2, "7", "animals")], ("the", "dog", "'s", "ball"), "the dog's ball")
    assert found.mentions[0].words == (1,)


def test_tokens_are_found_one_after_the_other():
    assert locate_tokens("A dog, a Dog", ("a", "dog", "a", "dog")) == [(0, 1), (2, 5), (7, 8), (9, 12)]
    assert locate_tokens("İki dog", ("dog",)) == [(4, 7)]


def test_a_token_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="'cat' does not occur in the caption 'a dog'"):
        locate_tokens("a dog", ("a", "cat"))
