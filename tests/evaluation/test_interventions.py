import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.evaluation.interventions import evaluate_edited
from itr_explore.evaluation.ranking import evaluate
from itr_explore.explanation.edits import CutEdge, DropRegion, RemoveWord
from itr_explore.explanation.intervention import intervene
from itr_explore.models.registry import from_pretrained


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(6))


def same(one, other):
    return np.array_equal(one.image_to_text, other.image_to_text) and np.array_equal(
        one.text_to_image, other.text_to_image
    )


@pytest.mark.parametrize("name", ["scan", "racg"])
def test_without_edits_a_collection_is_ranked_as_ever(scenes, name):
    model = from_pretrained(f"{name}-tiny-scenes")
    found = evaluate_edited(model, scenes, lambda pair: [], controls=1, device="cpu", at_once=4)
    assert same(found.before, evaluate(model, scenes, device="cpu"))
    assert same(found.after, found.before)
    assert same(found.controls[0], found.before)


def test_an_edit_of_one_pair_moves_its_rank_as_intervene_says(scenes):
    model, caption = from_pretrained("vse-tiny-scenes"), scenes.captions[7]

    def edits_of(pair):
        return [RemoveWord(1), RemoveWord(2)] if pair.caption == caption else []

    place = scenes.captions_of(scenes.image_of[7]).tolist().index(7)
    pair = scenes.pair(int(scenes.image_of[7]), place)
    alone = intervene(model, pair, *edits_of(pair), gallery=scenes, controls=0)
    found = evaluate_edited(model, scenes, edits_of, controls=0, device="cpu")
    assert found.after.text_to_image[7] == alone.image_rank.after
    assert found.before.text_to_image[7] == alone.image_rank.before


def test_an_image_is_edited_as_its_first_caption_says(scenes):
    model = from_pretrained("vse-tiny-scenes")
    firsts = {scenes.captions[scenes.captions_of(image)[0]] for image in range(len(scenes))}

    def by_first(pair):
        return [DropRegion(row) for row in range(7 if pair.caption in firsts else 1)]

    ranked = [
        evaluate_edited(model, scenes, edits_of, controls=0, device="cpu")
        for edits_of in (by_first, lambda pair: [DropRegion(row) for row in range(7)])
    ]
    assert same(ranked[0].after, ranked[1].after)
    assert not same(ranked[0].after, ranked[0].before)


def test_regions_words_and_both_kinds_of_edges_are_edited_at_once_and_controls_are_named(scenes):
    model = from_pretrained("vsrnpp-tiny-scenes")
    edits = [DropRegion(0), RemoveWord(3), CutEdge("image_side", 1, 2), CutEdge("caption_side", 0, 1)]
    found = evaluate_edited(model, scenes, lambda pair: edits, controls=2, device="cpu", at_once=4)
    assert list(found.rankings) == ["before", "after", "control 1", "control 2"]
    shown = [row[0] for row in found.table().rows]
    assert shown == ["before", "after", "controls, lowest", "controls, mean", "controls, highest"]


def test_an_edit_of_nothing_is_refused(scenes):
    model = from_pretrained("vse-tiny-scenes")
    with pytest.raises(ValueError, match="got region 99"):
        evaluate_edited(model, scenes, lambda pair: [DropRegion(99)], device="cpu")
    with pytest.raises(ValueError, match="controls >= 0"):
        evaluate_edited(model, scenes, lambda pair: [], controls=-1)
