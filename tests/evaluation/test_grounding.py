import numpy as np
import pytest
import torch
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.grounding import (
    energy,
    expected_at_random,
    ground,
    judge,
    largest,
    nearest_to_centre,
)
from itr_explore.evaluation.report import Grounding
from itr_explore.explanation.attribution import attribute
from itr_explore.models.registry import create_model
from itr_explore.records import Mention, Truth

TILES = np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.3, 0.3, 0.9, 0.9]], np.float32)


def worlds(images=6) -> Collection:
    """Each image has four boxes; `dog` names the first, `cat` the second, `bird` something no box covers."""

    def truth_of(_row, words, _offsets, boxes):
        places = {"dog": boxes[:1], "cat": boxes[1:2], "bird": np.array([[0.9, 0.9, 1, 1]], np.float32)}
        mentions = tuple(
            Mention((at,), places[word], "animal" if word != "bird" else "sky")
            for at, word in enumerate(words)
            if word in places
        )
        covered = np.zeros((len(words), len(boxes)), dtype=bool)
        for mention in mentions:
            for region, box in enumerate(boxes):
                covered[mention.words[0], region] = bool((mention.boxes == box).all(axis=1).any())
        return Truth(mentions, covered)

    features = np.tile(np.eye(4, 5), (images, 1)).astype(np.float32)  # each place has its own
    return Collection(
        name="tiles",
        split="test",
        captions=["a dog and a cat", "the bird over the dog"] * images,
        image_of=np.repeat(np.arange(images), 2),
        image_ids=[str(image) for image in range(images)],
        regions=Ragged(features, np.arange(images + 1) * 4),
        boxes=np.tile(TILES, (images, 1)),
        truth_of=truth_of,
    )


@pytest.fixture
def grounding() -> Grounding:
    collection = worlds()
    return ground(toy_model(collection), collection, device="cpu")


def test_scores_of_a_row_by_hand():
    right = np.array([True, False, True, False])
    assert judge(np.array([0.5, 0.3, 0.1, 0.1]), right) == (1.0, 0.5, 0.5, 0.5)


def test_a_tie_is_worth_the_share_of_right_regions_in_it():
    right = np.array([True, False, False, False])
    assert judge(np.array([0.3, 0.3, 0.3, 0.1]), right).pointing == pytest.approx(1 / 3)


def test_a_map_that_prefers_nothing_attends_to_nothing():
    right = np.array([True, False, False, False])
    assert judge(np.full(4, 0.25), right) == (0.25, 0.0, 0.0, 0.0)


def test_energy_is_the_share_of_the_weight_on_right_regions():
    right = np.array([True, False, True, False])
    assert energy(np.array([0.5, 0.3, 0.1, 0.1]), right) == pytest.approx(0.6)


def test_of_signed_maps_the_part_above_zero_is_energy():
    assert energy(np.array([3.0, 1.0, -2.0]), np.array([True, False, True])) == 0.75
    assert energy(np.array([-3.0, -1.0]), np.array([True, False])) == 0


def test_what_no_region_covers_counts_as_nothing():
    assert judge(np.array([0.9, 0.1]), np.array([False, False])) == (0, 0, 0, 0)


def test_the_random_row_is_the_mean_over_all_regions():
    right = np.array([True, False, True, False, False])
    each = np.mean([judge(one, right) for one in np.eye(5)], axis=0)
    assert expected_at_random(right) == pytest.approx(each)


def test_controls_choose_the_centre_and_the_largest_region():
    assert nearest_to_centre(TILES).tolist() == [0, 0, 0, 1]
    assert largest(TILES).tolist() == [0, 0, 0, 1]


def test_the_ceiling_is_the_share_of_mentions_that_a_region_covers(grounding):
    assert grounding.pointing("ceiling") == pytest.approx(75)
    assert grounding.pointing("ceiling", "animal") == 100
    assert grounding.pointing("ceiling", "sky") == 0


def test_controls_have_the_values_worked_out_by_hand(grounding):
    assert grounding.pointing("random region", "animal") == 25
    assert grounding.pointing("largest region") == 0


def test_words_that_share_a_vector_with_their_region_reach_the_ceiling():
    collection = worlds()
    model = toy_model(collection)
    with torch.no_grad():
        model.look.weight.copy_(torch.eye(8, 5))
        model.look.bias.zero_()
        model.read.weight.zero_()
        for place, word in enumerate(("dog", "cat")):
            model.read.weight[model.tokenizer.token_to_id(word), place] = 1.0
    found = ground(model, collection, device="cpu")
    assert found.pointing(kind="animal") == 100
    assert found.share_of_ceiling == 100


def test_a_model_that_prefers_no_region_points_as_a_random_one():
    collection = worlds()
    model = toy_model(collection)
    torch.nn.init.zeros_(model.look.weight)
    torch.nn.init.zeros_(model.look.bias)
    found = ground(model, collection, device="cpu")
    assert found.pointing() == pytest.approx(found.pointing("random region"))


def measured(model, collection, measure, row=None, kind="animal", **options):
    return ground(model, collection, device="cpu", **options).interval(row, kind, measure)


def test_the_random_row_s_energy_is_the_share_of_right_regions(grounding):
    assert grounding.interval("random region", "animal", "energy").value == 25
    assert grounding.interval("ceiling", "animal", "energy").value == 100


def test_intervals_are_over_images_not_mentions():
    few, many = worlds(2), worlds(2)
    many.captions += many.captions * 4  # more captions of the same images
    many.image_of = np.concatenate([many.image_of] * 5)
    many._caption_rows = np.arange(len(many.captions))
    many._index_captions()
    model = toy_model(few)
    ends = [measured(model, one, "F1", "random weights", "all") for one in (few, many)]
    assert ends[0] == pytest.approx(ends[1])


def test_numbers_of_a_kind_stand_with_their_intervals(grounding):
    found = grounding.measured("animal")
    assert found.value("random region", "pointing") == grounding.interval("random region", "animal")
    assert found.value("ceiling", "energy").value == 100


def test_one_image_has_no_interval():
    collection = worlds(1)
    found = ground(toy_model(collection), collection, device="cpu")
    assert np.isnan(found.interval().low)
    assert "nan" not in str(found)


def test_blind_all_regions_look_alike_so_a_model_without_boxes_points_at_random():
    collection = worlds()
    found = ground(toy_model(collection), collection, device="cpu")
    assert found.pointing("blind") == pytest.approx(found.pointing("random region"))


def test_blind_a_model_with_boxes_still_knows_where_regions_lie():
    collection = worlds()
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model("scan", region_dim=5, tokenizer=tokenizer, dim=8, word_dim=8)
    found = ground(model, collection, device="cpu")
    assert found.pointing("blind") in (0, 25, 37.5, 50, 75, 100)  # every image is the same to it
    assert found.pointing("blind") != found.pointing("random region")


def test_an_attribution_is_judged_by_the_same_truth():
    collection = worlds()
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model("scan", region_dim=5, tokenizer=tokenizer, dim=8, word_dim=8)
    found = ground(model, collection, method="joint_occlusion", device="cpu")
    by_hand = []
    for pair in (collection.pair(0), collection.pair(0, 1)):  # all images are alike
        cells = attribute(model, pair, "joint_occlusion").interactions
        named = [
            (at, ("dog", "cat").index(word)) for at, word in enumerate(pair.words) if word in ("dog", "cat")
        ]
        by_hand += [judge(cells[at], np.arange(4) == place).pointing for at, place in named]
    assert found.pointing(kind="animal") == pytest.approx(100 * np.mean(by_hand))
    assert (found.origin, found.method) == ("attribution", "joint_occlusion")
    assert "an attribution, by joint_occlusion" in str(found)


def test_a_method_without_a_row_for_each_word_is_refused_with_one_that_has():
    collection = worlds()
    with pytest.raises(ValueError, match=r"no row of regions for each word.*joint_occlusion"):
        ground(toy_model(collection), collection, method="integrated_gradients")
    with pytest.raises(ValueError, match="no method 'guess' to ground; there is native and joint_occlusion"):
        ground(toy_model(collection), collection, method="guess")


def test_a_map_that_a_model_does_not_score_by_is_called_derived(grounding):
    assert grounding.origin == "derived"
    assert "the score is not computed from it" in str(grounding)


def test_grounding_shows_itself_as_text_html_and_frame(grounding):
    assert "animal (18)" in str(grounding)
    assert "<td>75.0</td>" in grounding._repr_html_()
    assert grounding.to_frame().loc[("ceiling", "animal"), "F1"] == 100
    assert grounding.to_frame().loc[("ceiling", "animal"), "F1 low"] == 100


def test_a_model_that_is_guided_is_given_the_collection_s_guide():
    collection = worlds().with_guide(np.eye(6))
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model("user", region_dim=5, tokenizer=tokenizer, dim=8, word_dim=8, guide_dim=6)
    assert ground(model, collection, device="cpu").origin == "attribution"
    with pytest.raises(ValueError, match="guide vectors of length 6, image '0' has none"):
        ground(model, worlds(), device="cpu")


def test_a_collection_without_truth_is_refused():
    collection = toy_collection(5)
    with pytest.raises(ValueError, match="does not know which words name which regions"):
        ground(toy_model(collection), collection)
