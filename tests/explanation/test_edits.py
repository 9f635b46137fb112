import numpy as np
import pytest
import torch

from itr_explore.data.text import split_words
from itr_explore.explanation.edits import (
    CutEdge,
    DropRegion,
    MeanEdge,
    RemoveWord,
    ReplaceRegion,
    ReplaceWord,
    ReverseEdge,
    SwapRegions,
    check,
    edited,
    elsewhere,
    rewired,
    told,
)
from itr_explore.records import Pair

NONE = frozenset()
EDGES = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]])


def make_pair(caption="A red dog, near two boats.", regions=4, seed=0, feature=3):
    words, offsets = split_words(caption)
    features = np.random.default_rng(seed).normal(size=(regions, feature)).astype(np.float32)
    boxes = np.linspace(0, 1, regions * 4, dtype=np.float32).reshape(regions, 4)
    labels = tuple(f"thing {row}" for row in range(regions))
    return Pair(f"image {seed}", None, features, boxes, caption, words, offsets, labels=labels)


def test_a_dropped_region_is_gone_with_its_box_and_label():
    pair, changed = make_pair(), edited(make_pair(), [DropRegion(1)]).pair
    assert np.array_equal(changed.regions, pair.regions[[0, 2, 3]])
    assert np.array_equal(changed.boxes, pair.boxes[[0, 2, 3]])
    assert changed.labels == ("thing 0", "thing 2", "thing 3")


def test_swapped_regions_exchange_features_and_leave_boxes():
    pair, changed = make_pair(), edited(make_pair(), [SwapRegions(0, 2)]).pair
    assert np.array_equal(changed.regions, pair.regions[[2, 1, 0, 3]])
    assert np.array_equal(changed.boxes, pair.boxes)


def test_a_region_is_replaced_by_another_image_s():
    donor = make_pair(seed=1)
    changed = edited(make_pair(), [ReplaceRegion(3, donor, 0), DropRegion(0)]).pair
    assert np.array_equal(changed.regions[2], donor.regions[0])
    assert changed.labels == ("thing 1", "thing 2", "thing 0")


@pytest.mark.parametrize(
    ("edits", "caption"),
    [
        ([ReplaceWord(1, "blue")], "A blue dog, near two boats."),
        ([RemoveWord(1)], "A dog, near two boats."),
        ([ReplaceWord(0, "one very"), RemoveWord(5)], "one very red dog, near two ."),
    ],
)
def test_a_caption_is_edited_and_read_anew(edits, caption):
    changed = edited(make_pair(), edits).pair
    assert (changed.caption, changed.words) == (caption, split_words(caption)[0])


def test_edges_follow_their_nodes_to_new_places():
    pair, of_words = make_pair(), frozenset({"words"})
    edits = [DropRegion(0), ReplaceWord(1, "dark blue"), CutEdge("regions", 1, 3), CutEdge("words", 0, 5)]
    assert edited(pair, edits, of_words).edges == (CutEdge("regions", 0, 2), CutEdge("words", 0, 6))


def test_what_is_known_of_the_truth_is_dropped_with_what_it_is_about(make_explanation):
    pair = make_explanation().pair
    assert edited(pair, [DropRegion(0)]).pair.truth is None
    assert edited(pair, [CutEdge("regions", 0, 1)]).pair is pair


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([DropRegion(1), SwapRegions(0, 1)], "region 1 is asked for twice"),
        ([CutEdge("a", 0, 1), ReverseEdge("a", 1, 0)], "a 0 1 is asked for twice"),
        ([CutEdge("a", 0, 1), MeanEdge("a.layers.0", 0, 1)], "a.layers.0 0 1 is asked for twice"),
        ([DropRegion(1), CutEdge("a", 0, 1)], "edge 0 to 1 of a cut: another edit removes one of its ends"),
        ([DropRegion(row) for row in range(4)], "all 4 regions of image 'image 0' are dropped"),
        ([RemoveWord(row) for row in range(6)], "all words of .* are removed"),
    ],
)
def test_edits_that_do_not_go_together_are_refused(edits, message):
    with pytest.raises(ValueError, match=message):
        edited(make_pair(), edits)


def test_a_word_that_would_join_its_neighbour_is_refused():
    with pytest.raises(ValueError, match="'a bigdog' reads as 2 words where 3 are wanted"):
        edited(make_pair("a ❤dog"), [ReplaceWord(1, "big")])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (DropRegion(4), "this pair has 4 regions, from 0 to 3; got region 4"),
        (SwapRegions(2, 2), "got region 2 twice"),
        (ReplaceRegion(0, make_pair(seed=1), 9), "image 'image 1' has 4 regions"),
        (ReplaceRegion(0, make_pair(seed=1, feature=2), 0), "3 features here, one of image 'image 1' has 2"),
        (DropRegion(0.5), "this pair has 4 regions, from 0 to 3; got region 0.5"),
        (RemoveWord(-1), "this pair has 6 words, from 0 to 5; got word -1"),
        (ReplaceWord(0, "!"), "no word in '!'; RemoveWord takes a word away"),
        (CutEdge("edges", 0, 3), "the graph of 'edges' has 3 nodes, from 0 to 2; got node 3"),
        (CutEdge("edges", 1, 1), "an edge joins two nodes, got 1 twice"),
        (MeanEdge("edges", 0, 1), "no edge from 0 to 1 in 'edges': its weight is zero"),
        ("drop it", "an edit is wanted"),
    ],
)
def test_an_edit_of_nothing_is_refused(edit, message):
    with pytest.raises(ValueError, match=message):
        check(edit, make_pair(), {"edges": np.array([[[1.0, 0.0, 1.0]] * 3])})


def test_a_cut_edge_leaves_its_share_to_the_rest_of_its_row():
    wanted = torch.tensor([[0.4, 0.0, 0.6], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]])
    torch.testing.assert_close(rewired(EDGES, [CutEdge("", 0, 1)], 0, 3, sums=True), wanted)


def test_a_cut_edge_takes_its_share_with_it_if_so_wanted():
    wanted = torch.tensor([0.2, 0.0, 0.3])
    for edit, sums in ((CutEdge("", 0, 1, keep_sum=False), True), (CutEdge("", 0, 1), False)):
        assert torch.equal(rewired(EDGES, [edit], 0, 3, sums)[0], wanted)


def test_a_row_that_held_nothing_but_a_cut_edge_is_empty():
    edges = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    assert torch.equal(rewired(edges, [CutEdge("", 0, 1)], 0, 2, sums=True)[0], torch.zeros(2))


def test_a_reversed_edge_exchanges_both_ways():
    found = rewired(EDGES, [ReverseEdge("", 0, 1)], 0, 3, sums=False)
    assert (found[0, 1], found[1, 0]) == (EDGES[1, 0], EDGES[0, 1])
    scaled = rewired(EDGES, [ReverseEdge("", 0, 1)], 0, 3, sums=True)
    torch.testing.assert_close(scaled.sum(dim=-1), torch.ones(3))


def test_the_mean_edge_is_that_of_all_between_two_different_real_nodes():
    padded = torch.nn.functional.pad(EDGES, (1, 2, 1, 2), value=9.0)
    found = rewired(padded, [MeanEdge("", 2, 0)], first=1, count=3, sums=False)
    assert found[3, 1] == pytest.approx((0.5 + 0.3 + 0.6 + 0.2 + 0.1 + 0.1) / 6)


def test_other_edges_stay_as_they_are_and_so_does_what_was_given():
    before = EDGES.clone()
    found = rewired(EDGES, [CutEdge("", 0, 1)], 0, 3, sums=True)
    assert torch.equal(EDGES, before)
    assert torch.equal(found[1:], EDGES[1:])


def test_controls_are_different_and_touch_nothing_of_what_was_edited():
    edits = [DropRegion(1), RemoveWord(0)]
    drawn = elsewhere(make_pair(), edits, {}, NONE, 10, np.random.default_rng(0))
    assert len(drawn) == len(set(drawn)) == 10
    assert all(one.region != 1 and other.word != 0 for one, other in drawn)


def test_there_are_no_more_controls_than_other_things():
    drawn = elsewhere(make_pair(), [DropRegion(1)], {}, NONE, 10, np.random.default_rng(0))
    assert {one.region for (one,) in drawn} == {0, 2, 3}
    assert not elsewhere(make_pair("dog"), [RemoveWord(0)], {}, NONE, 10, np.random.default_rng(0))


def test_an_edge_is_compared_with_those_nearest_to_its_weight_and_within_half_of_it():
    weights = {"edges": np.array([[[0.0, 1.0, 1.1], [0.4, 0.0, 1.4], [1.6, 0.9, 0.0]]])}
    cut, rng = CutEdge("edges", 0, 1), np.random.default_rng(0)
    near = {(one.row, one.column) for (one,) in elsewhere(make_pair(), [cut], weights, NONE, 2, rng)}
    every = {(one.row, one.column) for (one,) in elsewhere(make_pair(), [cut], weights, NONE, 9, rng)}
    assert near == {(0, 2), (2, 1)}
    assert every == {(0, 2), (2, 1), (1, 2)}


def test_a_reversed_edge_is_compared_with_those_that_are_as_strong_both_ways_each_once():
    weights = np.zeros((1, 6, 6))
    for one, other, there, back in ((0, 1, 1.0, 0.2), (2, 3, 1.0, 0.3), (5, 4, 1.1, 0.2), (2, 4, 1.0, 1.0)):
        weights[0, one, other], weights[0, other, one] = there, back
    draw, pair = (ReverseEdge("edges", 0, 1),), make_pair(regions=6)
    drawn = elsewhere(pair, draw, {"edges": weights}, NONE, 9, np.random.default_rng(0))
    assert {(one.row, one.column) for (one,) in drawn} == {(2, 3), (5, 4)}
    equal = elsewhere(pair, draw, {"edges": np.ones((1, 3, 3))}, NONE, 9, np.random.default_rng(0))
    assert {frozenset((one.row, one.column)) for (one,) in equal} == {frozenset((0, 2)), frozenset((1, 2))}
    assert len(equal) == 2


def test_a_control_does_not_cut_an_edge_of_a_region_that_it_drops():
    weights = {"edges": np.ones((1, 4, 4))}
    edits = [DropRegion(0), CutEdge("edges", 1, 2)]
    for drop, cut in elsewhere(make_pair(), edits, weights, NONE, 20, np.random.default_rng(0)):
        assert drop.region not in (cut.row, cut.column)


def test_edits_say_what_they_do():
    pair = make_pair()
    assert told(SwapRegions(0, 1), pair) == "region 0 (thing 0) and region 1 (thing 1) swapped"
    assert told(ReplaceWord(1, "blue"), pair) == "word 1 'red' replaced by 'blue'"
    assert told(MeanEdge("side", 0, 1), pair) == "edge 0 to 1 of side replaced by the mean edge"
