"""One caption, two images: the difference of their scores by word."""

from dataclasses import replace

import pytest

from itr_explore.data.collection import Collection
from itr_explore.explanation.contrast_images import compare_images
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import from_pretrained


@pytest.fixture(scope="module")
def pairs():
    scenes = Collection.scenes("test")
    right, other = scenes.pair(0, picture=False), scenes.pair(5, picture=False)
    return right, replace(other, caption=right.caption, words=right.words, offsets=right.offsets, truth=None)


@pytest.mark.parametrize("name", ["chan", "racg", "vse"])
def test_parts_and_rests_add_up_to_the_difference(name, pairs):
    model = from_pretrained(f"{name}-tiny-scenes")
    found = compare_images(model, *pairs)
    assert found.exact
    assert found.scores == pytest.approx([explain(model, pair).score for pair in pairs], abs=1e-5)
    total = (found.words[1] - found.words[0]).sum() + sum(found.word_rests.values()) + found.gap
    assert total == pytest.approx(found.difference, abs=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-4)
    assert "an exact sum" in str(found)


def test_an_attribution_says_what_it_leaves_unexplained(pairs):
    found = compare_images(from_pretrained("chan-tiny-scenes"), *pairs, method="occlusion")
    assert not found.exact
    assert "left unexplained" in str(found)
    total = (found.words[1] - found.words[0]).sum() + sum(found.word_rests.values()) + found.gap
    assert total == pytest.approx(found.difference, abs=1e-4)


def test_two_captions_are_refused(pairs):
    right, other = pairs
    with pytest.raises(ValueError, match="compared by one caption"):
        compare_images(
            from_pretrained("vse-tiny-scenes"), right, replace(other, words=("x",) * len(right.words))
        )


def test_a_sentence_of_unknown_words_is_refused(pairs):
    from itr_explore.data.text import split_words

    words, offsets = split_words("qwx zzy")
    strange = [replace(p, caption="qwx zzy", words=words, offsets=offsets, truth=None) for p in pairs]
    with pytest.raises(ValueError, match="knows none of the words"):
        compare_images(from_pretrained("chan-tiny-scenes"), *strange)
