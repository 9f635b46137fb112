import numpy as np

from itr_explore.explanation.spatial import nearest, spatial_relations

LEFT = [0.0, 0.4, 0.2, 0.6]
MIDDLE = [0.4, 0.4, 0.6, 0.6]
TOP = [0.4, 0.0, 0.6, 0.2]
SMALL = [0.45, 0.4, 0.55, 0.5]  # inside the middle one, towards the top


def test_relations_are_those_one_sees():
    found = set(spatial_relations(np.array([LEFT, MIDDLE, TOP, SMALL])))
    assert {(0, "left of", 1), (1, "right of", 0), (2, "above", 1), (1, "below", 2)} <= found
    assert {(3, "inside", 1), (1, "contains", 3)} <= found


def test_every_relation_has_its_opposite():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.7, (12, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.05, 0.3, (12, 2))], axis=1)
    opposite = {"left of": "right of", "above": "below", "inside": "contains", "overlaps": "overlaps"}
    opposite |= {value: key for key, value in opposite.items()}
    found = set(spatial_relations(boxes, aspect=1.5))
    assert found == {(b, opposite[p], a) for a, p, b in found}


def test_a_wide_image_turns_a_diagonal_into_a_side():
    boxes = np.array([[0.0, 0.0, 0.1, 0.1], [0.2, 0.25, 0.3, 0.35]])
    assert spatial_relations(boxes, aspect=1.0)[0][1] == "above"
    assert spatial_relations(boxes, aspect=2.0)[0][1] == "left of"


def test_far_regions_have_no_spatial_relation():
    corners = np.array([[0.0, 0.0, 0.1, 0.1], [0.9, 0.9, 1.0, 1.0]])
    assert spatial_relations(corners, reach=0.5) == []
    assert len(spatial_relations(corners, reach=1.0)) == 2


def test_nearest_keeps_the_nearest():
    weights = nearest(np.array([LEFT, MIDDLE, TOP, SMALL]), neighbours=1)
    assert np.argmax(weights, axis=1).tolist() == [1, 3, 3, 1]
    assert (weights > 0).sum(axis=1).tolist() == [1, 1, 1, 1]
