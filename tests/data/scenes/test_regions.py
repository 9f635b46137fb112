import numpy as np
import pytest

from itr_explore.data.boxes import iou
from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.regions import FEWEST, MOST, SMALLEST, WHOLE, ceiling, propose
from itr_explore.data.scenes.world import visible_box
from itr_explore.records import Mention


@pytest.fixture(scope="module")
def scenes():
    return [make_scene((7, "test", index)) for index in range(200)]


@pytest.fixture(scope="module")
def proposals(scenes):
    return [propose(scene) for scene in scenes]


def test_a_scene_has_the_same_proposals_whenever_it_is_asked(scenes, proposals):
    np.testing.assert_array_equal(propose(scenes[3]), proposals[3])


def test_a_seed_gives_these_proposals_on_every_machine():
    boxes = propose(make_scene((0, "train", 0)))
    assert len(boxes) == 14
    np.testing.assert_allclose(boxes[:2], [[0, 0, 1, 1], [0.7464, 0.7380, 0.8460, 0.9190]], atol=1e-4)


def test_another_draft_of_a_scene_has_other_proposals(scenes, proposals):
    again = propose(scenes[3], draft=1)
    assert again.shape != proposals[3].shape or not np.allclose(again, proposals[3])


def test_the_number_of_regions_varies_between_its_bounds(proposals):
    counts = {len(boxes) for boxes in proposals}
    assert min(counts) >= FEWEST
    assert max(counts) <= MOST
    assert len(counts) >= 7


def test_regions_lie_inside_the_image_and_are_not_slivers(proposals):
    boxes = np.concatenate(proposals)
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= SMALLEST - 1e-6


def test_the_whole_scene_is_always_a_region(proposals):
    assert all((boxes == np.array(WHOLE, np.float32)).all(-1).any() for boxes in proposals)


def test_most_things_are_covered_and_some_are_not(scenes, proposals):
    best = [
        iou(np.array([visible_box(scene, row)]), boxes).max()
        for scene, boxes in zip(scenes, proposals, strict=True)
        for row in range(len(scene.things))
    ]
    assert 0.9 < np.mean(np.array(best) >= 0.5) < 0.99


def test_the_order_of_regions_does_not_tell_which_show_things(scenes, proposals):
    first_shows = [
        iou(np.array([visible_box(scene, row) for row in range(len(scene.things))]), boxes[:1]).max() >= 0.5
        for scene, boxes in zip(scenes, proposals, strict=True)
    ]
    assert 0.5 < np.mean(first_shows) < 0.95


def test_the_ceiling_is_the_share_of_mentions_that_a_region_covers():
    box = np.array([[0.0, 0.0, 0.5, 0.5]])
    covering = np.array([[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.4]])  # IoU 0 and 0.8
    missing = np.array([[0.0, 0.0, 0.5, 0.2]])  # IoU 0.4
    pairs = [
        (Mention((0,), box), covering),
        (Mention((0,), box), missing),
        (Mention((0,), box, "attribute"), covering),
        (Mention((0,), np.empty((0, 4))), covering),  # names nothing that has a box
    ]
    assert ceiling(pairs) == {
        "thing": (0.5, 2),
        "attribute": (1.0, 1),
        "all": (pytest.approx(2 / 3), 3),
    }
